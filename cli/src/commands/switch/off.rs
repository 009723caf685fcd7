//! `rein switch off`

use crate::commands::switch::lay::{Lay, Release, lay};
use crate::ctx::Ctx;
use crate::error::CliError;
use clap::Args;
use rein_api::ExitCode;
use rein_domain::switch::Setting;

/// Turn switches off for a while: preview, confirm, record, wait for proof
///
/// A layer is laid over each switch; it ends by itself at its deadline, and `rein undo` ends it
/// sooner. Off again while it is off already adds a layer of your own, so that nobody else's
/// deadline drops your protection.
#[derive(Debug, Args)]
pub(crate) struct Off {
    #[command(flatten)]
    lay: Lay,
    #[command(flatten)]
    release: Release,
}

pub(crate) async fn run(args: Off, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    lay(ctx, Setting::Off, args.lay, args.release).await
}
