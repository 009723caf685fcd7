//! Calls from one service to another: real HTTP, the caller's own zone first.

use crate::exposition::Exposition;
use crate::plan::{Service, Zone};
use bytes::Bytes;
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The header that carries the user's id from hop to hop: the targeting key of every switch.
pub(crate) const USER: &str = "x-user";

/// Where everybody is. What the company knows of itself stands in it from the start; what a registry
/// says replaces that, service by service.
#[derive(Debug, Default)]
pub(crate) struct AddressBook {
    rows: BTreeMap<(Service, Zone), Row>,
}

/// One service's instances in one zone, taken in turn. The turn is the row's, not the caller's: a
/// caller that counted all its calls would send every second one to the same instance.
#[derive(Debug, Default)]
struct Row {
    instances: RwLock<Vec<(SocketAddr, u32)>>,
    turn: AtomicUsize,
}

/// What an instance weighs that nobody weighed.
const USUAL: u32 = 100;

impl AddressBook {
    pub(crate) fn enter(&mut self, service: Service, zone: Zone, address: SocketAddr) {
        self.rows.entry((service, zone)).or_default().instances.write().push((address, USUAL));
    }

    /// These and no others get calls from now on.
    pub(crate) fn replace(&self, service: Service, all: &[(Zone, SocketAddr, u32)]) {
        for zone in Zone::ALL {
            let Some(row) = self.rows.get(&(service, zone)) else { continue };
            let here =
                all.iter().filter(|(at, ..)| *at == zone).map(|(_, address, weight)| (*address, *weight));
            *row.instances.write() = here.collect();
        }
    }

    fn next(&self, service: Service, zone: Zone) -> Option<SocketAddr> {
        let row = self.rows.get(&(service, zone))?;
        let turn = row.turn.fetch_add(1, Ordering::Relaxed);
        let instances = row.instances.read();
        pick(&instances, turn)
    }
}

/// In turn where all weigh the same; else each as often as its weight says, spread evenly.
fn pick(instances: &[(SocketAddr, u32)], turn: usize) -> Option<SocketAddr> {
    let (first, total) =
        (instances.first()?, instances.iter().map(|(_, weight)| u64::from(*weight)).sum::<u64>());
    if instances.iter().all(|(_, weight)| *weight == first.1) {
        return instances.get(turn % instances.len()).map(|(address, _)| *address);
    }
    // Multiples of the golden ratio fill a circle evenly (Weyl).
    let share = (turn as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let mut point = (share * total) >> 32;
    for (address, weight) in instances {
        if point < u64::from(*weight) {
            return Some(*address);
        }
        point -= u64::from(*weight);
    }
    None
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn calls_fall_as_weights_say_and_a_list_replaces_the_last() {
        let mut book = AddressBook::default();
        book.enter(Service::Order, Zone::Sh, at(1));
        book.enter(Service::Order, Zone::Bj, at(2));
        book.replace(Service::Order, &[(Zone::Sh, at(3), 100), (Zone::Sh, at(4), 25), (Zone::Sh, at(5), 0)]);
        let mut calls: BTreeMap<u16, u32> = BTreeMap::new();
        for _ in 0..1_000 {
            *calls.entry(book.next(Service::Order, Zone::Sh).unwrap().port()).or_default() += 1;
        }
        assert!((790..=810).contains(&calls[&3]) && (190..=210).contains(&calls[&4]), "{calls:?}");
        assert_eq!(calls.len(), 2, "who weighs nothing gets nothing: {calls:?}");
        assert_eq!(book.next(Service::Order, Zone::Bj), None);
    }
}
