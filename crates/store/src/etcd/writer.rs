//! The writer: one task that sends one group after the other, and knows of each whether it happened.
//!
//! Every group compares and sets the number under the writer's *session* key. So when an answer is lost,
//! the writer asks etcd to raise that number itself, on condition that the group did not. Then either the
//! group is seen to have happened, or it is certain that it never will, however late it arrives: and then
//! it goes again, with no commit done twice. Only when that question finds no answer in time either are
//! callers told [`StoreError::Unknown`], and the next group begins with a new session and heads read anew.
//! The session goes with a lease, so that writers that died leave nothing behind.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use etcd_client::proto::{PbKeyValue, PbTxnOpResponse};
use etcd_client::{Client, Compare, CompareOp, Txn, TxnOp, TxnResponse};
use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout_at};

use super::group::{Put, Session, Sight, Waiting, collect, put};
use super::layout::{Layout, Tip};
use super::leases;
use super::nodes::{Nodes, PAUSE, Trouble};
use super::read;
use crate::failpoint::{self, hit};
use crate::{Committed, Lane, LeaseId, Op, Outcome, Revision, StoreError};

/// Time of the session's lease: how long the key of a writer that died stays.
const SESSION: Duration = Duration::from_secs(60);
/// Most commits in one group; etcd's limits come first, unless commits are tiny.
const GROUP: usize = 256;

pub(super) struct Writer {
    nodes: Arc<Nodes>,
    layout: Layout,
    inbox: mpsc::UnboundedReceiver<Waiting>,
    waiting: VecDeque<Waiting>,
    /// The newest item of each lane that was written to.
    tips: HashMap<Lane, Tip>,
    session: Option<Session>,
    keeper: Option<JoinHandle<()>>,
    /// Most commits in one group; smaller while etcd finds groups too large.
    most: usize,
}

/// What came of a group.
enum Sent {
    Happened(Revision),
    /// Something it compared was otherwise.
    Judged(TxnResponse),
    /// It certainly did not happen and never will.
    Not(Trouble),
    Unknown,
}

impl Writer {
    pub(super) fn new(nodes: Arc<Nodes>, layout: Layout, inbox: mpsc::UnboundedReceiver<Waiting>) -> Self {
        Self {
            nodes,
            layout,
            inbox,
            waiting: VecDeque::new(),
            tips: HashMap::new(),
            session: None,
            keeper: None,
            most: GROUP,
        }
    }

    /// Until the store is gone and what was sent to it is done.
    pub(super) async fn run(mut self) {
        loop {
            if self.waiting.is_empty() {
                let Some(first) = self.inbox.recv().await else { break };
                self.waiting.push_back(first);
            }
            // Those who were answered together come back together.
            tokio::task::yield_now().await;
            while let Ok(next) = self.inbox.try_recv() {
                self.waiting.push_back(next);
            }
            if let Err(error) = self.round().await {
                self.refuse_all(&error);
            }
        }
        self.end_session().await;
    }

    /// Nothing was sent for those who wait.
    fn refuse_all(&mut self, error: &StoreError) {
        tracing::warn!(%error, waiting = self.waiting.len(), "nothing can be committed");
        for waiting in self.waiting.drain(..) {
            waiting.answer(Err(error.clone()));
        }
    }

    /// One group. An error means that none can be sent.
    async fn round(&mut self) -> Result<(), StoreError> {
        if self.session.is_none() {
            // Who has waited through one trouble does not wait through the next as well.
            let soon = Instant::now() + self.nodes.turn() / 4;
            let end = self.waiting.front().map_or(soon, |first| first.end.max(soon));
            let late = |_| StoreError::Unavailable("etcd: no member answered in time".into());
            timeout_at(end, self.open_session()).await.map_err(late)??;
        }
        let group = collect(&mut self.waiting, self.most);
        if group.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.know_tips(&group).await {
            self.again(group);
            return Err(error);
        }
        let Some(session) = &self.session else { return Ok(()) };
        let (txn, put) = put(&self.layout, session, &self.tips, &group);
        match self.send(txn, put.number).await {
            Sent::Happened(at) => self.finish(group, put, at),
            Sent::Judged(answer) => self.judged(group, answer),
            Sent::Not(trouble) => self.not_done(group, trouble).await,
            Sent::Unknown => {
                tracing::warn!(commits = group.len(), "etcd did not say whether commits happened");
                self.forget();
                group.into_iter().for_each(|waiting| waiting.answer(Err(StoreError::Unknown)));
            }
        }
        Ok(())
    }

    fn again(&mut self, group: Vec<Waiting>) {
        group.into_iter().rev().for_each(|waiting| self.waiting.push_front(waiting));
    }

    /// The next group begins with a new session and heads read anew.
    fn forget(&mut self) {
        self.tips.clear();
        self.session = None;
    }

