//! `rein switch show`

use crate::commands::switch::look_up;
use crate::complete;
use crate::ctx::Ctx;
use crate::error::CliError;
use clap::Args;
use rein_api::ExitCode;
use rein_domain::name::SwitchName;

/// Show one switch: owner, level, what is lost, its layers, who has got it
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The switch
    #[arg(value_name = "SERVICE/SWITCH", add = complete::switches())]
    switch: SwitchName,
}

pub(crate) async fn run(args: Show, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let client = ctx.client()?;
    let view = look_up(&client, &args.switch).await?;
    ctx.show(&view)?;
    Ok(ExitCode::Done)
}
