//! Writing again what some peers of a backend do not show.
//!
//! Peers that gossip lose messages: of sixteen silences written at once, one Alertmanager of three lacks one or
//! two in every third try, until the peers compare all they hold, by default once a minute. Until then that one
//! would wake people. A write of the same value makes its peers tell it anew.

use crate::house::House;
use crate::reconcile::settle::Case;
use futures::future::join_all;
use rein_domain::hold::HoldState;
use rein_domain::name::BackendName;
use rein_plugin::{Adapter, Repeat, Seen};
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

/// From the first look that missed a peer to the first write: most gossip is over by then.
const FIRST: Duration = Duration::from_secs(2);
/// Each wait is twice as long as the one before, so the last write comes after a minute: by then the peers have
/// compared all they hold, and one that still lacks it does not answer or is no peer of theirs.
const MOST: u32 = 5;
/// With more cells than this, gossip is busy and more of it would make it slower.
const FEW: usize = 32;
/// Most in one round: a peer that hangs makes each round last as long as it is waited for, and meanwhile nothing
/// else is written.
const AT_ONCE: usize = 16;

/// Cells that peers lack, and how often they were written again.
#[derive(Debug, Default)]
pub(super) struct Echoes(HashMap<String, Echo>);

#[derive(Debug)]
struct Echo {
    next: Instant,
    written: u32,
}

impl Echoes {
    /// Of the cells that a peer lacks now, those to be written again. All others are forgotten.
    pub(super) fn due<'a>(&mut self, lacking: impl Iterator<Item = &'a str>, now: Instant) -> Vec<String> {
        let mut before = std::mem::take(&mut self.0);
        let fresh = || Echo { next: now + FIRST, written: 0 };
        self.0 = lacking.map(|key| (key.to_owned(), before.remove(key).unwrap_or_else(fresh))).collect();
        if self.0.len() > FEW {
            return Vec::new();
        }
        let due = self.0.iter_mut().filter(|(_, echo)| echo.next <= now && echo.written < MOST);
        due.take(AT_ONCE)
            .map(|(key, echo)| {
                echo.written += 1;
                echo.next = now + FIRST * 2u32.pow(echo.written);
                key.clone()
            })
            .collect()
    }
}

impl House {
    /// Writes again what peers of a backend do not show although others do: what was lost between them.
    pub(super) async fn echo(
        &self,
        name: &BackendName,
        adapter: &dyn Adapter,
        cases: &[(&Case, &Seen)],
        echoes: &mut Echoes,
    ) {
        // Where a write cannot be repeated, another object would come of it.
        if self.looks.of(name).description.as_ref().is_none_or(|d| d.repeat == Repeat::None) {
            return;
        }
        let now = self.clock.now();
        let is_lapsing = |case: &Case| case.want.as_ref().is_some_and(|want| want.is_lapsing(now));
        let lacking: BTreeMap<&str, (&Case, &Seen)> = cases
            .iter()
            .filter(|(case, seen)| !seen.missing_peers.is_empty() && !is_lapsing(case))
            .map(|&(case, seen)| (case.cell.key.as_str(), (case, seen)))
            .collect();
        let due = echoes.due(lacking.keys().copied(), Instant::now());
        let writes = due.iter().filter_map(|key| {
            let (case, seen) = lacking.get(key.as_str())?;
            let (hold, _) = case.hold.as_ref()?;
            // Held, and as wanted; anything else is not for this to decide.
            let value = match &case.want {
                Some(want) if hold.state == HoldState::Held && want.value.0 == seen.value => &want.value,
                None if hold.prior.0 == seen.value => &hold.prior,
                _ => return None,
            };
            Some(self.write(name, adapter, case, seen, (value, &hold.change)))
        });
        join_all(writes).await;
    }
}

#[cfg(test)]
mod tests {
    use super::{AT_ONCE, Echoes, FEW};
    use std::time::{Duration, Instant};

    /// The seconds in which one cell, lacked all the time, is written again.
    fn written(echoes: &mut Echoes, begin: Instant, cells: &[&str], seconds: u64) -> Vec<u64> {
        let is_due = |second: &u64| {
            !echoes.due(cells.iter().copied(), begin + Duration::from_secs(*second)).is_empty()
        };
        (0..seconds).filter(is_due).collect()
    }

    #[test]
    fn a_cell_is_written_again_ever_more_seldom_and_not_for_ever() {
        let (mut echoes, begin) = (Echoes::default(), Instant::now());
        assert_eq!(written(&mut echoes, begin, &["a"], 600), [2, 6, 14, 30, 62]);
        // Seen everywhere, it begins anew.
        assert!(echoes.due(std::iter::empty(), begin).is_empty());
        assert_eq!(written(&mut echoes, begin, &["a"], 10), [2, 6]);
    }

    #[test]
    fn busy_gossip_is_left_alone() {
        let (mut echoes, begin) = (Echoes::default(), Instant::now());
        let names: Vec<String> = (0..=FEW).map(|n| n.to_string()).collect();
        let many: Vec<&str> = names.iter().map(String::as_str).collect();
        assert!(written(&mut echoes, begin, &many, 60).is_empty());
        // The last of them are written as soon as they are few, each once.
        let mut due = || echoes.due(many[1..].iter().copied(), begin + Duration::from_secs(60));
        let mut all = due();
        assert_eq!(all.len(), AT_ONCE);
        all.extend(due());
        all.sort();
        all.dedup();
        assert_eq!((all.len(), due().len()), (FEW, 0));
    }
}
