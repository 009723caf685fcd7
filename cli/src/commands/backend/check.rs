//! `rein backend check`

use crate::commands::backend::unknown;
use crate::complete;
use crate::ctx::Ctx;
use crate::error::CliError;
use clap::Args;
use rein_api::ExitCode;
use rein_domain::name::BackendName;

/// Look at a backend now, as a person would: every peer, its version, its clock
///
/// Ends with 1 if something is wrong there, with 4 if its plugin does not answer.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The backend
    #[arg(value_name = "BACKEND", add = complete::backends())]
    name: BackendName,
}

pub(crate) async fn run(args: Check, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let client = ctx.client()?;
    let found = match client.check_backend(&args.name).await {
        Ok(found) => found,
        Err(error) => return Err(unknown(&client, &args.name, error.into()).await),
    };
    ctx.show(&found)?;
    Ok(if found.grade == "error" { ExitCode::Failed } else { ExitCode::Done })
}
