//! What all peers hold, merged: the newest word on each silence, and who does not show it yet.
//!
//! Alertmanager merges by the last write, and has no instance id. Whether it *forgot* is told from its own
//! memory: it keeps what has ended for days (`--data.retention`, 120 h), so a cell of which no trace is left,
//! not even an ended one, was forgotten, and one that has a trace was ended, by its deadline or by somebody's
//! hand. That is [`TRACE`] against [`NO_TRACE`]. Start times, which change with every restart whether anything
//! was lost or not, would call every restart amnesia and overrule people.

use crate::Backend;
use crate::cell::{self, Cell};
use crate::http::Failure;
use crate::silence::Silence;
use futures::future::join_all;
use rein_plugin::{CellKey, Fault, Seen};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

/// The incarnation of a cell that left a trace.
pub(crate) const TRACE: &str = "remembered";
/// The incarnation of a cell that the backend knows nothing of.
pub(crate) const NO_TRACE: &str = "no trace";

/// What one peer answered.
pub(crate) type Answer<T> = Result<T, Failure>;

/// What all peers hold in some cells.
pub(crate) struct Look {
    /// By peer, then by cell.
    answers: Vec<Answer<HashMap<String, Vec<Silence>>>>,
}

/// One cell over all peers.
pub(crate) struct Merged<'a> {
    /// Live silences by the newest word on each, oldest first: the first is the one that stays.
    pub(crate) live: Vec<&'a Silence>,
    /// Whether any peer knows anything of the cell, ended or not.
    pub(crate) has_trace: bool,
}

impl Look {
    /// Peers that answered.
    pub(crate) fn answering(&self) -> impl Iterator<Item = usize> + '_ {
        self.answers.iter().enumerate().filter(|(_, answer)| answer.is_ok()).map(|(peer, _)| peer)
    }

    /// What one peer shows of a cell.
    fn of_peer(&self, peer: usize, cell: &Cell) -> Option<&[Silence]> {
        let answer = self.answers.get(peer)?.as_ref().ok()?;
        Some(answer.get(&cell.key).map_or(&[], Vec::as_slice))
    }

    /// Peers by whose own word this silence is live.
    pub(crate) fn showing(&self, cell: &Cell, id: &str) -> Vec<usize> {
        let shows = |peer: &usize| {
            self.of_peer(*peer, cell).is_some_and(|list| list.iter().any(|s| s.id == id && s.is_live()))
        };
        self.answering().filter(shows).collect()
    }

    /// Does a peer that answers not show this silence as the others do?
    pub(crate) fn is_lacking(&self, cell: &Cell, silence: &Silence) -> bool {
        let shows = |peer| {
            self.of_peer(peer, cell).is_some_and(|list| {
                list.iter().any(|s| s.id == silence.id && s.is_live() && s.value() == silence.value())
            })
        };
        !self.answering().all(shows)
    }

    /// Silences that a peer shows as live although the newest word on each is that it has ended, and that peer.
    pub(crate) fn outlived(&self, cell: &Cell) -> Vec<(usize, &Silence)> {
        let live = self.merged(cell).live;
        let outlived = |silence: &&Silence| silence.is_live() && live.iter().all(|l| l.id != silence.id);
        self.answering()
            .flat_map(|peer| {
                let list = self.of_peer(peer, cell).unwrap_or_default();
                list.iter().filter(outlived).map(move |silence| (peer, silence))
            })
            .collect()
    }

    /// The newest word on each silence of a cell.
    pub(crate) fn merged(&self, cell: &Cell) -> Merged<'_> {
        let mut newest: BTreeMap<&str, &Silence> = BTreeMap::new();
        for silence in self.answering().filter_map(|peer| self.of_peer(peer, cell)).flatten() {
            newest
                .entry(&silence.id)
                // Of two words at one time the end counts: it cannot be taken back.
                .and_modify(|known| {
                    if (silence.updated, !silence.is_live()) > (known.updated, !known.is_live()) {
                        *known = silence;
                    }
                })
                .or_insert(silence);
        }
        let has_trace = !newest.is_empty();
        let mut live: Vec<&Silence> = newest.into_values().filter(|silence| silence.is_live()).collect();
        live.sort_by(|a, b| (a.starts, &a.id).cmp(&(b.starts, &b.id)));
        Merged { live, has_trace }
    }

    /// Why nobody answered, if so.
    pub(crate) fn nobody(&self, peers: &[String]) -> Option<Fault> {
        nobody(&self.answers, peers)
    }
}

