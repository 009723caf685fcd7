//! `rein switch on`

use crate::commands::switch::lay::{Lay, Release, lay};
use crate::ctx::Ctx;
use crate::error::CliError;
use clap::Args;
use rein_api::ExitCode;
use rein_domain::switch::Setting;

/// Turn switches on again: name the layers that hold them off, and offer to end them
///
/// Your own layers are offered at once; another's is ended only when you name it. With
/// --supersede an exception is laid over exactly the layers named; those still running when it
/// ends bite again.
#[derive(Debug, Args)]
pub(crate) struct On {
    #[command(flatten)]
    lay: Lay,
    #[command(flatten)]
    release: Release,
}

pub(crate) async fn run(args: On, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    lay(ctx, Setting::On, args.lay, args.release).await
}
