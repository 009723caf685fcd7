//! A switch as a flagd flag: JSONLogic that the client evaluates by itself, deadlines included.
//!
//! Source: flagd flag definitions, `json/flags.json` and `json/targeting.json` of
//! open-feature/flagd-schemas. Of that language only what every known evaluator agrees on is used:
//! - `if` has three arguments: longer chains are not in the schema of older clients;
//! - `===`, since evaluators differ in what `==` does with null (`fractional` without a targeting
//!   key is null: such a caller is in no percentage);
//! - lists of names are spelled as `or` of `===`, since array literals are not in the schema of
//!   older clients and evaluators differ in `in` with null;
//! - `fractional` in its short form, so that flag key and targeting key are hashed the client's
//!   own way, with weights that add up to 100: nested shares then nest;
//! - without layers there is no `targeting` at all: the client says STATIC.

use super::{Hold, Lift, Rule, ends_at};
use rein_core::doorway::Flag;
use rein_domain::layer::Stack;
use rein_domain::scope::{Percent, Scope};
use rein_domain::switch::Setting;
use rein_domain::time::Timestamp;
use serde_json::{Map, Value, json};

/// The variant that stands for a setting.
pub fn variant(setting: Setting) -> &'static str {
    match setting {
        Setting::On => "on",
        Setting::Off => "off",
    }
}

/// The flag definition: what stands under the flag's key in `flags`.
pub fn flag(flag: &Flag) -> Value {
    let mut out = Map::new();
    out.insert("state".into(), json!("ENABLED"));
    out.insert("variants".into(), json!({"on": true, "off": false}));
    out.insert("defaultVariant".into(), json!(variant(flag.stack.base)));
    if let Some(rule) = targeting(&flag.stack) {
        out.insert("targeting".into(), rule);
    }
    out.insert(
        "metadata".into(),
        json!({
            "rev": flag.since,
            "owner": flag.switch.owner,
            "level": u8::from(flag.switch.level),
        }),
    );
    Value::Object(out)
}

/// The targeting rule of a stack; `None` when the base holds everywhere.
pub fn targeting(stack: &Stack) -> Option<Value> {
    let rule = Rule::of(stack);
    if rule.is_constant() {
        return None;
    }
    let other = json!(variant(rule.protects.other()));
    let protects = json!(variant(rule.protects));
    // Where base and protection differ, a relaxing layer lowers to what the base says anyway.
    let lower = match any(rule.lifts.iter().map(|lift| inside(lift.scope, lift.until, rule.protects))) {
        Some(lifted) if rule.base == rule.protects => json!({"if": [lifted, other, protects]}),
        _ => json!(variant(rule.base)),
    };
    match any(rule.holds.iter().map(|hold| held(hold, &rule.lifts, rule.protects))) {
        Some(held) => Some(json!({"if": [held, protects, lower]})),
        None => Some(lower),
    }
}

/// True where a protecting layer bites.
fn held(hold: &Hold<'_>, lifts: &[Lift<'_>], protects: Setting) -> Value {
    let bites = inside(hold.scope, hold.until, protects);
    let excepted = any(hold.unless.iter().map(|at| inside(lifts[*at].scope, lifts[*at].until, protects)));
    match excepted {
        Some(excepted) => json!({"and": [bites, {"!": [excepted]}]}),
        None => bites,
    }
}

/// True inside a scope until a moment.
fn inside(scope: &Scope, until: Timestamp, protects: Setting) -> Value {
    let mut all = Vec::new();
    if let Some(second) = ends_at(until) {
        all.push(json!({"<": [{"var": "$flagd.timestamp"}, second]}));
    }
    let named = |var: &str, name: &str| json!({"===": [{"var": var}, name]});
    all.extend(any(scope.zones.iter().map(|zone| named("zone", zone.as_str()))));
    all.extend(any(scope.instances.iter().map(|instance| named("instance", instance.as_str()))));
    if scope.percent != Percent::ALL {
        let share = scope.percent.get();
        let (into, rest) = (variant(protects), variant(protects.other()));
        all.push(json!({"===": [{"fractional": [[into, share], [rest, 100 - share]]}, into]}));
    }
    match all.len() {
        0 => json!(true),
        1 => all.remove(0),
        _ => json!({"and": all}),
    }
}

/// `or`, where it is one.
fn any(terms: impl Iterator<Item = Value>) -> Option<Value> {
    let mut terms: Vec<Value> = terms.collect();
    match terms.len() {
        0 => None,
        1 => terms.pop(),
        _ => Some(json!({"or": terms})),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::samples;
    use flagd_evaluation_engine::targeting::Operator;
    use open_feature::EvaluationContext;
    use proptest::prelude::*;
    use rein_domain::scope::Place;

    fn evaluate(operator: &Operator, key: &str, stack: &Stack, asks: &samples::Asks) -> Setting {
        let Some(rule) = targeting(stack) else { return stack.base };
        let mut context = EvaluationContext::default();
        if let Some(zone) = &asks.zone {
            context = context.with_custom_field("zone", zone.as_str());
        }
        if let Some(instance) = &asks.instance {
            context = context.with_custom_field("instance", instance.as_str());
        }
        if let Some(key) = &asks.key {
            context = context.with_targeting_key(key);
        }
        match operator.apply(key, &rule.to_string(), &context).expect("the rule is valid").as_deref() {
            Some("on") => Setting::On,
            Some("off") => Setting::Off,
            other => panic!("{rule} gave {other:?}"),
        }
    }

    /// The bucket as the engine itself computes it: a hundred variants of weight one.
    fn bucket(operator: &Operator, flag: &str, key: &str) -> Option<u8> {
        let slots: Vec<Value> = (0..100).map(|n| json!([n.to_string(), 1])).collect();
        let context = EvaluationContext::default().with_targeting_key(key);
        let slot = operator.apply(flag, &json!({"fractional": slots}).to_string(), &context).unwrap();
        slot.map(|n| n.parse().unwrap())
    }

    proptest! {
        #![proptest_config(samples::cases())]

        #[test]
        fn clients_decide_what_the_rule_says(stack in samples::stack(), asks in samples::asks()) {
            let operator = Operator::new();
            let now = samples::now();
            let place = Place {
                zone: asks.zone.clone(),
                instance: asks.instance.clone(),
                bucket: asks.key.as_deref().and_then(|key| bucket(&operator, "order.x", key)),
            };
            let stack = samples::at(stack, now);
            let expected = stack.effective(&place, now);
            prop_assert_eq!(evaluate(&operator, "order.x", &stack, &asks), expected, "{:?}", targeting(&stack));
        }
    }

    #[test]
    fn many_layers_of_one_scope_stay_one_small_rule() {
        let layers = (0..200).map(|n| samples::hold(n, 1_900_000_000_000 + n as i64 * 1000)).collect();
        let stack = Stack { base: Setting::On, protects: Setting::Off, layers };
        assert_eq!(
            targeting(&stack).unwrap(),
            json!({"if": [{"<": [{"var": "$flagd.timestamp"}, 1_900_000_199]}, "off", "on"]})
        );
    }

    #[test]
    fn without_layers_there_is_no_targeting() {
        let stack = Stack { base: Setting::Off, protects: Setting::On, layers: Vec::new() };
        assert_eq!(targeting(&stack), None);
        assert_eq!(flag(&samples::flag("order/x", stack))["defaultVariant"], "off");
    }
}
