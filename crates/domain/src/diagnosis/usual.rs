//! What is usual for a series: its level, by hour of the day where there is enough history, and its spread.
//!
//! Median with MAD and IQR: up to a quarter of a history may be other incidents without moving
//! them (BARO, FSE 2024: median and IQR survive a late detection, mean and deviation do not).

use super::case::Metric;
use super::tuning::Tuning;

/// Level and spread.
#[derive(Debug, Clone)]
pub(super) struct Usual {
    levels: Levels,
    /// One robust standard deviation.
    pub(super) spread: f64,
    /// How many values it rests on.
    pub(super) values: usize,
}

#[derive(Debug, Clone)]
enum Levels {
    One(f64),
    ByHour(Box<[f64; 24]>),
}

/// So many days make every hour of the day known from more than two examples.
const DAYS: i64 = 3;
const DAY: i64 = 86_400_000;
const HOUR: i64 = 3_600_000;
/// MAD times this is the standard deviation of a normal distribution; IQR divided by 1.349 is, too.
const MAD: f64 = 1.4826;
const IQR: f64 = 1.349;

impl Usual {
    /// What is usual in a history of `(time, value)`, for a metric asked about `requests` times an interval.
    pub(super) fn of(
        metric: Metric,
        history: &[(i64, f64)],
        requests: Option<f64>,
        tuning: &Tuning,
    ) -> Option<Self> {
        if history.len() < tuning.least_history {
            return None;
        }
        let mut scratch: Vec<f64> = history.iter().map(|(_, value)| *value).collect();
        let level = median(&mut scratch)?;
        let levels = by_hour(history).map_or(Levels::One(level), Levels::ByHour);
        let mut usual = Self { levels, spread: 0.0, values: history.len() };
        let mut rest: Vec<f64> = history.iter().map(|(at, value)| value - usual.level(*at)).collect();
        let quarter = rest.len() / 4;
        let (_, low, above) = rest.select_nth_unstable_by(quarter, f64::total_cmp);
        let low = *low;
        // Of the greatest only those above the lower quarter need to be looked at.
        let high = match (history.len() - 1 - quarter).checked_sub(quarter + 1) {
            Some(place) => *above.select_nth_unstable_by(place, f64::total_cmp).1,
            None => low,
        };
        rest.iter_mut().for_each(|rest| *rest = rest.abs());
        let mad = MAD * median(&mut rest)?;
        usual.spread = mad.max((high - low) / IQR).max(floor(metric, level, history, requests, tuning));
        Some(usual)
    }

    /// The level at a time of day.
    pub(super) fn level(&self, at: i64) -> f64 {
        match &self.levels {
            Levels::One(level) => *level,
            Levels::ByHour(levels) => levels[hour(at)],
        }
    }
}

fn hour(at: i64) -> usize {
    usize::try_from(at.div_euclid(HOUR).rem_euclid(24)).unwrap_or(0)
}

/// The least spread: what would be noise even in a series that never moved.
fn floor(metric: Metric, level: f64, history: &[(i64, f64)], requests: Option<f64>, tuning: &Tuning) -> f64 {
    match metric {
        Metric::Latency => (tuning.floor * level.abs()).max(tuning.floor_seconds),
        // Arrivals scatter by their square root at the least.
        Metric::Requests => (tuning.floor * level.abs()).max(level.abs().sqrt()).max(1.0),
        Metric::Saturation => (tuning.floor * level.abs()).max(f64::MIN_POSITIVE),
        Metric::Availability => match requests {
            // What n requests scatter by if they fail as often as usual, and no less often than once in n:
            // one failure of ten is no outage.
            Some(n) if n >= 1.0 => {
                let mean = history.iter().map(|(_, value)| value).sum::<f64>() / history.len() as f64;
                let fails = (1.0 - mean / 100.0).max(1.0 / n).min(0.5);
                100.0 * (fails / n).sqrt()
            }
            _ => tuning.floor_percent,
        },
    }
}

/// The level in each hour: the median of that hour's and its neighbours' medians; absent: too few days.
fn by_hour(history: &[(i64, f64)]) -> Option<Box<[f64; 24]>> {
    let days = history.last()?.0.div_euclid(DAY) - history.first()?.0.div_euclid(DAY);
    if days < DAYS {
        return None;
    }
    // Of each hour: how many values it has, the last day it was seen on, and on how many.
    let (mut counts, mut seen) = ([0; 24], [(i64::MIN, 0); 24]);
    for (at, _) in history {
        let (hour, day) = (hour(*at), at.div_euclid(DAY));
        counts[hour] += 1;
        let (last, days) = &mut seen[hour];
        if day != *last {
            (*last, *days) = (day, *days + 1);
        }
    }
    // An hour seen on fewer days would be judged by one day alone.
    if seen.iter().any(|(_, days)| *days < DAYS) {
        return None;
    }
    // All values in one row, hour by hour.
    let mut row = vec![0.0; history.len()];
    let mut next = [0; 24];
    for hour in 1..24 {
        next[hour] = next[hour - 1] + counts[hour - 1];
    }
    for (at, value) in history {
        let place = &mut next[hour(*at)];
        row[*place] = *value;
        *place += 1;
    }
    let mut alone = [0.0; 24];
    for (hour, level) in alone.iter_mut().enumerate() {
        *level = median(&mut row[next[hour] - counts[hour]..next[hour]])?;
    }
    let mut levels = Box::new([0.0; 24]);
    for (hour, level) in levels.iter_mut().enumerate() {
        *level = median(&mut [alone[(hour + 23) % 24], alone[hour], alone[(hour + 1) % 24]])?;
    }
    Some(levels)
}

/// The median; reorders what it is given.
pub(super) fn median(values: &mut [f64]) -> Option<f64> {
    let (middle, odd) = (values.len() / 2, values.len() % 2 == 1);
    if values.is_empty() {
        return None;
    }
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    if odd {
        return Some(upper);
    }
    let lower = below.iter().copied().max_by(f64::total_cmp).unwrap_or(upper);
    Some(f64::midpoint(lower, upper))
}
