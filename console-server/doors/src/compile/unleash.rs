//! A switch as an Unleash feature: strategies that are OR-ed, of constraints that are AND-ed.
//!
//! Source: Unleash client API v2, `client_features` of unleash-types, and client-specification.
//!
//! Unleash has neither `not` nor nesting. So the plane of (zone, instance, time) is cut along every
//! line that a layer draws; in each region all that is left of the rule is one number, the share of
//! users who have the feature; and the regions are put together again into as few boxes as will do.
//! A box is a strategy: `IN` or `NOT_IN` on the context properties `zone` and `instance`,
//! `DATE_AFTER` or `DATE_BEFORE` on `currentTime`, so that the client itself reverts, and
//! `flexibleRollout` for the share. Where boxes overlap, the larger share is the one that holds, as
//! all of them hash alike.
//!
//! Where Unleash differs from the rule:
//! - a user without `userId` and `sessionId` is drawn anew at each evaluation (stickiness
//!   `default`), while elsewhere a caller without a key is in no share;
//! - more than [`MAX_STRATEGIES`] strategies are not sent: the deadlines are left out first, since
//!   Rein serves the feature anew when they pass;
//! - a stack that cuts the plane into more than [`MAX_REGIONS`] protects everywhere.

use super::{Rule, ends_at};
use rein_core::doorway::Flag;
use rein_domain::layer::Stack;
use rein_domain::scope::{Percent, Scope};
use rein_domain::switch::Setting;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// Beyond this many strategies, deadlines are left to Rein.
pub const MAX_STRATEGIES: usize = 64;

/// Beyond this many regions, the switch protects everywhere.
pub const MAX_REGIONS: usize = 4_096;

/// The feature, as it stands in `features`.
pub fn feature(flag: &Flag) -> Value {
    let key = flag.switch.name.flag_key();
    let mut strategies = strategies(&flag.stack, &key);
    let enabled = !strategies.is_empty();
    if !enabled {
        // A disabled feature keeps a strategy: without one, some SDKs take it for "on" once enabled.
        strategies.push(json!({"name": "default", "parameters": {}, "constraints": []}));
    }
    json!({
        "name": key,
        "type": "kill-switch",
        "project": "default",
        "enabled": enabled,
        "stale": false,
        "impressionData": false,
        "strategies": strategies,
        "variants": [],
        "dependencies": [],
    })
}

/// Strategies under which the feature is on; none: it is off.
pub fn strategies(stack: &Stack, key: &str) -> Vec<Value> {
    let rule = Rule::of(stack);
    let timed = Plane::cut(&rule, true).map(|plane| plane.boxes());
    let boxes = match timed {
        Some(boxes) if boxes.len() <= MAX_STRATEGIES => boxes,
        _ => match Plane::cut(&rule, false) {
            Some(plane) => plane.boxes(),
            None if rule.protects == Setting::On => vec![Area::everywhere()],
            None => Vec::new(),
        },
    };
    boxes.iter().map(|region| region.strategy(key)).collect()
}

