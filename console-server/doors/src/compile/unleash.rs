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

mod plane;

use super::Rule;
use plane::{Class, Plane};
use rein_core::doorway::Flag;
use rein_domain::layer::Stack;
use rein_domain::switch::Setting;
use serde_json::{Value, json};
use std::collections::BTreeSet;

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
    use rein_domain::scope::{Percent, Place};
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
