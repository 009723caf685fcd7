//! The plugin contract in Rust.
//!
//! Here lives what the server and a plugin agree on: [`Adapter`], [`Silences`], [`Registry`] and
//! [`Telemetry`], their values, and how all cross a socket. A plugin implements the traits and serves them; the server holds a client
//! that implements the same traits. What may not live here: rules about layers, and any one
//! backend.
//!
//! The wire is `proto/rein/plugin/v1`; other languages start there.

pub mod address;
mod codec;
pub mod config;
#[cfg(feature = "conformance")]
pub mod conformance;
mod convert;
pub mod handshake;
pub mod registry;
mod remote;
#[cfg(feature = "schema")]
pub mod schema;
pub mod serve;
mod service;
pub mod skeleton;
mod status;
pub mod telemetry;
mod told;
mod types;

/// Types generated from the proto files.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
pub mod wire {
    tonic::include_proto!("rein.plugin.v1");
}

use async_trait::async_trait;
use futures::stream::BoxStream;

pub use convert::{MAX_CELLS, MAX_DOCUMENT, MAX_NAME, MAX_TEXT, MAX_VALUE, Malformed, cut};
pub use registry::Registry;
pub use remote::Remote;
pub use serve::{ServeError, serve};
pub use telemetry::Telemetry;
pub use told::{Told, to_its_end};
pub use types::{
    AlertSeen, CellKey, Configuration, Description, Fault, FieldError, Finding, Grade, MAX_ALERTS, Matched,
    Matcher, Page, Repeat, Seen, SilenceSeen, TargetName, Write,
};

/// Largest message either side takes, in bytes.
pub const MAX_REPLY: usize = 4 * 1024 * 1024;

/// One backend, as the engine sees it.
///
/// Every method may be called at any time and by several tasks at once, and must answer within its
/// caller's deadline. Writes are at least once.
#[async_trait]
pub trait Adapter: Send + Sync + 'static {
    /// What the program is and can do; answers without any backend.
    async fn describe(&self) -> Result<Description, Fault>;

    /// Gives it its backend: once, before anything below. The errors name the fields that are wrong.
    async fn configure(&self, configuration: Configuration) -> Result<Vec<FieldError>, Fault>;

    /// Looks at the backend as a person would.
    async fn check(&self) -> Result<Vec<Finding>, Fault>;

    /// The cells that hold these targets, one for each, in order.
    async fn resolve(&self, targets: &[TargetName]) -> Result<Vec<CellKey>, Fault>;

    /// What the backend holds, one for each cell, in order. Values are canonical: equal text means the
    /// same in force.
    async fn observe(&self, cells: &[CellKey]) -> Result<Vec<Seen>, Fault>;

    /// Writes one cell. `Ok` is a hint; [`Adapter::observe`] decides.
    async fn apply(&self, write: Write) -> Result<(), Fault>;

    /// Hints that a cell (`None`: any) may have altered. They shorten a poll and prove nothing.
    async fn watch(&self) -> Result<BoxStream<'static, Option<CellKey>>, Fault> {
        Err(Fault::Unsupported("this backend gives no hints".into()))
    }

    /// The silences of the backend, if it hushes alerts.
    fn silences(&self) -> Option<&dyn Silences> {
        None
    }

    /// What the backend measures, if it does. One that only measures holds no cells: it observes none, and
    /// everything else about cells is [`Fault::Unsupported`].
    fn telemetry(&self) -> Option<&dyn Telemetry> {
        None
    }

    /// Who is registered, if services find each other in the backend.
    fn registry(&self) -> Option<&dyn Registry> {
        None
    }
}

/// A backend that hushes alerts.
#[async_trait]
pub trait Silences: Send + Sync {
    /// All silences, those of others included, a page at a time.
    async fn list(&self, expired: bool, page: Option<String>) -> Result<Page<SilenceSeen>, Fault>;

    /// Which alerts the matchers take in: firing now and, where the backend knows, up to `back` ago. At
    /// most `limit` are listed; counts are of all. No matchers: all alerts.
    async fn matched(
        &self,
        matchers: &[Matcher],
        back: std::time::Duration,
        limit: u32,
    ) -> Result<Matched, Fault>;
}

/// What is shared is called through.
#[async_trait]
impl<A: Adapter + ?Sized> Adapter for std::sync::Arc<A> {
    async fn describe(&self) -> Result<Description, Fault> {
        (**self).describe().await
    }

    async fn configure(&self, configuration: Configuration) -> Result<Vec<FieldError>, Fault> {
        (**self).configure(configuration).await
    }

    async fn check(&self) -> Result<Vec<Finding>, Fault> {
        (**self).check().await
    }

    async fn resolve(&self, targets: &[TargetName]) -> Result<Vec<CellKey>, Fault> {
        (**self).resolve(targets).await
    }

    async fn observe(&self, cells: &[CellKey]) -> Result<Vec<Seen>, Fault> {
        (**self).observe(cells).await
    }

    async fn apply(&self, write: Write) -> Result<(), Fault> {
        (**self).apply(write).await
    }

    async fn watch(&self) -> Result<BoxStream<'static, Option<CellKey>>, Fault> {
        (**self).watch().await
    }

    fn silences(&self) -> Option<&dyn Silences> {
        (**self).silences()
    }

    fn telemetry(&self) -> Option<&dyn Telemetry> {
        (**self).telemetry()
    }

    fn registry(&self) -> Option<&dyn Registry> {
        (**self).registry()
    }
}
