//! Backends that show the alerts and the calls that a test makes up, fail at will, or never answer.

use super::TODAY;
use async_trait::async_trait;
use parking_lot::Mutex;
use rein_plugin::telemetry::{
    EdgeMeasured, EdgesAsk, MeasureAsk, Measured, Measures, Reading, Series, SeriesAsk, Telemetry,
};
use rein_plugin::{
    Adapter, AlertSeen, CellKey, Configuration, Description, Fault, FieldError, Finding, Matched, Matcher,
    Page, Repeat, Seen, SilenceSeen, Silences, TargetName, Write,
};
use std::sync::Arc;
use std::time::Duration;

/// What the backends of one house show: `alerts…` hush alerts, `calls…` measure. `…-gone` do not answer,
/// `…-slow` never do, and of `mute…` nobody knows what they are.
#[derive(Default)]
pub(crate) struct Town {
    pub(crate) alerts: Mutex<Vec<AlertSeen>>,
    pub(crate) calls: Mutex<Vec<(String, String)>>,
    /// Alerts that fire beyond those that are listed.
    pub(crate) more: Mutex<u32>,
}

struct Source(Arc<Town>, String);

impl Source {
    async fn answers(&self) -> Result<(), Fault> {
        match self.1.rsplit('-').next() {
            Some("gone") => Err(Fault::Unreachable("it is gone \u{1b}[31m".into())),
            Some("slow") => std::future::pending().await,
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl Adapter for Source {
    async fn describe(&self) -> Result<Description, Fault> {
        if self.1.starts_with("mute") {
            return Err(Fault::Unreachable("its plugin does not start".into()));
        }
        Ok(Description {
            name: "source".into(),
            version: "1".into(),
            config_schema: "{}".into(),
            secrets: vec![],
            repeat: Repeat::None,
            nouns: vec![if self.1.starts_with("calls") { "telemetry" } else { "silence" }.into()],
            watches: false,
            cannot: vec![],
            keeps_deadline: false,
            when_rein_dies: "nothing".into(),
        })
    }
    async fn configure(&self, _: Configuration) -> Result<Vec<FieldError>, Fault> {
        Ok(vec![])
    }
    async fn check(&self) -> Result<Vec<Finding>, Fault> {
        Ok(vec![])
    }
    async fn resolve(&self, _: &[TargetName]) -> Result<Vec<CellKey>, Fault> {
        Err(Fault::Unsupported("no cells".into()))
    }
    async fn observe(&self, _: &[CellKey]) -> Result<Vec<Seen>, Fault> {
        Err(Fault::Unsupported("no cells".into()))
    }
    async fn apply(&self, _: Write) -> Result<(), Fault> {
        Err(Fault::Unsupported("no cells".into()))
    }
    fn silences(&self) -> Option<&dyn Silences> {
        self.1.starts_with("alerts").then_some(self)
    }
    fn telemetry(&self) -> Option<&dyn Telemetry> {
        self.1.starts_with("calls").then_some(self)
    }
}

#[async_trait]
impl Silences for Source {
    async fn list(&self, _: bool, _: Option<String>) -> Result<Page<SilenceSeen>, Fault> {
        Ok(Page { items: vec![], next: None })
    }
    async fn matched(&self, _: &[Matcher], _: Duration, _: u32) -> Result<Matched, Fault> {
        self.answers().await?;
        let alerts = self.0.alerts.lock().clone();
        let firing = alerts.len() as u32 + *self.0.more.lock();
        let missing_peers = vec!["peer\u{202e}".to_owned()];
        Ok(Matched { alerts, firing, firing_in_all: firing, lately: None, missing_peers })
    }
}

#[async_trait]
impl Telemetry for Source {
    async fn measure(&self, _: &MeasureAsk) -> Result<Reading<Measured>, Fault> {
        Err(Fault::Unsupported("it is not asked".into()))
    }
    async fn edges(&self, ask: &EdgesAsk) -> Result<Reading<EdgeMeasured>, Fault> {
        self.answers().await?;
        let calls = self.0.calls.lock();
        // Two pages.
        let (first, last) = calls.split_at(calls.len() / 2);
        let (page, next) = match ask.page {
            None => (first, Some("last".to_owned())),
            Some(_) => (last, None),
        };
        let edge = |(caller, callee): &(String, String)| EdgeMeasured {
            caller: caller.clone(),
            callee: callee.clone(),
            measures: Measures::default(),
            source: "made".into(),
        };
        let (items, window) = (page.iter().map(edge).collect(), Duration::from_secs(60));
        Ok(Reading { items, next, at_ms: TODAY, window, missing_peers: vec![] })
    }
    async fn series(&self, _: &SeriesAsk) -> Result<Series, Fault> {
        Ok(Series::default())
    }
}

/// The backend of this name in a town.
pub(crate) fn source(town: &Arc<Town>, name: &str) -> Arc<dyn Adapter> {
    Arc::new(Source(Arc::clone(town), name.to_owned()))
}