/// Names that every layer treats alike; `None`: all names that no layer mentions.
struct Class<'a> {
    names: Option<Vec<&'a str>>,
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
struct Plane<'a> {
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
    fn cut(rule: &'a Rule<'_>, timed: bool) -> Option<Self> {
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
    fn boxes(&self) -> Vec<Area> {
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

/// Which names a box takes in.
#[derive(Debug)]
enum Names {
    All,
    In(Vec<String>),
    NotIn(Vec<String>),
}

impl Names {
    fn of(classes: &[Class<'_>], chosen: &BTreeSet<usize>) -> Self {
        let names = |take: bool| -> Vec<String> {
            let taken = classes.iter().enumerate().filter(|(at, _)| chosen.contains(at) == take);
            let mut names: Vec<String> =
                taken.filter_map(|(_, class)| class.names.as_ref()).flatten().map(|n| (*n).into()).collect();
            names.sort();
            names
        };
        // Class 0 is everything that no layer mentions.
        match (chosen.contains(&0), chosen.len() == classes.len()) {
            (_, true) => Self::All,
            (true, false) => Self::NotIn(names(false)),
            (false, false) => Self::In(names(true)),
        }
    }

    fn constraint(&self, context: &str) -> Option<Value> {
        let (operator, values) = match self {
            Self::All => return None,
            Self::In(names) => ("IN", names),
            Self::NotIn(names) => ("NOT_IN", names),
        };
        Some(json!({
            "contextName": context, "operator": operator, "values": values,
            "inverted": false, "caseInsensitive": false,
        }))
    }
}

/// A box, in words.
#[derive(Debug)]
struct Area {
    zones: Names,
    instances: Names,
    /// From this second on.
    from: Option<i64>,
    /// Before this second.
    until: Option<i64>,
    on: u8,
}

impl Area {
    fn everywhere() -> Self {
        Self { zones: Names::All, instances: Names::All, from: None, until: None, on: 100 }
    }

    fn strategy(&self, key: &str) -> Value {
        let date = |operator: &str, at: i64| {
            json!({
                "contextName": "currentTime", "operator": operator, "value": iso(at), "values": [],
                "inverted": false, "caseInsensitive": false,
            })
        };
        let constraints: Vec<Value> = [
            self.zones.constraint("zone"),
            self.instances.constraint("instance"),
            // "After" leaves its own moment out, and deadlines begin with theirs.
            self.from.map(|second| date("DATE_AFTER", second * 1000 - 1)),
            self.until.map(|second| date("DATE_BEFORE", second * 1000)),
        ]
        .into_iter()
        .flatten()
        .collect();
        if self.on == 100 {
            return json!({"name": "default", "parameters": {}, "constraints": constraints});
        }
        json!({
            "name": "flexibleRollout",
            "parameters": {"rollout": self.on.to_string(), "stickiness": "default", "groupId": key},
            "constraints": constraints,
            "variants": [],
        })
    }
}

/// ISO 8601 with milliseconds, UTC.
fn iso(millis: i64) -> String {
    jiff::Timestamp::from_millisecond(millis).map_or_else(
        |_| "9999-12-31T23:59:59.999Z".into(),
        |at| at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::samples;
    use proptest::prelude::*;
    use rein_domain::layer::Layer;
    use rein_domain::scope::Place;
    use rein_domain::time::Timestamp;
    use unleash_yggdrasil::{Context, EngineState, UpdateMessage};

    fn is_on(features: Value, context: &Context) -> bool {
        let engine = EngineState::default();
        let document = json!({"version": 2, "features": features});
        engine.take_state(UpdateMessage::FullResponse(serde_json::from_value(document).unwrap()));
        engine.is_enabled("order.x", context, &None)
    }

    /// Where Unleash's hash puts a user: 1 to 100, by asking with every rollout.
    fn drawn(user: &str) -> u8 {
        let context = Context { user_id: Some(user.into()), ..Context::default() };
        let with = |rollout: u8| {
            json!([{"name": "order.x", "enabled": true, "strategies": [{
                "name": "flexibleRollout",
                "parameters": {"rollout": rollout.to_string(), "stickiness": "default", "groupId": "order.x"},
            }]}])
        };
        let (mut low, mut high) = (1, 100);
        while low < high {
            let middle = (low + high) / 2;
            if is_on(with(middle), &context) { high = middle } else { low = middle + 1 }
        }
        low
    }

    proptest! {
        #![proptest_config(samples::cases())]

        #[test]
        fn clients_decide_what_the_rule_says(
            stack in samples::stack(), asks in samples::asks(), later in prop_oneof![Just(0i64), 0i64..110_000],
        ) {
            let base = samples::now();
            let stack = samples::at(stack, base);
            // Unleash takes the time as given: any moment can be asked about, deadlines themselves too.
            let edge = stack.layers.first().map_or(base, |layer| layer.deadline);
            let now = if later % 7 == 1 { edge } else { Timestamp(base.0 + later * 1000) };
            let user = asks.key.unwrap_or_else(|| "nobody".into());
            let number = drawn(&user);
            let place = Place {
                zone: asks.zone.clone(),
                instance: asks.instance.clone(),
                // A share that protects is the far end where a feature is kept, the near end where a
                // fallback is brought in.
                bucket: Some(if stack.protects.flag() { number - 1 } else { 100 - number }),
            };
            let mut properties = std::collections::HashMap::new();
            if let Some(zone) = asks.zone { properties.insert("zone".to_owned(), zone); }
            if let Some(instance) = asks.instance { properties.insert("instance".to_owned(), instance); }
            let context = Context {
                user_id: Some(user),
                properties: Some(properties),
                current_time: Some(iso(now.0)),
                ..Context::default()
            };
            let expected = stack.effective(&place, now).flag();
            let feature = feature(&samples::flag("order/x", stack));
            prop_assert_eq!(is_on(json!([feature.clone()]), &context), expected, "{}", feature);
        }
    }

    fn layer(n: u64, zone: &str, instance: &str) -> Layer {
        let mut layer = samples::hold(n, 1_900_000_000_000 + i64::try_from(n).unwrap() * 1000);
        layer.scope.zones = [zone.parse().unwrap()].into();
        layer.scope.instances = [instance.parse().unwrap()].into();
        layer.scope.percent = Percent::try_from(u8::try_from(n % 100 + 1).unwrap()).unwrap();
        layer
    }

    #[test]
    fn a_tangle_loses_its_deadlines_first_and_then_protects() {
        let stack = |layers| Stack { base: Setting::On, protects: Setting::Off, layers };
        let some = (0..14).map(|n| layer(n, &format!("z{n}"), &format!("i{n}"))).collect();
        let spelled = strategies(&stack(some), "order.x");
        assert!(spelled.len() <= MAX_STRATEGIES, "{}", spelled.len());
        let many = (0..20).map(|n| layer(n, &format!("z{}", n % 10), &format!("i{n}"))).collect();
        let text = Value::from(strategies(&stack(many), "order.x")).to_string();
        assert!(!text.contains("currentTime"), "{text}");
        let tangle = (0..100).map(|n| layer(n, &format!("z{n}"), &format!("i{n}"))).collect();
        assert!(strategies(&stack(tangle), "order.x").is_empty());
    }

    #[test]
    fn a_whole_switch_off_reverts_by_itself() {
        let layers = vec![samples::hold(1, 1_900_000_000_000)];
        let stack = Stack { base: Setting::On, protects: Setting::Off, layers };
        assert_eq!(
            strategies(&stack, "order.x"),
            [json!({"name": "default", "parameters": {}, "constraints": [{
                "contextName": "currentTime", "operator": "DATE_AFTER", "value": "2030-03-17T17:46:39.999Z",
                "values": [], "inverted": false, "caseInsensitive": false,
            }]})]
        );
    }
}
