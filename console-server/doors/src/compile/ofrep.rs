//! A switch answered for one asker: what OFREP wants.
//!
//! Time is not in it: the served set is replaced at every deadline. Where no percentage bears on
//! the asker, [`Stack::effective`] answers; where one does, `flagd-evaluation-engine` evaluates the
//! very rule that flagd clients get, so that OFREP and flagd put a targeting key on the same side.

use super::flagd::{targeting, variant};
use flagd_evaluation_engine::targeting::Operator;
use open_feature::EvaluationContext;
use rein_core::doorway::Flag;
use rein_domain::layer::Stack;
use rein_domain::scope::{Percent, Place};
use rein_domain::switch::Setting;
use rein_domain::time::Timestamp;

/// Why an answer is what it is; the words of OFREP 0.3, which clients take as an enum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// No layer lies over the switch.
    Static,
    /// Layers decided, by zone and instance.
    TargetingMatch,
    /// A percentage decided.
    Split,
}

impl Reason {
    /// As OFREP writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Static => "STATIC",
            Self::TargetingMatch => "TARGETING_MATCH",
            Self::Split => "SPLIT",
        }
    }
}

/// Who asks: what is taken from a request's context, and nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asker {
    /// Context attribute `zone`.
    pub zone: Option<String>,
    /// Context attribute `instance`.
    pub instance: Option<String>,
    /// `targetingKey`.
    pub key: Option<String>,
}

/// A switch made ready to be asked.
#[derive(Debug)]
pub struct Question {
    key: String,
    stack: Stack,
    /// The rule in JSONLogic, if a percentage may bear on it.
    shares: Option<String>,
}

impl Question {
    /// Makes a flag ready. Its layers are taken to be live.
    pub fn new(flag: &Flag) -> Self {
        let mut stack = flag.stack.clone();
        for layer in &mut stack.layers {
            // The set is replaced at the deadline; until then the layer counts.
            layer.deadline = Timestamp(i64::MAX);
        }
        let shares = stack.layers.iter().any(|layer| layer.scope.percent != Percent::ALL);
        let shares = shares.then(|| targeting(&stack)).flatten().map(|rule| rule.to_string());
        Self { key: flag.switch.name.flag_key(), stack, shares }
    }

    /// The flag's key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The answer for this asker.
    pub fn answer(&self, engine: &Operator, asker: &Asker) -> (Setting, Reason) {
        if self.stack.layers.is_empty() {
            return (self.stack.base, Reason::Static);
        }
        let place = Place { zone: asker.zone.clone(), instance: asker.instance.clone(), bucket: None };
        let share = |layer: &rein_domain::layer::Layer| {
            layer.scope.percent != Percent::ALL && layer.scope.covers_site(&place)
        };
        if let (Some(rule), Some(_)) = (&self.shares, &asker.key)
            && self.stack.layers.iter().any(share)
            && let Some(setting) = self.ask(engine, rule, asker)
        {
            return (setting, Reason::Split);
        }
        (self.stack.effective(&place, Timestamp(0)), Reason::TargetingMatch)
    }

    /// Asks the engine. Only the attributes that rules use are passed: a context of the caller's
    /// making could otherwise replace `$flagd`, the engine's own part of it.
    fn ask(&self, engine: &Operator, rule: &str, asker: &Asker) -> Option<Setting> {
        let mut context = EvaluationContext::default();
        context.targeting_key.clone_from(&asker.key);
        for (name, value) in [("zone", &asker.zone), ("instance", &asker.instance)] {
            if let Some(value) = value {
                context = context.with_custom_field(name, value.as_str());
            }
        }
        match engine.apply(&self.key, rule, &context).ok()?.as_deref() {
            Some(answer) if answer == variant(Setting::On) => Some(Setting::On),
            Some(answer) if answer == variant(Setting::Off) => Some(Setting::Off),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::samples;
    use proptest::prelude::*;
    use serde_json::json;

    fn bucket(engine: &Operator, flag: &str, key: &str) -> Option<u8> {
        let slots: Vec<_> = (0..100).map(|n| json!([n.to_string(), 1])).collect();
        let context = EvaluationContext::default().with_targeting_key(key);
        let slot = engine.apply(flag, &json!({"fractional": slots}).to_string(), &context).unwrap();
        slot.map(|n| n.parse().unwrap())
    }

    proptest! {
        #![proptest_config(samples::cases())]

        #[test]
        fn an_answer_is_what_the_rule_says(stack in samples::stack(), asks in samples::asks()) {
            let engine = Operator::new();
            let now = samples::now();
            let mut stack = samples::at(stack, now);
            // As the house serves it.
            stack.layers.retain(|layer| layer.live(now));
            let place = Place {
                zone: asks.zone.clone(),
                instance: asks.instance.clone(),
                bucket: asks.key.as_deref().and_then(|key| bucket(&engine, "order.x", key)),
            };
            let expected = stack.effective(&place, now);
            let question = Question::new(&samples::flag("order/x", stack));
            let asker = Asker { zone: asks.zone, instance: asks.instance, key: asks.key };
            prop_assert_eq!(question.answer(&engine, &asker).0, expected);
        }
    }
}
