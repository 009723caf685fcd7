//! Writing one cell. First every peer that answers is looked at for the marker; then one peer is written to,
//! and gossip does the rest; what that lost is told again by the next write of the same. A silence without
//! the marker is never touched, except where the cell is that very silence.

use crate::Backend;
use crate::cell::{Cell, Value, is_id};
use crate::http::Failure;
use crate::look::Look;
use crate::silence::{Silence, postable};
use futures::future::join_all;
use jiff::Timestamp;
use rein_plugin::{Fault, Write};
use serde::Deserialize;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// How long gossip is waited for, at most. What it has not done by then is seen by the next look.
const READ_BACK: Duration = Duration::from_millis(600);
/// Everything must be over before the server's own deadline of 2 seconds.
const ALL: Duration = Duration::from_millis(1700);
/// With more writes under way than this, gossip is not waited for: one look after all of them tells the same.
const FEW: usize = 4;
/// Pause between two looks at the other peers.
const PAUSE: Duration = Duration::from_millis(25);

#[derive(Deserialize)]
struct Posted {
    #[serde(rename = "silenceID")]
    id: String,
}

/// One write among those under way, until it is dropped.
struct UnderWay<'a>(&'a AtomicUsize);

impl<'a> UnderWay<'a> {
    fn one_more(writes: &'a AtomicUsize) -> Self {
        writes.fetch_add(1, Ordering::Relaxed);
        Self(writes)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Backend {
    /// Makes a cell hold what is wanted.
    pub(crate) async fn apply(&self, write: &Write) -> Result<(), Fault> {
        let until = Instant::now() + ALL;
        let cell = Cell::parse(&write.cell.0)?;
        let want = write.want.as_deref().map(Value::parse).transpose()?;
        let mut hash = DefaultHasher::new();
        cell.key.hash(&mut hash);
        let lock = self.locks.get(hash.finish() as usize % self.locks.len().max(1));
        let _alone = match lock {
            Some(lock) => Some(lock.lock().await),
            None => None,
        };
        let _under_way = UnderWay::one_more(&self.writes);
        let look = self.look_together(&cell).await;
        if let Some(fault) = look.nobody(&self.settings.peers) {
            return Err(fault);
        }
        let live = look.merged(&cell).live;
        let (kept, ended, posted) = match &want {
            None => (None, live.as_slice(), None),
            Some(value) => {
                let kept = live.first().copied();
                let posted = match kept {
                    Some(silence) if silence.value() == *value && !look.is_lacking(&cell, silence) => None,
                    _ => Some(self.post(&look, &cell, value, kept).await?),
                };
                (kept, live.get(1..).unwrap_or_default(), posted)
            }
        };
        for silence in ended {
            self.end(&look.showing(&cell, &silence.id), silence).await?;
        }
        for (peer, silence) in look.outlived(&cell) {
            self.end(&[peer], silence).await?;
        }
        let settled = match (&posted, &want, kept) {
            (Some(id), Some(value), _) => Some((id.as_str(), Some(value))),
            (None, None, _) => ended.first().map(|silence| (silence.id.as_str(), None)),
            _ => None,
        };
        if let Some((id, value)) = settled {
            self.read_back(&look, id, value, until.min(Instant::now() + READ_BACK)).await;
        }
        Ok(())
    }

    /// Writes a new silence to the first peer that can be reached, or alters `kept` where it lies.
    async fn post(
        &self,
        look: &Look,
        cell: &Cell,
        value: &Value,
        kept: Option<&Silence>,
    ) -> Result<String, Fault> {
        let body = postable(&cell.key, value, kept, Timestamp::now()).map_err(Fault::Invalid)?;
        let peers: Vec<usize> = match kept {
            // Who does not know the id yet would answer that there is none.
            Some(silence) => look.showing(cell, &silence.id),
            None => look.answering().collect(),
        };
        let mut fault = Fault::Unreachable("no peer is left to write to; look again".into());
        for peer in peers.iter().filter_map(|peer| self.settings.peers.get(*peer)) {
            let url = format!("{peer}/api/v2/silences");
            match self.http.post::<Posted>(&url, body.clone(), self.settings.timeout).await {
                Ok(posted) => return Ok(posted.id),
                Err(failure @ Failure::NotSent(_)) => fault = failure.of_write(peer),
                Err(failure) => return Err(failure.of_write(peer)),
            }
        }
        Err(fault)
    }

    /// Ends a silence on one of the peers that show it.
    async fn end(&self, showing: &[usize], silence: &Silence) -> Result<(), Fault> {
        if !is_id(&silence.id) {
            return Err(Fault::NotDone(format!("the id {:?} cannot stand in a URL", silence.id)));
        }
        let mut fault = Fault::NotDone(format!("no peer shows silence {} any more; look again", silence.id));
        for peer in showing.iter().filter_map(|peer| self.settings.peers.get(*peer)) {
            let url = format!("{peer}/api/v2/silence/{}", silence.id);
            match self.http.delete(&url, self.settings.timeout).await {
                Ok(()) => return Ok(()),
                // Gone, or ended meanwhile: 404 by newer versions, 500 with these words by older ones.
                Err(Failure::Refused(404, _)) => return Ok(()),
                Err(Failure::Refused(500, why))
                    if why.contains("already expired") || why.contains("not found") =>
                {
                    return Ok(());
                }
                Err(failure @ Failure::NotSent(_)) => fault = failure.of_write(peer),
                Err(failure) => return Err(failure.of_write(peer)),
            }
        }
        Err(fault)
    }

    /// Waits until every peer that answered shows what was written, so that the look that follows finds it
    /// proved. It decides nothing: a peer that does not show it in time is named by that look.
    async fn read_back(&self, look: &Look, id: &str, value: Option<&Value>, until: Instant) {
        let mut waiting: Vec<&String> =
            look.answering().filter_map(|peer| self.settings.peers.get(peer)).collect();
        if waiting.len() < 2 || !is_id(id) {
            return;
        }
        while self.writes.load(Ordering::Relaxed) <= FEW {
            let asked = waiting.iter().map(async |peer| {
                let url = format!("{peer}/api/v2/silence/{id}");
                let limit = until.saturating_duration_since(Instant::now());
                let shown = match self.http.get::<serde_json::Value>(&url, limit).await {
                    Ok((json, _)) => Silence::read(json.to_string().as_bytes()).ok(),
                    // A peer that cannot be asked is not waited for.
                    Err(Failure::Refused(404 | 500, _)) => return false,
                    Err(_) => return true,
                };
                shown.is_some_and(|shown| match value {
                    None => !shown.is_live(),
                    Some(value) => shown.is_live() && shown.value() == *value,
                })
            });
            let answers: Vec<bool> = join_all(asked).await;
            waiting =
                waiting.into_iter().zip(answers).filter(|(_, shows)| !shows).map(|(peer, _)| peer).collect();
            if waiting.is_empty() || Instant::now() + PAUSE >= until {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
