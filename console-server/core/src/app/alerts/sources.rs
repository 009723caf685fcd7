//! What alerts are judged by and what only backends know: what fires, and who calls whom. All are asked at
//! once, and none has more than its time.

use crate::app::silences::firing;
use crate::app::telemetry::{Page, pages};
use crate::house::House;
use crate::views::tidy;
use futures::future::{BoxFuture, join_all};
use rein_domain::alert::CallGraph;
use rein_domain::name::BackendName;
use rein_plugin::telemetry::{EdgeMeasured, EdgesAsk, NOUN, Telemetry};
use rein_plugin::{Adapter, AlertSeen, Fault};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// How long one backend may take, its plugin's start included.
const PATIENCE: Duration = Duration::from_millis(1800);

/// What fires, by all backends that hush alerts.
#[derive(Default)]
pub(super) struct Firing {
    pub(super) seen: Vec<(BackendName, AlertSeen)>,
    pub(super) unreachable: BTreeMap<String, String>,
    pub(super) unlisted: BTreeMap<String, u32>,
    pub(super) missing_peers: BTreeMap<String, Vec<String>>,
    pub(super) backends: Vec<String>,
}

/// Who calls whom, by all backends that measure.
pub(super) struct CallsRead {
    pub(super) graph: CallGraph,
    pub(super) unreachable: BTreeMap<String, String>,
}

/// What each backend answered.
type Answers<T> = Vec<(BackendName, Result<T, Fault>)>;

impl House {
    pub(super) async fn firing_alerts(&self) -> Firing {
        let answers =
            self.of_all("silence", |adapter| Box::pin(async move { firing(adapter.as_ref()).await })).await;
        let mut all = Firing::default();
        for (name, answer) in answers {
            all.backends.push(name.to_string());
            match answer {
                Ok(matched) => {
                    let listed = u32::try_from(matched.alerts.len()).unwrap_or(u32::MAX);
                    let more = matched.firing_in_all.saturating_sub(listed);
                    if more > 0 {
                        all.unlisted.insert(name.to_string(), more);
                    }
                    if !matched.missing_peers.is_empty() {
                        let peers = matched.missing_peers.iter().map(|peer| tidy(peer)).collect();
                        all.missing_peers.insert(name.to_string(), peers);
                    }
                    let fires = matched.alerts.into_iter().filter(|alert| alert.state != "resolved");
                    all.seen.extend(fires.map(|alert| (name.clone(), alert)));
                }
                Err(fault) => drop(all.unreachable.insert(name.to_string(), tidy(&fault.to_string()))),
            }
        }
        all
    }

    pub(super) async fn calls(&self) -> CallsRead {
        let answers =
            self.of_all(NOUN, |adapter| Box::pin(async move { edges(adapter.as_ref()).await })).await;
        let (mut calls, mut unreachable) = (BTreeSet::new(), BTreeMap::new());
        let asked = answers.len();
        for (name, answer) in answers {
            match answer {
                Ok(edges) => calls.extend(edges.into_iter().map(|edge| (edge.caller, edge.callee))),
                Err(fault) => drop(unreachable.insert(name.to_string(), tidy(&fault.to_string()))),
            }
        }
        let said: Vec<String> = unreachable.iter().map(|(name, why)| format!("{name}: {why}")).collect();
        let graph = match (asked, said.is_empty(), calls.is_empty()) {
            (0, ..) => CallGraph::Unknown("no backend that measures is declared".to_owned()),
            (_, true, true) => CallGraph::Unknown("no backend has measured a call".to_owned()),
            (_, true, false) => CallGraph::Known(calls),
            (_, false, true) => CallGraph::Unknown(said.join("; ")),
            (_, false, false) => CallGraph::Partly(calls, said.join("; ")),
        };
        CallsRead { graph, unreachable }
    }

    /// Asks every declared backend that has the noun, or may have it.
    async fn of_all<T: Send>(
        &self,
        noun: &str,
        ask: impl Fn(Arc<dyn Adapter>) -> BoxFuture<'static, Result<T, Fault>> + Sync,
    ) -> Answers<T> {
        let ask = &ask;
        let asked = join_all(self.declared_backends().into_iter().filter_map(|name| {
            let adapter = self.plugged(&name)?;
            Some(async move {
                let answer = tokio::time::timeout(PATIENCE, self.of_one(&name, noun, adapter, ask)).await;
                // One that cannot say in time what it is may well have the noun: it is named, not forgotten.
                let late = || {
                    let lacks = self.lacks(&name, noun);
                    (!lacks).then(|| Err(Fault::Unreachable(format!("no answer within {PATIENCE:?}"))))
                };
                answer.unwrap_or_else(|_| late()).map(|answer| (name, answer))
            })
        }));
        asked.await.into_iter().flatten().collect()
    }

    async fn of_one<T: Send>(
        &self,
        name: &BackendName,
        noun: &str,
        adapter: Arc<dyn Adapter>,
        ask: &(impl Fn(Arc<dyn Adapter>) -> BoxFuture<'static, Result<T, Fault>> + Sync),
    ) -> Option<Result<T, Fault>> {
        // The plugin first: one that was declared anew has to be started before it can be asked.
        match adapter.describe().await {
            Ok(description) => self.looks.describe(name, description),
            // Nobody knows yet what it does: why it cannot be asked says more than what it was not told.
            Err(fault) if self.looks.of(name).description.is_none() => return Some(Err(fault)),
            Err(_) => {}
        }
        if self.lacks(name, noun) {
            return None;
        }
        Some(ask(adapter).await)
    }
}

async fn edges(adapter: &dyn Adapter) -> Result<Vec<EdgeMeasured>, Fault> {
    fn page(telemetry: &dyn Telemetry, page: Option<String>) -> Page<'_, EdgeMeasured> {
        Box::pin(async move { telemetry.edges(&EdgesAsk { service: None, window: None, page }).await })
    }
    pages(adapter, &page).await.map(|reading| reading.items)
}
