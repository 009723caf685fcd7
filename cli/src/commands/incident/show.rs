//! `rein incident show`

use crate::complete;
use crate::ctx::Ctx;
use crate::error::CliError;
use crate::state;
use clap::Args;
use rein_api::{ErrorCode, ExitCode};
use rein_domain::name::IncidentName;

/// Show an incident and its changes
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The incident [default: REIN_INCIDENT, else the one in use]
    #[arg(value_name = "NAME", add = complete::incidents())]
    name: Option<IncidentName>,
}

pub(crate) async fn run(args: Show, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let name = state::needed(ctx, args.name)?;
    let incident = ctx.client()?.incident(name.as_str()).await.map_err(|e| match CliError::from(e) {
        error if error.code == Some(ErrorCode::NotFound) && error.hints.is_empty() => {
            error.hint("it comes into being with the first change that names it")
        }
        error => error,
    })?;
    ctx.show(&incident)?;
    Ok(ExitCode::Done)
}
