//! Taking a backup: one snapshot of records and lane heads, then the lanes up to those heads.

use super::{FORMAT, Header, Line, Link, Record};
use crate::error::AppError;
use crate::records;
use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt};
use rein_api::ErrorCode;
use rein_domain::audit::Head;
use rein_domain::seal::Seal;
use rein_domain::time::Timestamp;
use rein_store::{Entry, Store};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// Bytes handed on at once.
const PIECE: usize = 64 * 1024;
/// Pieces made ahead of a slow reader.
const AHEAD: usize = 4;
/// Audit entries read at once.
const PAGE: usize = 500;

/// A backup of the store, piece by piece. A reader that goes away ends it; an error ends it without its
/// last line.
pub fn stream(store: Arc<dyn Store>, at: Timestamp) -> BoxStream<'static, Result<Bytes, AppError>> {
    let (pieces, answer) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        let mut out = Out { seal: Seal::default(), waiting: String::new(), pieces };
        let taken = take(store.as_ref(), at, &mut out).await;
        if let Err(error) = taken {
            // Whoever went away is not told.
            let _ = out.pieces.send(Err(error)).await;
        }
    });
    ReceiverStream::new(answer).boxed()
}

struct Out {
    seal: Seal,
    waiting: String,
    pieces: mpsc::Sender<Result<Bytes, AppError>>,
}

impl Out {
    async fn line(&mut self, line: &Line) -> Result<(), AppError> {
        let text = serde_json::to_string(line).map_err(|e| broken(e.to_string()))?;
        self.waiting.push_str(&self.seal.line(&text));
        if self.waiting.len() >= PIECE { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<(), AppError> {
        let piece = Bytes::from(std::mem::take(&mut self.waiting));
        self.pieces.send(Ok(piece)).await.map_err(|_| broken("nobody reads the backup any more".into()))
    }
}

fn broken(what: String) -> AppError {
    AppError::new(ErrorCode::Internal, what)
}

async fn take(store: &dyn Store, at: Timestamp, out: &mut Out) -> Result<(), AppError> {
    let snapshot = store.snapshot().await?;
    let text = |key: &str| {
        let found = snapshot.entries.iter().find(|entry| entry.key.as_bytes() == key.as_bytes());
        found.map(|entry| String::from_utf8_lossy(&entry.value).into_owned())
    };
    if text(records::RESTORING).is_some() {
        return Err(records::unfinished());
    }
    let kept: Vec<&Entry> = snapshot.entries.iter().filter(|entry| !of_a_process(entry)).collect();
    let head = |head: &rein_store::LaneHead| Head { seq: head.seq, hash: head.hash.to_string() };
    let header = Header {
        format: FORMAT,
        rein: env!("CARGO_PKG_VERSION").to_owned(),
        epoch: text(records::EPOCH).unwrap_or_default(),
        revision: snapshot.revision.0,
        at,
        min_writer: records::writer(text(records::MIN_WRITER).as_deref()),
        records: kept.len() as u64,
        lanes: snapshot.lanes.iter().map(|h| (h.lane.0.clone(), head(h))).collect(),
    };
    out.line(&Line::Backup(header)).await?;
    for entry in kept {
        let record = Record { key: entry.key.as_bytes().into(), value: entry.value.as_ref().into() };
        out.line(&Line::Record(record)).await?;
    }
    for head in &snapshot.lanes {
        let mut after = 0;
        while after < head.seq {
            let most = usize::try_from(head.seq - after).unwrap_or(PAGE).min(PAGE);
            let items = store.lane(&head.lane, after, most).await?;
            if items.is_empty() {
                return Err(broken(format!("lane {} ends at {after}, before its head", head.lane)));
            }
            for item in items {
                after = item.seq;
                let (seq, hash) = (item.seq, item.hash.to_string());
                let body = item.body.as_ref().into();
                out.line(&Line::Entry(Link { lane: head.lane.0.clone(), seq, hash, body })).await?;
            }
        }
    }
    let last = std::mem::take(&mut out.seal).last();
    out.waiting.push_str(&last);
    out.flush().await
}

/// What vanishes with the process that wrote it.
fn of_a_process(entry: &Entry) -> bool {
    let key = entry.key.as_bytes();
    key == records::LEADER.as_bytes() || key.starts_with(records::SESSION.as_bytes())
}
