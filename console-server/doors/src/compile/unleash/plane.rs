//! The plane of zones, instances and times that a rule cuts into regions, and the boxes that put
//! regions of equal shares together again.

use super::{Area, MAX_REGIONS, Names};
use crate::compile::{Rule, ends_at};
use rein_domain::scope::{Percent, Scope};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// Names that every layer treats alike; `None`: all names that no layer mentions.
pub(super) struct Class<'a> {
    pub(super) names: Option<Vec<&'a str>>,
    /// By layer: does its scope take these names in?
    within: Vec<bool>,
}

/// Sorts the names that layers mention into classes; the unmentioned ones come first.
fn classes<'a>(layers: &[BTreeSet<&'a str>]) -> Vec<Class<'a>> {
    let others = Class { names: None, within: layers.iter().map(BTreeSet::is_empty).collect() };
    let mut by_layers: BTreeMap<Vec<bool>, Vec<&'a str>> = BTreeMap::new();
    for name in layers.iter().flatten().copied().collect::<BTreeSet<_>>() {
        let within = layers.iter().map(|set| set.is_empty() || set.contains(name)).collect();
        by_layers.entry(within).or_default().push(name);
    }
    let named = by_layers.into_iter().map(|(within, names)| Class { names: Some(names), within });
    std::iter::once(others).chain(named).collect()
}

/// The plane of zones, instances and times, cut along every layer.
pub(super) struct Plane<'a> {
    zones: Vec<Class<'a>>,
    instances: Vec<Class<'a>>,
    /// Seconds at which layers end, ascending. Span `n` ends at the `n`th; the last one never.
    ends: Vec<i64>,
    /// Percent of users who have the feature: by zone, instance, span.
    on: Vec<u8>,
}

/// One layer of the rule, holds first, then lifts.
fn scopes<'r>(rule: &'r Rule<'_>) -> Vec<&'r Scope> {
    rule.holds.iter().map(|hold| hold.scope).chain(rule.lifts.iter().map(|lift| lift.scope)).collect()
}

impl<'a> Plane<'a> {
    pub(super) fn cut(rule: &'a Rule<'_>, timed: bool) -> Option<Self> {
        let scopes = scopes(rule);
        let zones: Vec<BTreeSet<&str>> =
            scopes.iter().map(|s| s.zones.iter().map(|zone| zone.as_str()).collect()).collect();
        let instances: Vec<BTreeSet<&str>> =
            scopes.iter().map(|s| s.instances.iter().map(|name| name.as_str()).collect()).collect();
        let untils = rule.holds.iter().map(|h| h.until).chain(rule.lifts.iter().map(|l| l.until));
        let until: Vec<Option<i64>> = untils.map(|until| ends_at(until).filter(|_| timed)).collect();
        let ends: BTreeSet<i64> = until.iter().copied().flatten().collect();
        let (zones, instances) = (classes(&zones), classes(&instances));
        let spans = ends.len() + 1;
        if zones.len() * instances.len() * spans > MAX_REGIONS {
            return None;
        }
        let mut plane = Self { zones, instances, ends: ends.into_iter().collect(), on: Vec::new() };
        for zone in &plane.zones {
            for instance in &plane.instances {
                for span in 0..spans {
                    let end = plane.ends.get(span);
                    let covers: Vec<bool> = (0..scopes.len())
                        .map(|n| {
                            let live = until[n].is_none_or(|until| end.is_some_and(|end| *end <= until));
                            live && zone.within[n] && instance.within[n]
                        })
                        .collect();
                    plane.on.push(share(rule, &covers));
                }
            }
        }
        Some(plane)
    }

    fn at(&self, zone: usize, instance: usize, span: usize) -> u8 {
        self.on[(zone * self.instances.len() + instance) * (self.ends.len() + 1) + span]
    }

