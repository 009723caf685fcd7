//! One call: `SyncFlags` sends the newest set, again and again; the others answer once.

use super::Shared;
use super::caller::{Caller, Peer};
use super::grpc::{Code, EmptyStruct, FlagsRequest, MetadataResponse, Status, frame, head, unframe};
use super::sheet::Sheet;
use super::wire::{Delivery, Payload, Wire};
use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use rein_core::doorway::{Present, Served};
use std::future::poll_fn;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

/// One call as it comes in.
pub(super) struct Call {
    pub(super) shared: Arc<Shared>,
    pub(super) wire: Arc<Wire>,
    pub(super) peer: Arc<Peer>,
    pub(super) respond: SendResponse<Payload>,
}

const SERVICE: &str = "/flagd.sync.v1.FlagSyncService/";

impl Call {
    /// Answers it, to its end.
    pub(super) async fn answer(mut self, request: Request<RecvStream>) {
        let _calling = self.wire.call();
        let (parts, body) = request.into_parts();
        let grpc =
            parts.headers.get("content-type").is_some_and(|t| t.as_bytes().starts_with(b"application/grpc"));
        if parts.method != Method::POST || !grpc {
            let mut refusal = Response::new(());
            *refusal.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            let _ = self.respond.send_response(refusal, true);
            return;
        }
        let outcome = match parts.uri.path().strip_prefix(SERVICE) {
            Some("SyncFlags") => self.sync(&parts.headers, body).await,
            Some("FetchAllFlags") => self.fetch(&parts.headers, body).await,
            Some("GetMetadata") => self.metadata(&parts.headers, body).await,
            _ => Err(Status::new(Code::Unimplemented, "this door speaks flagd.sync.v1.FlagSyncService only")),
        };
        if let Err(status) = outcome {
            status.refuse(&mut self.respond);
        }
    }

    async fn caller(&self, headers: &HeaderMap, body: RecvStream) -> Result<Caller, Status> {
        let limits = &self.shared.limits;
        let body = timeout(limits.handshake, collect(body, limits.body))
            .await
            .map_err(|_| Status::new(Code::DeadlineExceeded, "the request did not come in time"))??;
        let request: FlagsRequest = unframe(&body)?;
        Caller::identify(&self.shared, &self.peer, headers, (&request.provider_id, &request.selector))
    }

    async fn fetch(&mut self, headers: &HeaderMap, body: RecvStream) -> Result<(), Status> {
        let caller = self.caller(headers, body).await?;
        let served = self.shared.doorway.served.borrow().clone();
        if served.serial == 0 {
            // Not "no flags": nothing is known yet, or may be told.
            return Err(Status::new(Code::Unavailable, "the server serves nothing yet"));
        }
        let sheet = self.shared.press.sheet(caller.set.as_ref(), &served);
        self.once(sheet.frame).await;
        Ok(())
    }

    async fn metadata(&mut self, headers: &HeaderMap, body: RecvStream) -> Result<(), Status> {
        self.caller(headers, body).await?;
        self.once(frame(&MetadataResponse { metadata: Some(EmptyStruct {}) })).await;
        Ok(())
    }

    /// Sends one message and the end.
    async fn once(&mut self, message: Bytes) {
        let Ok(mut send) = self.respond.send_response(head(), false) else { return };
        let unread = Instant::now() + self.shared.limits.unread;
        match timeout_at(unread, flow(&mut send, message, Payload::plain)).await {
            Ok(Ok(())) => finish(&mut send, &Status::ok()),
            Ok(Err(Gone)) => {}
            Err(_) => drop_reader(&mut send),
        }
    }

    async fn sync(&mut self, headers: &HeaderMap, body: RecvStream) -> Result<(), Status> {
        let caller = self.caller(headers, body).await?;
        let Ok(send) = self.respond.send_response(head(), false) else { return Ok(()) };
        let service = caller.service.as_ref().map(ToString::to_string);
        let witness =
            self.shared.doorway.witnesses.join("flagd", caller.name.clone(), service, caller.identity);
        let mut stream = Syncing {
            shared: Arc::clone(&self.shared),
            wire: Arc::clone(&self.wire),
            served: self.shared.doorway.served.clone(),
            witness: Arc::new(witness),
            caller,
            send,
            last: None,
        };
        let clients = metrics::gauge!("rein_door_clients", "door" => "flagd");
        clients.increment(1.0);
        stream.run().await;
        clients.decrement(1.0);
        Ok(())
    }
}

/// A `SyncFlags` call that has begun.
struct Syncing {
    shared: Arc<Shared>,
    wire: Arc<Wire>,
    served: watch::Receiver<Arc<Served>>,
    witness: Arc<Present>,
    caller: Caller,
    send: SendStream<Payload>,
    /// The message the client holds.
    last: Option<Arc<Delivery>>,
}

