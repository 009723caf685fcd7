//! `rein change list`

use crate::complete;
use crate::ctx::Ctx;
use crate::error::CliError;
use clap::Args;
use rein_api::ExitCode;
use rein_api::changes::ChangeQuery;
use rein_domain::name::{ActorName, BackendName, IncidentName, ServiceName, SwitchName};

/// List changes, newest first
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only those that count now
    #[arg(long)]
    active: bool,
    /// Only those over this switch
    #[arg(long, value_name = "SERVICE/SWITCH", add = complete::switches())]
    switch: Option<SwitchName>,
    /// Only those over instances or switches of this service
    #[arg(long, value_name = "NAME", add = complete::services())]
    service: Option<ServiceName>,
    /// Only those that are written into this backend
    #[arg(long, value_name = "NAME", add = complete::backends())]
    backend: Option<BackendName>,
    /// Only those of this incident
    #[arg(long, value_name = "NAME", add = complete::incidents())]
    incident: Option<IncidentName>,
    /// Only those laid by this actor
    #[arg(long, value_name = "ACTOR")]
    actor: Option<ActorName>,
    /// At most this many [default: 200]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: Option<u32>,
}

pub(crate) async fn run(args: List, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let query = ChangeQuery {
        service: args.service.map(|name| name.to_string()),
        backend: args.backend.map(|name| name.to_string()),
        active: args.active.then_some(true),
        switch: args.switch.map(|name| name.to_string()),
        incident: args.incident.map(|name| name.to_string()),
        actor: args.actor.map(|name| name.to_string()),
        key: None,
        limit: args.limit,
    };
    let list = ctx.client()?.changes(&query).await?;
    ctx.show(&list)?;
    Ok(ExitCode::Done)
}
