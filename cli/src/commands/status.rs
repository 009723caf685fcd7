//! `rein status`

use crate::ctx::Ctx;
use crate::error::CliError;
use clap::Args;
use rein_api::ExitCode;

/// Show what is wrong, what is in force and until when, what was changed lately and by whom
///
/// Alerts by priority come first, then services that the registry or a backend that measures calls unwell, then layers, then everything
/// that was changed in the past hour: by Rein, by others as they recorded it (rein mark), and versions as
/// instances register or metrics show them. The last line says where changes are known from, and who was not
/// heard.
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// End with 10 if anything wants a person: an alert fires, a service is unwell, a layer is in force or in conflict, a backend
    /// or a source of changes is silent, the server has trouble
    #[arg(long)]
    exit_code: bool,
}

pub(crate) async fn run(args: Status, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let status = ctx.client()?.status().await?;
    ctx.show(&status)?;
    let wanted = args.exit_code && !status.attention.is_empty();
    Ok(if wanted { ExitCode::Differs } else { ExitCode::Done })
}
