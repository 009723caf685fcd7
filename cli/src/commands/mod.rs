//! One file for each verb: its arguments, and one function.

pub(crate) mod apply;
pub(crate) mod audit;
pub(crate) mod auth;
pub(crate) mod backend;
pub(crate) mod change;
pub(crate) mod completions;
pub(crate) mod context;
pub(crate) mod diagnose;
pub(crate) mod diff;
pub(crate) mod documents;
pub(crate) mod export;
pub(crate) mod incident;
pub(crate) mod mark;
pub(crate) mod marker;
pub(crate) mod plugin;
mod propose;
pub(crate) mod server;
pub(crate) mod service;
pub(crate) mod silence;
pub(crate) mod status;
pub(crate) mod switch;
pub(crate) mod token;
pub(crate) mod undo;
pub(crate) mod watch;

use crate::args::Command;
use crate::ctx::Ctx;
use crate::error::CliError;
use crate::output::Format;
use rein_api::ExitCode;

/// Does the command need neither a server nor a clock, and so no runtime?
pub(crate) fn offline(command: &Command) -> bool {
    match command {
        Command::Context { .. } | Command::Completions(_) => true,
        Command::Diagnose(args) => args.is_offline(),
        Command::Incident { verb } => matches!(verb, incident::Verb::Use(_)),
        _ => false,
    }
}

/// Carries out one command.
pub(crate) async fn run(command: Command, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let has_picture = matches!(command, Command::Service { verb: service::Verb::Graph(_) });
    if ctx.format() == Format::Svg && !has_picture {
        return Err(CliError::usage("there is no picture of this").hint("rein service graph -o svg"));
    }
    match command {
        Command::Status(args) => status::run(args, ctx).await,
        Command::Switch { verb } => switch::run(verb, ctx).await,
        Command::Service { verb } => service::run(verb, ctx).await,
        Command::Change { verb } => change::run(verb, ctx).await,
        Command::Silence { verb } => silence::run(verb, ctx).await,
        Command::Backend { verb } => backend::run(verb, ctx).await,
        Command::Plugin { verb } => plugin::run(verb, ctx).await,
        Command::Undo(args) => undo::run(args, ctx).await,
        Command::Incident { verb } => incident::run(verb, ctx).await,
        Command::Watch(args) => watch::run(args, ctx).await,
        Command::Mark(args) => mark::run(args, ctx).await,
        Command::Marker { verb } => marker::run(verb, ctx).await,
        Command::Apply(args) => apply::run(args, ctx).await,
        Command::Diff(args) => diff::run(args, ctx).await,
        Command::Export(args) => export::run(args, ctx).await,
        Command::Audit { verb } => audit::run(verb, ctx).await,
        Command::Token { verb } => token::run(verb, ctx).await,
        Command::Auth { verb } => auth::run(verb, ctx).await,
        Command::Context { verb } => context::run(verb, ctx),
        Command::Completions(args) => completions::run(args, ctx),
        Command::Diagnose(args) => diagnose::run(args, ctx).await,
        Command::Server(args) if args.is_clients() => server::run(args, ctx).await,
        Command::Server(_) | Command::Demo(_) => {
            Err(CliError::usage("a server cannot be run from inside another program"))
        }
    }
}
