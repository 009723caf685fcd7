//! The flagd door off loopback: client certificates, and networks that may come.

#[path = "house/caller.rs"]
mod caller;
mod house;

use bytes::Bytes;
use caller::{Ask, call, connect, door};
use h2::client::SendRequest;
use house::{House, until};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rein_domain::proof::Identity;
use rein_doors::flagd::{Access, FlagdDoor, FlagdOptions};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;

/// A certificate authority of the test's own.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: CertificateDer<'static>,
}

type Identified = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).unwrap().der().clone();
        Self { issuer: Issuer::new(params, key), root }
    }

    fn certify(&self, name: &str) -> Identified {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).unwrap();
        Arc::new(roots)
    }

    /// What the door is set up with; `lax` lets clients without a certificate through TLS.
    fn server(&self, lax: bool) -> FlagdOptions {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(self.roots(), Arc::clone(&provider));
        let verifier = if lax { verifier.allow_unauthenticated() } else { verifier };
        let (chain, key) = self.certify("localhost");
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(chain, key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let access = Access { mtls: true, ..Access::default() };
        FlagdOptions { tls: Some(Arc::new(config)), access, ..FlagdOptions::default() }
    }

    async fn dial(&self, address: SocketAddr, own: Option<Identified>) -> Option<SendRequest<Bytes>> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(self.roots());
        let mut config = match own {
            Some((chain, key)) => config.with_client_auth_cert(chain, key).unwrap(),
            None => config.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        let socket = TcpStream::connect(address).await.unwrap();
        let stream = TlsConnector::from(Arc::new(config));
        let stream = stream.connect("localhost".try_into().unwrap(), socket).await.ok()?;
        let (mut send, mut connection) = h2::client::handshake(stream).await.ok()?;
        // With TLS 1.3 a refused certificate shows only at the first read.
        tokio::select! {
            ready = std::future::poll_fn(|cx| send.poll_ready(cx)) => ready.ok()?,
            _ = &mut connection => return None,
        }
        tokio::spawn(connection);
        Some(send)
    }
}

#[tokio::test]
async fn a_certificate_vouches_for_its_own_service_only() {
    let house = House::open();
    let authority = Authority::new();
    let (address, _shutdown) = door(&house, authority.server(false)).await;
    let mut send = authority.dial(address, Some(authority.certify("order.svc"))).await.unwrap();
    let mut streams = Vec::new();
    for provider in ["order/i-1", "payment/i-2"] {
        let mut stream = call(&mut send, "SyncFlags", Ask { provider, ..Ask::default() }).await;
        assert!(stream.next().await.is_some());
        streams.push(stream);
    }
    assert_eq!(house.witness("order.svc/i-1").identity, Identity::Authenticated);
    assert_eq!(house.witness("order.svc/i-2").identity, Identity::Claimed, "it is not payment's");
}

#[tokio::test]
async fn without_a_certificate_of_the_authority_nobody_is_answered() {
    let house = House::open();
    let authority = Authority::new();
    for lax in [false, true] {
        let (address, _shutdown) = door(&house, authority.server(lax)).await;
        for own in [None, Some(Authority::new().certify("order.svc"))] {
            if let Some(mut send) = authority.dial(address, own).await {
                // The first to be written may go out before the refusal comes in.
                let request = http::Request::post("http://rein/flagd.sync.v1.FlagSyncService/SyncFlags")
                    .header("content-type", "application/grpc");
                let sent = send.send_request(request.body(()).unwrap(), true);
                let answered = match sent {
                    Ok((answer, _)) => answer.await.is_ok(),
                    Err(_) => false,
                };
                assert!(!answered, "lax: {lax}");
            }
        }
    }
    assert!(house.witnesses().is_empty());
}

#[tokio::test]
async fn an_address_outside_the_declared_networks_is_turned_away() {
    // The address of this machine that leads out of it, if there is one: nothing is sent.
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    let own = socket.connect("192.0.2.1:9").and_then(|()| socket.local_addr()).ok();
    let Some(own) = own.map(|own| own.ip()).filter(|ip| !ip.is_loopback() && !ip.is_unspecified()) else {
        return;
    };
    let house = House::open();
    let elsewhere = "198.51.100.0/24".parse().unwrap();
    for (networks, admitted) in [(vec![elsewhere], false), (vec![elsewhere, own.into()], true)] {
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let access = Access { networks, ..Access::default() };
        let options = FlagdOptions { access, ..FlagdOptions::default() };
        let shutdown = CancellationToken::new();
        tokio::spawn(FlagdDoor::serve(listener, house.doorway.clone(), options, shutdown));
        let socket = TcpStream::connect((own, port)).await.unwrap();
        let (mut send, connection) = h2::client::handshake(socket).await.unwrap();
        let connection = tokio::spawn(connection);
        if admitted {
            let answer = call(&mut send, "FetchAllFlags", Ask::default()).await.next().await;
            assert!(answer.is_some());
        } else {
            until("it is closed", || connection.is_finished()).await;
        }
        let mut local = connect(SocketAddr::from(([127, 0, 0, 1], port))).await;
        assert!(call(&mut local, "FetchAllFlags", Ask::default()).await.next().await.is_some());
    }
}
