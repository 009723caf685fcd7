//! Backends in which services find each other: the trait, and its values.
//!
//! Who is registered is listed; what takes traffic from an instance is written into its entry, which is a
//! cell. What may not live here: who should get traffic.

mod convert;
mod cursors;
mod remote;
mod service;
mod survey;
mod words;

use crate::types::{CellKey, Fault, Page};
use async_trait::async_trait;
use std::collections::BTreeMap;

pub use cursors::Cursors;
pub use survey::Survey;
pub use words::{Fields, shown, start_of};

/// The noun of backends in which services find each other.
pub const NOUN: &str = "registry";
/// Most instances of one page.
pub const MAX_PAGE: usize = 4_000;
/// Most entries of metadata of one instance.
pub const MAX_METADATA: usize = 32;
/// Most weighings in one call.
pub const MAX_WEIGHINGS: usize = 500;
/// The greatest weight.
pub const MAX_WEIGHT: u16 = 1000;

/// A backend in which services find each other.
#[async_trait]
pub trait Registry: Send + Sync {
    /// Who is registered, a page at a time. Whom Rein has taken out altogether need not be among them.
    async fn list(&self, page: Option<String>) -> Result<Listing, Fault>;

    /// How the values of cells read when their instances get another share of the traffic; one answer for
    /// each, in order. Nothing is written, and the backend is not asked.
    async fn weigh(&self, weighings: &[Weighing]) -> Result<Vec<Weighed>, Fault>;
}

/// One page of who is registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The instances. No cell is there twice.
    pub page: Page<InstanceListed>,
    /// Peers of the backend that did not answer.
    pub missing_peers: Vec<String>,
    /// Entries on this page that are no instances, or cannot be read.
    pub unread: u32,
    /// Whether an instance can be given a share between nothing and all.
    pub weighs: Shares,
}

/// Which shares of the traffic a backend can give.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Shares {
    /// All or nothing.
    #[default]
    AllOrNothing,
    /// Any.
    Any,
}

/// One instance, as the backend has it. All text is the backend's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InstanceListed {
    /// Its service.
    pub service: String,
    /// What it is called within the service.
    pub id: String,
    /// The cell that holds it: this life of this entry.
    pub cell: String,
    /// `HOST:PORT`, where it is one.
    pub address: String,
    /// What it fails together with, if the entry says so.
    pub zone: Option<String>,
    /// What it runs, if the entry says so.
    pub version: Option<String>,
    /// Its share of the traffic, 0 to [`MAX_WEIGHT`]; `None`: the backend knows none.
    pub weight: Option<u16>,
    /// Whatever else it says.
    pub metadata: BTreeMap<String, String>,
    /// How the backend itself thinks it is.
    pub state: StateListed,
    /// When it registered, in milliseconds since 1970, if known.
    pub registered_ms: Option<i64>,
}

/// How a backend thinks an instance is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StateListed {
    /// It does not say; who is listed is taken to be there.
    #[default]
    Unsaid,
    /// Well.
    Up,
    /// Not ready yet.
    Starting,
    /// Not well.
    Down,
}

/// Asks how the value of a cell reads at another weight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weighing {
    /// The cell.
    pub cell: CellKey,
    /// What it holds while nothing lies over it; `None`: nothing is there.
    pub value: Option<String>,
    /// 0 to [`MAX_WEIGHT`]; 0: no traffic at all.
    pub weight: u16,
}

/// What a cell is to hold then (`None`: nothing), or why it cannot be.
pub type Weighed = Result<Option<String>, Fault>;
