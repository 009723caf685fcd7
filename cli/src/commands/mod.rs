//! One file for each verb: its arguments, and one function.

pub(crate) mod alert;
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
pub(crate) mod top;
pub(crate) mod undo;
pub(crate) mod watch;

use crate::args::Command;
use crate::ctx::Ctx;
use crate::error::CliError;
use crate::output::Format;
use futures::future::{LocalBoxFuture, ready};
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

/// Carries out one command. Boxed one by one: a future that holds any of them is as large as all of
/// them, and is compiled into whatever awaits it.
pub(crate) fn run<'a>(command: Command, ctx: &'a mut Ctx) -> LocalBoxFuture<'a, Result<ExitCode, CliError>> {
    let has_picture = matches!(command, Command::Service { verb: service::Verb::Graph(_) });
    if ctx.format() == Format::Svg && !has_picture {
        let none = CliError::usage("there is no picture of this").hint("rein service graph -o svg");
        return Box::pin(ready(Err(none)));
    }
    match command {
        Command::Status(args) => Box::pin(status::run(args, ctx)),
        Command::Top(args) => Box::pin(top::run(args, ctx)),
        Command::Switch { verb } => Box::pin(switch::run(verb, ctx)),
        Command::Service { verb } => Box::pin(service::run(verb, ctx)),
        Command::Change { verb } => Box::pin(change::run(verb, ctx)),
        Command::Silence { verb } => Box::pin(silence::run(verb, ctx)),
        Command::Alert { verb } => Box::pin(alert::run(verb, ctx)),
        Command::Backend { verb } => Box::pin(backend::run(verb, ctx)),
        Command::Plugin { verb } => Box::pin(plugin::run(verb, ctx)),
        Command::Undo(args) => Box::pin(undo::run(args, ctx)),
        Command::Incident { verb } => Box::pin(incident::run(verb, ctx)),
        Command::Watch(args) => Box::pin(watch::run(args, ctx)),
        Command::Mark(args) => Box::pin(mark::run(args, ctx)),
        Command::Marker { verb } => Box::pin(marker::run(verb, ctx)),
        Command::Apply(args) => Box::pin(apply::run(args, ctx)),
        Command::Diff(args) => Box::pin(diff::run(args, ctx)),
        Command::Export(args) => Box::pin(export::run(args, ctx)),
        Command::Audit { verb } => Box::pin(audit::run(verb, ctx)),
        Command::Token { verb } => Box::pin(token::run(verb, ctx)),
        Command::Auth { verb } => Box::pin(auth::run(verb, ctx)),
        Command::Context { verb } => Box::pin(ready(context::run(verb, ctx))),
        Command::Completions(args) => Box::pin(ready(completions::run(args, ctx))),
        Command::Diagnose(args) => Box::pin(diagnose::run(args, ctx)),
        Command::Server(args) if args.is_clients() => Box::pin(server::run(args, ctx)),
        Command::Server(_) | Command::Demo(_) => {
            Box::pin(ready(Err(CliError::usage("a server cannot be run from inside another program"))))
        }
    }
}
