//! What is usual for a series: its level, by hour of the day where there is enough history, and its spread.
//!
//! Median with MAD and IQR: up to a quarter of a history may be other incidents without moving
//! them (BARO, FSE 2024: median and IQR survive a late detection, mean and deviation do not).

use super::case::Metric;
use super::timeline::Moment;
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
const DAYS: i32 = 3;
/// MAD times this is the standard deviation of a normal distribution; IQR divided by 1.349 is, too.
const MAD: f64 = 1.4826;
const IQR: f64 = 1.349;

impl Usual {
    /// What is usual in a history, for a metric asked about `requests` times an interval.
    pub(super) fn of(
        metric: Metric,
        history: &[(Moment, f64)],
        requests: Option<f64>,
        tuning: &Tuning,
    ) -> Option<Self> {
        if history.len() < tuning.least_history {
            return None;
        }
        let mut ranks: Vec<Rank> = history.iter().map(|(_, value)| Rank::of(*value)).collect();
        let level = median(&mut ranks)?;
        let levels = by_hour(history).map_or(Levels::One(level), Levels::ByHour);
        let mut usual = Self { levels, spread: 0.0, values: history.len() };
        let rest = history.iter().map(|(at, value)| value - usual.level(*at));
        ranks.iter_mut().zip(rest).for_each(|(rank, rest)| *rank = Rank::of(rest));
        let quarter = ranks.len() / 4;
        let (_, low, above) = ranks.select_nth_unstable(quarter);
        let low = low.value();
        // Of the greatest only those above the lower quarter need to be looked at.
        let high = match (history.len() - 1 - quarter).checked_sub(quarter + 1) {
            Some(place) => above.select_nth_unstable(place).1.value(),
            None => low,
        };
        ranks.iter_mut().for_each(|rank| *rank = Rank::of(rank.value().abs()));
        let mad = MAD * median(&mut ranks)?;
        usual.spread = mad.max((high - low) / IQR).max(floor(metric, level, history, requests, tuning));
        Some(usual)
    }

    /// The level at a time of day.
    pub(super) fn level(&self, at: Moment) -> f64 {
        match &self.levels {
            Levels::One(level) => *level,
            Levels::ByHour(levels) => levels[usize::from(at.hour)],
        }
    }
}

/// The least spread: what would be noise even in a series that never moved.
fn floor(
    metric: Metric,
    level: f64,
    history: &[(Moment, f64)],
    requests: Option<f64>,
    tuning: &Tuning,
) -> f64 {
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
fn by_hour(history: &[(Moment, f64)]) -> Option<Box<[f64; 24]>> {
    let days = history.last()?.0.day - history.first()?.0.day;
    if days < DAYS {
        return None;
    }
    // Of each hour: how many values it has, the last day it was seen on, and on how many.
    let (mut counts, mut seen) = ([0; 24], [(i32::MIN, 0); 24]);
    for (at, _) in history {
        let hour = usize::from(at.hour);
        counts[hour] += 1;
        let (last, days) = &mut seen[hour];
        if at.day != *last {
            (*last, *days) = (at.day, *days + 1);
        }
    }
    // An hour seen on fewer days would be judged by one day alone.
    if seen.iter().any(|(_, days)| *days < DAYS) {
        return None;
    }
    // All values in one row, hour by hour.
    let mut row = vec![Rank::of(0.0); history.len()];
    let mut next = [0; 24];
    for hour in 1..24 {
        next[hour] = next[hour - 1] + counts[hour - 1];
    }
    for (at, value) in history {
        let place = &mut next[usize::from(at.hour)];
        row[*place] = Rank::of(*value);
        *place += 1;
    }
    let mut alone = [0.0; 24];
    for (hour, level) in alone.iter_mut().enumerate() {
        *level = median(&mut row[next[hour] - counts[hour]..next[hour]])?;
    }
    let mut levels = Box::new([0.0; 24]);
    for (hour, level) in levels.iter_mut().enumerate() {
        let around = [alone[(hour + 23) % 24], alone[hour], alone[(hour + 1) % 24]];
        *level = median(&mut around.map(Rank::of))?;
    }
    Some(levels)
}

/// A number by its rank among all (IEEE 754, totalOrder): integers are put in order sooner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank(i64);

impl Rank {
    pub(super) fn of(value: f64) -> Self {
        Self(Self::turn(value.to_bits().cast_signed()))
    }

    fn value(self) -> f64 {
        f64::from_bits(Self::turn(self.0).cast_unsigned())
    }

    /// Of what is negative all bits but the sign; twice is nothing.
    fn turn(bits: i64) -> i64 {
        bits ^ ((bits >> 63) & i64::MAX)
    }
}

/// The median; reorders what it is given.
pub(super) fn median(ranks: &mut [Rank]) -> Option<f64> {
    let (middle, odd) = (ranks.len() / 2, ranks.len() % 2 == 1);
    if ranks.is_empty() {
        return None;
    }
    let (below, upper, _) = ranks.select_nth_unstable(middle);
    let upper = upper.value();
    if odd {
        return Some(upper);
    }
    let lower = below.iter().max().map_or(upper, |lower| lower.value());
    Some(f64::midpoint(lower, upper))
}
