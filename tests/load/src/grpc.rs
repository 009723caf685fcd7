//! A bare gRPC client over h2: what a load needs and nothing else.

use bytes::{Bytes, BytesMut};
use h2::client::{Builder, Connection, SendRequest};
use h2::{RecvStream, SendStream};
use http::Request;
use prost::Message;
use std::future::poll_fn;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};

/// The flagd door's call that streams.
pub(crate) const SYNC: &str = "/flagd.sync.v1.FlagSyncService/SyncFlags";

/// `flagd.sync.v1.SyncFlagsRequest`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct SyncRequest {
    #[prost(string, tag = "1")]
    pub(crate) provider_id: String,
    #[prost(string, tag = "2")]
    pub(crate) selector: String,
}

/// `flagd.sync.v1.SyncFlagsResponse`, as far as it is read here.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct SyncResponse {
    #[prost(string, tag = "1")]
    pub(crate) flag_configuration: String,
}

/// An HTTP/2 connection on a socket given; its task is the caller's to drive.
pub(crate) async fn shake<T: AsyncRead + AsyncWrite + Unpin>(
    io: T,
    window: u32,
) -> Result<(SendRequest<Bytes>, Connection<T>), String> {
    let mut builder = Builder::new();
    builder.initial_window_size(window).initial_connection_window_size(window.max(65_535));
    builder.handshake(io).await.map_err(|e| e.to_string())
}

/// A socket to `address` from the `from`-th address of loopback: a door counts connections per address.
pub(crate) async fn socket(address: SocketAddr, from: usize) -> Result<TcpStream, String> {
    let socket = TcpSocket::new_v4().map_err(|e| e.to_string())?;
    if from > 0 {
        let [high, low] = u16::try_from(from).unwrap_or(u16::MAX).to_be_bytes();
        let own = SocketAddr::from((Ipv4Addr::new(127, 0, high.wrapping_add(1), low), 0));
        socket.bind(own).map_err(|e| e.to_string())?;
    }
    let stream = socket.connect(address).await.map_err(|e| e.to_string())?;
    stream.set_nodelay(true).map_err(|e| e.to_string())?;
    Ok(stream)
}

/// A driven connection.
pub(crate) async fn connect(address: SocketAddr, from: usize) -> Result<SendRequest<Bytes>, String> {
    let (send, connection) = shake(socket(address, from).await?, 1 << 20).await?;
    tokio::spawn(connection);
    Ok(send)
}

/// A message with gRPC's five bytes before it.
pub(crate) fn frame(message: &impl Message) -> Bytes {
    let mut out = BytesMut::with_capacity(5 + message.encoded_len());
    out.extend_from_slice(&[0]);
    out.extend_from_slice(&u32::try_from(message.encoded_len()).unwrap_or(0).to_be_bytes());
    // Only fails for want of room, and the buffer grows.
    let _ = message.encode(&mut out);
    out.freeze()
}

/// Sends one call; the stream of answers is read by whoever wants it.
pub(crate) async fn call(
    send: &mut SendRequest<Bytes>,
    path: &str,
    message: Bytes,
    token: Option<&str>,
) -> Result<Messages, String> {
    let (messages, mut body) = begin(send, path, token).await?;
    body.send_data(message, true).map_err(|e| e.to_string())?;
    Ok(messages)
}

/// Sends one message and leaves the request open for as long as its other half is kept.
pub(crate) async fn open(
    send: &mut SendRequest<Bytes>,
    path: &str,
    message: Bytes,
) -> Result<(Messages, SendStream<Bytes>), String> {
    let (messages, mut body) = begin(send, path, None).await?;
    body.send_data(message, false).map_err(|e| e.to_string())?;
    Ok((messages, body))
}

async fn begin(
    send: &mut SendRequest<Bytes>,
    path: &str,
    token: Option<&str>,
) -> Result<(Messages, SendStream<Bytes>), String> {
    poll_fn(|cx| send.poll_ready(cx)).await.map_err(|e| e.to_string())?;
    let mut request = Request::post(format!("http://rein{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request.body(()).map_err(|e| e.to_string())?;
    let (answer, body) = send.send_request(request, false).map_err(|e| e.to_string())?;
    Ok((Messages { answer: Some(answer), body: None, pending: Bytes::new() }, body))
}

/// Opens a `SyncFlags` stream.
pub(crate) async fn sync(
    send: &mut SendRequest<Bytes>,
    (provider, selector): (&str, &str),
    token: Option<&str>,
) -> Result<Messages, String> {
    let ask = SyncRequest { provider_id: provider.to_owned(), selector: selector.to_owned() };
    call(send, SYNC, frame(&ask), token).await
}

/// The messages of one call.
pub(crate) struct Messages {
    answer: Option<h2::client::ResponseFuture>,
    body: Option<RecvStream>,
    pending: Bytes,
}

impl Messages {
    async fn chunk(&mut self) -> Option<Bytes> {
        if let Some(answer) = self.answer.take() {
            self.body = Some(answer.await.ok()?.into_body());
        }
        let body = self.body.as_mut()?;
        let chunk = body.data().await?.ok()?;
        // Fails only when the stream is gone, which the next read tells.
        let _ = body.flow_control().release_capacity(chunk.len());
        Some(chunk)
    }

    /// The next message whole, or nothing when the call has ended.
    pub(crate) async fn next(&mut self) -> Option<Bytes> {
        let len = self.head().await?;
        let mut whole = BytesMut::with_capacity(len);
        let mut part = self.pending.split_off(5);
        loop {
            let left = len - whole.len();
            if part.len() >= left {
                self.pending = part.split_off(left);
                whole.extend_from_slice(&part);
                return Some(whole.freeze());
            }
            whole.extend_from_slice(&part);
            part = self.chunk().await?;
        }
    }

    /// Reads the next message without keeping it and says how long it was: many readers in one
    /// process would otherwise measure their own copying.
    pub(crate) async fn skip(&mut self) -> Option<usize> {
        let len = self.head().await?;
        let mut left = len + 5;
        loop {
            if self.pending.len() >= left {
                self.pending = match self.pending.len() == left {
                    true => Bytes::new(),
                    false => self.pending.split_off(left),
                };
                return Some(len);
            }
            left -= self.pending.len();
            self.pending = self.chunk().await?;
        }
    }

    /// Reads until the head of the next message is there, and says how long that message is.
    async fn head(&mut self) -> Option<usize> {
        loop {
            if let Some(head) = self.pending.get(1..5) {
                return Some(u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize);
            }
            let chunk = self.chunk().await?;
            self.pending = match self.pending.is_empty() {
                true => chunk,
                false => [self.pending.as_ref(), chunk.as_ref()].concat().into(),
            };
        }
    }
}
