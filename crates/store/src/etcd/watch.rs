//! How watchers get their batches.
//!
//! Each watch has a connection of its own: a reader who is slow, or stops, fills no window that other
//! calls need. When its member falls silent, loses its leader or hangs up, it goes on at another, after the
//! last revision that was whole, so that nothing is missed and nothing seen twice.
//!
//! A quiet watch asks etcd how far it has come, now and then, and at once when somebody was told of a newer
//! revision. etcd does not answer while the watch still catches up, and not before anything happened
//! after its start; so whether the member lives is asked beside it, by a read on the same connection.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use etcd_client::proto::{PbEvent, PbWatchResponse};
use etcd_client::{Client, WatchOptions, WatchStream};
use futures::stream::{self, StreamExt};
use tokio::sync::watch as bell;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::layout::Layout;
use super::nodes::{Nodes, PAUSE, Trouble, probe};
use crate::{Batch, Batches, Entry, Event, Key, Revision, StoreError};

/// How often a quiet watch asks how far it has come and whether its member lives.
const ASK: Duration = Duration::from_millis(500);
/// The same while somebody waits for a revision.
const ASK_SOON: Duration = Duration::from_millis(20);
/// Most bytes of one message. etcd divides what is larger than a request may be, but not what it has ready
/// when it announces a watch that begins in the past: up to a thousand revisions.
const MESSAGE: usize = 1 << 30;

type Probe = Pin<Box<dyn Future<Output = Result<(), Trouble>> + Send>>;

/// A watch at one member.
struct Feed {
    stream: WatchStream,
    client: Client,
    ask_at: Instant,
    /// The member is asked whether it lives, until then.
    probe: Option<(Probe, Instant)>,
}

struct Watcher {
    nodes: Arc<Nodes>,
    layout: Layout,
    wanted: bell::Receiver<Revision>,
    prefix: Key,
    after: Revision,
    ready: VecDeque<Batch>,
    /// The events so far of a revision that came in pieces.
    open: Option<Batch>,
    feed: Option<Feed>,
    /// The member that is asked next.
    index: usize,
    /// Since when nothing was heard from any.
    lost: Option<Instant>,
}

enum Heard {
    Message(Result<Option<PbWatchResponse>, Trouble>),
    Wanted,
    AskNow,
    Probed(Result<(), Trouble>),
    Silence,
    Closed,
}

