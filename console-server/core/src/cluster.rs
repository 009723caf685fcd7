//! Several servers over one store: who is there, and which of them reconciles.
//!
//! Each run of a server keeps a *session*: a key that vanishes with its lease. One of them holds the
//! leader's key under the same lease; it alone writes into backends, notes expiries and signs
//! checkpoints. Its commits are conditioned on having made that key, so that a process which was paused
//! cannot write as the leader it no longer is. What backends are told cannot be fenced so: a leader
//! stops before its lease may have ended, and a new one waits until any call of the old one is over.
//!
//! On one machine the store's file has one owner, and that owner leads.

use crate::error::AppError;
use crate::house::House;
use crate::records::{self, SessionRecord};
use parking_lot::RwLock;
use rein_api::ErrorCode;
use rein_api::cluster::{PeerAnswer, PeerQuestion};
use rein_domain::audit::hex;
use rein_store::{Commit, LeaseId, Must, Op, Outcome, Revision, StoreError};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a session outlives its process.
pub const LEASE: Duration = Duration::from_secs(3);
/// How often it is renewed, and the leader's key looked at.
const RENEW: Duration = Duration::from_millis(500);
/// The longest a write into a backend may take: the lease must outlast it.
pub const MOST_APPLY: Duration = Duration::from_secs(1);

/// One of several servers.
#[derive(Clone)]
pub struct Member {
    /// What people call it.
    pub name: String,
    /// Where the others reach its API: `http://10.0.0.1:7070`.
    pub address: String,
    /// How it asks them.
    pub calls: Arc<dyn PeerCalls>,
}

/// How one server asks another for its soft state.
#[async_trait::async_trait]
pub trait PeerCalls: Send + Sync {
    /// Asks the server at `address`, showing `token`. The error is for people.
    async fn ask(&self, address: &str, token: &str, question: &PeerQuestion) -> Result<PeerAnswer, String>;
}

/// This process among its peers.
pub(crate) struct Standing {
    /// This run; others know its session and its lane by it.
    pub(crate) run: String,
    pub(crate) member: Option<Member>,
    /// What peers are shown; its hash lies in the session.
    pub(crate) token: String,
    session: RwLock<Option<Session>>,
}

/// A session while it lives.
#[derive(Debug, Clone, Copy)]
struct Session {
    lease: LeaseId,
    /// Until when it surely lives, by this machine's own steady clock.
    until: Instant,
    lead: Option<Lead>,
}

/// The leader's key, while it is ours.
#[derive(Debug, Clone, Copy)]
struct Lead {
    created: Revision,
    /// Before this, a call of the leader before may still be under way.
    from: Instant,
}

impl Standing {
    pub(crate) fn new(member: Option<Member>) -> Self {
        Self {
            run: hex(&rand::random::<[u8; 6]>()),
            member,
            token: hex(&rand::random::<[u8; 32]>()),
            session: RwLock::default(),
        }
    }

    fn live(&self) -> Option<Session> {
        self.session.read().filter(|session| Instant::now() < session.until)
    }
}

impl House {
    /// Is it this server that writes into backends, and will it be for as long as one write takes?
    pub(crate) fn leads(&self) -> bool {
        if self.is_held() || self.too_old().is_some() {
            return false;
        }
        if self.standing.member.is_none() {
            return true;
        }
        let now = Instant::now();
        self.standing.live().is_some_and(|session| {
            session.until.duration_since(now) > MOST_APPLY
                && session.lead.is_some_and(|lead| now >= lead.from)
        })
    }

    /// Is it this server that reconciles?
    pub fn reconciles(&self) -> bool {
        self.leads()
    }

    /// What every commit of the reconciler is conditioned on; nothing for a server on its own. Whose lead was
    /// lost since it looked, after a pause for instance, has no condition to set and must not commit.
    pub(crate) fn lead_must(&self) -> Result<Option<Must>, AppError> {
        if self.standing.member.is_none() {
            return Ok(None);
        }
        let lead = self.standing.live().and_then(|session| session.lead);
        let lead = lead.ok_or_else(|| {
            AppError::new(
                ErrorCode::Unavailable,
                "this server no longer reconciles: it was silent for too long",
            )
        })?;
        Ok(Some(Must::Created(records::LEADER.into(), lead.created)))
    }

    /// What every commit of this server is conditioned on: that its session lives.
    pub(crate) fn session_must(&self) -> Option<Must> {
        self.standing.member.as_ref()?;
        Some(Must::Present(records::session(&self.standing.run)))
    }

