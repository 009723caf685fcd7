//! The HTTP listener: plain or TLS, with a graceful end.

use crate::start::ServeError;
use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long open requests may take to end.
const GRACE: Duration = Duration::from_secs(5);

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
) -> std::io::Result<()> {
    let handle = Handle::new();
    let closing = handle.clone();
    tokio::spawn(async move {
        stop.cancelled().await;
        closing.graceful_shutdown(Some(GRACE));
    });
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    match tls {
        None => axum_server::from_tcp(listener)?.handle(handle).serve(service).await,
        Some(config) => {
            let config = RustlsConfig::from_config(config);
            axum_server::from_tcp_rustls(listener, config)?.handle(handle).serve(service).await
        }
    }
}
