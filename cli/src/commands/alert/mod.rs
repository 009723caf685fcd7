//! `rein alert`

mod explain;
mod list;

use crate::ctx::Ctx;
use crate::error::CliError;
use clap::Subcommand;
use rein_api::ExitCode;
use rein_api::alerts::CallsView;
use std::collections::BTreeMap;

/// Look at alerts by priority, and why one stands where it stands
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    List(list::List),
    Explain(explain::Explain),
}

pub(crate) async fn run(verb: Verb, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    match verb {
        Verb::List(args) => list::run(args, ctx).await,
        Verb::Explain(args) => explain::run(args, ctx).await,
    }
}

/// An answer to which somebody who was asked added nothing is not the whole one.
fn whole(unreachable: &BTreeMap<String, String>, calls: &CallsView) -> Result<ExitCode, CliError> {
    let what = match (unreachable.is_empty(), calls.unreachable.is_empty()) {
        (true, true) => return Ok(ExitCode::Done),
        (false, true) => "backends do not answer; their alerts are missing here",
        (true, false) => "backends do not answer; who calls whom is not known, or not all of it",
        (false, false) => "backends do not answer; alerts are missing here, and who calls whom",
    };
    let silent: BTreeMap<&String, &String> = unreachable.iter().chain(&calls.unreachable).collect();
    let error = CliError::new(ExitCode::Unreachable, what);
    let error = silent.iter().fold(error, |error, (name, why)| error.detail(format!("{name}: {why}")));
    let first = silent.keys().next().map(|name| name.as_str()).unwrap_or_default();
    Err(error.hint(format!("rein backend check {first}")))
}
