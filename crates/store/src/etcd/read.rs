//! Reads: linearizable, and of one revision even when they take several requests.

use bytes::Bytes;
use etcd_client::{GetOptions, GetResponse};

use super::layout::{Layout, Span, Tip, items};
use super::nodes::{ANSWER, Nodes, Trouble};
use crate::{Entry, Key, Lane, LaneHead, LaneItem, Revision, Snapshot, StoreError};

/// Keys of one request: even if each held as much as a commit may, the answer would be within [`ANSWER`].
const FEW: i64 = 128;
/// The same when the page before was small.
const MANY: i64 = 4096;
/// An answer below this lets the next request ask for more keys.
const SMALL: usize = 1 << 20;
/// How often a list that compaction overtook begins again.
const TRIES: usize = 5;

/// A key as etcd keeps it.
pub(super) struct Found {
    pub(super) key: Vec<u8>,
    pub(super) value: Vec<u8>,
    pub(super) created: i64,
    pub(super) modified: i64,
}

/// The keys of an answer, and its revision.
pub(super) fn found(answer: GetResponse) -> (Vec<Found>, i64) {
    let revision = answer.header().map_or(0, etcd_client::ResponseHeader::revision);
    let found = answer.0.kvs.into_iter().map(|kv| Found {
        key: kv.key,
        value: kv.value,
        created: kv.create_revision,
        modified: kv.mod_revision,
    });
    (found.collect(), revision)
}

/// What lies in the span: at most `limit` keys, all at the revision that comes with them.
pub(super) async fn span(
    nodes: &Nodes,
    span: Span,
    limit: usize,
) -> Result<(Vec<Found>, Revision), StoreError> {
    let mut tries = 0;
    loop {
        match walk(nodes, &span, limit, 0).await {
            Err(Trouble::Compacted) if tries < TRIES => tries += 1,
            other => return other.map_err(StoreError::from),
        }
    }
}

/// What lies in the span at revision `at`; 0: now.
async fn walk(
    nodes: &Nodes,
    (start, end): &Span,
    limit: usize,
    mut at: i64,
) -> Result<(Vec<Found>, Revision), Trouble> {
    let (mut all, mut start, mut most) = (Vec::new(), start.clone(), FEW);
    if start >= *end || limit == 0 {
        return Ok((all, Revision(revision(nodes, end).await?)));
    }
    loop {
        let left = i64::try_from(limit - all.len()).unwrap_or(i64::MAX);
        let options = GetOptions::new().with_range(end.clone()).with_limit(most.min(left)).with_revision(at);
        let answer = nodes
            .call(|client| {
                let (start, options) = (start.clone(), options.clone());
                async move {
                    let mut kv = client.kv_client().max_decoding_message_size(ANSWER);
                    kv.get(start, Some(options)).await
                }
            })
            .await;
        let answer = match answer {
            // Small keys were followed by large ones.
            Err(Trouble::Refused(_)) if most > FEW => {
                most = FEW;
                continue;
            }
            answer => answer?,
        };
        let more = answer.more();
        let (page, revision) = found(answer);
        if at == 0 {
            at = revision;
        }
        let bytes: usize = page.iter().map(|found| found.key.len() + found.value.len()).sum();
        most = if bytes < SMALL { (most * 2).min(MANY) } else { FEW };
        if let Some(last) = page.last() {
            start.clone_from(&last.key);
            start.push(0);
        }
        let empty = page.is_empty();
        all.extend(page);
        if !more || empty || all.len() >= limit {
            return Ok((all, Revision(at)));
        }
    }
}

/// The current revision, whatever lies at `key`.
pub(super) async fn revision(nodes: &Nodes, key: &[u8]) -> Result<i64, Trouble> {
    let answer = nodes
        .call(|mut client| {
            let key = key.to_vec();
            async move { client.get(key, Some(GetOptions::new().with_keys_only())).await }
        })
        .await?;
    Ok(found(answer).1)
}

