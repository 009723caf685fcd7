//! `rein plugin`

mod list;
mod logs;
mod show;

use crate::ctx::Ctx;
use crate::error::CliError;
use crate::handover::{PluginCommand, PluginNewArgs};
use clap::Subcommand;
use rein_api::ExitCode;

/// Look at plugins, which adapt backends, or begin one of your own
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    List(list::List),
    Show(show::Show),
    Logs(logs::Logs),
    New(PluginNewArgs),
    /// What a server starts.
    #[command(flatten)]
    Started(PluginCommand),
}

pub(crate) async fn run(verb: Verb, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    match verb {
        Verb::List(args) => list::run(args, ctx).await,
        Verb::Show(args) => show::run(args, ctx).await,
        Verb::Logs(args) => logs::run(args, ctx).await,
        // They need the plugin crate, which the command line does not know: `main` carries them out.
        Verb::New(_) | Verb::Started(_) => {
            Err(CliError::usage("a plugin cannot be begun from inside another program"))
        }
    }
}
