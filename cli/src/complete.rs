//! Completion of names that only the server knows.
//!
//! The shell waits while this runs, so it has 300 ms and fails without a word.

use crate::args::{Cli, Global};
use crate::connect;
use crate::io::{Env, Io};
use crate::shell;
use clap::CommandFactory;
use clap_complete::engine::{ArgValueCandidates, ArgValueCompleter, CompletionCandidate};
use clap_complete::env::CompleteEnv;
use rein_api::backends::BackendView;
use rein_api::changes::ChangeQuery;
use rein_api::silences::{AlertQuery, AlertView, SilenceQuery, SilenceView};
use rein_client::{Client, ClientError};
use rein_domain::matchers::{MatchOp, Matcher};
use std::collections::BTreeSet;
use std::ffi::OsStr;
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

/// Services that have registered or are declared.
pub(crate) fn services() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        ask(|client| {
            Box::pin(async move {
                let list = client.services().await?.services;
                let how =
                    |s: &rein_api::services::ServiceRow| format!("{}: {} of {} up", s.health, s.up, s.all);
                Ok(list.iter().filter_map(|s| candidate(&s.name, how(s))).collect())
            })
        })
    })
}

/// Kinds of change that are common.
pub(crate) fn kinds() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let all = [
            ("deploy", "another version runs"),
            ("rollback", "an older version runs again"),
            ("config", "a configuration was altered"),
            ("migration", "data or a schema was moved"),
            ("scale", "there are more instances, or fewer"),
            ("maintenance", "something below was worked on"),
        ];
        all.iter().filter_map(|(kind, help)| candidate(kind, (*help).to_owned())).collect()
    })
}

/// Services, and once one is typed with a slash, its instances.
pub(crate) fn instances() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        let typed = typed.to_string_lossy().into_owned();
        ask(|client| {
            let typed = typed.clone();
            Box::pin(async move {
                let Some((service, _)) = typed.split_once('/') else {
                    let list = client.services().await?.services;
                    let fits = list.iter().filter(|s| s.name.starts_with(&typed));
                    return Ok(fits.filter_map(|s| candidate(&s.name, s.health.clone())).collect());
                };
                let Ok(name) = service.parse() else { return Ok(Vec::new()) };
                let all = client.service(&name).await?.instances;
                let named = all.iter().map(|i| (format!("{service}/{}", i.id), i.state.clone()));
                let fits = named.filter(|(name, _)| name.starts_with(&typed));
                Ok(fits.filter_map(|(name, state)| candidate(&name, state)).collect())
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

/// Backends.
pub(crate) fn backends() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        ask(|client| {
            Box::pin(async move {
                let list = client.backends().await?.backends;
                let plugin = |b: &BackendView| b.definition.plugin.clone();
                Ok(list.iter().filter_map(|b| candidate(&b.definition.name, plugin(b))).collect())
            })
        })
    })
}

/// Plugins.
pub(crate) fn plugins() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        ask(|client| {
            Box::pin(async move {
                let list = client.plugins().await?.plugins;
                let names: BTreeSet<&str> = list.iter().map(|one| one.name.as_str()).collect();
                Ok(names.into_iter().filter_map(|name| candidate(name, String::new())).collect())
            })
        })
    })
}

/// Changes that wait for a person to settle a conflict.
pub(crate) fn conflicts() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        ask(|client| {
            Box::pin(async move {
                let layers = client.status().await?.layers;
                let torn = layers.iter().filter(|change| change.state == "conflict");
                Ok(torn.filter_map(|change| candidate(&change.id, change.actor.clone())).collect())
            })
        })
    })
}

/// Silences that are not over: changes by their ids, those of others by the backend's own.
pub(crate) fn silences() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        ask(|client| {
            Box::pin(async move {
                let list = client.silences(&SilenceQuery::default()).await?.silences;
                let what = |s: &SilenceView| format!("{} on {}, {}", s.summary, s.backend, s.author);
                Ok(list.iter().filter_map(|silence| candidate(&silence.id, what(silence))).collect())
            })
        })
    })
}

/// Alerts that fire.
pub(crate) fn alerts() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        ask(|client| {
            Box::pin(async move {
                let list = client.alerts(&AlertQuery::default()).await?.alerts;
                let what = |alert: &AlertView| {
                    let words: Vec<String> = alert.labels.iter().map(|(n, v)| format!("{n}={v}")).collect();
                    words.join(" ")
                };
                Ok(list.iter().filter_map(|alert| candidate(&alert.id, what(alert))).collect())
            })
        })
    })
}

/// Matchers: labels of alerts that fire, then their values.
pub(crate) fn matchers() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        let typed = typed.to_string_lossy().into_owned();
        let found = ask(|client| {
            Box::pin(async move {
                let list = client.alerts(&AlertQuery::default()).await?.alerts;
                let labels: Vec<(String, String)> = list.into_iter().flat_map(|alert| alert.labels).collect();
                Ok(labels
                    .iter()
                    .map(|(name, value)| CompletionCandidate::new(format!("{name}={value}")))
                    .collect())
            })
        });
        let pairs: Vec<String> =
            found.iter().map(|one| one.get_value().to_string_lossy().into_owned()).collect();
        matching(&typed, &pairs).iter().filter_map(|text| candidate(text, String::new())).collect()
    })
}

/// What begins as typed: `label=` while no operator is there, `label=value` from then on.
fn matching(typed: &str, pairs: &[String]) -> BTreeSet<String> {
    let whole = typed.contains('=');
    let offer = |pair: &String| {
        let (label, value) = pair.split_once('=')?;
        if !whole {
            return Some(format!("{label}="));
        }
        let read = Matcher::new(label, MatchOp::Equal, value).ok()?;
        Some(shell::matcher(&read))
    };
    pairs.iter().filter_map(offer).filter(|text| text.starts_with(typed)).collect()
}

#[cfg(test)]
mod tests {
    use super::matching;

    #[test]
    fn labels_come_first_and_then_their_values() {
        let pairs = ["service=order", "service=pay", "severity=page", "summary=it is slow"].map(String::from);
        let offered = |typed: &str| matching(typed, &pairs).into_iter().collect::<Vec<_>>();
        assert_eq!(offered("se"), ["service=", "severity="]);
        assert_eq!(offered("service="), ["service=order", "service=pay"]);
        assert_eq!(offered("service=o"), ["service=order"]);
        assert_eq!(offered("summary="), ["summary=\"it is slow\""]);
        assert!(offered("x").is_empty());
    }
}
