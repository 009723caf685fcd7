//! A server's router in this process, as a transport.

use crate::transport::{BodyStream, SendError, Transport};
use bytes::Bytes;
use futures::StreamExt;
use futures::future::BoxFuture;
use http_body_util::BodyExt;
use std::error::Error;
use std::marker::PhantomData;
use tower::{Service, ServiceExt};

/// Any `tower::Service` over HTTP requests, such as an axum `Router`, called without a network.
/// `B` is the request body that the service takes; it must be makeable from whole bytes.
pub struct InProcess<S, B> {
    service: S,
    body: PhantomData<fn() -> B>,
}

impl<S, B> InProcess<S, B> {
    /// A transport that calls `service`.
    pub fn new(service: S) -> Self {
        Self { service, body: PhantomData }
    }
}

impl<S, B, A> Transport for InProcess<S, B>
where
    S: Service<http::Request<B>, Response = http::Response<A>> + Clone + Send + Sync + 'static,
    S::Error: std::fmt::Display + Send,
    S::Future: Send,
    B: From<Bytes> + Send + 'static,
    A: hyper::body::Body<Data = Bytes> + Send + 'static,
    A::Error: Into<Box<dyn Error + Send + Sync>>,
{
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<BodyStream>, SendError>> {
        let service = self.service.clone();
        Box::pin(async move {
            let request = request.map(B::from);
            let answer = service.oneshot(request).await.map_err(|e| SendError::Lost(e.to_string()))?;
            Ok(answer.map(|body| {
                let stream = body.into_data_stream();
                stream.map(|part| part.map_err(|e| e.into().to_string())).boxed()
            }))
        })
    }

    fn server(&self) -> &str {
        "the server in this process"
    }
}
