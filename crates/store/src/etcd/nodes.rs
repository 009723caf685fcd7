//! The members of the cluster: who is asked, for how long, and what an error says about what was done.
//!
//! One connection for each member, made when it is first needed. All calls go to one member until it fails
//! or is silent for too long; then to the next. The client's own balancing is not used: it spreads calls over
//! all members whose socket is open, and a stopped process keeps its sockets open.

use std::error::Error as _;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use etcd_client::{Certificate, Channel, Client, ConnectOptions, Error, GetOptions, Identity, TlsOptions};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until, timeout_at};
use tonic::Code;
use tonic::transport::Endpoint;

use super::options::EtcdOptions;
use crate::StoreError;

/// Between two tries of one call.
pub(super) const PAUSE: Duration = Duration::from_millis(50);
/// Most bytes of one answer to a read; `read.rs` asks for less at a time.
pub(super) const ANSWER: usize = 96 << 20;
/// PINGs on connections with open calls, to notice a host that vanished. etcd refuses clients that ask
/// more often than every 5 s; a silent process is noticed much sooner, by the time limit of a call.
const PING: (Duration, Duration) = (Duration::from_secs(7), Duration::from_secs(3));

/// Why a call brought no answer, and what that says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Nothing was done; another member, or the same one later, may do it.
    NotDone(String),
    /// It was sent; nobody knows.
    Doubt(String),
    /// No space. It may have been done all the same: etcd applies a request and then notices.
    Full(String),
    /// A lease that the request names is gone; nothing was done.
    LeaseGone,
    /// The revision asked for was compacted.
    Compacted,
    /// More than etcd takes in one request; nothing was done.
    TooLarge(String),
    /// Refused for good: rights, or a request that etcd does not know. Nothing was done.
    Refused(String),
}

impl Trouble {
    /// Whether asking again may help.
    const fn passes(&self) -> bool {
        matches!(self, Self::NotDone(_) | Self::Doubt(_))
    }

    pub(super) const fn text(&self) -> &str {
        match self {
            Self::NotDone(text)
            | Self::Doubt(text)
            | Self::Full(text)
            | Self::TooLarge(text)
            | Self::Refused(text) => text.as_str(),
            Self::LeaseGone => "a lease is gone",
            Self::Compacted => "the revision is compacted",
        }
    }
}

impl From<Trouble> for StoreError {
    /// For calls that may be made again without harm.
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Full(text) => Self::Full(text),
            Trouble::TooLarge(text) => Self::TooLarge(text),
            other => Self::Unavailable(format!("etcd: {}", other.text())),
        }
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::GRpcStatus(status) => judge(&status),
            Error::TransportError(_) => Self::NotDone(text),
            Error::InvalidArgs(_) | Error::InvalidUri(_) | Error::InvalidMetadataValue(_) => {
                Self::Refused(text)
            }
            _ => Self::Doubt(text),
        }
    }
}

