//! What `switch off` and `switch on` share: which of the two protects is the switch's own affair.

use crate::args::{Wait, Write};
use crate::commands::propose::{self, Proposal};
use crate::commands::switch::{look_up, release};
use crate::complete;
use crate::ctx::Ctx;
use crate::error::CliError;
use crate::parse;
use crate::render::c;
use crate::state;
use clap::Args;
use rein_api::ExitCode;
use rein_api::changes::{ChangeRequest, GuardsRequest, LegRequest, SwitchLegRequest};
use rein_api::switches::{ScopeView, SwitchView};
use rein_client::{Client, Key};
use rein_domain::change::MAX_LEGS;
use rein_domain::name::{IncidentName, InstanceName, SwitchName, ZoneName};
use rein_domain::scope::Percent;
use rein_domain::switch::Setting;
use std::time::Duration;

/// What is laid over what, where, for how long.
#[derive(Debug, Args)]
pub(crate) struct Lay {
    /// The switches, up to eight: one record, one undo
    #[arg(value_name = "SERVICE/SWITCH", required = true, num_args = 1..=MAX_LEGS, add = complete::switches())]
    pub(super) switches: Vec<SwitchName>,
    /// How long it lasts, such as 30m or 1h30m [default: the server's]
    #[arg(long = "for", value_name = "TIME", allow_hyphen_values = true, value_parser = parse::span)]
    lasts: Option<Duration>,
    /// The incident it belongs to [default: REIN_INCIDENT, else the one in use]
    #[arg(long, value_name = "NAME", add = complete::incidents())]
    incident: Option<IncidentName>,
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = parse::reason)]
    pub(super) reason: Option<String>,
    /// Only this share of the traffic: the share that loses the feature
    #[arg(long, value_name = "1-100", value_parser = parse::percent, allow_negative_numbers = true)]
    percent: Option<Percent>,
    /// Only this zone; repeat for more
    #[arg(long = "zone", value_name = "ZONE")]
    zones: Vec<ZoneName>,
    /// Only this instance; repeat for more
    #[arg(long = "instance", value_name = "INSTANCE")]
    instances: Vec<InstanceName>,
    /// Pass `needs` and `excludes`; the right switch:force is needed
    #[arg(long)]
    force: bool,
    /// Send it under this key: repeating a command under its key does it once
    #[arg(long, value_name = "UUIDv7")]
    pub(super) idempotency_key: Option<Key>,
    #[command(flatten)]
    pub(super) write: Write,
    #[command(flatten)]
    pub(super) wait: Wait,
}

/// What is done about layers that hold a switch where it is.
#[derive(Debug, Args)]
pub(crate) struct Release {
    /// End this change, which holds the switch; repeat for more
    #[arg(long, value_name = "CHANGE", conflicts_with = "supersede", add = complete::changes())]
    pub(super) end: Vec<String>,
    /// Lay an exception over this change; repeat for more
    #[arg(long, value_name = "CHANGE", add = complete::changes())]
    pub(super) supersede: Vec<String>,
}

/// Sets switches, whichever way that pulls.
pub(super) async fn lay(
    ctx: &mut Ctx,
    setting: Setting,
    args: Lay,
    release: Release,
) -> Result<ExitCode, CliError> {
    let (mut request, whose) = request(ctx, setting, &args, &release)?;
    let client = ctx.client()?;
    let mut views = look(&client, &args).await?;
    let wanted = setting.to_string();
    let scope = scope(&args);
    // A layer that protects is always added; one that relaxes only where there is something to relax.
    let relaxes = |view: &SwitchView| view.protects != wanted;
    if !release.end.is_empty() && !views.iter().any(relaxes) {
        let error = CliError::usage("--end goes with giving something back, and this takes it away");
        return Err(error.hint(format!("rein change end {}", release.end.join(" "))));
    }
    if release.supersede.is_empty() && views.iter().any(relaxes) {
        let me = client.whoami().await?.actor;
        let holding = release::holding(&views, setting, &scope, &me);
        let wish = release::Wanted { setting, scope: &scope, named: &release.end, args: &args };
        if !holding.is_empty() {
            let released = release::run(ctx, &client, &wish, &holding).await?;
            let free = views.iter().all(|view| relaxes(view) && view.default == wanted);
            if released == release::Released::OnlyLooked || free {
                return Ok(ExitCode::Done);
            }
            views = look(&client, &args).await?;
        } else if let Some(id) = release.end.first() {
            let name = &views[0].name;
            let error = CliError::usage(format!("{id} does not hold {name}; nothing does"));
            return Err(error.hint(format!("rein switch show {name}")));
        }
    }
    let mut already = Vec::new();
    views.retain(|view| {
        let so = relaxes(view) && view.setting == wanted && release.supersede.is_empty();
        if so {
            already.push(view.name.clone());
        }
        !so
    });
    for name in &already {
        ctx.say(&format!("{} is already {wanted}; nothing holds it", c(name)))?;
    }
    request.legs.retain(|leg| leg.as_switch().is_none_or(|leg| !already.contains(&leg.switch)));
    if request.legs.is_empty() {
        return Ok(ExitCode::Done);
    }
    let relaxing = views.iter().filter(|view| relaxes(view)).map(|view| view.name.clone()).collect();
    let switches = request.legs.iter().filter_map(LegRequest::as_switch);
    let names: Vec<&str> = switches.map(|leg| leg.switch.as_str()).collect();
    let question = format!("Turn {} {setting}?", names.join(", "));
    let (key, write, wait) = (args.idempotency_key.as_ref(), &args.write, &args.wait);
    let proposal = Proposal { request, whose, relaxing, question, matchers: None, key, write, wait };
    propose::run(ctx, &client, proposal).await
}

async fn look(client: &Client, args: &Lay) -> Result<Vec<SwitchView>, CliError> {
    futures::future::try_join_all(args.switches.iter().map(|switch| look_up(client, switch))).await
}

fn scope(args: &Lay) -> ScopeView {
    ScopeView {
        zones: args.zones.iter().map(ToString::to_string).collect(),
        instances: args.instances.iter().map(ToString::to_string).collect(),
        percent: args.percent.unwrap_or(Percent::ALL).get(),
    }
}

fn request(
    ctx: &Ctx,
    setting: Setting,
    args: &Lay,
    release: &Release,
) -> Result<(ChangeRequest, Option<state::Origin>), CliError> {
    let incident = state::incident(ctx, args.incident.clone())?;
    let scope = scope(args);
    let leg = |switch: &SwitchName| {
        let (switch, setting) = (switch.to_string(), setting.to_string());
        LegRequest::Switch(SwitchLegRequest { switch, setting, scope: scope.clone() })
    };
    let request = ChangeRequest {
        legs: args.switches.iter().map(leg).collect(),
        lasts_seconds: args.lasts.map(|lasts| lasts.as_secs()),
        reason: args.reason.clone().unwrap_or_default(),
        incident: incident.as_ref().map(|(name, _)| name.to_string()),
        supersede: release.supersede.clone(),
        guards: if args.force { GuardsRequest::Pass } else { GuardsRequest::Check },
        seen: Default::default(),
    };
    Ok((request, incident.map(|(_, origin)| origin)))
}