/// Every peer's reason, when none of them answered.
pub(crate) fn nobody<T>(answers: &[Answer<T>], peers: &[String]) -> Option<Fault> {
    let reasons: Vec<String> = answers
        .iter()
        .zip(peers)
        .map(|(answer, peer)| answer.as_ref().err().map(|failure| format!("{peer} {failure}")))
        .collect::<Option<_>>()?;
    Some(Fault::Unreachable(format!("no peer can be asked: {}", reasons.join("; "))))
}

impl Backend {
    /// Asks every peer at once.
    pub(crate) async fn look(&self, cells: &[Cell], limit: Duration) -> Look {
        let foreign: BTreeSet<&str> = cells.iter().filter_map(|cell| cell.foreign.as_deref()).collect();
        let keys: BTreeSet<&str> = cells.iter().map(|cell| cell.key.as_str()).collect();
        let one = async |peer: &String| {
            let mut found: HashMap<String, Vec<Silence>> = HashMap::new();
            let url = format!("{peer}/api/v2/silences");
            let each = |json: &[u8]| {
                // Those of others matter only where they are cells themselves.
                if foreign.is_empty() && !Silence::may_be_one_of(json, &keys) {
                    return Ok(());
                }
                let silence = Silence::read(json)?;
                let marked = silence.key.clone().filter(|key| keys.contains(key.as_str()));
                let named = foreign.contains(silence.id.as_str()).then(|| cell::foreign(&silence.id));
                if let Some(named) = named.filter(|named| Some(named) != marked.as_ref()) {
                    found.entry(named).or_default().push(silence.clone());
                }
                if let Some(marked) = marked {
                    found.entry(marked).or_default().push(silence);
                }
                Ok(())
            };
            self.http.each(&url, limit, each).await.map(|()| found)
        };
        Look { answers: join_all(self.settings.peers.iter().map(one)).await }
    }

    /// What the backend holds in these cells.
    pub(crate) async fn observe(&self, cells: &[Cell]) -> Result<Vec<Seen>, Fault> {
        self.note_foreign(cells);
        let limit = self.settings.timeout;
        let (look, hushed) = tokio::join!(self.look(cells, limit), self.hushed(limit));
        if let Some(fault) = look.nobody(&self.settings.peers) {
            return Err(fault);
        }
        Ok(cells.iter().map(|cell| self.seen(&look, cell, hushed.as_ref())).collect())
    }

    fn seen(&self, look: &Look, cell: &Cell, hushed: Option<&HashMap<String, u32>>) -> Seen {
        let merged = look.merged(cell);
        let kept = merged.live.first().copied();
        let value = kept.map(|silence| silence.value().text());
        let shows_it = |peer: usize| match (kept, look.of_peer(peer, cell)) {
            (_, None) => false,
            (None, Some(list)) => !list.iter().any(Silence::is_live),
            (Some(kept), Some(list)) => list.iter().any(|silence| {
                silence.id == kept.id && silence.is_live() && Some(silence.value().text()) == value
            }),
        };
        let missing = self.settings.peers.iter().enumerate().filter(|(peer, _)| !shows_it(*peer));
        let effect = kept.zip(hushed).map(|(kept, hushed)| match hushed.get(&kept.id) {
            None | Some(0) => "hushes nothing now".to_owned(),
            Some(1) => "hushes 1 alert".to_owned(),
            Some(n) => format!("hushes {n} alerts"),
        });
        Seen {
            cell: CellKey(cell.key.clone()),
            version: String::new(),
            incarnation: if merged.has_trace { TRACE } else { NO_TRACE }.to_owned(),
            missing_peers: missing.map(|(_, peer)| peer.clone()).collect(),
            copies: u32::try_from(merged.live.len()).unwrap_or(u32::MAX),
            object: kept.map(|silence| silence.id.clone()).unwrap_or_default(),
            effect: effect.unwrap_or_default(),
            peers: u32::try_from(self.settings.peers.len()).unwrap_or(u32::MAX),
            over: false,
            value,
        }
    }

    fn note_foreign(&self, cells: &[Cell]) {
        let ids: Vec<&String> = cells.iter().filter_map(|cell| cell.foreign.as_ref()).collect();
        if ids.is_empty() {
            return;
        }
        let mut known = self.foreign.write();
        for id in ids {
            if known.len() < crate::MAX_FOREIGN {
                known.insert(id.clone());
            }
        }
    }
}
