//! The HTTP listener: plain or TLS, with a graceful end.

use crate::start::ServeError;
use axum::Router;
use axum_server::Handle;
use axum_server::accept::Accept;
use futures::future::BoxFuture;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;
use tokio_util::sync::CancellationToken;

/// How long open requests may take to end.
const GRACE: Duration = Duration::from_secs(5);

/// How long a client may take to agree on TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Binds, without waiting and without serving yet.
pub(crate) fn bind(address: SocketAddr, what: &'static str) -> Result<TcpListener, ServeError> {
    let refused = |source| ServeError::Listen { what, address, source };
    let listener = TcpListener::bind(address).map_err(refused)?;
    listener.set_nonblocking(true).map_err(refused)?;
    Ok(listener)
}

/// Serves until `stop`, then lets open requests end.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    tls: Option<Arc<rustls::ServerConfig>>,
    stop: CancellationToken,
) -> io::Result<()> {
    let handle = Handle::new();
    let closing = handle.clone();
    tokio::spawn(async move {
        stop.cancelled().await;
        closing.graceful_shutdown(Some(GRACE));
    });
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    axum_server::from_tcp(listener)?
        .acceptor(Door(tls.map(TlsAcceptor::from)))
        .handle(handle)
        .serve(service)
        .await
}

/// Plain connections and TLS ones as one type: HTTP is compiled once for both.
#[derive(Clone)]
struct Door(Option<TlsAcceptor>);

impl<S: Send + 'static> Accept<TcpStream, S> for Door {
    type Stream = Either<TcpStream, Box<TlsStream<TcpStream>>>;
    type Service = S;
    type Future = BoxFuture<'static, io::Result<(Self::Stream, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let tls = self.0.clone();
        Box::pin(async move {
            let Some(tls) = tls else { return Ok((Either::Left(stream), service)) };
            let agreed = tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await?;
            Ok((Either::Right(Box::new(agreed?)), service))
        })
    }
}