    /// Whether the server may write at all: on its own always, among others while its session lives.
    pub(crate) fn stands(&self) -> bool {
        self.standing.member.is_none() || self.standing.live().is_some()
    }

    /// Begins the session; a server that cannot keep one does not serve.
    pub async fn join(&self) -> Result<(), AppError> {
        match self.standing.member.clone() {
            Some(member) => self.stand_once(&member).await,
            None => Ok(()),
        }
    }

    /// Keeps the session, and takes the lead when nobody has it.
    pub(crate) async fn stand(self: Arc<Self>) {
        let Some(member) = self.standing.member.clone() else { return };
        loop {
            if let Err(error) = self.stand_once(&member).await {
                tracing::warn!(%error, "this server's session could not be kept");
            }
            tokio::select! {
                () = tokio::time::sleep(RENEW) => {}
                () = self.leader_gone() => {}
            }
        }
    }

    /// Waits until whoever leads now does no longer; for ever if nobody does.
    async fn leader_gone(&self) {
        let mut revision = self.revision.subscribe();
        if self.image.read().leader.is_none() {
            std::future::pending::<()>().await;
        }
        // The house outlives this, and so what tells of revisions does.
        let _ = revision.wait_for(|_| self.image.read().leader.is_none()).await;
    }

    pub(crate) async fn stand_once(&self, member: &Member) -> Result<(), AppError> {
        let known = *self.standing.session.read();
        let asked = Instant::now();
        let session = match known {
            None => self.begin(member).await?,
            Some(session) => match self.store.renew(session.lease).await {
                Ok(()) => Session { until: asked + LEASE, ..session },
                Err(StoreError::LeaseGone(_)) => {
                    *self.standing.session.write() = None;
                    tracing::warn!("this server was silent for so long that its session ended");
                    self.begin(member).await?
                }
                Err(error) => return Err(error.into()),
            },
        };
        *self.standing.session.write() = Some(session);
        if session.lead.is_none() && self.image.read().leader.is_none() && self.too_old().is_none() {
            self.take_the_lead(session).await?;
        } else if session.lead.is_some() && self.image.read().leader.as_deref() != Some(&self.standing.run) {
            self.lose_the_lead_if_gone().await?;
        }
        Ok(())
    }

    async fn begin(&self, member: &Member) -> Result<Session, AppError> {
        let asked = Instant::now();
        let lease = self.store.lease(LEASE).await?;
        let record = SessionRecord {
            name: member.name.clone(),
            address: member.address.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started: self.clock.now(),
            token: crate::app::tokens::hash(&self.standing.token),
        };
        let key = records::session(&self.standing.run);
        let ops = vec![Op::Put(key, records::encode(&record)?, Some(lease))];
        self.store.commit(Commit { must: Vec::new(), ops, lane: None }).await?;
        Ok(Session { lease, until: asked + LEASE, lead: None })
    }

    async fn take_the_lead(&self, session: Session) -> Result<(), AppError> {
        let key = records::LEADER;
        let run = self.standing.run.clone();
        let commit = Commit {
            must: vec![Must::Absent(key.into())],
            ops: vec![Op::Put(key.into(), run.into(), Some(session.lease))],
            lane: None,
        };
        let Outcome::At(at) = self.store.commit(commit).await? else { return Ok(()) };
        let lead = Lead { created: at.revision, from: Instant::now() + MOST_APPLY };
        if let Some(session) = self.standing.session.write().as_mut() {
            session.lead = Some(lead);
        }
        tracing::info!("this server reconciles from now on");
        Ok(())
    }

    /// The image may be behind; the store is asked before the lead is given up.
    async fn lose_the_lead_if_gone(&self) -> Result<(), AppError> {
        let found = self.store.get(&records::LEADER.into()).await?;
        let ours = found.is_some_and(|entry| entry.value == self.standing.run.as_bytes());
        if !ours && let Some(session) = self.standing.session.write().as_mut() {
            session.lead = None;
            tracing::warn!("another server reconciles now");
        }
        Ok(())
    }

    /// Ends the session at once, so that another server need not wait for it to run out.
    pub async fn leave(&self) {
        let session = self.standing.session.write().take();
        if let Some(session) = session {
            // Whether that worked matters to nobody who is left here.
            let _ = tokio::time::timeout(MOST_APPLY, self.store.revoke(session.lease)).await;
        }
    }
}