fn judge(status: &tonic::Status) -> Trouble {
    let text = status.message().to_owned();
    let known = |part: &str| text.contains(part);
    if never_sent(status) || known("etcdserver: no leader") || known("too many requests") {
        return Trouble::NotDone(text);
    }
    if known("database space exceeded") {
        return Trouble::Full(text);
    }
    if known("requested lease not found") {
        return Trouble::LeaseGone;
    }
    if known("has been compacted") {
        return Trouble::Compacted;
    }
    if known("request is too large") || known("too many operations") {
        return Trouble::TooLarge(text);
    }
    // The connection's token is from before users or roles changed: see `Nodes::forget`.
    if known("auth store is old") || known("invalid auth token") {
        return Trouble::NotDone(text);
    }
    match status.code() {
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

/// See the module's text.
pub(super) struct Nodes {
    options: EtcdOptions,
    clients: Vec<Mutex<Option<Client>>>,
    /// Who is asked now.
    current: AtomicUsize,
}

impl Nodes {
    pub(super) fn new(options: EtcdOptions) -> Self {
        let clients = options.endpoints.iter().map(|_| Mutex::new(None)).collect();
        Self { options, clients, current: AtomicUsize::new(0) }
    }

    /// How long a call may take.
    pub(super) const fn patience(&self) -> Duration {
        self.options.timeout
    }

    /// How long one member is waited for, so that another can still be asked.
    pub(super) fn turn(&self) -> Duration {
        self.options.timeout / 2
    }

    pub(super) fn current(&self) -> usize {
        self.current.load(Ordering::Relaxed)
    }

    /// The member at `index` did not serve. Of many calls that notice so at the same time one moves on.
    pub(super) fn turn_away(&self, index: usize) {
        let next = (index + 1) % self.clients.len();
        let _ = self.current.compare_exchange(index, next, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// A connection of one's own to the member at `index`; counted around.
    pub(super) async fn connect(&self, index: usize) -> Result<Client, Trouble> {
        let address = &self.options.endpoints[index % self.options.endpoints.len()];
        let scheme = if self.options.tls.is_some() { "https" } else { "http" };
        let refused = |error: tonic::transport::Error| Trouble::Refused(format!("{address}: {error}"));
        let mut endpoint = Endpoint::from_shared(format!("{scheme}://{address}"))
            .map_err(refused)?
            .connect_timeout(self.turn())
            .tcp_keepalive(Some(PING.0))
            .http2_keep_alive_interval(PING.0)
            .keep_alive_timeout(PING.1)
            // etcd counts PINGs on idle connections as an attack.
            .keep_alive_while_idle(false);
        if let Some(tls) = &self.options.tls {
            let mut config = TlsOptions::new().ca_certificate(Certificate::from_pem(&tls.ca));
            if let Some((cert, key)) = &tls.identity {
                config = config.identity(Identity::from_pem(cert, key));
            }
            if let Some(domain) = &tls.domain {
                config = config.domain_name(domain);
            }
            endpoint = endpoint.tls_config(config).map_err(refused)?;
        }
        // A member that lost its leader answers from the past, or not at all: it shall say so.
        let mut options = ConnectOptions::new().with_require_leader(true);
        if let Some((name, password)) = &self.options.user {
            options = options.with_user(name, password).with_auto_token_refresh(true);
        }
        Client::from_channel(Channel::Tonic(endpoint.connect_lazy()), Some(options))
            .await
            .map_err(Trouble::from)
    }

    async fn client(&self, index: usize) -> Result<Client, Trouble> {
        let mut slot = self.clients[index].lock().await;
        if let Some(client) = &*slot {
            return Ok(client.clone());
        }
        let client = self.connect(index).await?;
        Ok(slot.insert(client).clone())
    }

    /// The next call makes a new connection, with a new token.
    async fn forget(&self, index: usize) {
        *self.clients[index].lock().await = None;
    }

    /// Asks the member at `index` once.
    pub(super) async fn ask<T, F>(
        &self,
        index: usize,
        end: Instant,
        call: impl FnOnce(Client) -> F + Send,
    ) -> Result<T, Trouble>
    where
        F: Future<Output = Result<T, Error>> + Send,
    {
        let silent = || format!("{} did not answer in time", self.options.endpoints[index]);
        let client = timeout_at(end, self.client(index)).await;
        let client = client.map_err(|_| Trouble::NotDone(silent()))?.inspect_err(|_| ());
        let client = client.map_err(|trouble| match trouble {
            // Only a token was asked for.
            Trouble::Doubt(text) => Trouble::NotDone(text),
            other => other,
        })?;
        match timeout_at(end, call(client)).await {
            Err(_) => Err(Trouble::Doubt(silent())),
            Ok(answer) => {
                let answer = answer.map_err(Trouble::from);
                if let Err(Trouble::NotDone(text)) = &answer
                    && text.contains("auth")
                {
                    self.forget(index).await;
                }
                answer
            }
        }
    }

    /// Asks one member after the other, from the current one on, until one answers or the time is over. For
    /// what may be asked twice.
    pub(super) async fn call<T, F>(&self, call: impl Fn(Client) -> F + Send + Sync) -> Result<T, Trouble>
    where
        F: Future<Output = Result<T, Error>> + Send,
    {
        let end = Instant::now() + self.patience();
        loop {
            let index = self.current();
            let turn = Instant::now() + if self.clients.len() > 1 { self.turn() } else { self.patience() };
            match self.ask(index, turn.min(end), &call).await {
                Err(trouble) if trouble.passes() => {
                    self.turn_away(index);
                    if Instant::now() + PAUSE >= end {
                        return Err(trouble);
                    }
                    sleep_until(Instant::now() + PAUSE).await;
                }
                answer => return answer,
            }
        }
    }
}

/// Asks a member, on the connection of `client`, for a key from its own memory: does it live?
pub(super) async fn probe(mut client: Client, key: Vec<u8>) -> Result<(), Trouble> {
    let options = GetOptions::new().with_serializable().with_keys_only();
    client.get(key, Some(options)).await.map(|_| ()).map_err(Trouble::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic::Status;

    fn of(code: Code, text: &str) -> Trouble {
        judge(&Status::new(code, text))
    }

    #[test]
    fn an_error_says_whether_it_was_done() {
        let doubt = [
            (Code::Unavailable, "etcdserver: request timed out"),
            (Code::Unavailable, "etcdserver: leader changed"),
            (Code::Unavailable, "etcdserver: server stopped"),
            (Code::Unknown, "h2 protocol error: broken pipe"),
            (Code::Cancelled, "operation was canceled"),
        ];
        for (code, text) in doubt {
            assert_eq!(of(code, text), Trouble::Doubt(text.into()));
        }
        assert!(matches!(of(Code::Unavailable, "etcdserver: no leader"), Trouble::NotDone(_)));
        assert!(matches!(of(Code::ResourceExhausted, "etcdserver: too many requests"), Trouble::NotDone(_)));
        assert!(matches!(
            of(Code::ResourceExhausted, "etcdserver: mvcc: database space exceeded"),
            Trouble::Full(_)
        ));
        assert_eq!(of(Code::NotFound, "etcdserver: requested lease not found"), Trouble::LeaseGone);
        assert!(matches!(
            of(Code::InvalidArgument, "etcdserver: request is too large"),
            Trouble::TooLarge(_)
        ));
        assert!(matches!(of(Code::PermissionDenied, "etcdserver: permission denied"), Trouble::Refused(_)));
        assert!(matches!(
            of(Code::InvalidArgument, "etcdserver: revision of auth store is old"),
            Trouble::NotDone(_)
        ));
    }
}
