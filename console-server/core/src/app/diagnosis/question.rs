//! What is asked of a diagnosis: which symptom, seen against which past.

use crate::error::AppError;
use rein_api::ErrorCode;
use rein_api::diagnosis::DiagnosisQuery;
use rein_domain::diagnosis::{Metric, Tuning};
use rein_domain::time::Timestamp;
use rein_plugin::telemetry::Figure;
use std::time::Duration;

/// History looked at unless somebody says.
const OVER: u32 = 7200;
/// Distance of samples unless somebody says.
const STEP: u32 = 60;
/// What is asked of backends at most, in steps.
const MOST_STEPS: u32 = 4000;

/// A question that can be asked.
#[derive(Debug, Clone)]
pub(super) struct Question {
    /// In what the symptom may show; never empty.
    pub(super) metrics: Vec<Metric>,
    /// When it was noticed.
    pub(super) noticed: Timestamp,
    /// The first sample.
    pub(super) from: Timestamp,
    /// The last one.
    pub(super) to: Timestamp,
    /// How far apart they are.
    pub(super) step: Duration,
    /// Which latency.
    pub(super) quantile: Figure,
    /// Only by this backend.
    pub(super) backend: Option<String>,
}

fn invalid(message: impl Into<String>) -> AppError {
    AppError::new(ErrorCode::Invalid, message)
}

impl Question {
    pub(super) fn of(query: &DiagnosisQuery, now: Timestamp) -> Result<Self, AppError> {
        let metrics = match query.metric.as_deref() {
            None => vec![Metric::Availability, Metric::Latency],
            Some("latency") => vec![Metric::Latency],
            Some("availability") => vec![Metric::Availability],
            Some("saturation") => vec![Metric::Saturation],
            Some(_) => return Err(invalid("metric is none of latency, availability, saturation")),
        };
        let quantile = match query.quantile.as_deref() {
            None | Some("p90") => Figure::P90,
            Some("p50") => Figure::P50,
            Some("p99") => Figure::P99,
            Some(_) => return Err(invalid("quantile is none of p50, p90, p99")),
        };
        let (over, step) = (query.over_seconds.unwrap_or(OVER), query.step_seconds.unwrap_or(STEP));
        if !(60..=2_592_000).contains(&over) {
            return Err(invalid(format!("over_seconds is {over}, not 60 to 2592000")));
        }
        if !(1..=3600).contains(&step) {
            return Err(invalid(format!("step_seconds is {step}, not 1 to 3600")));
        }
        let steps = over / step;
        if !(20..=MOST_STEPS).contains(&steps) {
            let message =
                format!("{over} s in steps of {step} s are {steps} samples, not 20 to {MOST_STEPS}");
            return Err(invalid(message));
        }
        let step = Duration::from_secs(step.into());
        // On whole steps, so that one who asks twice gets the same samples.
        let whole = |at: Timestamp| {
            let width = i64::try_from(step.as_millis()).unwrap_or(i64::MAX);
            Timestamp(at.0 - at.0.rem_euclid(width))
        };
        // What was noticed just now has begun at least a step ago: two samples show it, and one could be chance.
        let (noticed, to) = match query.at_ms {
            None => (whole(now).minus(step), whole(now)),
            Some(at) if at > now.0 || at < 0 => return Err(invalid("at_ms lies ahead, or before 1970")),
            Some(at) => (Timestamp(at), whole(Timestamp(at).plus(step * 3).min(now))),
        };
        let from = to.minus(step * steps);
        Ok(Self { metrics, noticed, from, to, step, quantile, backend: query.backend.clone() })
    }

    /// The constants, for samples that lie so far apart.
    pub(super) fn tuning(&self) -> Tuning {
        Tuning::of_interval(self.step)
    }

    /// Over how long calls are looked for: what called somebody before the symptom may call nobody now.
    pub(super) fn calls_window(&self) -> Duration {
        let eighth = self.to.since(self.from) / 8;
        eighth.clamp(Duration::from_secs(60), Duration::from_secs(3600))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_392_007_123);

    #[test]
    fn what_is_not_said_is_two_hours_in_steps_of_a_minute() {
        let question = Question::of(&DiagnosisQuery::default(), NOW).unwrap();
        assert_eq!(question.to.0 % 60_000, 0);
        assert_eq!(question.to.since(question.from), Duration::from_secs(7200));
        assert_eq!(question.to.since(question.noticed), Duration::from_secs(60));
        assert_eq!(question.calls_window(), Duration::from_secs(900));
        let then = DiagnosisQuery { at_ms: Some(NOW.0 - 3_600_000), ..DiagnosisQuery::default() };
        let question = Question::of(&then, NOW).unwrap();
        assert_eq!(question.noticed, Timestamp(NOW.0 - 3_600_000));
        assert!(question.to > question.noticed && question.to < NOW);
    }

    #[test]
    fn what_cannot_be_asked_is_refused() {
        let query = DiagnosisQuery::default;
        for bad in [
            DiagnosisQuery { metric: Some("requests".into()), ..query() },
            DiagnosisQuery { quantile: Some("p95".into()), ..query() },
            DiagnosisQuery { over_seconds: Some(59), ..query() },
            DiagnosisQuery { step_seconds: Some(0), ..query() },
            DiagnosisQuery { step_seconds: Some(3600), ..query() },
            DiagnosisQuery { step_seconds: Some(1), over_seconds: Some(7200), ..query() },
            DiagnosisQuery { at_ms: Some(NOW.0 + 1), ..query() },
        ] {
            assert_eq!(Question::of(&bad, NOW).unwrap_err().code(), ErrorCode::Invalid, "{bad:?}");
        }
    }
}