    /// As few boxes as greed will find, each with the share that all of it has at least, such that
    /// the largest share of the boxes over a region is the region's own.
    pub(super) fn boxes(&self) -> Vec<Area> {
        let spans = self.ends.len() + 1;
        let mut grown: Vec<(Grown, u8)> = Vec::new();
        for zone in 0..self.zones.len() {
            for instance in 0..self.instances.len() {
                for span in 0..spans {
                    let on = self.at(zone, instance, span);
                    let done = grown.iter().any(|(g, share)| *share >= on && g.has(zone, instance, span));
                    if on > 0 && !done {
                        grown.push((self.grow((zone, instance, span), on), on));
                    }
                }
            }
        }
        let needless: Vec<bool> = grown
            .iter()
            .enumerate()
            .map(|(at, (small, share))| {
                let others = grown.iter().enumerate().filter(|(other, _)| *other != at);
                others.clone().any(|(other, (big, more))| {
                    let same = big.holds(small) && small.holds(big) && more == share;
                    more >= share && big.holds(small) && (!same || other < at)
                })
            })
            .collect();
        let kept = grown.iter().zip(needless).filter(|(_, needless)| !needless);
        kept.map(|((grown, on), _)| self.spell(grown, *on)).collect()
    }

    /// The largest box around a region in which everybody has the feature at least to this share.
    fn grow(&self, (zone, instance, span): (usize, usize, usize), on: u8) -> Grown {
        let mut grown = Grown { zones: [zone].into(), instances: [instance].into(), spans: span..=span };
        let fits = |grown: &Grown| {
            grown.zones.iter().all(|z| {
                grown.instances.iter().all(|i| grown.spans.clone().all(|s| self.at(*z, *i, s) >= on))
            })
        };
        // Time first: a strategy without a date is the one that most clients read alike.
        let (mut from, mut to) = (span, span);
        while from > 0 && fits(&Grown { spans: from - 1..=from - 1, ..grown.clone() }) {
            from -= 1;
        }
        while to < self.ends.len() && fits(&Grown { spans: to + 1..=to + 1, ..grown.clone() }) {
            to += 1;
        }
        grown.spans = from..=to;
        for zone in 0..self.zones.len() {
            if fits(&Grown { zones: [zone].into(), ..grown.clone() }) {
                grown.zones.insert(zone);
            }
        }
        for instance in 0..self.instances.len() {
            if fits(&Grown { instances: [instance].into(), ..grown.clone() }) {
                grown.instances.insert(instance);
            }
        }
        grown
    }

    fn spell(&self, grown: &Grown, on: u8) -> Area {
        let (first, last) = (*grown.spans.start(), *grown.spans.end());
        Area {
            zones: Names::of(&self.zones, &grown.zones),
            instances: Names::of(&self.instances, &grown.instances),
            from: first.checked_sub(1).map(|before| self.ends[before]),
            until: self.ends.get(last).copied(),
            on,
        }
    }
}

/// The share of users who have the feature where these layers cover.
fn share(rule: &Rule<'_>, covers: &[bool]) -> u8 {
    // Relaxing layers have no share; should one ever have, it is not counted: that protects.
    let lifted =
        |lift: usize| covers[rule.holds.len() + lift] && rule.lifts[lift].scope.percent == Percent::ALL;
    let any_lifted = (0..rule.lifts.len()).any(lifted);
    let lower = if rule.base == rule.protects && any_lifted { rule.base.other() } else { rule.base };
    if lower == rule.protects {
        return if lower.flag() { 100 } else { 0 };
    }
    let bites = rule
        .holds
        .iter()
        .enumerate()
        .filter(|(n, hold)| covers[*n] && !hold.unless.iter().any(|lift| lifted(*lift)));
    let protected = bites.map(|(_, hold)| hold.scope.percent.get()).max().unwrap_or(0);
    // Users are drawn 1 to 100 and have what is at or above their number. That is the share which
    // keeps a feature, or the share for which a fallback is brought in.
    if rule.protects.flag() { protected } else { 100 - protected }
}

/// A box, by the numbers of its classes.
#[derive(Debug, Clone)]
struct Grown {
    zones: BTreeSet<usize>,
    instances: BTreeSet<usize>,
    spans: RangeInclusive<usize>,
}

impl Grown {
    fn has(&self, zone: usize, instance: usize, span: usize) -> bool {
        self.zones.contains(&zone) && self.instances.contains(&instance) && self.spans.contains(&span)
    }

    fn holds(&self, other: &Self) -> bool {
        other.zones.is_subset(&self.zones)
            && other.instances.is_subset(&self.instances)
            && self.spans.start() <= other.spans.start()
            && self.spans.end() >= other.spans.end()
    }
}
