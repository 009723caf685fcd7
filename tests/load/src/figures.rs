//! Durations in, percentiles out.

use serde_json::{Value, json};
use std::time::Duration;

/// How long things took.
#[derive(Debug, Default, Clone)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    /// Takes one in.
    pub(crate) fn push(&mut self, took: Duration) {
        self.0.push(took.as_secs_f64() * 1e3);
    }

    /// Takes in another's.
    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// How many.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The value that this share of all does not exceed, in milliseconds; 0 of nothing.
    pub(crate) fn at(&mut self, share: f64) -> f64 {
        self.0.sort_by(f64::total_cmp);
        let last = self.0.len().saturating_sub(1) as f64;
        self.0.get((last * share) as usize).copied().unwrap_or(0.0)
    }

    /// `n`, `p50`, `p90`, `p99` and `max`, in milliseconds.
    pub(crate) fn figures(&mut self) -> Value {
        json!({
            "n": self.len(),
            "p50_ms": round(self.at(0.5)),
            "p90_ms": round(self.at(0.9)),
            "p99_ms": round(self.at(0.99)),
            "max_ms": round(self.at(1.0)),
        })
    }
}

/// Three digits after the point are all that a clock of this kind gives.
pub(crate) fn round(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// Puts the fields of `more` into `into`.
pub(crate) fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_values_given() {
        let mut samples = Samples::default();
        (1..=100).rev().for_each(|ms| samples.push(Duration::from_millis(ms)));
        assert_eq!((samples.at(0.5), samples.at(0.99), samples.at(1.0)), (50.0, 99.0, 100.0));
        assert_eq!(Samples::default().at(0.5), 0.0);
    }
}