    async fn open_session(&mut self) -> Result<(), StoreError> {
        if let Some(keeper) = self.keeper.take() {
            keeper.abort();
        }
        let lease = leases::grant(&self.nodes, SESSION).await?.0;
        let key = self.layout.session(&random()?);
        let session = Session { key, lease, number: 1 };
        // Conditional, so that a first try that arrives late does not reset the number.
        let fresh = Compare::create_revision(session.key.clone(), CompareOp::Equal, 0);
        let txn = Txn::new().when([fresh]).and_then([session.put(1)]);
        self.nodes
            .call(|mut client| {
                let txn = txn.clone();
                async move { client.txn(txn).await }
            })
            .await?;
        let nodes = Arc::clone(&self.nodes);
        self.keeper = Some(tokio::spawn(async move {
            loop {
                sleep(SESSION / 4).await;
                if leases::renew(&nodes, lease).await == Err(Trouble::LeaseGone) {
                    break;
                }
            }
        }));
        self.session = Some(session);
        Ok(())
    }

    async fn end_session(mut self) {
        if let Some(keeper) = self.keeper.take() {
            keeper.abort();
        }
        if let Some(session) = self.session.take() {
            let end = Instant::now() + self.nodes.turn();
            let revoke = |mut client: Client| async move { client.lease_revoke(session.lease).await };
            // Else it ends by itself.
            let _ = self.nodes.ask(self.nodes.current(), end, revoke).await;
        }
    }

    async fn know_tips(&mut self, group: &[Waiting]) -> Result<(), StoreError> {
        for entry in group.iter().filter_map(|waiting| waiting.commit.lane.as_ref()) {
            if !self.tips.contains_key(&entry.lane) {
                let tip = read::tip(&self.nodes, &self.layout, &entry.lane).await?;
                self.tips.insert(entry.lane.clone(), tip);
            }
        }
        Ok(())
    }

    async fn send(&mut self, txn: Txn, number: u64) -> Sent {
        let (start, index) = (Instant::now(), self.nodes.current());
        hit("etcd-before-send");
        let call = |mut client: Client| async move { client.txn(txn).await };
        let answer = tokio::select! {
            biased;
            answer = self.nodes.ask(index, start + self.nodes.turn(), call) => answer,
            never = failpoint::soon("etcd-after-send") => match never {},
        };
        hit("etcd-after-answer");
        match answer {
            Ok(answer) if answer.succeeded() => Sent::Happened(revision(&answer)),
            Ok(answer) => Sent::Judged(answer),
            Err(Trouble::Doubt(text)) => {
                tracing::debug!(text, "in doubt about a group");
                self.nodes.turn_away(index);
                hit("etcd-before-settle");
                self.settle(number, start + self.nodes.patience()).await
            }
            Err(Trouble::Full(text)) => self.done_although_full(number, text).await,
            Err(trouble) => {
                if let Trouble::NotDone(_) = &trouble {
                    self.nodes.turn_away(index);
                }
                Sent::Not(trouble)
            }
        }
    }

    /// Makes certain whether the group happened: see the module's text.
    async fn settle(&mut self, number: u64, end: Instant) -> Sent {
        let Some(session) = &mut self.session else { return Sent::Unknown };
        // No group ever holds this: the next one counts on from it.
        let fence = number + 1;
        let txn = Txn::new()
            .when([session.holds(session.number)])
            .and_then([session.put(fence)])
            .or_else([TxnOp::get(session.key.clone(), None)]);
        while Instant::now() < end {
            let index = self.nodes.current();
            let turn = (Instant::now() + self.nodes.turn() / 2).min(end);
            let txn = txn.clone();
            let call = |mut client: Client| async move { client.txn(txn).await };
            match self.nodes.ask(index, turn, call).await {
                Ok(answer) if answer.succeeded() => {
                    session.number = fence;
                    return Sent::Not(fenced());
                }
                Ok(answer) => {
                    let held = gets(answer).pop();
                    let at = held.as_ref().map_or(0, |kv| kv.mod_revision);
                    let held = held.and_then(|kv| kv.value.try_into().ok()).map(u64::from_be_bytes);
                    if held == Some(number) {
                        return Sent::Happened(Revision(at));
                    }
                    if held == Some(fence) {
                        session.number = fence;
                        return Sent::Not(fenced());
                    }
                    // The session ended meanwhile, and with it what it could tell.
                    return Sent::Unknown;
                }
                Err(_) => {
                    self.nodes.turn_away(index);
                    sleep(PAUSE).await;
                }
            }
        }
        Sent::Unknown
    }

    /// etcd does a request that finds no space, and then answers that there is none; nothing is under way
    /// any more, so a look tells.
    async fn done_although_full(&mut self, number: u64, text: String) -> Sent {
        let Some(session) = &self.session else { return Sent::Unknown };
        match read::one(&self.nodes, &session.key).await {
            Ok(Some(found)) if found.value == number.to_be_bytes() => {
                Sent::Happened(Revision(found.modified))
            }
            Ok(Some(found)) if found.value == session.number.to_be_bytes() => Sent::Not(Trouble::Full(text)),
            _ => Sent::Unknown,
        }
    }

