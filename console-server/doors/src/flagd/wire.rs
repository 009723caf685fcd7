//! What a connection has written, and the probe that asks whether it was read.
//!
//! A PING is answered by the client's HTTP/2 layer once it has read all that came before it. So an
//! answer proves a message received if, and only if, the PING was *written behind* the message's
//! last byte. `h2` gives no such promise by itself: it writes a PING ahead of DATA that is still
//! queued, for want of window or because the socket is full (two PINGs in a row make that unlikely,
//! not impossible). Therefore the buffer itself reports: [`Payload`] is handed to `h2` instead of
//! plain bytes, and when `h2` has taken its last byte, which it does in the order of the wire, the
//! message is noted as written. Only messages noted before a PING is asked for are proved by it.

use bytes::{Buf, Bytes};
use h2::{Ping, PingPong};
use parking_lot::Mutex;
use rein_core::doorway::Present;
use rein_domain::proof::Serial;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};

/// How long the probe waits after a message, at least: the other streams of the connection come
/// under the same PING.
const GATHER: Duration = Duration::from_millis(20);

/// And so much longer for each stream of the door: a flip goes out to everybody at once, and
/// proof should not make it later.
const MAKE_WAY: Duration = Duration::from_micros(40);

/// One connection's side of the proof.
#[derive(Debug)]
pub(super) struct Wire {
    written: Mutex<Vec<Arc<Delivery>>>,
    work: Notify,
    calls: AtomicUsize,
    /// Calls on all connections of the door.
    all_calls: Arc<AtomicUsize>,
}

/// One message on its way to one stream.
#[derive(Debug)]
pub(super) struct Delivery {
    wire: Arc<Wire>,
    witness: Weak<Present>,
    digest: [u8; 32],
    /// The newest served set that has these bytes.
    upto: AtomicU64,
    received: AtomicBool,
    written: Notify,
}

impl Delivery {
    pub(super) fn new(wire: &Arc<Wire>, witness: &Arc<Present>, digest: [u8; 32], serial: Serial) -> Self {
        Self {
            wire: Arc::clone(wire),
            witness: Arc::downgrade(witness),
            digest,
            upto: AtomicU64::new(serial),
            received: AtomicBool::new(false),
            written: Notify::new(),
        }
    }

    /// Does a set with this digest consist of the same bytes?
    pub(super) fn is(&self, digest: &[u8; 32]) -> bool {
        self.digest == *digest
    }

    /// Waits until the last byte is behind everything written later.
    pub(super) async fn written(&self) {
        self.written.notified().await;
    }

    /// A newer set has the same bytes: what is proved for them is proved for it.
    pub(super) fn carry(&self, serial: Serial) {
        self.upto.fetch_max(serial, Ordering::SeqCst);
        if let Some(witness) = self.witness.upgrade() {
            witness.sent(serial);
            if self.received.load(Ordering::SeqCst) {
                witness.received(serial);
            }
        }
    }

    fn note_written(self: Arc<Self>) {
        if let Some(witness) = self.witness.upgrade() {
            witness.sent(self.upto.load(Ordering::SeqCst));
        }
        self.written.notify_one();
        let wire = Arc::clone(&self.wire);
        wire.written.lock().push(self);
        wire.work.notify_one();
    }

    fn note_received(&self) {
        self.received.store(true, Ordering::SeqCst);
        if let Some(witness) = self.witness.upgrade() {
            witness.received(self.upto.load(Ordering::SeqCst));
        }
    }
}

/// Bytes for `h2` that report when it has taken the last of them.
#[derive(Debug)]
pub(super) struct Payload {
    bytes: Bytes,
    last: Option<Arc<Delivery>>,
}

impl Payload {
    /// Bytes nobody asks about.
    pub(super) fn plain(bytes: Bytes) -> Self {
        Self { bytes, last: None }
    }

    /// The last bytes of a message.
    pub(super) fn last(bytes: Bytes, of: Arc<Delivery>) -> Self {
        Self { bytes, last: Some(of) }
    }
}

impl Buf for Payload {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, n: usize) {
        self.bytes.advance(n);
        // Dropping is no sign: a reset stream's buffers are dropped unwritten.
        if !self.bytes.has_remaining()
            && let Some(delivery) = self.last.take()
        {
            delivery.note_written();
        }
    }
}

/// Counts a call while it lasts.
#[derive(Debug)]
pub(super) struct Calling(Arc<Wire>);

impl Wire {
    pub(super) fn new(all_calls: Arc<AtomicUsize>) -> Arc<Self> {
        Arc::new(Self {
            written: Mutex::default(),
            work: Notify::new(),
            calls: AtomicUsize::new(0),
            all_calls,
        })
    }

    pub(super) fn call(self: &Arc<Self>) -> Calling {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.all_calls.fetch_add(1, Ordering::Relaxed);
        Calling(Arc::clone(self))
    }

    /// Probes until the connection ends, goes silent or is idle for too long.
    pub(super) async fn probe(&self, mut pings: PingPong, patience: Patience) -> Ended {
        let mut in_use = Instant::now();
        loop {
            let work = timeout(patience.probe_every, self.work.notified()).await.is_ok();
            if self.calls.load(Ordering::Relaxed) > 0 {
                in_use = Instant::now();
            } else if in_use.elapsed() >= patience.idle {
                return Ended::Idle;
            }
            if work {
                let others = u32::try_from(self.all_calls.load(Ordering::Relaxed)).unwrap_or(u32::MAX);
                sleep(GATHER + MAKE_WAY.saturating_mul(others)).await;
            }
            let written = std::mem::take(&mut *self.written.lock());
            match timeout(patience.unanswered, pings.ping(Ping::opaque())).await {
                Ok(Ok(_)) => written.iter().for_each(|delivery| delivery.note_received()),
                Ok(Err(_)) => return Ended::Closed,
                Err(_) => return Ended::Silent,
            }
        }
    }
}

impl Drop for Calling {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Ordering::Relaxed);
        self.0.all_calls.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How long the probe waits for what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    pub(super) probe_every: Duration,
    pub(super) unanswered: Duration,
    pub(super) idle: Duration,
}

/// Why probing ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The connection is gone.
    Closed,
    /// A probe was not answered in time.
    Silent,
    /// Nobody has called for long.
    Idle,
}
