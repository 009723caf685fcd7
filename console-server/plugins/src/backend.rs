//! One backend, as the engine holds it: calls that end in time, whatever its plugin does.

use crate::keeper::Kept;
use crate::state::State;
use async_trait::async_trait;
use futures::stream::BoxStream;
use rein_plugin::registry::{Listing, NOUN as REGISTRY, Registry, Weighed, Weighing};
use rein_plugin::telemetry::{
    EdgeMeasured, EdgesAsk, Lines, LinesAsk, MeasureAsk, Measured, NOUN as TELEMETRY, Reading, Running,
    Series, SeriesAsk, Telemetry, VersionsAsk,
};
use rein_plugin::{
    Adapter, CellKey, Configuration, Description, Fault, FieldError, Finding, Matched, Matcher, Page, Remote,
    Seen, SilenceSeen, Silences, TargetName, Write,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// A call with less time left than this is not made: a write would only become uncertain.
const LEAST: Duration = Duration::from_millis(20);

/// A backend behind its plugin. Shared, and cheap to clone.
#[derive(Clone)]
pub struct Backend(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) kept: Arc<Kept>,
    pub(crate) begun: AtomicBool,
    pub(crate) calls: Semaphore,
}

impl std::fmt::Debug for Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Backend")
            .field("backend", &self.name())
            .field("plugin", &self.plugin())
            .field("state", &*self.0.kept.state.borrow())
            .finish()
    }
}

impl Backend {
    /// The backend's name.
    pub fn name(&self) -> &str {
        &self.0.kept.configuration.backend
    }

    /// The plugin's name.
    pub fn plugin(&self) -> &str {
        &self.0.kept.plugin
    }

    /// What the plugin said of itself when it was first started; `None`: it was never needed yet.
    pub fn described(&self) -> Option<&Description> {
        self.0.kept.description.get()
    }

    /// Starts the plugin, unless that was done before.
    pub fn begin(&self) {
        if !self.0.begun.swap(true, Ordering::SeqCst) {
            self.0.kept.state.send_if_modified(|state| {
                let idle = matches!(state, State::Idle);
                if idle {
                    *state = State::Starting;
                }
                idle
            });
            self.0.kept.ground.tasks.spawn(Arc::clone(&self.0.kept).keep());
        }
    }

    /// The plugin, once it serves. Answers at once while it is down.
    async fn ready(&self) -> Result<Remote, Fault> {
        self.begin();
        let mut states = self.0.kept.state.subscribe();
        loop {
            {
                let state = states.borrow_and_update();
                if let State::Running { remote, .. } = &*state {
                    return Ok(remote.clone());
                }
                if let Some(fault) = state.fault(self.name(), self.plugin()) {
                    return Err(fault);
                }
            }
            if states.changed().await.is_err() {
                return Err(Fault::Unreachable(format!("backend {}: this server is ending", self.name())));
            }
        }
    }

    /// One call: waits for a place and for the plugin, and takes no longer than the deadline in all.
    async fn call<T>(
        &self,
        call: &'static str,
        run: impl AsyncFnOnce(Remote) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let began = Instant::now();
        let deadline = began + self.0.kept.ground.options.deadline;
        let waited = tokio::time::timeout_at(deadline, async {
            // Never closed, so that only the deadline ends the wait.
            let place = self.0.calls.acquire().await.ok();
            self.ready().await.map(|remote| (place, remote))
        });
        let answer = match waited.await {
            Ok(Ok((_place, remote))) => {
                let left = deadline.saturating_duration_since(Instant::now());
                match left < LEAST {
                    true => Err(self.crowded()),
                    false => run(remote.within(left)).await,
                }
            }
            Ok(Err(fault)) => Err(fault),
            Err(_) => Err(self.crowded()),
        };
        self.count(call, began.elapsed(), answer.as_ref().err());
        answer
    }

    fn crowded(&self) -> Fault {
        let deadline = self.0.kept.ground.options.deadline;
        let why = match &*self.0.kept.state.borrow() {
            State::Running { .. } => "other calls took its places",
            _ => "its plugin is still being started",
        };
        Fault::Unreachable(format!("backend {}: not called within {deadline:?}: {why}", self.name()))
    }

    fn count(&self, call: &'static str, took: Duration, fault: Option<&Fault>) {
        let backend = self.name().to_owned();
        let labels = [("backend", backend), ("call", call.to_owned())];
        metrics::counter!("rein_plugin_calls_total", &labels).increment(1);
        metrics::histogram!("rein_plugin_seconds", &labels).record(took);
        if let Some(fault) = fault {
            let [backend, call] = labels;
            let labels = [backend, call, ("kind", kind(fault).to_owned())];
            metrics::counter!("rein_plugin_faults_total", &labels).increment(1);
        }
    }
}

