//! Reading a backup: nothing of it is believed before all of it was checked.

use super::{FORMAT, Header, Line, Link};
use rein_domain::audit::{AuditError, Checkpoint, Head, Walk, unhex};
use rein_domain::seal::{SealError, Unseal};
use rein_domain::time::Timestamp;
use std::collections::BTreeMap;
use std::io::BufRead;

/// The longest line: a commit's worth of bytes, spelled.
const MOST: u64 = 4 << 20;

/// Why a file is not taken for a backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// It cannot be read.
    #[error("{0}")]
    Read(#[from] std::io::Error),
    /// It was altered or cut, or is none.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A line is whole, but not what belongs there.
    #[error("line {line}: {what}")]
    Line {
        /// Which, from 1.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// A newer version wrote it.
    #[error("it has format {found}, and this version of Rein reads up to {FORMAT}")]
    Format {
        /// The format it has.
        found: u32,
    },
}

/// Reads the lines of a backup and checks all that one line can show.
pub(super) struct Lines<R> {
    from: R,
    unseal: Unseal,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, unseal: Unseal::default() }
    }

    /// The next line; `None` behind the last.
    pub(super) fn next(&mut self) -> Result<Option<Line>, BackupError> {
        let mut text = Vec::new();
        loop {
            text.clear();
            let read = std::io::Read::take(&mut self.from, MOST).read_until(b'\n', &mut text)?;
            if read == 0 {
                self.unseal.finish()?;
                return Ok(None);
            }
            if text.last() == Some(&b'\n') {
                text.pop();
            }
            let number = self.unseal.lines() + 1;
            let line = std::str::from_utf8(&text).map_err(|_| SealError::Form(number))?;
            // Behind the last line there is nothing: the next turn sees to that.
            let Some(object) = self.unseal.line(line)? else { continue };
            let read = serde_json::from_str(&object);
            return read.map(Some).map_err(|e| self.wrong(e.to_string()));
        }
    }

    /// The first line.
    pub(super) fn header(&mut self) -> Result<Header, BackupError> {
        let mut text = Vec::new();
        std::io::Read::take(&mut self.from, MOST).read_until(b'\n', &mut text)?;
        let line = std::str::from_utf8(&text).map_err(|_| SealError::Form(1))?;
        let Some(object) = self.unseal.line(line.trim_end_matches('\n'))? else {
            return Err(SealError::Form(1).into());
        };
        // A later format may spell everything but this differently.
        #[derive(serde::Deserialize)]
        struct First {
            backup: Format,
        }
        #[derive(serde::Deserialize)]
        struct Format {
            format: u32,
        }
        let found = serde_json::from_str::<First>(&object).map_err(|e| self.wrong(e.to_string()))?;
        if found.backup.format > FORMAT {
            return Err(BackupError::Format { found: found.backup.format });
        }
        match serde_json::from_str(&object) {
            Ok(Line::Backup(header)) => Ok(header),
            Ok(_) => Err(self.wrong("the first line must say what this is a backup of".into())),
            Err(error) => Err(self.wrong(error.to_string())),
        }
    }

    pub(super) fn wrong(&self, what: String) -> BackupError {
        BackupError::Line { line: self.unseal.lines(), what }
    }
}

/// Checks a whole backup: every line, every count, every chain of the audit trail.
///
/// # Errors
/// The first thing that is wrong, with its line.
pub fn examine(from: impl BufRead) -> Result<Header, BackupError> {
    let mut lines = Lines::new(from);
    let header = lines.header()?;
    let mut walks: BTreeMap<String, Walk> = BTreeMap::new();
    for lane in header.lanes.keys() {
        let walk = Walk::new(lane, std::slice::from_ref(&must_pass(&header)));
        walks.insert(lane.clone(), walk.map_err(|e| lines.wrong(e.to_string()))?);
    }
    let (mut records, mut last): (u64, Option<Vec<u8>>) = (0, None);
    while let Some(line) = lines.next()? {
        match line {
            Line::Backup(_) => return Err(lines.wrong("a second beginning".into())),
            Line::Record(record) => {
                let key = record.key.bytes().filter(|key| !key.is_empty());
                let key = key.ok_or_else(|| lines.wrong("not a key".into()))?;
                record.value.bytes().ok_or_else(|| lines.wrong("not a value".into()))?;
                if last.as_ref().is_some_and(|last| *last >= key) {
                    return Err(lines.wrong("keys are not in order".into()));
                }
                last = Some(key);
                records += 1;
            }
            Line::Entry(link) => {
                let walk = walks.get_mut(&link.lane);
                let walk = walk.ok_or_else(|| lines.wrong("a lane that the first line lacks".into()))?;
                step(walk, link).map_err(|e| lines.wrong(e.to_string()))?;
            }
        }
    }
    if records != header.records {
        return Err(lines.wrong(format!("{records} records, and the first line says {}", header.records)));
    }
    for walk in walks.into_values() {
        let walked = walk.finish().map_err(|e| lines.wrong(e.to_string()))?;
        if walked.unproved > 0 {
            return Err(lines.wrong(format!("lane {} goes on behind its head", walked.lane)));
        }
    }
    Ok(header)
}

/// The heads of the first line, in the shape that a walk is held to.
fn must_pass(header: &Header) -> Checkpoint {
    let heads: BTreeMap<String, Head> = header.lanes.clone();
    Checkpoint { at: Timestamp(0), heads, previous: String::new(), signature: String::new() }
}

fn step(walk: &mut Walk, link: Link) -> Result<(), AuditError> {
    let bad = || AuditError::Hex("an entry's hash or body");
    let hash = unhex(&link.hash).and_then(|b| b.try_into().ok()).ok_or_else(bad)?;
    let body = link.body.bytes().ok_or_else(bad)?;
    walk.step(&rein_domain::audit::Link { seq: link.seq, hash, body })
}
