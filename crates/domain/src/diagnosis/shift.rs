//! How far the window of a series departs from what is usual, and how rare that is in its own past.
//!
//! One number says how far: the best pair of neighbouring values in the window, in robust standard
//! deviations, measured from the level just before. The same number is taken of every window of the history;
//! how many of them reach it is how often it happens when nothing is wrong. So heavy tails, drifts and
//! series that are always restless are paid for in advance.

use super::case::Metric;
use super::timeline::{Moment, Timeline};
use super::tuning::Tuning;
use super::usual::{Rank, Usual, median};
use std::ops::Range;

/// A series beside its past.
#[derive(Debug, Clone)]
pub(super) struct Shift {
    /// The values, one an interval; NaN is "no data".
    pub(super) values: Vec<f64>,
    /// How far the window departs, in robust standard deviations; positive is worse.
    pub(super) far: f64,
    ruler: Ruler,
    /// What the window is measured from, as a multiple of the spread above the usual level.
    above: f64,
    usual: Usual,
    sign: f64,
    /// Where in the timeline the shift begins.
    pub(super) since: Option<usize>,
    /// Mean of the pair of values that departs the most.
    pub(super) now: f64,
    /// The usual level then.
    pub(super) was: f64,
}

/// Which way is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Up,
    Down,
}

impl Way {
    /// The way in which a metric worsens.
    pub(super) fn of(metric: Metric) -> Self {
        if metric == Metric::Availability { Self::Down } else { Self::Up }
    }

    fn sign(self) -> f64 {
        if self == Self::Up { 1.0 } else { -1.0 }
    }
}

impl Shift {
    /// Judges a series; absent: it has no data in the window, or too little history.
    pub(super) fn of(
        line: &Timeline,
        values: Vec<f64>,
        (metric, way): (Metric, Way),
        requests: Option<f64>,
        tuning: &Tuning,
    ) -> Option<Self> {
        let place = |i: usize| (line.moment(i), values[i]);
        let outside = |i: &usize| !line.window.contains(i) && !values[*i].is_nan();
        let history: Vec<(Moment, f64)> = (0..line.len()).filter(outside).map(place).collect();
        let usual = Usual::of(metric, &history, requests, tuning)?;
        let (sign, level) = (way.sign(), usual.level(line.moment(line.window.start)));
        let ruler = Ruler { metric, sign, level, spread: usual.spread };
        let (far, above, now, was) = (f64::NAN, 0.0, f64::NAN, f64::NAN);
        let mut shift = Self { far, ruler, above, sign, since: None, now, was, usual, values };
        let (before, window) = (shift.rest(line, line.before.clone()), shift.rest(line, line.window.clone()));
        (shift.far, shift.above) = shift.ruler.far(&before, &window)?;
        shift.describe(line, tuning);
        Some(shift)
    }

    /// How often the history departs as far. It costs a look at every window of the past, so it is asked
    /// only of what may be named.
    pub(super) fn chance(&self, line: &Timeline, tuning: &Tuning) -> f64 {
        if self.far < tuning.raised {
            return 1.0;
        }
        self.ruler.chance(line, &self.rest(line, 0..line.len()), self.far, tuning)
    }

    /// Values in robust standard deviations from the usual level; positive is worse.
    fn rest(&self, line: &Timeline, positions: Range<usize>) -> Vec<f64> {
        let from_usual =
            |i: usize| self.sign * (self.values[i] - self.usual.level(line.moment(i))) / self.usual.spread;
        positions.map(from_usual).collect()
    }

    /// What the window is measured from, at a position.
    pub(super) fn base(&self, line: &Timeline, position: usize) -> f64 {
        self.usual.level(line.moment(position)) + self.sign * self.above * self.usual.spread
    }

    /// By how much the value at a position is worse than what it is measured from.
    pub(super) fn worse(&self, line: &Timeline, position: usize) -> Option<f64> {
        let value = self.values[position];
        (!value.is_nan()).then(|| self.sign * (value - self.base(line, position)))
    }

    /// How far a single value is above the usual level; absent: no data.
    pub(super) fn above_usual(&self, line: &Timeline, position: usize) -> Option<f64> {
        let value = self.values[position];
        let far = self.sign * (value - self.usual.level(line.moment(position))) / self.usual.spread;
        (!value.is_nan()).then_some(far)
    }

    /// How many values the history has.
    pub(super) fn history(&self) -> usize {
        self.usual.values
    }

    /// The part of the present level that is new, from 0 to 1.
    pub(super) fn new_part(&self) -> f64 {
        let (most, least) = if self.sign > 0.0 { (self.now, self.was) } else { (self.was, self.now) };
        if most > 0.0 { ((most - least) / most).clamp(0.0, 1.0) } else { 0.0 }
    }

