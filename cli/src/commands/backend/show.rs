//! `rein backend show`

use crate::commands::backend::unknown;
use crate::complete;
use crate::ctx::Ctx;
use crate::error::CliError;
use clap::Args;
use rein_api::ExitCode;
use rein_domain::name::BackendName;

/// Show one backend: configuration, plugin, what it can, every cell Rein has put something into
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The backend
    #[arg(value_name = "BACKEND", add = complete::backends())]
    name: BackendName,
}

pub(crate) async fn run(args: Show, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let client = ctx.client()?;
    let view = match client.backend(&args.name).await {
        Ok(view) => view,
        Err(error) => return Err(unknown(&client, &args.name, error.into()).await),
    };
    ctx.show(&view)?;
    Ok(ExitCode::Done)
}
