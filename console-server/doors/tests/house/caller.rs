//! A client of the flagd door over plain h2, so that a test decides what it reads and when.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]

use bytes::{Buf, Bytes, BytesMut};
use h2::RecvStream;
use h2::client::{Builder, Connection, SendRequest};
use http::{HeaderMap, Request};
use rein_doors::flagd::{FlagdDoor, FlagdOptions};
use serde_json::Value;
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// Starts the door on a free port.
pub async fn door(house: &super::House, options: FlagdOptions) -> (SocketAddr, CancellationToken) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let serve = FlagdDoor::serve(listener, house.doorway.clone(), options, shutdown.clone());
    tokio::spawn(async move { serve.await.unwrap() });
    (address, shutdown)
}

/// An HTTP/2 connection; its task is the caller's to drive.
pub async fn dial(address: SocketAddr, window: u32) -> (SendRequest<Bytes>, Connection<TcpStream>) {
    let socket = TcpStream::connect(address).await.unwrap();
    // As gRPC libraries do; an answer to a PING would wait for an ACK otherwise.
    socket.set_nodelay(true).unwrap();
    Builder::new().initial_window_size(window).handshake(socket).await.unwrap()
}

/// A connection that is driven.
pub async fn connect(address: SocketAddr) -> SendRequest<Bytes> {
    let (send, connection) = dial(address, 1 << 20).await;
    tokio::spawn(connection);
    send
}

/// A request message.
pub fn message(provider: &str, selector: &str) -> Bytes {
    let mut inner = BytesMut::new();
    for (tag, text) in [(0x0a, provider), (0x12, selector)] {
        if !text.is_empty() {
            assert!(text.len() < 128, "one byte of length");
            inner.extend_from_slice(&[tag, u8::try_from(text.len()).unwrap()]);
            inner.extend_from_slice(text.as_bytes());
        }
    }
    let mut out = BytesMut::from(&[0, 0, 0, 0, u8::try_from(inner.len()).unwrap()][..]);
    out.extend_from_slice(&inner);
    out.freeze()
}

/// What a call asks for.
#[derive(Clone, Copy, Default)]
pub struct Ask<'a> {
    pub provider: &'a str,
    pub selector: &'a str,
    pub header: &'a str,
    pub token: &'a str,
}

/// A call under way.
pub struct Stream {
    pub headers: HeaderMap,
    pub body: RecvStream,
    pending: BytesMut,
}

pub async fn call(send: &mut SendRequest<Bytes>, method: &str, ask: Ask<'_>) -> Stream {
    let mut request = Request::post(format!("http://rein/flagd.sync.v1.FlagSyncService/{method}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    if !ask.header.is_empty() {
        request = request.header("flagd-selector", ask.header);
    }
    if !ask.token.is_empty() {
        request = request.header("authorization", format!("Bearer {}", ask.token));
    }
    let ready = std::future::poll_fn(|cx| send.poll_ready(cx)).await;
    ready.unwrap();
    let (answer, mut body) = send.send_request(request.body(()).unwrap(), false).unwrap();
    body.send_data(message(ask.provider, ask.selector), true).unwrap();
    let (parts, body) = answer.await.unwrap().into_parts();
    Stream { headers: parts.headers, body, pending: BytesMut::new() }
}

impl Stream {
    /// The next set, or `None` when the stream ended.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(message) = self.whole() {
                // Field 1: its tag, a varint length, then JSON.
                let from = message.iter().position(|b| *b == b'{').unwrap_or(message.len());
                return Some(serde_json::from_slice(&message[from..]).unwrap_or(Value::Null));
            }
            let chunk = self.body.data().await?.ok()?;
            let _ = self.body.flow_control().release_capacity(chunk.len());
            self.pending.extend_from_slice(&chunk);
        }
    }

    /// The length of the next message, unread; `None` when the stream ended.
    pub async fn skip(&mut self) -> Option<usize> {
        loop {
            if let Some(message) = self.whole() {
                // Gives the memory back: a client that idles holds no buffer.
                self.pending = BytesMut::new();
                return Some(message.len());
            }
            let chunk = self.body.data().await?.ok()?;
            let _ = self.body.flow_control().release_capacity(chunk.len());
            self.pending.extend_from_slice(&chunk);
        }
    }

    fn whole(&mut self) -> Option<Bytes> {
        let len = u32::from_be_bytes(self.pending.get(1..5)?.try_into().unwrap()) as usize;
        if self.pending.len() < 5 + len {
            return None;
        }
        self.pending.advance(5);
        Some(self.pending.split_to(len).freeze())
    }

    /// `grpc-status` and `grpc-message`, from the headers or the trailers.
    pub async fn status(&mut self) -> (String, String) {
        let mut map = self.headers.clone();
        while let Some(Ok(chunk)) = self.body.data().await {
            let _ = self.body.flow_control().release_capacity(chunk.len());
        }
        if let Ok(Some(trailers)) = self.body.trailers().await {
            map.extend(trailers);
        }
        let text = |name: &str| map.get(name).map_or("", |v| v.to_str().unwrap()).to_owned();
        (text("grpc-status"), text("grpc-message"))
    }
}
