//! Calls from one service to another: real HTTP, the caller's own zone first.

use crate::exposition::Exposition;
use crate::plan::{Service, Zone};
use bytes::Bytes;
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The header that carries the user's id from hop to hop: the targeting key of every switch.
pub(crate) const USER: &str = "x-user";

/// Where everybody is.
#[derive(Debug, Default)]
pub(crate) struct AddressBook {
    rows: BTreeMap<(Service, Zone), Row>,
}

/// One service's instances in one zone, taken in turn. The turn is the row's, not the caller's: a
/// caller that counted all its calls would send every second one to the same instance.
#[derive(Debug, Default)]
struct Row {
    instances: Vec<SocketAddr>,
    turn: AtomicUsize,
}

impl AddressBook {
    pub(crate) fn enter(&mut self, service: Service, zone: Zone, address: SocketAddr) {
        self.rows.entry((service, zone)).or_default().instances.push(address);
    }

    fn next(&self, service: Service, zone: Zone) -> Option<SocketAddr> {
        let row = self.rows.get(&(service, zone))?;
        let turn = row.turn.fetch_add(1, Ordering::Relaxed);
        row.instances.get(turn % row.instances.len().max(1)).copied()
    }
}

/// Whether the caller can do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Care {
    /// Tried in the other zone when this one refuses.
    Must,
    /// Tried once: asking an overloaded service again would only add to its load.
    Nice,
}

/// A call to make.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Errand<'a> {
    pub(crate) to: Service,
    pub(crate) path: &'static str,
    pub(crate) user: &'a str,
    pub(crate) within: Duration,
    pub(crate) care: Care,
}

/// Why a call brought nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallError {
    #[error("did not answer in time")]
    TimedOut,
    #[error("is overloaded")]
    Busy,
    #[error("could not be reached")]
    Unreachable,
    #[error("failed with {0}")]
    Failed(StatusCode),
}

/// One caller's connections.
#[derive(Debug, Clone)]
pub(crate) struct Peers {
    client: Client<HttpConnector, Empty<Bytes>>,
    book: Arc<AddressBook>,
    shown: Option<Arc<Exposition>>,
}

impl Peers {
    pub(crate) fn new(book: Arc<AddressBook>) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(Duration::from_millis(500)));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .build(connector);
        Self { client, book, shown: None }
    }

    /// Counts its calls there.
    pub(crate) fn showing(self, shown: Arc<Exposition>) -> Self {
        Self { shown: Some(shown), ..self }
    }

    /// Runs the errand in `zone`; what must be done is tried in the other zone too. One deadline
    /// covers both.
    pub(crate) async fn call(&self, zone: Zone, errand: Errand<'_>) -> Result<(), CallError> {
        let both = async {
            match (self.once(zone, errand).await, errand.care) {
                (Err(CallError::Busy | CallError::Unreachable), Care::Must)
                | (Err(CallError::Unreachable), Care::Nice) => self.once(zone.other(), errand).await,
                (answer, _) => answer,
            }
        };
        tokio::time::timeout(errand.within, both).await.unwrap_or(Err(CallError::TimedOut))
    }

    async fn once(&self, zone: Zone, errand: Errand<'_>) -> Result<(), CallError> {
        let address = self.book.next(errand.to, zone).ok_or(CallError::Unreachable)?;
        let uri: Uri =
            format!("http://{address}/{}", errand.path).parse().map_err(|_| CallError::Unreachable)?;
        let request = Request::get(uri)
            .header(USER, errand.user)
            .body(Empty::new())
            .map_err(|_| CallError::Unreachable)?;
        let mut timing = self.shown.as_ref().map(|shown| shown.calls(errand.to));
        let answer = self.client.request(request).await.map_err(|_| {
            if let Some(timing) = &mut timing {
                timing.lost("connect");
            }
            CallError::Unreachable
        })?;
        let status = answer.status();
        if let Some(timing) = &mut timing {
            timing.answered(status);
        }
        // Read to its end, or the connection cannot be used again.
        answer.into_body().collect().await.map_err(|_| CallError::Unreachable)?;
        match status {
            StatusCode::SERVICE_UNAVAILABLE => Err(CallError::Busy),
            status if status.is_success() => Ok(()),
            status => Err(CallError::Failed(status)),
        }
    }
}
