//! `rein incident use`

use crate::complete;
use crate::ctx::Ctx;
use crate::error::CliError;
use crate::state;
use clap::Args;
use rein_api::ExitCode;
use rein_domain::name::IncidentName;

/// Work on an incident from now on: it becomes the default of --incident
///
/// REIN_INCIDENT wins over it. The incident comes into being with the first change that names it.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Use {
    /// The incident
    #[arg(value_name = "NAME", add = complete::incidents())]
    name: Option<IncidentName>,
    /// Work on none
    #[arg(long)]
    clear: bool,
}

pub(crate) fn run(args: Use, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    state::set(ctx, args.name.as_ref())?;
    let said = match &args.name {
        Some(name) => format!("changes now belong to {name}; `rein incident use --clear` ends that"),
        None => "no incident is in use".to_owned(),
    };
    ctx.say(&said)?;
    if let Some(other) = ctx.io.env.text("REIN_INCIDENT").map(ToOwned::to_owned) {
        let other = rein_domain::text::clean(&other).into_owned();
        ctx.warn(&format!("but REIN_INCIDENT is set to {other}, and that wins"))?;
    }
    Ok(ExitCode::Done)
}
