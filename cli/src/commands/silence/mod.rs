//! `rein silence`

mod add;
pub(crate) mod doubt;
mod expire;
mod extend;
mod find;
mod list;
mod matchers;
mod show;

use crate::ctx::Ctx;
use crate::error::CliError;
use crate::shell;
use clap::Subcommand;
use rein_api::silences::SilenceList;
use rein_api::{ErrorCode, ExitCode};

/// Look at silences, hush alerts for a while
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    List(list::List),
    Show(show::Show),
    Add(add::Add),
    Extend(extend::Extend),
    Expire(expire::Expire),
}

pub(crate) async fn run(verb: Verb, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    match verb {
        Verb::List(args) => list::run(args, ctx).await,
        Verb::Show(args) => show::run(args, ctx).await,
        Verb::Add(args) => add::run(args, ctx).await,
        Verb::Extend(args) => extend::run(args, ctx).await,
        Verb::Expire(args) => expire::run(args, ctx).await,
    }
}

/// Without Rein, a person still has Alertmanager's own tool: the same there, as a command to type.
fn natively(error: CliError, command: impl FnOnce() -> String) -> CliError {
    // What may be recorded already must not be done a second time by hand.
    let recorded = matches!(error.code, Some(ErrorCode::UnknownOutcome | ErrorCode::BackendUnreachable));
    if error.exit != ExitCode::Unreachable || recorded {
        return error;
    }
    error.hint(format!("{}   # without Rein", command()))
}

/// The same for what only looks.
fn natively_query(error: CliError) -> CliError {
    natively(error, || shell::amtool(&["silence", "query"]))
}

/// A list from which a backend is missing is not the whole answer.
fn incomplete(list: &SilenceList) -> Result<(), CliError> {
    if list.unreachable.is_empty() {
        return Ok(());
    }
    let error =
        CliError::new(ExitCode::Unreachable, "backends do not answer; their silences are missing here");
    let error =
        list.unreachable.iter().fold(error, |error, (name, why)| error.detail(format!("{name}: {why}")));
    let first = list.unreachable.keys().next().cloned().unwrap_or_default();
    Err(error.hint(format!("rein backend check {first}")))
}

#[cfg(test)]
mod tests;
