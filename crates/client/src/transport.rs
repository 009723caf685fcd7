//! How a request gets to a server and its answer back.

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;

/// An answer's body as it arrives.
pub type BodyStream = BoxStream<'static, Result<Bytes, String>>;

/// Why no answer came. The difference matters for a write: see [`crate::ClientError::UnknownOutcome`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The request never left: nothing listens, no such host, TLS refused.
    #[error("{0}")]
    Connect(String),
    /// The request may have arrived; the answer did not.
    #[error("{0}")]
    Lost(String),
}

/// Carries requests: TCP, or a router in this process.
pub trait Transport: Send + Sync {
    /// Sends one request. Its URI is a path with a query; scheme and host are the transport's matter.
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<BodyStream>, SendError>>;

    /// Where requests go, for error messages.
    fn server(&self) -> &str;
}
