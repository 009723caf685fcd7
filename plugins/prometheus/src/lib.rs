//! Adapts Prometheus, and what speaks its HTTP API: how services do, their instances, the calls between them.
//!
//! What services and meshes already emit is described by tables (`profiles/`), one for each convention. Which
//! of them apply is found out by asking; what several say of one service is put together, the most complete
//! first. It only reads. What may not live here: what is healthy.
//!
//! `settings` what is configured · `profile` the tables · `promql` how a query is written · `http` one
//! question · `probe` which tables apply · `measure`, `series`, `lines`, `versions` what is asked for · `ways` how
//! versions are learned · `merge` one answer out of several · `pages` long answers · `check` what a person would look at.

mod check;
mod http;
mod lines;
mod measure;
mod merge;
mod pages;
mod probe;
mod profile;
mod promql;
mod series;
mod settings;
mod versions;
mod ways;

use async_trait::async_trait;
use http::Http;
use rein_plugin::telemetry::{
    EdgeMeasured, EdgesAsk, Line, Lines, LinesAsk, MeasureAsk, Measured, NOUN, Reading, Running, Series,
    SeriesAsk, Telemetry, VersionsAsk,
};
use rein_plugin::{
    Adapter, CellKey, Configuration, Description, Fault, FieldError, Finding, Repeat, Seen, TargetName, Told,
    Write,
};
use settings::Settings;

/// The adapter, not yet configured.
pub fn adapter() -> impl Adapter {
    Prometheus::default()
}

#[derive(Default)]
struct Prometheus(Told<Backend>);

/// One Prometheus, or replicas of it, as configured.
struct Backend {
    settings: Settings,
    http: Http,
    probed: probe::Memory,
    measured: pages::Pages<Measured>,
    edges: pages::Pages<EdgeMeasured>,
    lines: pages::Pages<Line>,
    running: pages::Pages<Running>,
}

fn no_cells() -> Fault {
    Fault::Unsupported("Prometheus is only read: it holds nothing that Rein could write".into())
}

#[async_trait]
impl Adapter for Prometheus {
    async fn describe(&self) -> Result<Description, Fault> {
        Ok(Description {
            name: "prometheus".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            config_schema: settings::schema(),
            secrets: settings::SECRETS.map(str::to_owned).to_vec(),
            repeat: Repeat::None,
            nouns: vec![NOUN.into()],
            watches: false,
            cannot: [
                "be written into: it only measures",
                "see farther back than it keeps (--storage.tsdb.retention.time, 15 d)",
                "tell what happened between two scrapes",
            ]
            .map(str::to_owned)
            .to_vec(),
            keeps_deadline: false,
            when_rein_dies: "nothing: Rein only reads it".into(),
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
            probed: probe::Memory::default(),
            measured: pages::Pages::default(),
            edges: pages::Pages::default(),
            lines: pages::Pages::default(),
            running: pages::Pages::default(),
        });
        Ok(Vec::new())
    }

    async fn check(&self) -> Result<Vec<Finding>, Fault> {
        Ok(self.0.get()?.check().await)
    }

    async fn resolve(&self, targets: &[TargetName]) -> Result<Vec<CellKey>, Fault> {
        if targets.is_empty() { Ok(Vec::new()) } else { Err(no_cells()) }
    }

    async fn observe(&self, cells: &[CellKey]) -> Result<Vec<Seen>, Fault> {
        self.0.get()?;
        if cells.is_empty() { Ok(Vec::new()) } else { Err(no_cells()) }
    }

    async fn apply(&self, _: Write) -> Result<(), Fault> {
        Err(no_cells())
    }

    fn telemetry(&self) -> Option<&dyn Telemetry> {
        Some(self)
    }
}

#[async_trait]
impl Telemetry for Prometheus {
    async fn measure(&self, ask: &MeasureAsk) -> Result<Reading<Measured>, Fault> {
        let backend = self.0.get()?;
        match &ask.page {
            Some(page) => backend.measured.next(page),
            None => backend.measure(ask).await.map(|reading| backend.measured.first(reading)),
        }
    }

    async fn edges(&self, ask: &EdgesAsk) -> Result<Reading<EdgeMeasured>, Fault> {
        let backend = self.0.get()?;
        match &ask.page {
            Some(page) => backend.edges.next(page),
            None => backend.edges(ask).await.map(|reading| backend.edges.first(reading)),
        }
    }

    async fn series(&self, ask: &SeriesAsk) -> Result<Series, Fault> {
        self.0.get()?.series(ask).await
    }

    async fn lines(&self, ask: &LinesAsk) -> Result<Lines, Fault> {
        let backend = self.0.get()?;
        let page = match &ask.page {
            Some(page) => backend.lines.next(page)?,
            None => backend.lines(ask).await.map(|reading| backend.lines.first(reading))?,
        };
        Ok(Lines { lines: page.items, next: page.next, missing_peers: page.missing_peers })
    }

    async fn versions(&self, ask: &VersionsAsk) -> Result<Reading<Running>, Fault> {
        let backend = self.0.get()?;
        match &ask.page {
            Some(page) => backend.running.next(page),
            None => backend.versions(ask).await.map(|reading| backend.running.first(reading)),
        }
    }
}
