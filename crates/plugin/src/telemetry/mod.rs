//! Backends that measure: the trait, and its values.
//!
//! A number that is absent is not known, and never zero. What may not live here: what a number means for
//! anybody's health.

mod convert;
mod lines;
mod remote;
mod service;
mod versions;

pub use versions::{Running, VersionsAsk};

use crate::types::Fault;
use async_trait::async_trait;
use std::time::Duration;

/// The noun of backends that measure.
pub const NOUN: &str = "telemetry";
/// Most entries of one page.
pub const MAX_PAGE: usize = 4_000;
/// Least distance of two samples.
pub const MIN_STEP: Duration = Duration::from_secs(1);

/// A backend that measures. It only looks.
#[async_trait]
pub trait Telemetry: Send + Sync {
    /// How services, or their instances, are now; a page at a time.
    async fn measure(&self, ask: &MeasureAsk) -> Result<Reading<Measured>, Fault>;

    /// Who calls whom, and how that goes; a page at a time.
    async fn edges(&self, ask: &EdgesAsk) -> Result<Reading<EdgeMeasured>, Fault>;

    /// One figure of one service, instance or edge over time.
    async fn series(&self, ask: &SeriesAsk) -> Result<Series, Fault>;

    /// The same figure of many at once; a page at a time.
    ///
    /// # Errors
    /// [`Fault::Unsupported`] unless a plugin serves it: then series are asked for one by one.
    async fn lines(&self, _: &LinesAsk) -> Result<Lines, Fault> {
        Err(Fault::Unsupported("this plugin gives series only one by one".into()))
    }

    /// Which versions services run now; a page at a time.
    ///
    /// # Errors
    /// [`Fault::Unsupported`] unless a plugin serves it: then it is no source of changes of version.
    async fn versions(&self, _: &VersionsAsk) -> Result<Reading<Running>, Fault> {
        Err(Fault::Unsupported("this plugin does not tell which versions run".into()))
    }
}

/// Figures over a window. `None`: no data.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Measures {
    /// Requests per second.
    pub rps: Option<f64>,
    /// The share of requests that did not fail, 0 to 1.
    pub success: Option<f64>,
    /// Seconds within which half of the requests were answered.
    pub p50: Option<f64>,
    /// The same for nine tenths.
    pub p90: Option<f64>,
    /// The same for 99 of 100.
    pub p99: Option<f64>,
    /// How much of what it can carry is used, 0 to 1.
    pub saturation: Option<f64>,
}

/// One of the figures of [`Measures`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Figure {
    /// [`Measures::rps`].
    Rps,
    /// [`Measures::success`].
    Success,
    /// [`Measures::p50`].
    P50,
    /// [`Measures::p90`].
    P90,
    /// [`Measures::p99`].
    P99,
    /// [`Measures::saturation`].
    Saturation,
}

impl Figure {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Rps, Self::Success, Self::P50, Self::P90, Self::P99, Self::Saturation];

    /// As configurations and people spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rps => "rps",
            Self::Success => "success",
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P99 => "p99",
            Self::Saturation => "saturation",
        }
    }

    /// Can the figure be this number?
    pub fn takes(self, value: f64) -> bool {
        let most = match self {
            Self::Success | Self::Saturation => 1.0,
            Self::Rps | Self::P50 | Self::P90 | Self::P99 => f64::MAX,
        };
        (0.0..=most).contains(&value)
    }
}

impl Measures {
    /// One figure.
    pub fn get(&self, figure: Figure) -> Option<f64> {
        match figure {
            Figure::Rps => self.rps,
            Figure::Success => self.success,
            Figure::P50 => self.p50,
            Figure::P90 => self.p90,
            Figure::P99 => self.p99,
            Figure::Saturation => self.saturation,
        }
    }

    /// The place of one figure.
    pub fn place(&mut self, figure: Figure) -> &mut Option<f64> {
        match figure {
            Figure::Rps => &mut self.rps,
            Figure::Success => &mut self.success,
            Figure::P50 => &mut self.p50,
            Figure::P90 => &mut self.p90,
            Figure::P99 => &mut self.p99,
            Figure::Saturation => &mut self.saturation,
        }
    }

