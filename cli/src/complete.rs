//! Completion of names that only the server knows.
//!
//! The shell waits while this runs, so it has 300 ms and fails without a word.

use crate::args::{Cli, Global};
use crate::connect;
use crate::io::{Env, Io};
use clap::CommandFactory;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::CompleteEnv;
use rein_api::changes::ChangeQuery;
use rein_client::{Client, ClientError};
use std::collections::BTreeSet;
use std::pin::Pin;
use std::time::Duration;

const LIMIT: Duration = Duration::from_millis(300);

/// Answers the shell, if it is the shell that asks (`COMPLETE` is set).
pub(crate) fn answered() -> bool {
    if Env::process().get("COMPLETE").is_none() {
        return false;
    }
    let here = std::env::current_dir().ok();
    // A shell shows nothing of an error made while completing.
    CompleteEnv::with_factory(Cli::command).try_complete(std::env::args_os(), here.as_deref()).unwrap_or(true)
}

type Asked<'a> = Pin<Box<dyn Future<Output = Result<Vec<CompletionCandidate>, ClientError>> + 'a>>;

fn ask(question: impl Fn(&Client) -> Asked<'_>) -> Vec<CompletionCandidate> {
    let io = Io::process();
    let Ok(target) = connect::target(&Global::default(), &io.env) else { return Vec::new() };
    let Ok(client) = connect::client(&io, &target) else { return Vec::new() };
    let client = client.with_limit(LIMIT);
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return Vec::new();
    };
    let answer = runtime.block_on(async { tokio::time::timeout(LIMIT, question(&client)).await });
    answer.ok().and_then(Result::ok).unwrap_or_default()
}

fn candidate(name: &str, help: String) -> Option<CompletionCandidate> {
    // A name that could alter what the shell shows is not offered.
    let fit = !name.chars().any(rein_domain::text::is_unsafe);
    let help = rein_domain::text::clean(&help).into_owned();
    fit.then(|| CompletionCandidate::new(name).help((!help.is_empty()).then(|| help.into())))
}

/// Switches.
pub(crate) fn switches() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        ask(|client| {
            Box::pin(async move {
                let list = client.switches().await?.switches;
                Ok(list
                    .iter()
                    .filter_map(|s| candidate(&s.name, format!("{}: {}", s.summary, s.lost)))
                    .collect())
            })
        })
    })
}

/// What a token can be for: `*`, each service, each switch.
pub(crate) fn patterns() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        ask(|client| {
            Box::pin(async move {
                let list = client.switches().await?.switches;
                let services: BTreeSet<&str> =
                    list.iter().filter_map(|s| s.name.split_once('/')).map(|(service, _)| service).collect();
                let mut all = vec![CompletionCandidate::new("*")];
                all.extend(services.iter().filter_map(|s| candidate(&format!("{s}/*"), String::new())));
                all.extend(list.iter().filter_map(|s| candidate(&s.name, s.lost.clone())));
                Ok(all)
            })
        })
    })
}

/// Changes that are active.
pub(crate) fn changes() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        ask(|client| {
            Box::pin(async move {
                let query = ChangeQuery { active: Some(true), ..ChangeQuery::default() };
                let list = client.changes(&query).await?.changes;
                let what = |change: &rein_api::changes::ChangeView| {
                    let legs: Vec<String> =
                        change.legs.iter().map(|leg| format!("{} {}", leg.target, leg.summary)).collect();
                    format!("{}, {}", legs.join(", "), change.actor)
                };
                Ok(list.iter().filter_map(|change| candidate(&change.id, what(change))).collect())
            })
        })
    })
}

/// Incidents that are open.
pub(crate) fn incidents() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        ask(|client| {
            Box::pin(async move {
                let list = client.incidents().await?.incidents;
                let open = list.iter().filter(|incident| incident.closed.is_none());
                Ok(open.filter_map(|i| candidate(&i.name, format!("opened by {}", i.by))).collect())
            })
        })
    })
}
