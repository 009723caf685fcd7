//! Held stores: one that was restored, or that is behind what it has shipped, comes back step by step.
//!
//! When it starts, a server compares its lanes with the newest checkpoint in each place that heads are
//! shipped to. A lane that ends earlier, or went elsewhere, shows that the store was put back: what it
//! would do now is what was wanted then. So it waits, until an admin accepts that.

use super::rein;
use crate::error::AppError;
use crate::house::House;
use crate::records::{self, BehindRecord, HeldRecord};
use rein_domain::audit::{Checkpoint, Entry, unhex};
use rein_store::{Commit, Key, Lane, LaneEntry, LaneHead, Must, Op, Outcome};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// How much of the end of a file of heads is looked at.
const TAIL: u64 = 4 << 20;

/// These three are asked by whoever already looks at the image: a second look that waited behind a writer who
/// waits for the first one would never end.
impl House {
    /// Is the store held?
    pub(crate) fn is_held(&self) -> bool {
        self.image.read_recursive().held.is_some()
    }

    /// Why, in words.
    pub(crate) fn held_words(&self) -> Option<String> {
        self.image.read_recursive().held.as_ref().map(HeldRecord::words)
    }

    /// The generation of writers that the store asks for, if this version is of an older one.
    pub(crate) fn too_old(&self) -> Option<u32> {
        self.image.read_recursive().min_writer.filter(|needs| *needs > records::WRITER)
    }

    /// Holds the store if it is behind what it has shipped. Before anything is served.
    pub(crate) async fn compare_with_shipped(&self) -> Result<(), AppError> {
        if self.too_old().is_some() {
            return Ok(());
        }
        let Some(key) = unhex(&self.signer.public()) else { return Ok(()) };
        // First the files, then the store: what is shipped was in the store before.
        let newest: Vec<(String, Checkpoint)> = self
            .options
            .ship_heads_to
            .iter()
            .filter_map(|place| Some((place.display().to_string(), newest(place, &key)?)))
            .collect();
        let lanes = self.store.lanes().await?;
        let accepted = self.accepted().await?;
        let mut behind = Vec::new();
        for (place, checkpoint) in newest.iter().filter(|(_, c)| !accepted.contains(&c.digest())) {
            behind.extend(self.behind(place, checkpoint, &lanes).await?);
        }
        let known = self.image.read().held.clone();
        if behind.is_empty() || known.as_ref().is_some_and(|held| held.behind == behind) {
            return Ok(());
        }
        self.hold(known, behind).await
    }

    /// Checkpoints that somebody has accepted to be behind.
    pub(crate) async fn accepted(&self) -> Result<BTreeSet<String>, AppError> {
        let key: Key = records::ACCEPTED.into();
        let entry = self.store.get(&key).await?;
        entry.map(|entry| records::decode(&key, &entry.value)).transpose().map(Option::unwrap_or_default)
    }

    /// Lanes that are not what the checkpoint has seen.
    async fn behind(
        &self,
        place: &str,
        checkpoint: &Checkpoint,
        lanes: &[LaneHead],
    ) -> Result<Vec<BehindRecord>, AppError> {
        let mut behind = Vec::new();
        for (lane, head) in checkpoint.heads.iter().filter(|(_, head)| head.seq > 0) {
            let here = lanes.iter().find(|h| h.lane.as_str() == lane).map_or(0, |h| h.seq);
            let found = match here < head.seq {
                true => None,
                false => self.store.lane(&Lane(lane.clone()), head.seq - 1, 1).await?.pop(),
            };
            if found.is_some_and(|item| item.hash.to_string() == head.hash) {
                continue;
            }
            behind.push(BehindRecord {
                place: place.to_owned(),
                checkpoint: checkpoint.digest(),
                at: checkpoint.at,
                lane: lane.clone(),
                shipped: head.seq,
                here,
            });
        }
        Ok(behind)
    }

    async fn hold(&self, known: Option<HeldRecord>, behind: Vec<BehindRecord>) -> Result<(), AppError> {
        let key: Key = records::HELD.into();
        let now = self.clock.now();
        let said: Vec<String> =
            behind.iter().map(|b| format!("lane {}: {} of {}", b.lane, b.here, b.shipped)).collect();
        tracing::error!(lanes = said.join(", "), "the store is behind what it has shipped: it is held");
        let entry = Entry {
            at: now,
            actor: rein(),
            verb: "server:hold".to_owned(),
            targets: vec!["server".to_owned()],
            change: None,
            incident: None,
            reason: String::new(),
            detail: said.join(", "),
            key: None,
        };
        let must = match self.image.read().revision_of(&key) {
            Some(at) => Must::Unchanged(key.clone(), at),
            None => Must::Absent(key.clone()),
        };
        let before = known.unwrap_or(HeldRecord { since: now, restored: None, behind: Vec::new() });
        let held = HeldRecord { behind, ..before };
        let lane = LaneEntry { lane: self.lane.clone(), body: records::encode(&entry)? };
        let ops = vec![Op::Put(key.clone(), records::encode(&held)?, None)];
        match self.store.commit(Commit { must: vec![must], ops, lane: Some(lane) }).await? {
            Outcome::At(_) => {}
            // Another server was faster.
            Outcome::Refused(_) => {}
        }
        if let Some(entry) = self.store.get(&key).await? {
            self.image.write().apply(&key, Some(&entry), entry.modified)?;
        }
        Ok(())
    }
}

/// The newest checkpoint in a file that the key has signed. A line that was cut off, or signed by another
/// key, says nothing.
fn newest(place: &Path, key: &[u8]) -> Option<Checkpoint> {
    let tail = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(place)?;
        let long = file.metadata()?.len();
        file.seek(SeekFrom::Start(long.saturating_sub(TAIL)))?;
        let mut bytes = Vec::new();
        file.take(TAIL).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = match tail() {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => {
            tracing::warn!(place = %place.display(), %error, "shipped heads cannot be compared with the store");
            return None;
        }
    };
    let signed = |line: &[u8]| {
        let checkpoint: Checkpoint = serde_json::from_slice(line).ok()?;
        checkpoint.verify(key).is_ok().then_some(checkpoint)
    };
    let found = bytes.rsplit(|byte| *byte == b'\n').find_map(signed);
    if found.is_none() && !bytes.is_empty() {
        tracing::warn!(place = %place.display(), "no head there is signed with this server's key");
    }
    found
}
