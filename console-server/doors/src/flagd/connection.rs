//! One connection: TLS, HTTP/2 with small buffers, and places counted per address.

use super::caller::{Peer, certified};
use super::stream::Call;
use super::wire::{Ended, Patience, Wire};
use super::{GRACE, Shared};
use h2::Reason;
use h2::server::{Builder, Connection};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

/// Counts who is in.
#[derive(Debug)]
pub(super) struct Doorman {
    most: usize,
    per_address: usize,
    present: Mutex<Present>,
}

#[derive(Debug, Default)]
struct Present {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A place taken by one connection.
#[derive(Debug)]
pub(super) struct Place {
    doorman: Arc<Doorman>,
    address: IpAddr,
}

impl Doorman {
    pub(super) fn new(most: usize, per_address: usize) -> Arc<Self> {
        Arc::new(Self { most, per_address, present: Mutex::default() })
    }

    /// A place, if there is one for this address.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let address = address.to_canonical();
        let mut present = self.present.lock();
        let own = present.by_address.get(&address).copied().unwrap_or(0);
        if present.all >= self.most || own >= self.per_address {
            return None;
        }
        present.all += 1;
        present.by_address.insert(address, own + 1);
        Some(Place { doorman: Arc::clone(self), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut present = self.doorman.present.lock();
        present.all -= 1;
        if let Some(own) = present.by_address.get_mut(&self.address) {
            *own -= 1;
            if *own == 0 {
                present.by_address.remove(&self.address);
            }
        }
    }
}

/// A connection as it comes in.
pub(super) struct Visit {
    pub(super) shared: Arc<Shared>,
    pub(super) tls: Option<Arc<rustls::ServerConfig>>,
    pub(super) peer: SocketAddr,
    pub(super) place: Place,
}

impl Visit {
    /// Serves it to its end.
    pub(super) async fn attend(self, socket: TcpStream) {
        let Self { shared, tls, peer, place } = self;
        // Only costs latency if it fails.
        let _ = socket.set_nodelay(true);
        let peer = Peer { address: peer, certified: None };
        match tls {
            None => serve(shared, peer, socket).await,
            Some(config) => {
                let handshake = TlsAcceptor::from(config).accept(socket);
                if let Ok(Ok(stream)) = timeout(shared.limits.handshake, handshake).await {
                    let shown = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
                    let peer = Peer { certified: shown.map(certified), ..peer };
                    // A verifier that lets clients without a certificate pass is not enough here.
                    if peer.certified.is_some() || !shared.access.mtls {
                        // Boxed: most connections are plain, and should not pay for TLS state.
                        Box::pin(serve(shared, peer, stream)).await;
                    }
                }
            }
        }
        drop(place);
    }
}

async fn serve<T: AsyncRead + AsyncWrite + Unpin>(shared: Arc<Shared>, peer: Peer, io: T) {
    let limits = &shared.limits;
    let mut builder = Builder::new();
    builder
        .initial_window_size(16 * 1024)
        .max_header_list_size(8 * 1024)
        .max_concurrent_streams(limits.streams)
        .max_concurrent_reset_streams(16)
        .max_pending_accept_reset_streams(16);
    let Ok(Ok(mut connection)) = timeout(limits.handshake, builder.handshake(io)).await else { return };
    let Some(pings) = connection.ping_pong() else { return };
    let wire = Wire::new(Arc::clone(&shared.calls));
    let patience =
        Patience { probe_every: limits.probe_every, unanswered: limits.unanswered, idle: limits.idle };
    let ended = tokio::select! {
        () = drive(&shared, &wire, peer, &mut connection) => return,
        ended = wire.probe(pings, patience) => ended,
    };
    let reason = match ended {
        Ended::Closed => return,
        Ended::Idle => Reason::NO_ERROR,
        Ended::Silent => {
            metrics::counter!("rein_door_dropped_total", "door" => "flagd").increment(1);
            Reason::ENHANCE_YOUR_CALM
        }
    };
    connection.abrupt_shutdown(reason);
    let _ = timeout(GRACE, std::future::poll_fn(|cx| connection.poll_closed(cx))).await;
}

/// Takes calls until the connection ends; on shutdown lets those that run end first.
async fn drive<T: AsyncRead + AsyncWrite + Unpin>(
    shared: &Arc<Shared>,
    wire: &Arc<Wire>,
    peer: Peer,
    connection: &mut Connection<T, super::wire::Payload>,
) {
    let peer = Arc::new(peer);
    loop {
        let incoming = tokio::select! {
            incoming = connection.accept() => incoming,
            () = shared.shutdown.cancelled() => break,
        };
        let Some(Ok((request, respond))) = incoming else { return };
        let call =
            Call { shared: Arc::clone(shared), wire: Arc::clone(wire), peer: Arc::clone(&peer), respond };
        tokio::spawn(call.answer(request));
    }
    connection.graceful_shutdown();
    // New calls cannot be meant for us any more; they are dropped, which resets them.
    let rest = async { while let Some(Ok(_)) = connection.accept().await {} };
    let _ = timeout(GRACE, rest).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_per_address_and_given_back() {
        let doorman = Doorman::new(3, 2);
        let (a, b): (IpAddr, IpAddr) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        let mapped: IpAddr = "::ffff:10.0.0.1".parse().unwrap();
        let first = doorman.admit(a).unwrap();
        let _second = doorman.admit(mapped).unwrap();
        assert!(doorman.admit(a).is_none(), "the same address in another spelling");
        let _third = doorman.admit(b).unwrap();
        assert!(doorman.admit(b).is_none(), "the house is full");
        drop(first);
        assert!(doorman.admit(a).is_some());
        assert_eq!(doorman.present.lock().by_address.len(), 2);
    }
}
