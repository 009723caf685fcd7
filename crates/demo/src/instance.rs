//! One instance of a service: an HTTP server with a few workers, its switches and its peers.

use crate::desk::Desk;
use crate::exposition::{CONTENT_TYPE, Exposition};
use crate::flags::{Flags, Who};
use crate::meter::{End, Meter};
use crate::peers::{AddressBook, CallError, Care, Errand, Peers, USER};
use crate::plan::Service;
use crate::work::{self, Sorry};
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use http::{HeaderMap, HeaderName, StatusCode};
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// A running instance, shared by the requests it serves.
pub(crate) struct Instance {
    pub(crate) who: Who,
    pub(crate) flags: Flags,
    pub(crate) desk: Desk,
    meter: Arc<Meter>,
    peers: Peers,
    shown: Arc<Exposition>,
    dice: Mutex<StdRng>,
}

impl Instance {
    pub(crate) fn new(who: Who, flags: Flags, meter: Arc<Meter>, book: Arc<AddressBook>, seed: u64) -> Self {
        let post = who.service.post();
        let shown = Arc::new(Exposition::new(&who, post.workers));
        Self {
            who,
            flags,
            desk: Desk::new(post.workers, post.queue),
            meter,
            peers: Peers::new(book).showing(shown.clone()),
            shown,
            dice: Mutex::new(StdRng::seed_from_u64(seed)),
        }
    }

    /// Serves until stopped; requests under way are finished.
    pub(crate) async fn serve(self: Arc<Self>, listener: TcpListener, stop: CancellationToken) {
        let app =
            Router::new().route("/{errand}", get(answer)).route("/metrics", get(metrics)).with_state(self);
        let serving = axum::serve(listener, app).with_graceful_shutdown(stop.cancelled_owned());
        if let Err(error) = serving.await {
            tracing::warn!(%error, "a demo instance stopped serving");
        }
    }

    /// Does work that takes `mean` on average: half of it always, the rest exponentially spread,
    /// which is the shape of most service times.
    pub(crate) async fn work(&self, mean: Duration) {
        let spread = -(1.0 - self.dice.lock().random::<f64>()).ln();
        tokio::time::sleep(mean.mul_f64(0.5 + 0.5 * spread.min(6.0))).await;
    }

    /// True once in `n` times.
    pub(crate) fn once_in(&self, n: u32) -> bool {
        self.dice.lock().random_ratio(1, n)
    }

    /// Calls another service, this instance's own zone first.
    pub(crate) async fn call(
        &self,
        to: Service,
        path: &'static str,
        user: &str,
        within: Duration,
        care: Care,
    ) -> Result<(), CallError> {
        self.peers.call(self.who.zone, Errand { to, path, user, within, care }).await
    }
}

/// What Prometheus reads.
async fn metrics(State(instance): State<Arc<Instance>>) -> ([(HeaderName, &'static str); 1], String) {
    ([(http::header::CONTENT_TYPE, CONTENT_TYPE)], instance.shown.text(instance.desk.busy()))
}

async fn answer(
    State(instance): State<Arc<Instance>>,
    Path(errand): Path<String>,
    headers: HeaderMap,
) -> (StatusCode, String) {
    let mut timing = instance.shown.arrived(&errand);
    let visit = instance.meter.arrive(instance.who.service);
    let user = headers.get(USER).and_then(|id| id.to_str().ok()).unwrap_or("nobody");
    let done = match instance.desk.worker().await {
        Err(_) => Err(Sorry::Busy),
        Ok(_worker) => work::serve(&instance, &errand, user).await,
    };
    match done {
        Ok(()) => {
            visit.end(End::Ok);
            timing.answered(StatusCode::OK);
            (StatusCode::OK, format!("{} {errand}: done\n", instance.who.instance))
        }
        Err(sorry) => {
            visit.end(End::Failed);
            timing.answered(sorry.status());
            (sorry.status(), format!("{} {errand}: {sorry}\n", instance.who.instance))
        }
    }
}
