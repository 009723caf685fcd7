//! The members of the cluster: who is asked, for how long, and what an error says about what was done.

use crate::settings::Settings;
use etcd_client::{Certificate, Channel, Client, ConnectOptions, Error, Identity, TlsOptions};
use hyper_util::rt::TokioIo;
use rein_plugin::Fault;
use std::error::Error as _;
use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tonic::Code;
use tonic::transport::{Endpoint, Uri};

/// Largest answer taken, in bytes: etcd's own limit for one value is 1.5 MiB.
pub(crate) const ANSWER: usize = 4 << 20;
/// PINGs on connections with open calls. etcd refuses clients that ask more often than every 5 s.
const PING: (Duration, Duration) = (Duration::from_secs(7), Duration::from_secs(3));

/// Why a call brought no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It could not be sent, or was refused for now: nothing was done.
    NotSent(String),
    /// It was sent; nobody knows.
    Doubt(String),
    /// The lease that it names has ended; nothing was done.
    LeaseGone,
    /// The answer is larger than [`ANSWER`].
    TooLarge,
    /// What was asked for is older than what etcd keeps.
    Compacted,
    /// Refused for good: rights, or a request that etcd does not know. Nothing was done.
    Refused(String),
}

impl Trouble {
    /// What it says of a call that alters nothing.
    pub(crate) fn of_read(self) -> Fault {
        match self {
            Self::NotSent(text) | Self::Doubt(text) => Fault::Unreachable(text),
            Self::Refused(text) => Fault::NotDone(text),
            Self::LeaseGone => Fault::NotDone("the lease has ended".into()),
            Self::TooLarge => Fault::NotDone("etcd holds more under one key than is read".into()),
            Self::Compacted => Fault::NotDone("etcd does not keep that revision any more; look again".into()),
        }
    }

    /// The same of one that writes.
    pub(crate) fn of_write(self) -> Fault {
        match self {
            Self::NotSent(text) => Fault::Unreachable(text),
            Self::Doubt(text) => Fault::Unknown(text),
            Self::LeaseGone => Fault::NotDone("its lease has ended meanwhile: the instance is gone".into()),
            other => other.of_read(),
        }
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::GRpcStatus(status) => judge(&status),
            Error::TransportError(_) => Self::NotSent(text),
            Error::InvalidArgs(_) | Error::InvalidUri(_) | Error::InvalidMetadataValue(_) => {
                Self::Refused(text)
            }
            _ => Self::Doubt(text),
        }
    }
}

fn judge(status: &tonic::Status) -> Trouble {
    let text = match root(status) {
        Some(cause) => format!("{}: {cause}", status.message()),
        None => status.message().to_owned(),
    };
    let known = |part: &str| text.contains(part);
    if never_sent(status) || known("no leader") || known("too many requests") {
        return Trouble::NotSent(text);
    }
    if known("requested lease not found") {
        return Trouble::LeaseGone;
    }
    if known("has been compacted") {
        return Trouble::Compacted;
    }
    // The connection's token is from before users or roles changed: see `Members::forget`.
    if known("auth store is old") || known("invalid auth token") {
        return Trouble::NotSent(text);
    }
    match status.code() {
        Code::OutOfRange if known("too large") => Trouble::TooLarge,
        Code::InvalidArgument
        | Code::PermissionDenied
        | Code::Unauthenticated
        | Code::FailedPrecondition
        | Code::Unimplemented
        | Code::NotFound
        | Code::OutOfRange => Trouble::Refused(text),
        _ => Trouble::Doubt(text),
    }
}

/// Whether there was no connection to send it over.
fn never_sent(status: &tonic::Status) -> bool {
    let mut source = status.source();
    while let Some(error) = source {
        if error.is::<tonic::ConnectError>() {
            return true;
        }
        source = error.source();
    }
    false
}

fn root(status: &tonic::Status) -> Option<String> {
    let mut source = status.source()?;
    while let Some(next) = source.source() {
        source = next;
    }
    Some(source.to_string())
}

/// See the module's text.
pub(crate) struct Members {
    settings: Settings,
    endpoints: Vec<Endpoint>,
    clients: Vec<Mutex<Option<Client>>>,
    /// Who is asked now.
    current: AtomicUsize,
}

impl Members {
    pub(crate) fn new(settings: &Settings) -> Result<Self, String> {
        let endpoints = settings.endpoints.iter().map(|url| endpoint(url, settings));
        let endpoints = endpoints.collect::<Result<Vec<_>, _>>()?;
        let clients = endpoints.iter().map(|_| Mutex::new(None)).collect();
        Ok(Self { settings: settings.clone(), endpoints, clients, current: AtomicUsize::new(0) })
    }

    /// A connection to a member, made when it is first needed.
    pub(crate) async fn client(&self, member: usize) -> Result<Client, Trouble> {
        let (Some(slot), Some(endpoint)) = (self.clients.get(member), self.endpoints.get(member)) else {
            return Err(Trouble::Refused("there is no such member".into()));
        };
        let mut slot = slot.lock().await;
        if let Some(client) = &*slot {
            return Ok(client.clone());
        }
        let channel = endpoint.connect_with_connector_lazy(tower::service_fn(dial));
        // A member that lost its leader answers from the past, or not at all: it shall say so.
        let mut options = ConnectOptions::new().with_require_leader(true);
        if let Some((name, password)) = &self.settings.user {
            options = options.with_user(name, password).with_auto_token_refresh(true);
        }
        let client = Client::from_channel(Channel::Tonic(channel), Some(options)).await?;
        Ok(slot.insert(client).clone())
    }

