//! The flagd sync door: `flagd.sync.v1.FlagSyncService` over an own HTTP/2 server.
//!
//! Source: open-feature/flagd-schemas, `protobuf/flagd/sync/v1/sync.proto`, and the gRPC over
//! HTTP/2 protocol. An own server, since proof needs HTTP/2 PING: a client that answers a PING
//! written after a message has read that message. What lives where:
//! - `sheet`: one message per flag set and served set, made once, shared by all streams;
//! - `wire`: what one connection has written, and the probe that asks whether it was read;
//! - `stream`: one `SyncFlags` call: the newest set only, dropped when it is not read;
//! - `caller`: who asks, for which flags, and whether that is known or only claimed;
//! - `connection`, `grpc`: limits and framing.

mod caller;
mod connection;
mod grpc;
mod sheet;
mod stream;
mod wire;

pub use crate::access::{Access, DoorError, judge};
use connection::{Doorman, Visit};
use rein_core::doorway::{DoorFacts, Doorway};
use sheet::Press;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How much one client, and all of them, may take.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections in all.
    pub connections: usize,
    /// Connections from one address.
    pub per_address: usize,
    /// Calls at a time on one connection.
    pub streams: u32,
    /// Bytes of a request body.
    pub body: usize,
    /// Time for TLS, the HTTP/2 preface and each request body.
    pub handshake: Duration,
    /// Time to take a message, once it is there.
    pub unread: Duration,
    /// A probe at least this often, so that a vanished client is noticed.
    pub probe_every: Duration,
    /// Time to answer a probe.
    pub unanswered: Duration,
    /// A connection without calls is closed after this.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 20_000,
            per_address: 4_096,
            streams: 1_000,
            body: 64 * 1024,
            handshake: Duration::from_secs(10),
            unread: Duration::from_secs(10),
            probe_every: Duration::from_secs(30),
            unanswered: Duration::from_secs(60),
            idle: Duration::from_secs(300),
        }
    }
}

/// How the door is set up.
#[derive(Debug, Clone, Default)]
pub struct FlagdOptions {
    /// TLS, with ALPN `h2`; for mTLS with a verifier of client certificates.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// What it asks of those who come.
    pub access: Access,
    /// What they may take.
    pub limits: Limits,
}

/// The door.
#[derive(Debug)]
pub struct FlagdDoor;

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) doorway: Doorway,
    pub(crate) press: Press,
    pub(crate) access: Access,
    pub(crate) limits: Limits,
    pub(crate) shutdown: CancellationToken,
    /// Calls under way, on all connections.
    pub(crate) calls: Arc<AtomicUsize>,
}

/// How long connections may take to end when the door closes.
const GRACE: Duration = Duration::from_secs(5);

impl FlagdDoor {
    /// Serves until `shutdown`, then tells every client to go elsewhere and waits for them a while.
    ///
    /// Refuses to start where anybody could come and nothing is asked of them; see [`judge`].
    pub async fn serve(
        listener: TcpListener,
        doorway: Doorway,
        options: FlagdOptions,
        shutdown: CancellationToken,
    ) -> Result<(), DoorError> {
        judge(listener.local_addr()?, &options.access)?;
        if options.access.mtls && options.tls.is_none() {
            return Err(DoorError::NoTls);
        }
        bound_kernel_memory(&listener);
        let FlagdOptions { tls, access, limits } = options;
        let doorman = Doorman::new(limits.connections, limits.per_address);
        let shared = Arc::new(Shared {
            doorway,
            press: Press::default(),
            access,
            limits,
            shutdown: shutdown.clone(),
            calls: Arc::default(),
        });
        let tasks = TaskTracker::new();
        loop {
            let accepted = tokio::select! {
                () = shutdown.cancelled() => break,
                accepted = listener.accept() => accepted,
            };
            let (socket, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of descriptors, mostly: those that are here go on.
                    tracing::warn!(%error, "flagd door: accept failed");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let Some(place) = shared.access.admits(peer.ip()).then(|| doorman.admit(peer.ip())).flatten()
            else {
                metrics::counter!("rein_door_refused_total", "door" => "flagd").increment(1);
                continue;
            };
            let visit = Visit { shared: Arc::clone(&shared), tls: tls.clone(), peer, place };
            tasks.spawn(visit.attend(socket));
        }
        tasks.close();
        let _ = tokio::time::timeout(GRACE + Duration::from_secs(1), tasks.wait()).await;
        Ok(())
    }

    /// What holds at this door when things fail.
    pub fn facts(listen: SocketAddr) -> DoorFacts {
        DoorFacts {
            name: "flagd",
            address: format!("grpc://{listen}"),
            keeps_deadline: "client",
            when_rein_dies: "clients keep the last set they got and still revert at its deadlines",
            best_proof: "received",
        }
    }
}

/// Accepted sockets inherit this: what a client does not read waits in its own window, not here.
fn bound_kernel_memory(listener: &TcpListener) {
    if let Err(error) = socket2::SockRef::from(listener).set_send_buffer_size(128 * 1024) {
        tracing::debug!(%error, "flagd door: the send buffer keeps the system's size");
    }
}
