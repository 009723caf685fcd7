//! A switch answered for one asker: what OFREP wants.
//!
//! Time is not in it: the served set is replaced at every deadline. A percentage puts a targeting key on
//! the side where flagd clients put it: [`bucket`] is their hash, held to `flagd-evaluation-engine` and the
//! very rule that they get by the test below.

use rein_core::doorway::Flag;
use rein_domain::layer::{Layer, Stack};
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
}

impl Question {
    /// Makes a flag ready. Its layers are taken to be live.
    pub fn new(flag: &Flag) -> Self {
        let mut stack = flag.stack.clone();
        for layer in &mut stack.layers {
            // The set is replaced at the deadline; until then the layer counts.
            layer.deadline = Timestamp(i64::MAX);
        }
        Self { key: flag.switch.name.flag_key(), stack }
    }

    /// The flag's key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The answer for this asker.
    pub fn answer(&self, asker: &Asker) -> (Setting, Reason) {
        if self.stack.layers.is_empty() {
            return (self.stack.base, Reason::Static);
        }
        let mut place = Place { zone: asker.zone.clone(), instance: asker.instance.clone(), bucket: None };
        let share = |layer: &Layer| layer.scope.percent != Percent::ALL && layer.scope.covers_site(&place);
        if self.stack.layers.iter().any(share) {
            place.bucket = asker.key.as_deref().and_then(|key| bucket(&self.key, key));
        }
        let reason = if place.bucket.is_some() { Reason::Split } else { Reason::TargetingMatch };
        (self.stack.effective(&place, Timestamp(0)), reason)
    }
}

/// Which of a hundred parts of a flag's askers a targeting key is in; `None` for one that says nothing.
///
/// Source: flagd's custom operations, `fractional`: the hash is MurmurHash3 (x86, 32 bits, seed 0) of the CBOR
/// array of flag key and targeting key, the part its share of 2³².
fn bucket(flag: &str, key: &str) -> Option<u8> {
    if key.is_empty() {
        return None;
    }
    let mut hashed = Vec::with_capacity(flag.len() + key.len() + 8);
    ciborium::into_writer(&(flag, key), &mut hashed).ok()?;
    let hash = murmur3::murmur3_32(&mut hashed.as_slice(), 0).ok()?;
    u8::try_from((u64::from(hash) * 100) >> 32).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::flagd::{targeting, variant};
    use crate::compile::samples;
    use flagd_evaluation_engine::targeting::Operator;
    use open_feature::EvaluationContext;
    use proptest::prelude::*;

    /// What a flagd client makes of the rule that it gets.
    fn by_the_rule(engine: &Operator, stack: &Stack, asker: &Asker) -> Setting {
        let Some(rule) = targeting(stack) else { return stack.base };
        let mut context = EvaluationContext::default();
        context.targeting_key.clone_from(&asker.key);
        for (name, value) in [("zone", &asker.zone), ("instance", &asker.instance)] {
            if let Some(value) = value {
                context = context.with_custom_field(name, value.as_str());
            }
        }
        let answer = engine.apply("order.x", &rule.to_string(), &context).unwrap().unwrap();
        [Setting::On, Setting::Off].into_iter().find(|setting| variant(*setting) == answer).unwrap()
    }

    proptest! {
        #![proptest_config(samples::cases())]

        #[test]
        fn an_answer_is_what_the_rule_says(
            stack in samples::stack(),
            asks in samples::asks(),
            key in prop::option::of(".{0,300}"),
        ) {
            let now = samples::now();
            let mut stack = samples::at(stack, now);
            // As the house serves it; no deadline passes while the engine, which has a clock, looks.
            stack.layers.retain(|layer| layer.live(now));
            for layer in &mut stack.layers {
                layer.deadline = Timestamp(i64::MAX);
            }
            let asker = Asker { zone: asks.zone, instance: asks.instance, key };
            let expected = by_the_rule(&Operator::new(), &stack, &asker);
            let question = Question::new(&samples::flag("order/x", stack));
            prop_assert_eq!(question.answer(&asker).0, expected);
        }
    }
}
