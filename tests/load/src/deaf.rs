//! A connection that reads everything and answers no PING: what a client would look like whose
//! messages arrive and whose proof of it does not.

use bytes::{Buf, BytesMut};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Length of an HTTP/2 frame's head (RFC 9113, section 4.1).
const HEAD: usize = 9;
const PING: u8 = 6;
const ACK: u8 = 1;

/// Takes the server's PINGs out of what is read.
pub(crate) struct Deaf {
    io: TcpStream,
    raw: BytesMut,
    out: BytesMut,
}

impl Deaf {
    pub(crate) fn new(io: TcpStream) -> Self {
        Self { io, raw: BytesMut::new(), out: BytesMut::new() }
    }

    fn sift(&mut self) {
        while let Some(head) = self.raw.get(..HEAD) {
            let len = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            let asks = head[3] == PING && head[4] & ACK == 0;
            if self.raw.len() < HEAD + len {
                return;
            }
            let frame = self.raw.split_to(HEAD + len);
            if !asks {
                self.out.extend_from_slice(&frame);
            }
        }
    }
}

impl AsyncRead for Deaf {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        while self.out.is_empty() {
            let mut some = [0; 16 * 1024];
            let mut some = ReadBuf::new(&mut some);
            ready!(Pin::new(&mut self.io).poll_read(cx, &mut some))?;
            if some.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            self.raw.extend_from_slice(some.filled());
            self.sift();
        }
        let fits = buf.remaining().min(self.out.len());
        buf.put_slice(&self.out[..fits]);
        self.out.advance(fits);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Deaf {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