    /// How many figures are known.
    pub fn known(&self) -> usize {
        Figure::ALL.into_iter().filter(|figure| self.get(*figure).is_some()).count()
    }
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// Services as a whole.
    Service,
    /// Every instance of them.
    Instance,
}

/// Asks how services are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeasureAsk {
    /// What is measured.
    pub level: Level,
    /// Only this service.
    pub service: Option<String>,
    /// Over how long; `None`: as the backend is configured.
    pub window: Option<Duration>,
    /// [`Reading::next`] of the page before.
    pub page: Option<String>,
}

/// How a service or an instance is.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The service, as the backend calls it.
    pub service: String,
    /// The instance; `None`: the service as a whole.
    pub instance: Option<String>,
    /// Where it stands, if known.
    pub zone: Option<String>,
    /// The figures.
    pub measures: Measures,
    /// Whose figures these are, for people.
    pub source: String,
}

/// Asks who calls whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgesAsk {
    /// Only edges that begin or end at this service.
    pub service: Option<String>,
    /// Over how long; `None`: as the backend is configured.
    pub window: Option<Duration>,
    /// [`Reading::next`] of the page before.
    pub page: Option<String>,
}

/// How calls of one service to another go.
#[derive(Debug, Clone, PartialEq)]
pub struct EdgeMeasured {
    /// Who calls.
    pub caller: String,
    /// Who is called.
    pub callee: String,
    /// The figures, as the caller sees them where the backend can tell.
    pub measures: Measures,
    /// Whose figures these are, for people.
    pub source: String,
}

/// One page of what was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading<T> {
    /// The entries.
    pub items: Vec<T>,
    /// Asks for what follows; `None`: that was all.
    pub next: Option<String>,
    /// When they were taken, in milliseconds since 1970.
    pub at_ms: i64,
    /// Over how long; nothing where there is no such span.
    pub window: Duration,
    /// Replicas of the backend that did not answer.
    pub missing_peers: Vec<String>,
}

/// What a series is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A service as a whole.
    Service(String),
    /// One instance of a service.
    Instance(String, String),
    /// Calls of the first to the second.
    Edge(String, String),
}

/// Asks for a figure over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesAsk {
    /// Which figure.
    pub figure: Figure,
    /// Of what.
    pub of: Subject,
    /// From when, in milliseconds since 1970.
    pub from_ms: i64,
    /// To when, included.
    pub to_ms: i64,
    /// How far apart samples are: [`MIN_STEP`] at the least.
    pub step: Duration,
}

/// A figure over time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Series {
    /// Time, in milliseconds since 1970, and value; oldest first. Where there was no data there is none.
    pub samples: Vec<(i64, f64)>,
    /// Whose figures these are, for people.
    pub source: String,
    /// Replicas of the backend that did not answer.
    pub missing_peers: Vec<String>,
}

/// Of what lines are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinesOf {
    /// Services as a whole.
    Services,
    /// Calls of one service to another.
    Edges,
}

/// Asks for one figure of many over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinesAsk {
    /// Which figure.
    pub figure: Figure,
    /// Of what.
    pub of: LinesOf,
    /// Only these services; of calls, those between two of them. Empty: all. At most [`MAX_ONLY`].
    pub only: Vec<String>,
    /// From when, in milliseconds since 1970.
    pub from_ms: i64,
    /// To when, included.
    pub to_ms: i64,
    /// How far apart samples are: [`MIN_STEP`] at the least.
    pub step: Duration,
    /// [`Lines::next`] of the page before.
    pub page: Option<String>,
}

/// Most services that lines are asked for by name.
pub const MAX_ONLY: usize = 1_000;

/// A figure of one of many over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Of what: a service or calls.
    pub of: Subject,
    /// Time, in milliseconds since 1970, and value; oldest first, each a whole number of steps after the
    /// first moment asked for. Never empty.
    pub samples: Vec<(i64, f64)>,
    /// Whose figures these are, for people.
    pub source: String,
}

/// One page of a figure of many.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lines {
    /// One for each subject.
    pub lines: Vec<Line>,
    /// Asks for what follows; `None`: that was all.
    pub next: Option<String>,
    /// Replicas of the backend that did not answer.
    pub missing_peers: Vec<String>,
}