impl Watcher {
    async fn next(&mut self) -> Result<Batch, StoreError> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Ok(batch);
            }
            if self.feed.is_none() {
                self.connect(self.nodes.patience() * 3).await?;
            }
            let heard = self.listen().await;
            match heard {
                Heard::Message(Ok(Some(message))) => self.take(message)?,
                Heard::Message(Ok(None)) => self.leave("it hung up"),
                Heard::Message(Err(Trouble::Refused(text))) => {
                    return Err(StoreError::Unavailable(format!("etcd: {text}")));
                }
                Heard::Message(Err(trouble)) | Heard::Probed(Err(trouble)) => self.leave(trouble.text()),
                Heard::Silence => self.leave("it did not answer in time"),
                Heard::Probed(Ok(())) => self.lost = None,
                Heard::Wanted | Heard::AskNow => self.ask().await,
                Heard::Closed => return Err(closed()),
            }
        }
    }

    /// What comes first.
    async fn listen(&mut self) -> Heard {
        let Some(feed) = &mut self.feed else { return Heard::Silence };
        let silence = feed.probe.as_ref().map(|(_, end)| *end);
        let probed = async {
            match &mut feed.probe {
                Some((probe, _)) => probe.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            moved = self.wanted.changed() => if moved.is_ok() { Heard::Wanted } else { Heard::Closed },
            message = feed.stream.message() => {
                Heard::Message(message.map(|message| message.map(|message| message.0)).map_err(Trouble::from))
            }
            answer = probed => {
                feed.probe = None;
                Heard::Probed(answer)
            }
            () = sleep_until(feed.ask_at) => Heard::AskNow,
            () = sleep_until(silence.unwrap_or(feed.ask_at)), if silence.is_some() => Heard::Silence,
        }
    }

    /// Asks how far the watch has come, and whether its member lives.
    async fn ask(&mut self) {
        let wanted = *self.wanted.borrow_and_update() > self.after;
        let Some(feed) = &mut self.feed else { return };
        let now = Instant::now();
        feed.ask_at = now + if wanted { ASK_SOON } else { ASK };
        if feed.probe.is_none() {
            let probe = probe(feed.client.clone(), self.layout.format());
            feed.probe = Some((Box::pin(probe), now + self.nodes.turn()));
        }
        if feed.stream.request_progress().await.is_err() {
            self.leave("it hung up");
        }
    }

    /// The member does not serve: another shall.
    fn leave(&mut self, why: &str) {
        tracing::debug!(why, after = %self.after, "a watch goes to another member");
        (self.feed, self.open) = (None, None);
        self.index += 1;
        self.lost.get_or_insert_with(Instant::now);
    }

    /// Finds a member that serves, within `patience` since the last one did.
    async fn connect(&mut self, patience: Duration) -> Result<(), StoreError> {
        let end = *self.lost.get_or_insert_with(Instant::now) + patience;
        loop {
            let turn = Instant::now() + self.nodes.turn();
            let trouble = tokio::select! {
                biased;
                () = gone(&mut self.wanted) => return Err(closed()),
                opened = timeout_at(turn, open(&self.nodes, &self.layout, self.index, (&self.prefix, self.after))) => match opened {
                    Ok(Ok((client, stream))) => {
                        self.feed = Some(Feed { stream, client, ask_at: Instant::now(), probe: None });
                        return Ok(());
                    }
                    Ok(Err(Trouble::Refused(text))) => return Err(StoreError::Unavailable(format!("etcd: {text}"))),
                    Ok(Err(trouble)) => trouble,
                    Err(_) => Trouble::NotDone("no member answered in time".into()),
                },
            };
            self.leave(trouble.text());
            if Instant::now() + PAUSE >= end {
                return Err(trouble.into());
            }
            sleep(PAUSE).await;
        }
    }

    fn take(&mut self, message: PbWatchResponse) -> Result<(), StoreError> {
        if message.canceled {
            if message.compact_revision > 0 {
                return Err(StoreError::Compacted { oldest: Revision(message.compact_revision - 1) });
            }
            if message.cancel_reason.contains("permission denied") {
                return Err(StoreError::Unavailable(format!("etcd: {}", message.cancel_reason)));
            }
            self.leave(&message.cancel_reason);
            return Ok(());
        }
        if message.created {
            return Ok(());
        }
        self.lost = None;
        let at = Revision(message.header.as_ref().map_or(0, |header| header.revision));
        if message.events.is_empty() {
            if self.open.is_none() && at > self.after {
                self.after = at;
                self.ready.push_back(Batch { at, events: Vec::new() });
            }
            return Ok(());
        }
        for event in message.events {
            self.add(event);
        }
        if !message.fragment {
            self.whole();
        }
        Ok(())
    }

    fn add(&mut self, event: PbEvent) {
        let Some(kv) = event.kv else { return };
        let at = Revision(kv.mod_revision);
        if self.open.as_ref().is_some_and(|open| open.at != at) {
            self.whole();
        }
        let key = self.layout.name(kv.key);
        let event = if event.r#type == 0 {
            let (value, created) = (Bytes::from(kv.value), Revision(kv.create_revision));
            Event::Put(Entry { key, value, created, modified: at })
        } else {
            Event::Delete(key)
        };
        self.open.get_or_insert_with(|| Batch { at, events: Vec::new() }).events.push(event);
    }

    /// No more events of the revision will come.
    fn whole(&mut self) {
        if let Some(batch) = self.open.take()
            && batch.at > self.after
        {
            self.after = batch.at;
            self.ready.push_back(batch);
        }
    }
}

async fn open(
    nodes: &Nodes,
    layout: &Layout,
    index: usize,
    (prefix, after): (&Key, Revision),
) -> Result<(Client, WatchStream), Trouble> {
    let client = nodes.connect(index).await?;
    let (start, end) = layout.keys(prefix, None);
    // etcd's start is inclusive, and 0 would mean now. It is etcd that counts here, not a caller.
    let options = WatchOptions::new().with_range(end).with_start_revision(after.0.max(0) + 1).with_fragment();
    let mut watch = client.watch_client().max_decoding_message_size(MESSAGE);
    let stream = watch.watch(start, Some(options)).await?;
    Ok((client, stream))
}

async fn gone(wanted: &mut bell::Receiver<Revision>) {
    while wanted.changed().await.is_ok() {}
}

fn closed() -> StoreError {
    StoreError::Unavailable("the store was closed".into())
}

/// The stream of one watcher, connected; after an error it ends.
pub(super) async fn batches(
    nodes: Arc<Nodes>,
    layout: Layout,
    wanted: bell::Receiver<Revision>,
    (prefix, after): (&Key, Revision),
) -> Result<Batches, StoreError> {
    let (index, patience) = (nodes.current(), nodes.patience());
    let mut watcher = Watcher {
        nodes,
        layout,
        wanted,
        prefix: prefix.clone(),
        after,
        ready: VecDeque::new(),
        open: None,
        feed: None,
        index,
        lost: None,
    };
    watcher.connect(patience).await?;
    let batches = stream::unfold(Some(watcher), |state| async {
        let mut watcher = state?;
        match watcher.next().await {
            Ok(batch) => Some((Ok(batch), Some(watcher))),
            Err(error) => Some((Err(error), None)),
        }
    });
    Ok(batches.boxed())
}
