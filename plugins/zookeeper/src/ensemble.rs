//! The servers of the ensemble: one session with whichever answers, for how long it is asked, and what an
//! error says about what was done.

use crate::settings::{Server, Settings};
use rein_plugin::Fault;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tokio::time::timeout;
use zookeeper_client::{Client, Error, SessionState};

/// How long the ensemble keeps a session that is not heard of. Nothing hangs on it but watches.
const SESSION: Duration = Duration::from_secs(10);
/// After a failure to connect, those who ask at once are told the same.
const BREATH: Duration = Duration::from_millis(200);
/// For all servers together: a call of Rein ends after 2 seconds, and its own words say more than that.
const MOST: Duration = Duration::from_millis(1800);

/// Most addresses of one name that are tried.
const MOST_ADDRESSES: usize = 4;

/// Why a call brought no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It could not be sent, or was refused for now: nothing was done.
    NotSent(String),
    /// It was sent; nobody knows.
    Doubt(String),
    /// There is no such node.
    NoNode,
    /// The node's version is another.
    BadVersion,
    /// It is there already.
    Exists,
    /// More lies there than is read.
    TooLarge(String),
    /// Refused for good: rights, or a request that the server does not know. Nothing was done.
    Refused(String),
}

impl Trouble {
    /// What it says of a call that alters nothing.
    pub(crate) fn of_read(self) -> Fault {
        match self {
            Self::NotSent(text) | Self::Doubt(text) => Fault::Unreachable(text),
            Self::Refused(text) | Self::TooLarge(text) => Fault::NotDone(text),
            Self::NoNode => Fault::NotDone("there is no such node".into()),
            Self::BadVersion | Self::Exists => Fault::Moved("the node is not as it was seen".into()),
        }
    }

    /// The same of one that writes.
    pub(crate) fn of_write(self) -> Fault {
        match self {
            Self::NotSent(text) => Fault::Unreachable(text),
            Self::Doubt(text) => Fault::Unknown(text),
            Self::NoNode => {
                Fault::NotDone("its node is gone: the instance is not registered any more".into())
            }
            other => other.of_read(),
        }
    }

    fn from(error: Error, names: &str) -> Self {
        let text = format!("{names}: {error}");
        match error {
            Error::NoNode => Self::NoNode,
            Error::BadVersion => Self::BadVersion,
            Error::NodeExists => Self::Exists,
            Error::NoHosts
            | Error::Timeout
            | Error::Throttled
            | Error::NotReadOnly
            | Error::SessionExpired
            | Error::SessionMoved => Self::NotSent(text),
            Error::NoAuth => Self::Refused(format!("{names}: not authorized; the secret is called digest")),
            Error::AuthFailed
            | Error::InvalidAcl
            | Error::BadArguments(_)
            | Error::NoChildrenForEphemerals
            | Error::NotEmpty
            | Error::QuotaExceeded
            | Error::MarshallingError
            | Error::Unimplemented => Self::Refused(text),
            _ => Self::Doubt(text),
        }
    }
}

/// See the module's text.
pub(crate) struct Ensemble {
    settings: Settings,
    session: Mutex<Session>,
}

#[derive(Default)]
struct Session {
    client: Option<Client>,
    failed: Option<(Instant, Trouble)>,
}

impl Ensemble {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self { settings: settings.clone(), session: Mutex::default() }
    }

    /// The session, begun anew unless it is connected: what is sent over one that is not would be kept, and
    /// done when nobody wants it any more.
    pub(crate) async fn client(&self) -> Result<Client, Trouble> {
        let mut session = self.session.lock().await;
        if let Some(client) = session.client.as_ref().filter(|one| one.state() == SessionState::SyncConnected)
        {
            return Ok(client.clone());
        }
        session.client = None;
        if let Some((_, trouble)) = session.failed.as_ref().filter(|(at, _)| at.elapsed() < BREATH) {
            return Err(trouble.clone());
        }
        let servers = u32::try_from(self.settings.servers.len()).unwrap_or(1);
        let limit = (self.settings.timeout * servers).min(MOST.max(self.settings.timeout));
        let connected = match timeout(limit, self.connect()).await {
            Ok(connected) => connected,
            Err(_) => Err(self.late()),
        };
        match connected {
            Ok(client) => {
                session.failed = None;
                Ok(session.client.insert(client).clone())
            }
            Err(trouble) => {
                // Nothing was asked yet, whatever broke.
                let trouble = match trouble {
                    Trouble::Doubt(text) => Trouble::NotSent(text),
                    other => other,
                };
                session.failed = Some((Instant::now(), trouble.clone()));
                Err(trouble)
            }
        }
    }

    async fn connect(&self) -> Result<Client, Trouble> {
        let mut addresses = Vec::new();
        let mut last = None;
        for server in &self.settings.servers {
            match resolved(server).await {
                Ok(all) => addresses.extend(all.iter().map(SocketAddr::to_string)),
                Err(error) => last = Some(format!("{}: {error}", server.name)),
            }
        }
        if addresses.is_empty() {
            return Err(Trouble::NotSent(last.unwrap_or_else(|| "there is no server to ask".to_owned())));
        }
        let mut connector = Client::connector()
            .with_session_timeout(SESSION)
            .with_connection_timeout(self.settings.timeout)
            .with_fail_eagerly();
        if let Some(digest) = &self.settings.digest {
            connector = connector.with_auth("digest", digest.as_bytes());
        }
        // Addresses, not names: a name could be another's by the time it is called.
        let connected = connector.connect(&addresses.join(",")).await;
        connected.map_err(|error| match error {
            Error::NoHosts | Error::Timeout => {
                Trouble::NotSent(format!("{} did not answer", self.settings.names()))
            }
            other => Trouble::from(other, &self.settings.names()),
        })
    }

    /// Asks once.
    pub(crate) async fn ask<T, F>(&self, call: impl FnOnce(Client) -> F) -> Result<T, Trouble>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let client = self.client().await?;
        match timeout(self.settings.timeout, call(client.clone())).await {
            Err(_) => {
                self.forget(&client).await;
                let Trouble::NotSent(text) = self.late() else { return Err(self.late()) };
                Err(Trouble::Doubt(text))
            }
            Ok(answer) => answer.map_err(|error| Trouble::from(error, &self.settings.names())),
        }
    }

    /// The next call begins another session, perhaps with another server.
    async fn forget(&self, client: &Client) {
        let mut session = self.session.lock().await;
        if session.client.as_ref().is_some_and(|now| now.session_id() == client.session_id()) {
            session.client = None;
        }
    }

    fn late(&self) -> Trouble {
        let (names, limit) = (self.settings.names(), self.settings.timeout.as_millis());
        Trouble::NotSent(format!("{names} did not answer within {limit} ms"))
    }
}

/// Where a server is, if it may be called: a name may resolve to anything. At least one address.
pub(crate) async fn resolved(server: &Server) -> io::Result<Vec<SocketAddr>> {
    let mut found = Vec::new();
    let mut last = io::Error::new(io::ErrorKind::NotFound, format!("{} has no address", server.host));
    for address in tokio::net::lookup_host((server.host.as_str(), server.port)).await? {
        match rein_plugin::address::refused(address.ip()) {
            Some(why) => last = io::Error::new(io::ErrorKind::PermissionDenied, format!("{address}: {why}")),
            None if found.len() < MOST_ADDRESSES => found.push(address),
            None => {}
        }
    }
    if found.is_empty() { Err(last) } else { Ok(found) }
}
