//! Adapts Prometheus Alertmanager (API v2, 0.25 to 0.34): one cluster of peers, its silences and alerts.
//!
//! A cell is one silence of Rein's, found by the marker `[rein:KEY]` at the end of its comment, whatever id
//! Alertmanager gives it. A `200` says only that one peer has a silence, so everything is read on every
//! peer. What may not live here: deadlines, layers, what to do about a foreign hand.
//!
//! `settings` what is configured · `http` one request · `split` long lists piece by piece · `silence`
//! Alertmanager's silences · `cell` keys, markers, values · `look` what all peers hold · `together` one look for
//! many writes · `write` writing one cell · `list`, `alerts`, `history` what people ask · `check`, `watch`.

mod alerts;
mod cell;
mod check;
mod history;
mod http;
mod list;
mod look;
mod settings;
mod silence;
mod split;
mod together;
mod watch;
mod write;

use async_trait::async_trait;
use cell::Cell;
use futures::stream::BoxStream;
use http::Http;
use parking_lot::RwLock;
use rein_plugin::{
    Adapter, CellKey, Configuration, Description, Fault, FieldError, Finding, Matched, Matcher, Page, Repeat,
    Seen, SilenceSeen, Silences, TargetName, Told, Write, to_its_end,
};
use settings::Settings;
use std::collections::BTreeSet;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

/// The noun it serves.
const NOUN: &str = "silence";
/// Foreign silences watched at most.
const MAX_FOREIGN: usize = 4096;
/// Locks for writes: two of one cell never run at once, and two cells seldom share one.
const LOCKS: usize = 1024;

/// The adapter, not yet configured.
pub fn adapter() -> impl Adapter {
    Alertmanager::default()
}

/// Serves it as a plugin's process, until standard input is closed.
///
/// # Errors
/// When the process was not started by a server, or its socket fails.
pub async fn serve() -> Result<(), rein_plugin::ServeError> {
    rein_plugin::serve(adapter()).await
}

#[derive(Default)]
struct Alertmanager(Told<Backend>);

/// One cluster, as configured.
struct Backend {
    settings: Settings,
    http: Http,
    /// Silences of others that are observed as cells.
    foreign: RwLock<BTreeSet<String>>,
    locks: Vec<tokio::sync::Mutex<()>>,
    together: together::Together,
    /// Writes under way.
    writes: AtomicUsize,
    lists: list::Lists,
}

#[async_trait]
impl Adapter for Alertmanager {
    async fn describe(&self) -> Result<Description, Fault> {
        Ok(Description {
            name: "alertmanager".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            config_schema: settings::schema(),
            secrets: settings::SECRETS.map(str::to_owned).to_vec(),
            repeat: Repeat::Marker,
            nouns: vec![NOUN.into()],
            watches: true,
            cannot: [
                "write on a condition: an edit by hand between a look and a write is overwritten",
                "tell who expired a silence: its log may, with --log.level=debug",
                "tell a silence that was ended by hand from one it forgot, once it has dropped the ended one \
                 (--data.retention, 120 h)",
            ]
            .map(str::to_owned)
            .to_vec(),
            keeps_deadline: true,
            when_rein_dies: "silences stay as they are, and Alertmanager ends each at its deadline".into(),
        })
    }

    async fn configure(&self, configuration: Configuration) -> Result<Vec<FieldError>, Fault> {
        let settings = match Settings::read(&configuration) {
            Ok(settings) => settings,
            Err(errors) => return Ok(errors),
        };
        let http = Http::new(&settings).map_err(Fault::NotDone)?;
        self.0.set(Backend {
            settings,
            http,
            foreign: RwLock::default(),
            locks: (0..LOCKS).map(|_| tokio::sync::Mutex::default()).collect(),
            lists: list::Lists::default(),
            together: together::Together::default(),
            writes: AtomicUsize::new(0),
        });
        Ok(Vec::new())
    }

    async fn check(&self) -> Result<Vec<Finding>, Fault> {
        Ok(self.0.get()?.check().await)
    }

    async fn resolve(&self, targets: &[TargetName]) -> Result<Vec<CellKey>, Fault> {
        targets
            .iter()
            .map(|target| match target.noun.as_str() {
                NOUN => Cell::parse(&target.name).map(|cell| CellKey(cell.key)),
                other => Err(Fault::Unsupported(format!("Alertmanager holds silences, no {other}"))),
            })
            .collect()
    }

    async fn observe(&self, cells: &[CellKey]) -> Result<Vec<Seen>, Fault> {
        let cells: Vec<Cell> = cells.iter().map(|key| Cell::parse(&key.0)).collect::<Result<_, _>>()?;
        self.0.get()?.observe(&cells).await
    }

    async fn apply(&self, write: Write) -> Result<(), Fault> {
        let backend = self.0.get()?;
        to_its_end(async move { backend.apply(&write).await }).await
    }

    async fn watch(&self) -> Result<BoxStream<'static, Option<CellKey>>, Fault> {
        Ok(watch::hints(self.0.get()?))
    }

    fn silences(&self) -> Option<&dyn Silences> {
        Some(self)
    }
}

#[async_trait]
impl Silences for Alertmanager {
    async fn list(&self, expired: bool, page: Option<String>) -> Result<Page<SilenceSeen>, Fault> {
        self.0.get()?.list(expired, page).await
    }

    async fn matched(&self, matchers: &[Matcher], back: Duration, limit: u32) -> Result<Matched, Fault> {
        self.0.get()?.matched(matchers, back, limit).await
    }
}
