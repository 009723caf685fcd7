//! `rein switch list`

use crate::complete;
use crate::ctx::Ctx;
use crate::error::CliError;
use clap::Args;
use rein_api::ExitCode;
use rein_domain::access::Pattern;
use rein_domain::name::SwitchName;

/// List switches: state, until when, owner, who has got it
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only these: *, SERVICE/* or SERVICE/SWITCH
    #[arg(value_name = "PATTERN", add = complete::patterns())]
    pattern: Option<Pattern>,
}

pub(crate) async fn run(args: List, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let mut list = ctx.client()?.switches().await?;
    if let Some(pattern) = args.pattern {
        let fits = |name: SwitchName| pattern.covers(&Pattern::Switch(name));
        list.switches.retain(|switch| switch.name.parse().is_ok_and(fits));
    }
    ctx.show(&list)?;
    Ok(ExitCode::Done)
}
