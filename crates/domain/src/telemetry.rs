//! What figures say of health. Pure: figures in, a verdict out.
//!
//! A figure that is absent is not known. Nothing here takes it for zero, and nothing takes silence for
//! health.

/// Figures of a service, an instance or a call over some window. `None`: no data.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Figures {
    /// Requests per second.
    pub rps: Option<f64>,
    /// The share of requests that did not fail, 0 to 1.
    pub success: Option<f64>,
    /// Seconds within which half of the requests were answered.
    pub p50: Option<f64>,
    /// The same for nine tenths.
    pub p90: Option<f64>,
    /// The same for 99 of 100.
    pub p99: Option<f64>,
    /// How much of what it can carry is used, 0 to 1.
    pub saturation: Option<f64>,
}

impl Figures {
    /// How many are known.
    pub fn known(&self) -> usize {
        let all = [self.rps, self.success, self.p50, self.p90, self.p99, self.saturation];
        all.iter().flatten().count()
    }
}

/// From which figures on something is called unwell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// The share of failed requests from which on it fails.
    pub failing: f64,
    /// The share of failed requests from which on it is degraded.
    pub degraded: f64,
    /// The share of capacity in use from which on it is degraded.
    pub saturated: f64,
}

impl Thresholds {
    /// The declared defaults: Kiali's 10 % of server errors for failing, and for degraded a tenth of that.
    pub const DEFAULT: Self = Self { failing: 0.10, degraded: 0.01, saturated: 0.90 };
}

/// How something is, best first; whatever is not known stands before all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Health {
    /// There is no data that would tell.
    Unknown,
    /// Nothing is asked of it.
    Idle,
    /// As it should be.
    Good,
    /// Somebody should look.
    Degraded,
    /// It does not do what it is for.
    Failing,
}

impl Health {
    /// In one word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unknown => "no data",
            Self::Idle => "idle",
            Self::Good => "good",
            Self::Degraded => "degraded",
            Self::Failing => "failing",
        }
    }
}

/// Why something is unwell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cause {
    /// This share of requests fails.
    Fails(f64),
    /// This share of capacity is in use.
    Saturated(f64),
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fails(share) => write!(f, "{} fail", Percent(*share)),
            Self::Saturated(share) => write!(f, "{} of its capacity used", Percent(*share)),
        }
    }
}

/// A share as people read it: `0.4 %`, `12 %`. What is not all is never shown as all, what is not nothing
/// never as nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Percent(pub f64);

impl std::fmt::Display for Percent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let percent = self.0 * 100.0;
        // 1 - 0.9 is a hair less than a tenth, and ten per cent all the same.
        let rounded = (percent * 10.0).round() / 10.0;
        let text = match percent {
            p if p <= 0.0 => "0 %".to_owned(),
            p if p >= 100.0 => "100 %".to_owned(),
            p if p < 0.1 => "<0.1 %".to_owned(),
            p if p > 99.9 => ">99.9 %".to_owned(),
            _ if (10.0..=90.0).contains(&rounded) => format!("{rounded:.0} %"),
            _ => format!("{rounded:.1} %"),
        };
        f.pad(&text)
    }
}

/// How something is by its figures, and why it is unwell if it is.
pub fn health(figures: &Figures, thresholds: &Thresholds) -> (Health, Vec<Cause>) {
    let (mut health, mut causes) = (Health::Unknown, Vec::new());
    if let Some(success) = figures.success {
        let failed = 1.0 - success;
        // Rounding must not decide: 0.9 is 10 % that failed.
        health = match failed + 1e-9 {
            failed if failed >= thresholds.failing => Health::Failing,
            failed if failed >= thresholds.degraded => Health::Degraded,
            _ => Health::Good,
        };
        if health > Health::Good {
            causes.push(Cause::Fails(failed));
        }
    } else if figures.rps == Some(0.0) {
        health = Health::Idle;
    }
    if let Some(used) = figures.saturation.filter(|used| *used >= thresholds.saturated) {
        health = health.max(Health::Degraded);
        causes.push(Cause::Saturated(used));
    }
    (health, causes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(rps: Option<f64>, success: Option<f64>, saturation: Option<f64>) -> (Health, Vec<Cause>) {
        let figures = Figures { rps, success, saturation, ..Figures::default() };
        health(&figures, &Thresholds::DEFAULT)
    }

    #[test]
    fn health_by_its_figures() {
        for (rps, success, saturation, is) in [
            (None, None, None, Health::Unknown),
            (Some(5.0), None, None, Health::Unknown),
            (Some(0.0), None, None, Health::Idle),
            (Some(5.0), Some(1.0), None, Health::Good),
            (Some(5.0), Some(0.995), Some(0.5), Health::Good),
            (None, Some(0.99), None, Health::Degraded),
            (Some(5.0), Some(0.91), None, Health::Degraded),
            (Some(5.0), Some(0.9), None, Health::Failing),
            (Some(5.0), Some(0.0), None, Health::Failing),
            (Some(5.0), Some(1.0), Some(0.9), Health::Degraded),
            (None, None, Some(0.95), Health::Degraded),
            (None, None, Some(0.2), Health::Unknown),
            (Some(5.0), Some(0.5), Some(1.0), Health::Failing),
        ] {
            let (health, causes) = of(rps, success, saturation);
            assert_eq!(health, is, "{rps:?} {success:?} {saturation:?}");
            assert_eq!(causes.is_empty(), health <= Health::Good, "{causes:?}");
        }
        let (_, causes) = of(None, Some(0.876), Some(0.96));
        let words: Vec<String> = causes.iter().map(ToString::to_string).collect();
        assert_eq!(words, ["12 % fail", "96.0 % of its capacity used"]);
    }

    #[test]
    fn almost_all_is_not_all_and_almost_nothing_is_something() {
        for (share, text) in [
            (0.0, "0 %"),
            (0.000_1, "<0.1 %"),
            (0.012, "1.2 %"),
            (1.0 - 0.9, "10 %"),
            (0.5, "50 %"),
            (0.994, "99.4 %"),
            (0.999_9, ">99.9 %"),
            (1.0, "100 %"),
        ] {
            assert_eq!(Percent(share).to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn more_failures_are_never_healthier(a in 0.0..=1.0f64, b in 0.0..=1.0f64, used in 0.0..=1.0f64) {
            let (worse, better) = (a.min(b), a.max(b));
            prop_assert!(of(None, Some(worse), None).0 >= of(None, Some(better), None).0);
            prop_assert!(of(None, Some(a), Some(used)).0 >= of(None, Some(a), None).0);
        }
    }
}
