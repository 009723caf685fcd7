//! gRPC over HTTP/2, as far as this door needs it: messages, statuses, headers.
//!
//! Source: grpc/grpc, `doc/PROTOCOL-HTTP2.md`; messages after `proto/flagd/sync/v1/sync.proto`.

use super::wire::Payload;
use bytes::{BufMut, Bytes, BytesMut};
use h2::server::SendResponse;
use http::{HeaderMap, HeaderValue, Response};
use std::borrow::Cow;
use std::fmt::Write;

/// Status codes used here, by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    Ok = 0,
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    Unimplemented = 12,
    Unavailable = 14,
    Unauthenticated = 16,
}

/// How a call ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) code: Code,
    pub(super) message: Cow<'static, str>,
}

impl Status {
    pub(super) fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into() }
    }

    pub(super) fn ok() -> Self {
        Self::new(Code::Ok, "")
    }

    /// As trailers.
    pub(super) fn trailers(&self) -> HeaderMap {
        let mut map = HeaderMap::with_capacity(2);
        map.insert("grpc-status", HeaderValue::from(self.code as u16));
        if let Ok(message) = HeaderValue::from_str(&percent_encode(&self.message))
            && !self.message.is_empty()
        {
            map.insert("grpc-message", message);
        }
        map
    }

    /// As the whole answer ("Trailers-Only").
    pub(super) fn refuse(&self, respond: &mut SendResponse<Payload>) {
        let mut answer = head();
        answer.headers_mut().extend(self.trailers());
        // The stream may be gone already; then nobody waits for the answer.
        let _ = respond.send_response(answer, true);
    }
}

/// Headers of a successful answer. No `grpc-encoding`: that means identity.
pub(super) fn head() -> Response<()> {
    let mut answer = Response::new(());
    answer.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    answer
}

/// Everything outside printable ASCII, and the percent sign, is escaped.
fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'%' | 0..=0x1f | 0x7f..=0xff => {
                let _ = write!(out, "%{byte:02X}");
            }
            _ => out.push(char::from(byte)),
        }
    }
    out
}

/// A message with its five bytes of framing.
pub(super) fn frame(message: &impl prost::Message) -> Bytes {
    let len = message.encoded_len();
    let mut out = BytesMut::with_capacity(5 + len);
    out.put_u8(0);
    // A set is far below 4 GiB; a longer one would be cut by no client's limit of 4 MiB anyway.
    out.put_u32(u32::try_from(len).unwrap_or(u32::MAX));
    out.put_slice(&message.encode_to_vec());
    out.freeze()
}

/// The one message of a request body.
pub(super) fn unframe<M: prost::Message + Default>(body: &[u8]) -> Result<M, Status> {
    let bad = |what: &'static str| Status::new(Code::InvalidArgument, what);
    let (head, rest) = body.split_at_checked(5).ok_or_else(|| bad("the request has no message"))?;
    if head[0] != 0 {
        return Err(Status::new(Code::Unimplemented, "compressed requests are not taken"));
    }
    let len = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
    let message = rest.get(..len).ok_or_else(|| bad("the request's message is cut short"))?;
    M::decode(message).map_err(|_| bad("the request is not the message this call takes"))
}

/// `SyncFlagsRequest` and `FetchAllFlagsRequest`: the same fields.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct FlagsRequest {
    #[prost(string, tag = "1")]
    pub(super) provider_id: String,
    #[prost(string, tag = "2")]
    pub(super) selector: String,
}

/// `SyncFlagsResponse` and `FetchAllFlagsResponse`: the same bytes, as long as there is no
/// `sync_context`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct FlagsResponse {
    #[prost(string, tag = "1")]
    pub(super) flag_configuration: String,
}

/// `google.protobuf.Struct`, of which only the empty one is sent.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct EmptyStruct {}

/// `GetMetadataResponse`.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct MetadataResponse {
    #[prost(message, optional, tag = "2")]
    pub(super) metadata: Option<EmptyStruct>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_framed_and_read_back() {
        let message = FlagsRequest { provider_id: "order/i-1".into(), selector: String::new() };
        let framed = frame(&message);
        assert_eq!(&framed[..5], [0, 0, 0, 0, 11]);
        assert_eq!(unframe::<FlagsRequest>(&framed).unwrap(), message);
        for (body, code) in [
            (&b""[..], Code::InvalidArgument),
            (&framed[..9], Code::InvalidArgument),
            (&b"\x01\0\0\0\0"[..], Code::Unimplemented),
            (&b"\0\0\0\0\x02\xff\xff"[..], Code::InvalidArgument),
        ] {
            assert_eq!(unframe::<FlagsRequest>(body).unwrap_err().code, code, "{body:?}");
        }
    }

    #[test]
    fn a_status_message_is_always_a_header() {
        let map = Status::new(Code::InvalidArgument, "a\nb 100% é").trailers();
        assert_eq!(map["grpc-status"], "3");
        assert_eq!(map["grpc-message"], "a%0Ab 100%25 %C3%A9");
    }
}