    /// Asks one member once.
    pub(crate) async fn ask<T, F>(&self, member: usize, call: impl FnOnce(Client) -> F) -> Result<T, Trouble>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let name = self.settings.endpoints.get(member).map_or("a member", String::as_str);
        let named = |text: String| format!("{name}: {text}");
        let late = || format!("{name} did not answer within {} ms", self.settings.timeout.as_millis());
        let client = match timeout(self.settings.timeout, self.client(member)).await {
            Ok(Ok(client)) => client,
            // Only a token was asked for: nothing was done.
            Ok(Err(Trouble::Doubt(text) | Trouble::NotSent(text))) => {
                return Err(Trouble::NotSent(named(text)));
            }
            Ok(Err(other)) => return Err(other),
            Err(_) => return Err(Trouble::NotSent(late())),
        };
        match timeout(self.settings.timeout, call(client)).await {
            Err(_) => Err(Trouble::Doubt(late())),
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(match Trouble::from(error) {
                Trouble::NotSent(text) => {
                    if text.contains("auth") {
                        self.forget(member).await;
                    }
                    Trouble::NotSent(named(text))
                }
                Trouble::Doubt(text) => Trouble::Doubt(named(text)),
                Trouble::Refused(text) => Trouble::Refused(named(text)),
                other => other,
            }),
        }
    }

    /// The next call makes a new connection, with a new token.
    async fn forget(&self, member: usize) {
        if let Some(slot) = self.clients.get(member) {
            *slot.lock().await = None;
        }
    }

    /// Asks one member after the other until one answers. For what may be asked twice.
    pub(crate) async fn read<T, F>(&self, call: impl Fn(Client) -> F) -> Result<T, Trouble>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let mut last = Trouble::NotSent("there is no member to ask".into());
        for _ in 0..self.endpoints.len() {
            let member = self.current();
            match self.ask(member, &call).await {
                Err(trouble @ (Trouble::NotSent(_) | Trouble::Doubt(_))) => {
                    self.turn_away(member);
                    last = trouble;
                }
                answer => return answer,
            }
        }
        Err(last)
    }

    /// The same for what must not be sent twice: the next member is asked only if nothing was sent.
    pub(crate) async fn write<T, F>(&self, call: impl Fn(Client) -> F) -> Result<T, Trouble>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let mut last = Trouble::NotSent("there is no member to ask".into());
        for _ in 0..self.endpoints.len() {
            let member = self.current();
            match self.ask(member, &call).await {
                Err(trouble @ Trouble::NotSent(_)) => {
                    self.turn_away(member);
                    last = trouble;
                }
                Err(trouble @ Trouble::Doubt(_)) => {
                    self.turn_away(member);
                    return Err(trouble);
                }
                answer => return answer,
            }
        }
        Err(last)
    }

    pub(crate) fn current(&self) -> usize {
        self.current.load(Ordering::Relaxed)
    }

    /// A member did not serve. Of many calls that notice so at the same time one moves on.
    pub(crate) fn turn_away(&self, member: usize) {
        let next = (member + 1) % self.endpoints.len().max(1);
        let _ = self.current.compare_exchange(member, next, Ordering::Relaxed, Ordering::Relaxed);
    }
}

fn endpoint(url: &str, settings: &Settings) -> Result<Endpoint, String> {
    let wrong = |error: tonic::transport::Error| format!("{url}: {error}");
    let mut endpoint = Endpoint::from_shared(url.to_owned())
        .map_err(wrong)?
        .connect_timeout(settings.timeout)
        .http2_keep_alive_interval(PING.0)
        .keep_alive_timeout(PING.1)
        // etcd counts PINGs on idle connections as an attack.
        .keep_alive_while_idle(false);
    if url.starts_with("https://") {
        let mut tls = TlsOptions::new();
        if let Some(ca) = &settings.ca {
            tls = tls.ca_certificate(Certificate::from_pem(ca));
        }
        if let Some((certificate, key)) = &settings.identity {
            tls = tls.identity(Identity::from_pem(certificate, key));
        }
        endpoint = endpoint.tls_config(tls).map_err(wrong)?;
    }
    Ok(endpoint)
}

/// Connects, where the address may be called: a name may resolve to anything.
async fn dial(uri: Uri) -> io::Result<TokioIo<TcpStream>> {
    let host = uri.host().unwrap_or_default();
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let mut last = io::Error::new(io::ErrorKind::NotFound, format!("{host} has no address"));
    for address in tokio::net::lookup_host((host, uri.port_u16().unwrap_or(2379))).await? {
        if let Some(why) = rein_plugin::address::refused(address.ip()) {
            last = io::Error::new(io::ErrorKind::PermissionDenied, format!("{address}: {why}"));
            continue;
        }
        match TcpStream::connect(address).await {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(TokioIo::new(stream));
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}
