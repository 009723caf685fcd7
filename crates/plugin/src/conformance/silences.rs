//! Checks of plugins that hush alerts. Others pass them unasked.

use super::{Bench, Rig, Verdict, ensure, within};
use crate::{AlertSeen, MAX_ALERTS};
use std::collections::BTreeMap;
use std::time::Duration;

/// How many silences are made, and how many pages are walked at most.
const CROWD: usize = 24;
const PAGES: usize = 200;

/// Each silence is on one page, those of Rein name their cell, and the pages end.
pub async fn silences_are_listed_once_each(rig: &impl Rig) -> Verdict {
    let bench = Bench::new(rig).await?;
    let Some(silences) = bench.plugin.silences() else {
        return Ok(());
    };
    let mut cells = BTreeMap::new();
    for n in 0..CROWD {
        let cell = bench.cell(&format!("conform-listed-{n}")).await?;
        bench.write(&cell, Some(bench.value(n % 2)?), &format!("listed-{n}")).await?;
        bench.holds(&cell, Some(&bench.value(n % 2)?)).await?;
        cells.insert(cell, 0);
    }
    let (mut page, mut ids) = (None, Vec::new());
    for pages in 0.. {
        ensure!(pages < PAGES, "the list of silences does not end after {PAGES} pages");
        let listed = within("list", silences.list(false, page)).await?;
        for silence in listed.items {
            ensure!(
                matches!(silence.state.as_str(), "active" | "pending"),
                "a list without those that are over holds a silence that is {:?}",
                silence.state
            );
            if let Some(count) = silence.cell.as_ref().and_then(|cell| cells.get_mut(cell)) {
                *count += 1;
            }
            ids.push(silence.id);
        }
        page = match listed.next {
            Some(next) => Some(next),
            None => break,
        };
    }
    for (cell, count) in &cells {
        ensure!(*count == 1, "the silence of {cell:?} is listed {count} times");
    }
    let all = ids.len();
    ids.sort();
    ids.dedup();
    ensure!(ids.len() == all, "{} silences are listed twice", all - ids.len());
    Ok(())
}

/// Counts are of everything, lists at most as long as asked for.
pub async fn alerts_are_counted(rig: &impl Rig) -> Verdict {
    let bench = Bench::new(rig).await?;
    let Some(silences) = bench.plugin.silences() else {
        return Ok(());
    };
    let matched = within("matched", silences.matched(&[], Duration::ZERO, 1)).await?;
    ensure!(matched.alerts.len() <= 1, "of at most 1 alert {} are listed", matched.alerts.len());
    ensure!(
        matched.firing == matched.firing_in_all,
        "no matchers take in all alerts, but {} of {} match",
        matched.firing,
        matched.firing_in_all
    );
    let all = within("matched", silences.matched(&[], Duration::ZERO, MAX_ALERTS)).await?;
    for alert in &all.alerts {
        let AlertSeen { id, state, silenced_by, inhibited_by, .. } = alert;
        ensure!(
            matches!(state.as_str(), "active" | "suppressed"),
            "asked for what fires now, the alert {id} is {state:?}"
        );
        ensure!(
            state == "suppressed" || (silenced_by.is_empty() && inhibited_by.is_empty()),
            "the alert {id} is active, and hushed by {silenced_by:?} {inhibited_by:?}"
        );
    }
    Ok(())
}
