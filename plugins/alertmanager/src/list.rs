//! All silences, those of others included: the newest word on each, and who does not show it.

use crate::Backend;
use crate::look::nobody;
use crate::silence::Silence;
use futures::future::join_all;
use parking_lot::Mutex;
use rein_plugin::{CellKey, Fault, MAX_NAME, MAX_VALUE, Matcher, Page, SilenceSeen};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Most silences listed.
const MAX_LISTED: usize = 50_000;
/// Bytes of a page, by a rough count; a reply takes 4 MiB.
const PAGE: usize = 2 * 1024 * 1024;
/// How long a list is kept for the pages that follow.
const KEPT: Duration = Duration::from_secs(60);
/// Lists kept at once.
const LISTS: usize = 2;

/// Lists of which further pages may be asked.
#[derive(Default)]
pub(crate) struct Lists(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    next: u64,
    lists: Vec<(u64, Instant, Arc<Vec<SilenceSeen>>)>,
}

impl Lists {
    fn keep(&self, list: Arc<Vec<SilenceSeen>>) -> u64 {
        let mut kept = self.0.lock();
        kept.next += 1;
        let number = kept.next;
        kept.lists.retain(|(_, at, _)| at.elapsed() < KEPT);
        if kept.lists.len() == LISTS {
            kept.lists.remove(0);
        }
        kept.lists.push((number, Instant::now(), list));
        number
    }

    fn find(&self, number: u64) -> Option<Arc<Vec<SilenceSeen>>> {
        let kept = self.0.lock();
        let found = kept.lists.iter().find(|(known, at, _)| *known == number && at.elapsed() < KEPT);
        found.map(|(.., list)| Arc::clone(list))
    }
}

/// The newest word on a silence, and who shows it so.
struct Word {
    silence: Silence,
    peers: Vec<usize>,
}

impl Backend {
    /// One page of all silences.
    pub(crate) async fn list(&self, expired: bool, page: Option<String>) -> Result<Page<SilenceSeen>, Fault> {
        let (number, from, list) = match page {
            None => {
                let list = Arc::new(self.list_all(expired).await?);
                (None, 0, list)
            }
            Some(page) => {
                let place =
                    page.split_once('.').and_then(|(n, at)| Some((n.parse().ok()?, at.parse().ok()?)));
                let found = place.and_then(|(n, at): (u64, usize)| Some((Some(n), at, self.lists.find(n)?)));
                found.ok_or_else(|| {
                    Fault::NotDone("this page is no longer kept; ask from the first page again".into())
                })?
            }
        };
        let mut bytes = 0;
        let fits = |silence: &&SilenceSeen| {
            bytes += size(silence);
            bytes <= PAGE
        };
        let items: Vec<SilenceSeen> = list.iter().skip(from).take_while(fits).cloned().collect();
        let to = from + items.len();
        let next = (to < list.len() && !items.is_empty()).then(|| {
            let number = number.unwrap_or_else(|| self.lists.keep(Arc::clone(&list)));
            format!("{number}.{to}")
        });
        Ok(Page { items, next })
    }

    async fn list_all(&self, expired: bool) -> Result<Vec<SilenceSeen>, Fault> {
        let limit = self.settings.timeout * 2;
        let one = async |peer: &String| {
            let mut found = Vec::new();
            let url = format!("{peer}/api/v2/silences");
            let each = |json: &[u8]| {
                let silence = Silence::read(json)?;
                if silence.is_live() || expired {
                    found.push(silence);
                }
                if found.len() > MAX_LISTED {
                    return Err(format!(
                        "it has more than {MAX_LISTED} silences; ask it with amtool and matchers"
                    ));
                }
                Ok(())
            };
            self.http.each(&url, limit, each).await.map(|()| found)
        };
        let (answers, hushed) =
            tokio::join!(join_all(self.settings.peers.iter().map(one)), self.hushed(limit));
        if let Some(fault) = nobody(&answers, &self.settings.peers) {
            return Err(fault);
        }
        let mut words: HashMap<String, Word> = HashMap::new();
        for (peer, silence) in answers
            .into_iter()
            .enumerate()
            .filter_map(|(peer, answer)| Some((peer, answer.ok()?)))
            .flat_map(|(peer, list)| list.into_iter().map(move |silence| (peer, silence)))
        {
            match words.get_mut(&silence.id) {
                None => {
                    words.insert(silence.id.clone(), Word { silence, peers: vec![peer] });
                }
                Some(word) if word.silence == silence => word.peers.push(peer),
                Some(word) if silence.updated > word.silence.updated => {
                    *word = Word { silence, peers: vec![peer] };
                }
                Some(_) => {}
            }
        }
        let mut list: Vec<SilenceSeen> = words
            .into_values()
            .filter(|word| word.silence.is_live() || expired)
            .filter_map(|word| self.shown(word, hushed.as_ref()))
            .collect();
        let rank = |silence: &SilenceSeen| (silence.state == "expired", silence.state == "pending");
        list.sort_by(|a, b| {
            rank(a).cmp(&rank(b)).then_with(|| a.ends.cmp(&b.ends)).then_with(|| a.id.cmp(&b.id))
        });
        Ok(list)
    }

    /// `None` for what no reply of the contract can carry.
    fn shown(&self, word: Word, hushed: Option<&HashMap<String, u32>>) -> Option<SilenceSeen> {
        let Word { silence, peers } = word;
        let fits = |m: &Matcher| m.name.len() <= MAX_NAME && m.value.len() <= MAX_VALUE && !m.name.is_empty();
        if silence.id.is_empty() || silence.id.len() > MAX_NAME || !silence.matchers.iter().all(fits) {
            return None;
        }
        let missing = self.settings.peers.iter().enumerate().filter(|(peer, _)| !peers.contains(peer));
        Some(SilenceSeen {
            hushes: hushed.map(|hushed| hushed.get(&silence.id).copied().unwrap_or(0)),
            missing_peers: missing.map(|(_, peer)| peer.clone()).collect(),
            id: silence.id,
            matchers: silence.matchers,
            starts: silence.starts.to_string(),
            ends: silence.ends.to_string(),
            author: rein_plugin::cut(silence.author),
            comment: rein_plugin::cut(silence.comment),
            state: match silence.state.as_str() {
                known @ ("active" | "pending") => known.to_owned(),
                _ => "expired".to_owned(),
            },
            cell: silence.key.map(CellKey),
        })
    }
}

/// About how many bytes of a reply it takes.
fn size(silence: &SilenceSeen) -> usize {
    let matchers: usize = silence.matchers.iter().map(|m| m.name.len() + m.value.len() + 16).sum();
    let peers: usize = silence.missing_peers.iter().map(|peer| peer.len() + 4).sum();
    200 + matchers + peers + silence.author.len() + silence.comment.len()
}