fn kind(fault: &Fault) -> &'static str {
    match fault {
        Fault::NotDone(_) => "not_done",
        Fault::Unknown(_) => "unknown",
        Fault::Moved(_) => "moved",
        Fault::Unsupported(_) => "unsupported",
        Fault::Unreachable(_) => "unreachable",
        Fault::Invalid(_) => "invalid",
    }
}

#[async_trait]
impl Adapter for Backend {
    /// What the plugin said when it was first started; it is started for that if it never was.
    async fn describe(&self) -> Result<Description, Fault> {
        match self.described() {
            Some(description) => Ok(description.clone()),
            None => self.call("describe", async |remote| remote.describe().await).await,
        }
    }

    /// Never: the host does, at each start. [`crate::Host::try_out`] tells whether it would go well.
    async fn configure(&self, _: Configuration) -> Result<Vec<FieldError>, Fault> {
        Err(Fault::Unsupported("a backend is configured by its host, at each start of its plugin".into()))
    }

    async fn check(&self) -> Result<Vec<Finding>, Fault> {
        self.call("check", async |remote| remote.check().await).await
    }

    async fn resolve(&self, targets: &[TargetName]) -> Result<Vec<CellKey>, Fault> {
        self.call("resolve", async |remote| remote.resolve(targets).await).await
    }

    async fn observe(&self, cells: &[CellKey]) -> Result<Vec<Seen>, Fault> {
        self.call("observe", async |remote| remote.observe(cells).await).await
    }

    async fn apply(&self, write: Write) -> Result<(), Fault> {
        self.call("apply", async |remote| remote.apply(write).await).await
    }

    async fn watch(&self) -> Result<BoxStream<'static, Option<CellKey>>, Fault> {
        self.call("watch", async |remote| remote.watch().await).await
    }

    /// `None` also as long as the plugin was never started: ask [`Adapter::describe`] first.
    fn silences(&self) -> Option<&dyn Silences> {
        self.described()?.nouns.iter().any(|noun| noun == "silence").then_some(self)
    }

    /// The same holds here.
    fn telemetry(&self) -> Option<&dyn Telemetry> {
        self.described()?.nouns.iter().any(|noun| noun == TELEMETRY).then_some(self)
    }

    /// And here.
    fn registry(&self) -> Option<&dyn Registry> {
        self.described()?.nouns.iter().any(|noun| noun == REGISTRY).then_some(self)
    }
}

#[async_trait]
impl Registry for Backend {
    async fn list(&self, page: Option<String>) -> Result<Listing, Fault> {
        self.call("list_instances", async |remote| Registry::list(&remote, page).await).await
    }

    async fn weigh(&self, weighings: &[Weighing]) -> Result<Vec<Weighed>, Fault> {
        self.call("weigh", async |remote| remote.weigh(weighings).await).await
    }
}

#[async_trait]
impl Telemetry for Backend {
    async fn measure(&self, ask: &MeasureAsk) -> Result<Reading<Measured>, Fault> {
        self.call("measure", async |remote| remote.measure(ask).await).await
    }

    async fn edges(&self, ask: &EdgesAsk) -> Result<Reading<EdgeMeasured>, Fault> {
        self.call("edges", async |remote| remote.edges(ask).await).await
    }

    async fn series(&self, ask: &SeriesAsk) -> Result<Series, Fault> {
        self.call("series", async |remote| remote.series(ask).await).await
    }

    async fn lines(&self, ask: &LinesAsk) -> Result<Lines, Fault> {
        self.call("lines", async |remote| remote.lines(ask).await).await
    }

    async fn versions(&self, ask: &VersionsAsk) -> Result<Reading<Running>, Fault> {
        self.call("versions", async |remote| remote.versions(ask).await).await
    }
}

#[async_trait]
impl Silences for Backend {
    async fn list(&self, expired: bool, page: Option<String>) -> Result<Page<SilenceSeen>, Fault> {
        self.call("list_silences", async |remote| Silences::list(&remote, expired, page).await).await
    }

    async fn matched(&self, matchers: &[Matcher], back: Duration, limit: u32) -> Result<Matched, Fault> {
        self.call("match_alerts", async |remote| remote.matched(matchers, back, limit).await).await
    }
}
