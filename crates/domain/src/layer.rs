//! How layers compose: the one rule everything else in Rein exists to carry out.
//!
//! ```text
//! effective = the most protective of
//!               (newest relaxing layer, else base)
//!               and every protecting layer not excepted
//! ```
//!
//! Protecting layers commute: the order in which they are undone or expire cannot
//! matter. A layer outside its scope says nothing; the others decide there.

use crate::name::ChangeId;
use crate::scope::{Place, Scope};
use crate::switch::Setting;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Which way a layer pulls. Fixed when it is proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stance {
    /// Takes load or risk away.
    Protects,
    /// Gives the feature back.
    Relaxes,
}

/// One leg of an active change, as it lies over one switch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The change it belongs to.
    pub change: ChangeId,
    /// Which way it pulls.
    pub stance: Stance,
    /// Where it applies.
    pub scope: Scope,
    /// From this moment on it is not counted.
    pub deadline: Timestamp,
    /// Protecting changes that do not count where and while this layer applies.
    pub excepts: BTreeSet<ChangeId>,
}

impl Layer {
    /// Is it counted at `now`, as far as time is concerned?
    pub fn live(&self, now: Timestamp) -> bool {
        now < self.deadline
    }
}

/// Everything that decides one switch: its base and the layers over it, in order of creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stack {
    /// What holds where no layer lies.
    pub base: Setting,
    /// The setting that protects.
    pub protects: Setting,
    /// Active layers, oldest first. Only relaxing ones are sensitive to this order, and
    /// on a switch all of them say the same.
    pub layers: Vec<Layer>,
}

/// What a stack comes to, for a line a person reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Summary {
    /// The same everywhere.
    Everywhere(Setting),
    /// The protecting setting in some places, the other one elsewhere.
    Partly {
        /// Where the protecting setting holds.
        bites: Vec<Scope>,
        /// Places within those where it is relaxed all the same.
        lifts: Vec<Scope>,
    },
}

impl Stack {
    /// What is in force at `place`, at `now`.
    pub fn effective(&self, place: &Place, now: Timestamp) -> Setting {
        let here = |layer: &&Layer| layer.live(now) && layer.scope.covers(place);
        let lower = match self.relaxing().rfind(here) {
            Some(_) => self.protects.other(),
            None => self.base,
        };
        let excepted = |id: &ChangeId| self.relaxing().filter(here).any(|x| x.excepts.contains(id));
        if self.protecting().filter(here).any(|layer| !excepted(&layer.change)) {
            self.protects
        } else {
            lower
        }
    }

    /// Protecting layers, oldest first.
    pub fn protecting(&self) -> impl DoubleEndedIterator<Item = &Layer> {
        self.layers.iter().filter(|l| l.stance == Stance::Protects)
    }

    /// Relaxing layers, oldest first.
    pub fn relaxing(&self) -> impl DoubleEndedIterator<Item = &Layer> {
        self.layers.iter().filter(|l| l.stance == Stance::Relaxes)
    }

    /// Is this layer excepted in the whole of its scope?
    pub fn excepted(&self, layer: &Layer, now: Timestamp) -> bool {
        self.relaxing()
            .any(|x| x.live(now) && x.excepts.contains(&layer.change) && x.scope.contains(&layer.scope))
    }

    /// Protecting layers that bite somewhere within `scope`.
    pub fn holding<'a>(&'a self, scope: &'a Scope, now: Timestamp) -> impl Iterator<Item = &'a Layer> {
        self.protecting().filter(move |l| l.live(now) && !self.excepted(l, now) && l.scope.meets(scope))
    }

    /// The next moment at which the answer may change by itself.
    pub fn next_edge(&self, now: Timestamp) -> Option<Timestamp> {
        self.layers.iter().map(|l| l.deadline).filter(|at| *at > now).min()
    }

