//! Looks at instances: HTTP, TCP, gRPC health. Never at an address that hands out credentials, whatever a
//! name resolves to; nobody is followed elsewhere, and an answer's body is not read.

use async_trait::async_trait;
use rein_core::registry::Probes;
use rein_domain::health::Probe;
use rein_domain::instance::Address;
use rein_plugin::address::refused;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

/// How long an instance has to answer; the house gives up then too.
const PATIENCE: Duration = Duration::from_secs(1);

/// Looks over real sockets.
pub(crate) struct Looks;

#[async_trait]
impl Probes for Looks {
    async fn look(&self, address: &Address, probe: &Probe) -> Result<(), String> {
        let at = resolve(address).await?;
        match probe {
            Probe::Tcp => connect(at).await.map(drop),
            Probe::Http(path) => http(at, address, path).await,
            Probe::Grpc(service) => grpc(at, service).await,
        }
    }
}

/// Where to look: every address of a name must be one that may be called.
async fn resolve(address: &Address) -> Result<SocketAddr, String> {
    let (host, port) = (address.host(), address.port());
    let all: Vec<SocketAddr> = match host.parse::<IpAddr>() {
        Ok(ip) => vec![SocketAddr::new(ip, port)],
        Err(_) => tokio::net::lookup_host((host, port)).await.map_err(|e| e.to_string())?.collect(),
    };
    for at in &all {
        if let Some(why) = refused(at.ip()) {
            return Err(format!("{} must not be called: {why}", at.ip()));
        }
    }
    all.first().copied().ok_or_else(|| format!("{host} has no address"))
}

async fn connect(at: SocketAddr) -> Result<TcpStream, String> {
    TcpStream::connect(at).await.map_err(|e| e.to_string())
}

/// One request, written by hand: no redirect, no proxy, no body, no connection that outlives it.
async fn http(at: SocketAddr, address: &Address, path: &str) -> Result<(), String> {
    let mut stream = connect(at).await?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: rein-check\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.map_err(|e| e.to_string())?;
    // `HTTP/1.1 200` is all that is of interest.
    let mut line = [0; 12];
    stream.read_exact(&mut line).await.map_err(|_| "no HTTP answer".to_owned())?;
    let status = line.strip_prefix(b"HTTP/1.").and_then(|rest| std::str::from_utf8(&rest[2..]).ok());
    match status.and_then(|status| status.parse::<u16>().ok()) {
        Some(200..=299) => Ok(()),
        Some(status) => Err(format!("HTTP {status}")),
        None => Err("no HTTP answer".to_owned()),
    }
}

async fn grpc(at: SocketAddr, service: &str) -> Result<(), String> {
    let endpoint =
        tonic::transport::Endpoint::from_shared(format!("http://{at}")).map_err(|e| e.to_string())?;
    let channel = endpoint.connect_timeout(PATIENCE).timeout(PATIENCE).connect().await;
    let channel = channel
        .map_err(|e| std::error::Error::source(&e).map_or_else(|| e.to_string(), ToString::to_string))?;
    let request = HealthCheckRequest { service: service.to_owned() };
    let answer = HealthClient::new(channel).check(request).await.map_err(|e| e.message().to_owned())?;
    match answer.into_inner().status() {
        ServingStatus::Serving => Ok(()),
        other => Err(other.as_str_name().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    async fn listener() -> (TcpListener, Address) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string().parse().unwrap();
        (listener, address)
    }

    /// Answers one request, whatever it is.
    async fn answering(with: &'static str) -> Address {
        let (listener, address) = listener().await;
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = [0; 1024];
            let _ = stream.read(&mut asked).await.unwrap();
            stream.write_all(with.as_bytes()).await.unwrap();
        });
        address
    }

    #[tokio::test]
    async fn a_listener_passes_and_a_closed_port_does_not() {
        let (open, address) = listener().await;
        assert_eq!(Looks.look(&address, &Probe::Tcp).await, Ok(()));
        drop(open);
        assert!(Looks.look(&address, &Probe::Tcp).await.is_err());
    }

    #[tokio::test]
    async fn only_2xx_passes_and_nobody_is_followed() {
        for (answer, says) in [
            ("HTTP/1.1 204 No Content\r\n\r\n", None),
            ("HTTP/1.0 200 OK\r\n\r\n", None),
            ("HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n\r\n", Some("HTTP 302")),
            ("HTTP/1.1 503 Sorry\r\n\r\n", Some("HTTP 503")),
            ("SSH-2.0-OpenSSH_9\r\n", Some("no HTTP answer")),
            ("HTTP/2", Some("no HTTP answer")),
        ] {
            let address = answering(answer).await;
            let looked = Looks.look(&address, &Probe::Http("/healthz".into())).await;
            assert_eq!(looked.err().as_deref(), says, "{answer}");
        }
    }

    #[tokio::test]
    async fn what_hands_out_credentials_is_never_called() {
        for address in ["169.254.169.254:80", "[::ffff:a9fe:a9fe]:80", "0.0.0.0:80", "[fe80::1]:80"] {
            let looked = Looks.look(&address.parse().unwrap(), &Probe::Tcp).await;
            assert!(looked.unwrap_err().contains("must not be called"), "{address}");
        }
    }

    #[tokio::test]
    async fn grpc_health_is_asked_as_it_is_meant() {
        let (listener, address) = listener().await;
        let (reporter, service) = tonic_health::server::health_reporter();
        reporter.set_service_status("sick", tonic_health::ServingStatus::NotServing).await;
        let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
        tokio::spawn(tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming));
        let look = async |service: &str| Looks.look(&address, &Probe::Grpc(service.to_owned())).await;
        assert_eq!(look("").await, Ok(()));
        assert_eq!(look("sick").await.unwrap_err(), "NOT_SERVING");
        assert!(look("nobody").await.is_err());
    }
}
