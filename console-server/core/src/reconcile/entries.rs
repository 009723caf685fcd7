//! Entries of foreign registries among the cells: their plugin spells what the layers over an instance come to,
//! a hold remembers the instance, and the registry is listed now and then.

use crate::house::House;
use crate::reconcile::settle::Case;
use crate::registry::{LIST_AGAIN, LIST_EVERY, LIST_LEAST, Surveyed};
use rein_domain::hold::{Hold, Origin, Step, Value, Want};
use rein_domain::name::BackendName;
use rein_plugin::registry::{MAX_WEIGHINGS, Weighing};
use rein_plugin::{Adapter, Seen};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

impl House {
    /// What entries of a registry are to hold, as their plugin spells it; and those it could not spell, which
    /// are left as they are: nobody is put back by accident.
    pub(super) async fn spell_entries(
        &self,
        name: &BackendName,
        adapter: &dyn Adapter,
        mut cases: Vec<Case>,
        seen: &[Seen],
    ) -> (Vec<Case>, BTreeSet<String>) {
        let mut unspelled = BTreeSet::new();
        let mut asked: Vec<(usize, Weighing)> = Vec::new();
        for (at, (case, seen)) in cases.iter().zip(seen).enumerate() {
            let Some(weighs) = &case.weighs else { continue };
            let value = match &case.hold {
                Some((hold, _)) => hold.prior.0.clone(),
                None => seen.value.clone(),
            };
            if case.hold.is_none() && value.is_none() {
                // It has gone by itself: there is nothing to take out.
                unspelled.insert(case.cell.key.clone());
                continue;
            }
            let cell = seen.cell.clone();
            asked.push((at, Weighing { cell, value, weight: weighs.weight.get() }));
        }
        let Some(registry) = adapter.registry() else {
            unspelled.extend(asked.iter().map(|(at, _)| cases[*at].cell.key.clone()));
            return (cases, unspelled);
        };
        for some in asked.chunks(MAX_WEIGHINGS) {
            let weighings: Vec<Weighing> = some.iter().map(|(_, one)| one.clone()).collect();
            let answers = match registry.weigh(&weighings).await {
                Ok(answers) => answers,
                Err(fault) => some.iter().map(|_| Err(fault.clone())).collect(),
            };
            for ((at, _), answer) in some.iter().zip(answers) {
                let case = &mut cases[*at];
                match (answer, &case.weighs) {
                    (Ok(value), Some(weighs)) => {
                        let change = weighs.change.clone();
                        let origin = Origin::Foreign;
                        case.want = Some(Want { change, value: Value(value), origin, lapses: None });
                    }
                    (Err(fault), _) => {
                        let (key, why) = (case.cell.key.clone(), crate::views::tidy(&fault.to_string()));
                        self.looks.note(name, |look| drop(look.refused.insert(key, why)));
                        unspelled.insert(case.cell.key.clone());
                    }
                    (Ok(_), None) => {}
                }
            }
        }
        (cases, unspelled)
    }
}

/// The same step, with the instance in its hold: taken out of its registry, nobody else would remember it.
pub(super) fn remembering(step: Step, case: &Case) -> Step {
    let with = |hold: Hold| match &case.weighs {
        Some(weighs) if hold.said.is_none() => Hold { said: Some(Box::new((*weighs.said).clone())), ..hold },
        _ => hold,
    };
    match step {
        Step::Write(hold, value) => Step::Write(with(hold), value),
        Step::Proved(hold) => Step::Proved(with(hold)),
        Step::Conflict(hold) => Step::Conflict(with(hold)),
        Step::Rest | Step::Forget => step,
    }
}

/// When a backend in which services find each other is listed next.
pub(super) struct Listing {
    due: Option<Instant>,
    last: Option<Instant>,
}

impl Default for Listing {
    fn default() -> Self {
        Self { due: Some(Instant::now()), last: None }
    }
}

impl Listing {
    pub(super) fn is_due(&self) -> bool {
        self.due.is_some_and(|due| due <= Instant::now())
    }

    pub(super) fn done(&mut self, surveyed: Surveyed) {
        let now = Instant::now();
        self.last = Some(now);
        self.due = match surveyed {
            Surveyed::Never => None,
            Surveyed::Listed => Some(now + LIST_EVERY),
            Surveyed::Failed => Some(now + LIST_AGAIN),
        };
    }

    /// Something may have altered.
    pub(super) fn soon(&mut self) {
        let earliest = self.last.map_or_else(Instant::now, |last| last + LIST_LEAST);
        self.due = self.due.map(|due| due.min(earliest));
    }

    /// How long there is nothing to do, for a backend that otherwise may rest so long.
    pub(super) fn rest(&self, other: Option<Duration>) -> Option<Duration> {
        let own = self.due.map(|due| due.saturating_duration_since(Instant::now()));
        own.into_iter().chain(other).min()
    }
}