/// Why a stream ends.
enum End {
    /// The client went away.
    Gone,
    /// It did not take a message in time.
    Unread,
    /// We say why.
    With(Status),
}

/// The client went away.
struct Gone;

impl From<Gone> for End {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

impl Syncing {
    async fn run(&mut self) {
        let end = loop {
            if let Err(end) = self.keep_current().await {
                break end;
            }
            let shutdown = self.shared.shutdown.clone();
            tokio::select! {
                _ = poll_fn(|cx| self.send.poll_reset(cx)) => break End::Gone,
                changed = self.served.changed() => if changed.is_err() { break leaving() },
                () = shutdown.cancelled() => break leaving(),
            }
        };
        match end {
            End::Gone => {}
            End::Unread => drop_reader(&mut self.send),
            End::With(status) => finish(&mut self.send, &status),
        }
    }

    fn newest(&mut self) -> Option<Sheet> {
        let served = self.served.borrow_and_update().clone();
        // Set 0 is no set: to serve it would tell clients that every flag is gone.
        (served.serial > 0).then(|| self.shared.press.sheet(self.caller.set.as_ref(), &served))
    }

    /// Sends the newest set, unless the client holds those very bytes.
    async fn keep_current(&mut self) -> Result<(), End> {
        self.caller.recheck(&*self.shared.doorway.keys).map_err(End::With)?;
        let Some(sheet) = self.newest() else { return Ok(()) };
        if let Some(last) = self.last.as_ref().filter(|last| last.is(&sheet.digest)) {
            last.carry(sheet.serial);
            return Ok(());
        }
        let unread = Instant::now() + self.shared.limits.unread;
        match timeout_at(unread, self.deliver(sheet)).await {
            Ok(done) => Ok(done?),
            Err(_) => Err(End::Unread),
        }
    }

    async fn deliver(&mut self, sheet: Sheet) -> Result<(), Gone> {
        self.send.reserve_capacity(sheet.frame.len());
        window(&mut self.send).await?;
        // There was a wait, maybe: what goes out is what is newest now.
        let sheet = self.newest().unwrap_or(sheet);
        let delivery = Arc::new(Delivery::new(&self.wire, &self.witness, sheet.digest, sheet.serial));
        let last = |bytes| Payload::last(bytes, Arc::clone(&delivery));
        flow(&mut self.send, sheet.frame, last).await?;
        tokio::select! {
            () = delivery.written() => {}
            _ = poll_fn(|cx| self.send.poll_reset(cx)) => return Err(Gone),
        }
        self.last = Some(delivery);
        Ok(())
    }
}

/// Waits until the client can take something.
async fn window(send: &mut SendStream<Payload>) -> Result<usize, Gone> {
    loop {
        match send.capacity() {
            0 => match poll_fn(|cx| send.poll_capacity(cx)).await {
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(Gone),
            },
            room => return Ok(room),
        }
    }
}

/// Sends a message as the client's window allows: whole, if it is wide enough. Nothing is queued
/// beyond the window, so that a stalled stream holds no more than a reference to the shared bytes.
async fn flow(
    send: &mut SendStream<Payload>,
    mut message: Bytes,
    last: impl FnOnce(Bytes) -> Payload,
) -> Result<(), Gone> {
    loop {
        send.reserve_capacity(message.len());
        let room = window(send).await?;
        if room >= message.len() {
            return send.send_data(last(message), false).map_err(|_| Gone);
        }
        send.send_data(Payload::plain(message.split_to(room)), false).map_err(|_| Gone)?;
    }
}

async fn collect(mut body: RecvStream, most: usize) -> Result<Vec<u8>, Status> {
    let mut all = Vec::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk.map_err(|_| Status::new(Code::Unavailable, "the request broke off"))?;
        if all.len() + chunk.len() > most {
            return Err(Status::new(Code::ResourceExhausted, format!("a request may have {most} bytes")));
        }
        all.extend_from_slice(&chunk);
        // Fails only when the stream is gone, which the next read tells.
        let _ = body.flow_control().release_capacity(chunk.len());
    }
    Ok(all)
}

fn leaving() -> End {
    End::With(Status::new(Code::Unavailable, "the server is going away; connect again"))
}

fn finish(send: &mut SendStream<Payload>, status: &Status) {
    // Fails only when the client is gone already.
    let _ = send.send_trailers(status.trailers());
}

/// Gives up on a reader that does not read. gRPC clients see RESOURCE_EXHAUSTED and come again.
fn drop_reader(send: &mut SendStream<Payload>) {
    metrics::counter!("rein_door_dropped_total", "door" => "flagd").increment(1);
    send.send_reset(Reason::ENHANCE_YOUR_CALM);
}
