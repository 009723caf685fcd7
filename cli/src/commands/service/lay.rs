//! What `service drain` and `service weigh` share.

use crate::args::{Wait, Write};
use crate::commands::propose::{self, Proposal};
use crate::complete;
use crate::ctx::Ctx;
use crate::error::CliError;
use crate::parse;
use crate::state;
use clap::Args;
use rein_api::ExitCode;
use rein_api::changes::{ChangeRequest, GuardsRequest, LegRequest};
use rein_api::services::{InstanceLegRequest, PickRequest};
use rein_client::Key;
use rein_domain::instance::Weight;
use rein_domain::name::{IncidentName, InstanceName, ServiceName, ZoneName};
use std::str::FromStr;
use std::time::Duration;

/// A service, or one instance of it, as it is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    service: ServiceName,
    id: Option<InstanceName>,
}

impl FromStr for Target {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let said = |e: rein_domain::name::NameError| e.to_string();
        let (service, id) = match text.split_once('/') {
            Some((service, id)) => (service, Some(id.parse().map_err(said)?)),
            None => (text, None),
        };
        Ok(Self { service: service.parse().map_err(said)?, id })
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.id {
            Some(id) => write!(f, "{}/{id}", self.service),
            None => write!(f, "{}", self.service),
        }
    }
}

/// For how long, why, and how.
#[derive(Debug, Args)]
pub(super) struct Lay {
    /// All instances in this zone, also those that join; goes with SERVICE
    #[arg(long, value_name = "ZONE")]
    zone: Option<ZoneName>,
    /// How long it lasts, such as 30m or 1h30m [default: the server's]
    #[arg(long = "for", value_name = "TIME", allow_hyphen_values = true, value_parser = parse::span)]
    lasts: Option<Duration>,
    /// The incident it belongs to [default: REIN_INCIDENT, else the one in use]
    #[arg(long, value_name = "NAME", add = complete::incidents())]
    incident: Option<IncidentName>,
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = parse::reason)]
    reason: Option<String>,
    /// Leave less than the floor; the right service:force is needed
    #[arg(long)]
    force: bool,
    /// Send it under this key: repeating a command under its key does it once
    #[arg(long, value_name = "UUIDv7")]
    idempotency_key: Option<Key>,
    #[command(flatten)]
    write: Write,
    #[command(flatten)]
    wait: Wait,
}

/// Lowers the weight of instances.
pub(super) async fn lay(
    ctx: &mut Ctx,
    targets: &[Target],
    weight: Weight,
    args: Lay,
) -> Result<ExitCode, CliError> {
    let legs =
        targets.iter().map(|target| leg(target, args.zone.as_ref(), weight)).collect::<Result<_, _>>()?;
    let incident = state::incident(ctx, args.incident.clone())?;
    let request = ChangeRequest {
        legs,
        lasts_seconds: args.lasts.map(|lasts| lasts.as_secs()),
        reason: args.reason.clone().unwrap_or_default(),
        incident: incident.as_ref().map(|(name, _)| name.to_string()),
        supersede: Vec::new(),
        guards: if args.force { GuardsRequest::Pass } else { GuardsRequest::Check },
        seen: Default::default(),
    };
    let mut names: Vec<String> = targets.iter().map(ToString::to_string).collect();
    if let Some(zone) = &args.zone {
        names = names.into_iter().map(|name| format!("{name} in {zone}")).collect();
    }
    let names = names.join(", ");
    let question = match weight {
        Weight::DRAINED => format!("Drain {names}?"),
        weight => format!("Lower {names} to weight {weight}?"),
    };
    let proposal = Proposal {
        request,
        whose: incident.map(|(_, origin)| origin),
        relaxing: Default::default(),
        question,
        matchers: None,
        key: args.idempotency_key.as_ref(),
        write: &args.write,
        wait: &args.wait,
    };
    let client = ctx.client()?;
    propose::run(ctx, &client, proposal).await
}

fn leg(target: &Target, zone: Option<&ZoneName>, weight: Weight) -> Result<LegRequest, CliError> {
    let service = &target.service;
    match (&target.id, zone) {
        (None, None) => {
            let error = CliError::usage(format!("which instances of {service}?"));
            return Err(error
                .hint(format!("rein service show {service}   # its instances and zones"))
                .hint(format!("name one, {service}/ID, or a zone, {service} --zone ZONE")));
        }
        (Some(_), Some(_)) => {
            return Err(CliError::usage(format!("{target} is one instance: --zone goes with a service")));
        }
        _ => {}
    }
    let instance = PickRequest {
        service: service.to_string(),
        id: target.id.as_ref().map(ToString::to_string),
        incarnation: None,
        zone: zone.map(ToString::to_string),
    };
    Ok(LegRequest::Instance(InstanceLegRequest { instance, weight: weight.get().into() }))
}