/// What lies at `key`.
pub(super) async fn one(nodes: &Nodes, key: &[u8]) -> Result<Option<Found>, Trouble> {
    let answer = nodes
        .call(|mut client| {
            let key = key.to_vec();
            async move { client.get(key, None).await }
        })
        .await?;
    Ok(found(answer).0.pop())
}

pub(super) fn entry(layout: &Layout, found: Found) -> Entry {
    Entry {
        key: layout.name(found.key),
        value: Bytes::from(found.value),
        created: Revision(found.created),
        modified: Revision(found.modified),
    }
}

pub(super) async fn entries(
    nodes: &Nodes,
    layout: &Layout,
    (prefix, after): (&Key, Option<&Key>),
    limit: usize,
) -> Result<(Vec<Entry>, Revision), StoreError> {
    let (found, at) = span(nodes, layout.keys(prefix, after), limit).await?;
    Ok((found.into_iter().map(|found| entry(layout, found)).collect(), at))
}

pub(super) async fn heads(nodes: &Nodes, layout: &Layout) -> Result<Vec<LaneHead>, StoreError> {
    heads_in(layout, &span(nodes, layout.heads(), usize::MAX).await?.0)
}

/// Entries, then the lane heads of the same revision.
pub(super) async fn snapshot(nodes: &Nodes, layout: &Layout) -> Result<Snapshot, StoreError> {
    let mut tries = 0;
    loop {
        let (found, revision) = span(nodes, layout.keys(&Key::everything(), None), usize::MAX).await?;
        let heads = match walk(nodes, &layout.heads(), usize::MAX, revision.0).await {
            Err(Trouble::Compacted) if tries < TRIES => {
                tries += 1;
                continue;
            }
            heads => heads?.0,
        };
        let entries = found.into_iter().map(|found| entry(layout, found)).collect();
        return Ok(Snapshot { revision, entries, lanes: heads_in(layout, &heads)? });
    }
}

fn heads_in(layout: &Layout, found: &[Found]) -> Result<Vec<LaneHead>, StoreError> {
    let heads = found.iter().map(|found| {
        let lane = layout.lane_of(&found.key).ok_or_else(|| damaged(&found.key))?;
        let Tip { seq, hash } = Tip::decode(&found.value).ok_or_else(|| damaged(&found.key))?;
        Ok(LaneHead { lane, seq, hash })
    });
    let mut heads = heads.collect::<Result<Vec<_>, StoreError>>()?;
    heads.sort_by(|a, b| a.lane.cmp(&b.lane));
    Ok(heads)
}

/// The newest item of a lane; the start when there is none.
pub(super) async fn tip(nodes: &Nodes, layout: &Layout, lane: &Lane) -> Result<Tip, StoreError> {
    let key = layout.head(lane);
    match one(nodes, &key).await? {
        None => Ok(Tip::START),
        Some(found) => Tip::decode(&found.value).ok_or_else(|| damaged(&key)),
    }
}

pub(super) fn damaged(key: &[u8]) -> StoreError {
    StoreError::Damaged(format!("what lies at {} in etcd is not Rein's", key.escape_ascii()))
}

/// Items of a lane. Each chunk holds at least one, so no more chunks than items are needed.
pub(super) async fn lane(
    nodes: &Nodes,
    layout: &Layout,
    (lane, after): (&Lane, u64),
    limit: usize,
) -> Result<Vec<LaneItem>, StoreError> {
    let mut all = Vec::new();
    let mut last = after;
    while all.len() < limit {
        let wanted = (limit - all.len()).min(FEW as usize / 4);
        let (chunks, _) = span(nodes, layout.chunks(lane, last), wanted).await?;
        if chunks.is_empty() {
            break;
        }
        for chunk in chunks {
            let seq = Layout::last_of(&chunk.key).ok_or_else(|| damaged(&chunk.key))?;
            all.extend(items(seq, chunk.value.into())?.into_iter().filter(|item| item.seq > last));
            last = seq;
        }
    }
    all.truncate(limit);
    Ok(all)
}
