//! `rein plugin logs`

use crate::commands::backend::unknown;
use crate::complete;
use crate::ctx::Ctx;
use crate::error::CliError;
use clap::Args;
use rein_api::{ErrorCode, ExitCode};
use rein_client::Client;
use rein_domain::name::BackendName;

/// Show what the plugin of a backend wrote to its standard error, oldest first
#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// The backend it runs for
    #[arg(value_name = "BACKEND", add = complete::backends())]
    name: BackendName,
}

pub(crate) async fn run(args: Logs, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let client = ctx.client()?;
    let logs = match client.plugin_logs(&args.name).await {
        Ok(logs) => logs,
        Err(error) => {
            let error = unknown(&client, &args.name, error.into()).await;
            return Err(of_plugin(&client, &args.name, error).await);
        }
    };
    ctx.show(&logs)?;
    Ok(ExitCode::Done)
}

/// Whoever names the plugin means one of the backends that it runs for.
async fn of_plugin(client: &Client, name: &BackendName, error: CliError) -> CliError {
    if error.code != Some(ErrorCode::NotFound) {
        return error;
    }
    let all = client.plugins().await.map(|list| list.plugins).unwrap_or_default();
    let of_it = all.iter().filter(|one| one.name == name.as_str() && !one.backend.is_empty());
    of_it.fold(error, |error, one| error.hint(format!("rein plugin logs {}", one.backend)))
}