    fn finish(&mut self, group: Vec<Waiting>, put: Put, at: Revision) {
        if let Some(session) = &mut self.session {
            session.number = put.number;
        }
        self.tips.extend(put.tips);
        self.most = (self.most * 2).min(GROUP);
        for (waiting, lane_seq) in group.into_iter().zip(put.seqs) {
            waiting.answer(Ok(Outcome::At(Committed { revision: at, lane_seq })));
            hit("etcd-mid-answer");
        }
    }

    /// Tells those whose conditions failed; the others go again at once.
    fn judged(&mut self, group: Vec<Waiting>, answer: TxnResponse) {
        let mut keys = HashMap::new();
        let mut held = None;
        for kv in gets(answer) {
            if self.session.as_ref().is_some_and(|session| session.key == kv.key) {
                held = Some(kv.value);
            }
            keys.insert(kv.key, (Revision(kv.create_revision), Revision(kv.mod_revision)));
        }
        // The lease ended while this process slept: nothing is in doubt, only the session must be new.
        self.session = self.session.take().filter(|own| held.as_deref() == Some(&own.number.to_be_bytes()));
        let sight = Sight { keys };
        let (mut left, mut refused) = (Vec::with_capacity(group.len()), 0);
        for waiting in group {
            match sight.first_failing(&self.layout, &waiting.commit).cloned() {
                Some(must) => {
                    refused += 1;
                    waiting.answer(Ok(Outcome::Refused(must)));
                }
                None => left.push(waiting),
            }
        }
        if refused == 0 {
            // Then a lane's head moved.
            self.tips.clear();
        }
        self.expire(left, "the lanes are written by somebody else too");
    }

    /// Those who still have time go again; the others are told why not.
    fn expire(&mut self, group: Vec<Waiting>, why: &str) {
        let now = Instant::now();
        let (left, late): (Vec<_>, Vec<_>) = group.into_iter().partition(|waiting| waiting.end > now);
        late.into_iter().for_each(|waiting| waiting.answer(Err(StoreError::Unavailable(why.to_owned()))));
        self.again(left);
    }

    async fn not_done(&mut self, group: Vec<Waiting>, trouble: Trouble) {
        match trouble {
            Trouble::LeaseGone => self.without_dead_leases(group).await,
            Trouble::TooLarge(_) if group.len() > 1 => {
                self.most = group.len() / 2;
                self.again(group);
            }
            Trouble::NotDone(text) => {
                sleep(PAUSE / 5).await;
                self.expire(group, &format!("etcd: {text}"));
            }
            other => {
                let error = StoreError::from(other);
                group.into_iter().for_each(|waiting| waiting.answer(Err(error.clone())));
            }
        }
    }

    /// etcd does not say which lease was gone: each is asked for, the writer's own too.
    async fn without_dead_leases(&mut self, group: Vec<Waiting>) {
        let mut dead = HashSet::new();
        for lease in group.iter().flat_map(leased).collect::<HashSet<_>>() {
            match leases::lives(&self.nodes, lease.0).await {
                Ok(true) => {}
                Ok(false) => drop(dead.insert(lease)),
                Err(trouble) => return self.expire(group, trouble.text()),
            }
        }
        if dead.is_empty() {
            // Then it was the session's.
            self.session = None;
        }
        let mut left = Vec::with_capacity(group.len());
        for waiting in group {
            let gone = leased(&waiting).find(|lease| dead.contains(lease));
            match gone {
                Some(lease) => waiting.answer(Err(StoreError::LeaseGone(lease))),
                None => left.push(waiting),
            }
        }
        self.expire(left, "a lease was there and not there");
    }
}

fn leased(waiting: &Waiting) -> impl Iterator<Item = LeaseId> {
    waiting.commit.ops.iter().filter_map(|op| match op {
        Op::Put(_, _, lease) => *lease,
        Op::Delete(_) => None,
    })
}

fn fenced() -> Trouble {
    Trouble::NotDone("the answer was lost, and the commit was made impossible".into())
}

fn revision(answer: &TxnResponse) -> Revision {
    Revision(answer.header().map_or(0, etcd_client::ResponseHeader::revision))
}

/// All keys that the reads of a transaction found.
fn gets(answer: TxnResponse) -> Vec<PbKeyValue> {
    let ranges = answer.0.responses.into_iter().filter_map(|op| match op.response {
        Some(PbTxnOpResponse::ResponseRange(range)) => Some(range.kvs),
        _ => None,
    });
    ranges.flatten().collect()
}

/// A name that nobody else draws.
fn random() -> Result<String, StoreError> {
    let mut bytes = [0; 16];
    let drawn = SystemRandom::new().fill(&mut bytes);
    drawn.map_err(|_| StoreError::Unavailable("the system gives no random numbers".into()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