    fn describe(&mut self, line: &Timeline, tuning: &Tuning) {
        let window: Vec<usize> = line.window.clone().filter(|i| !self.values[*i].is_nan()).collect();
        let worse = |i: &usize| self.worse(line, *i).unwrap_or(f64::NEG_INFINITY);
        let best = window.windows(2.min(window.len()).max(1)).max_by(|a, b| {
            let least = |some: &[usize]| some.iter().map(worse).fold(f64::INFINITY, f64::min);
            least(a).total_cmp(&least(b))
        });
        let Some(best) = best else { return };
        let over = best.len() as f64;
        let now = best.iter().map(|i| self.values[*i]).sum::<f64>() / over;
        let was = best.iter().map(|i| self.base(line, *i)).sum::<f64>() / over;
        let least = tuning.raised * self.usual.spread;
        let first = window.iter().position(|i| i == &best[0]).unwrap_or(0);
        let since = window[..=first].iter().rev().take_while(|i| worse(i) >= least).last();
        let since = *since.unwrap_or(&best[0]);
        (self.now, self.was, self.since) = (now, was, Some(since));
    }
}

/// How departures of one series are measured.
#[derive(Debug, Clone)]
struct Ruler {
    metric: Metric,
    sign: f64,
    level: f64,
    spread: f64,
}

impl Ruler {
    /// How far a window departs from the level just before it, and how far above the usual that level is.
    fn far(&self, before: &[f64], window: &[f64]) -> Option<(f64, f64)> {
        let mut just_before = [Rank::of(0.0); 8];
        let mut count = 0;
        for value in before.iter().filter(|value| !value.is_nan()).take(just_before.len()) {
            just_before[count] = Rank::of(*value);
            count += 1;
        }
        // What had moved before the symptom did not cause it. One deviation is what it may be off by chance.
        let off = median(&mut just_before[..count]).unwrap_or(0.0);
        let above = off.signum() * (off.abs() - 1.0).max(0.0);
        // A slower series is noisier in proportion.
        let wider = match self.metric {
            Metric::Availability => 1.0,
            _ => 1.0 + (self.sign * above * self.spread / self.level.abs().max(f64::MIN_POSITIVE)).max(0.0),
        };
        persistent(window, above).map(|far| (far / wider, above))
    }

    /// How often a window of the history departs that far.
    fn chance(&self, line: &Timeline, rest: &[f64], far: f64, tuning: &Tuning) -> f64 {
        let (before, length) = (line.before.len(), line.window.len());
        let (mut windows, mut reach, mut most) = (0.0, 0.0, tuning.stands_out);
        for begin in before..(rest.len() + 1).saturating_sub(length) {
            if begin < line.window.end && line.window.start < begin + length {
                continue;
            }
            let (ahead, window) = (&rest[begin - before..begin], &rest[begin..begin + length]);
            let Some(bound) = bound(ahead, window) else { continue };
            if bound < far && bound <= most {
                windows += 1.0;
                continue;
            }
            let Some((there, _)) = self.far(ahead, window) else { continue };
            windows += 1.0;
            reach += f64::from(u8::from(there >= far));
            most = there.max(most);
        }
        let chance = (1.0 + reach) / (1.0 + windows);
        // Beyond everything seen: the tail goes on as the heaviest one that still has a variance.
        if reach == 0.0 { chance * (most / far).powi(2).min(1.0) } else { chance }
    }
}

/// What [`Ruler::far`] says of a window at the most, at a fraction of its cost; absent: the window has no data. Most
/// windows of most pasts are so quiet that it is enough to know this.
fn bound(before: &[f64], window: &[f64]) -> Option<f64> {
    // `f64::max` and `f64::min` pass over what is no number.
    let most = window.iter().copied().fold(f64::NAN, f64::max);
    let least = before.iter().copied().fold(f64::NAN, f64::min);
    // The level just before is no lower than its least value, and one deviation of that is forgiven.
    (!most.is_nan()).then(|| most - (least + 1.0).min(0.0))
}

/// The best pair of neighbouring values of a window, so that one outlier is no shift: a pair counts as its mean,
/// and at most as half again its lesser one. A window of one value has no pair, and counts as that value.
fn persistent(window: &[f64], above: f64) -> Option<f64> {
    if let [only] = window {
        return (!only.is_nan()).then_some(only - above);
    }
    let mut values = window.iter().filter(|value| !value.is_nan()).map(|value| value - above);
    let mut last = values.next()?;
    let mut best = f64::NEG_INFINITY;
    for value in values {
        let (least, most) = if last < value { (last, value) } else { (value, last) };
        let pair = if least > 0.0 { f64::midpoint(least, most).min(1.5 * least) } else { least };
        best = best.max(pair);
        last = value;
    }
    // One value where there should be several shows nothing that lasts.
    Some(if best.is_finite() { best } else { last.min(0.0) })
}

#[cfg(test)]
mod tests {
    use super::{Ruler, bound};
    use crate::diagnosis::Metric;
    use proptest::prelude::*;

    fn values(most: usize) -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec(prop_oneof![4 => -9.0f64..9.0, 1 => Just(f64::NAN)], 0..most)
    }

    proptest! {
        /// No window departs further than its bound, and it has one if it has data: passing it over alters nothing.
        #[test]
        fn the_bound_holds(before in values(12), window in values(8), level in 0.1f64..9.0, spread in 0.1f64..9.0) {
            let ruler = Ruler { metric: Metric::Latency, sign: 1.0, level, spread };
            let far = ruler.far(&before, &window).map(|(far, _)| far);
            let bound = bound(&before, &window);
            prop_assert_eq!(far.is_some(), bound.is_some());
            prop_assert!(far <= bound.map(|bound| bound.max(0.0)), "{far:?} over {bound:?}");
        }
    }
}