    /// What the stack comes to at `now`.
    pub fn summary(&self, now: Timestamp) -> Summary {
        let relaxed = self.protects.other();
        let lifted = self.relaxing().any(|l| l.live(now) && l.scope.is_everything());
        let biting = || self.protecting().filter(|l| l.live(now) && !self.excepted(l, now));
        let everywhere = Scope::default();
        let mut scopes: Vec<&Scope> = biting().map(|l| &l.scope).collect();
        if self.base == self.protects && !lifted {
            scopes.push(&everywhere);
        }
        if scopes.is_empty() {
            return Summary::Everywhere(relaxed);
        }
        // A relaxing layer that covers a part shows only if it takes something away there.
        let takes = |l: &&Layer| {
            let bared = biting().filter(|b| !l.excepts.contains(&b.change)).all(|b| !b.scope.meets(&l.scope));
            l.live(now) && !l.scope.is_everything() && bared
        };
        let lifts: Vec<&Scope> = self.relaxing().filter(takes).map(|l| &l.scope).collect();
        if lifts.is_empty() && scopes.iter().any(|s| s.is_everything()) {
            return Summary::Everywhere(self.protects);
        }
        Summary::Partly { bites: outer(&scopes), lifts: outer(&lifts) }
    }
}

/// The scopes that no other one contains, each once.
fn outer(scopes: &[&Scope]) -> Vec<Scope> {
    let mut outer: Vec<Scope> = Vec::new();
    for scope in scopes {
        let covered = scopes.iter().any(|other| other != scope && other.contains(scope));
        if !covered && !outer.contains(scope) {
            outer.push((*scope).clone());
        }
    }
    outer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::Percent;
    use proptest::prelude::*;

    /// The rule written a second time, as a person would say it, over plain sets.
    fn naive(stack: &Stack, place: &Place, now: Timestamp) -> Setting {
        let covers = |l: &Layer| {
            now < l.deadline
                && (l.scope.zones.is_empty()
                    || l.scope.zones.iter().any(|z| Some(z.as_str()) == place.zone.as_deref()))
                && (l.scope.instances.is_empty()
                    || l.scope.instances.iter().any(|i| Some(i.as_str()) == place.instance.as_deref()))
                && (l.scope.percent.get() == 100 || place.bucket.is_some_and(|b| b < l.scope.percent.get()))
        };
        let mut lower = stack.base;
        let mut not_counted = BTreeSet::new();
        for layer in &stack.layers {
            if layer.stance == Stance::Relaxes && covers(layer) {
                lower = stack.protects.other();
                not_counted.extend(layer.excepts.iter().cloned());
            }
        }
        for layer in &stack.layers {
            if layer.stance == Stance::Protects && covers(layer) && !not_counted.contains(&layer.change) {
                return stack.protects;
            }
        }
        lower
    }

    fn setting() -> impl Strategy<Value = Setting> {
        prop_oneof![Just(Setting::On), Just(Setting::Off)]
    }

    fn layer(n: u64) -> impl Strategy<Value = Layer> {
        let zones = prop::collection::btree_set("(sh|bj|gz)", 0..2);
        let instances = prop::collection::btree_set("(i-1|i-2|i-3)", 0..2);
        let excepts = prop::collection::btree_set(0..n.max(1), 0..3);
        (any::<bool>(), zones, instances, 1u8..=100, 0i64..20, excepts).prop_map(
            move |(protects, zones, instances, percent, deadline, excepts)| Layer {
                change: ChangeId::from_random(n),
                stance: if protects { Stance::Protects } else { Stance::Relaxes },
                scope: Scope {
                    zones: zones.iter().map(|z| z.parse().unwrap()).collect(),
                    instances: instances.iter().map(|i| i.parse().unwrap()).collect(),
                    percent: Percent::try_from(if protects { percent } else { 100 }).unwrap(),
                },
                deadline: Timestamp(deadline),
                excepts: if protects {
                    BTreeSet::new()
                } else {
                    excepts.into_iter().map(ChangeId::from_random).collect()
                },
            },
        )
    }

    fn stack() -> impl Strategy<Value = Stack> {
        let layers = (0usize..6).prop_flat_map(|n| (0..n as u64).map(layer).collect::<Vec<_>>());
        (setting(), setting(), layers).prop_map(|(base, protects, layers)| Stack { base, protects, layers })
    }

    fn place() -> impl Strategy<Value = Place> {
        (prop::option::of("(sh|bj|gz|xx)"), prop::option::of("(i-1|i-2|i-3|i-4)"), prop::option::of(0u8..100))
            .prop_map(|(zone, instance, bucket)| Place { zone, instance, bucket })
    }

    fn cases() -> ProptestConfig {
        let cases = std::env::var("REIN_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(4_000);
        ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
    }

    proptest! {
        #![proptest_config(cases())]

        /// I6: layers equal the naive fold, in any order.
        #[test]
        fn layers_equal_the_naive_fold_in_any_order(
            (stack, shuffled) in stack().prop_flat_map(|s| {
                let shuffled = Just(s.layers.clone()).prop_shuffle();
                (Just(s), shuffled)
            }),
            place in place(),
            now in (0i64..21).prop_map(Timestamp),
        ) {
            let expected = naive(&stack, &place, now);
            prop_assert_eq!(stack.effective(&place, now), expected);
            let other_order = Stack { layers: shuffled, ..stack };
            prop_assert_eq!(other_order.effective(&place, now), expected);
        }

        /// What a summary says of everywhere is so at every place.
        #[test]
        fn a_summary_of_everywhere_is_true_everywhere(
            stack in stack(), place in place(), now in (0i64..21).prop_map(Timestamp),
        ) {
            if let Summary::Everywhere(setting) = stack.summary(now) {
                // A relaxing layer may lie within an exception's reach without baring anything:
                // then some places are better off than the summary says, never worse.
                let effective = stack.effective(&place, now);
                prop_assert!(effective == setting || setting == stack.protects);
            }
        }
    }

    fn of(stance: Stance, n: u64, percent: u8) -> Layer {
        Layer {
            change: ChangeId::from_random(n),
            stance,
            scope: Scope { percent: Percent::try_from(percent).unwrap(), ..Scope::default() },
            deadline: Timestamp(100),
            excepts: BTreeSet::new(),
        }
    }

    #[test]
    fn percentages_nest_and_an_exception_ends_where_it_ends() {
        let mut stack = Stack {
            base: Setting::On,
            protects: Setting::Off,
            layers: vec![of(Stance::Protects, 1, 20), of(Stance::Protects, 2, 50)],
        };
        let at = |bucket| Place { bucket: Some(bucket), ..Place::default() };
        assert_eq!(stack.effective(&at(49), Timestamp(0)), Setting::Off);
        assert_eq!(stack.effective(&at(50), Timestamp(0)), Setting::On);
        let mut lift = of(Stance::Relaxes, 3, 100);
        lift.excepts.insert(ChangeId::from_random(2));
        lift.deadline = Timestamp(10);
        stack.layers.push(lift);
        assert_eq!(stack.effective(&at(30), Timestamp(0)), Setting::On);
        assert_eq!(stack.effective(&at(10), Timestamp(0)), Setting::Off);
        assert_eq!(stack.effective(&at(30), Timestamp(10)), Setting::Off, "it bites again");
    }

    #[test]
    fn an_exception_for_a_part_is_seen_in_the_summary() {
        let sh = Scope { zones: ["sh".parse().unwrap()].into(), ..Scope::default() };
        let mut lift = Layer { scope: sh.clone(), ..of(Stance::Relaxes, 2, 100) };
        lift.excepts.insert(ChangeId::from_random(1));
        let layers = vec![of(Stance::Protects, 1, 100), lift];
        let stack = Stack { base: Setting::On, protects: Setting::Off, layers };
        let partly = Summary::Partly { bites: vec![Scope::default()], lifts: vec![sh] };
        assert_eq!(stack.summary(Timestamp(0)), partly);
    }

    #[test]
    fn without_a_key_a_percentage_covers_nobody() {
        let stack =
            Stack { base: Setting::On, protects: Setting::Off, layers: vec![of(Stance::Protects, 1, 99)] };
        assert_eq!(stack.effective(&Place::default(), Timestamp(0)), Setting::On);
    }
}
