//! Samples at any moments become values at common ones; which of them are the symptom's window,
//! which come just before, and which are history.

use super::case::{Case, Metric, Series, Subject};
use super::tuning::Tuning;
use crate::time::Timestamp;
use std::ops::Range;
use std::sync::Arc;

/// The intervals in which anything was measured, by time. There are no places for gaps.
#[derive(Debug, Clone)]
pub(super) struct Timeline {
    /// Numbers of intervals, counted from `origin`.
    places: Vec<i64>,
    /// The same, as times of day.
    moments: Vec<Moment>,
    rhythm: Rhythm,
    origin: i64,
    /// Length of an interval, in milliseconds.
    pub(super) width: i64,
    /// How many samples fall into one interval.
    pub(super) samples: f64,
    /// The window of the symptom, as positions.
    pub(super) window: Range<usize>,
    /// What lies just before the window.
    pub(super) before: Range<usize>,
}

/// Which day since the epoch, and which hour of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) day: i32,
    /// 0 to 23.
    pub(super) hour: u8,
}

impl Moment {
    const HOUR: i64 = 3_600_000;

    fn of(at: i64) -> Self {
        let hours = at.div_euclid(Self::HOUR);
        let hour = u8::try_from(hours.rem_euclid(24)).unwrap_or(0);
        Self { day: i32::try_from(hours.div_euclid(24)).unwrap_or(i32::MAX), hour }
    }
}

/// When the symptom's samples were taken, and into which intervals they fall. Of a series with the same times nothing
/// needs to be looked up.
#[derive(Debug, Clone, Default)]
struct Rhythm {
    times: Arc<Vec<Timestamp>>,
    positions: Vec<usize>,
    /// Is there one sample in each interval of the timeline?
    whole: bool,
}

/// At most this many intervals say what the level just before was: a median of three is not one outlier.
const BEFORE: usize = 3;

impl Timeline {
    /// The timeline of some series of a case; absent: nothing was measured around the symptom.
    pub(super) fn of(case: &Case, series: &[(Subject, Metric)], tuning: &Tuning) -> Option<Self> {
        let symptom = &case.samples(Subject::Node(case.symptom.node), case.symptom.metric)?.times;
        let step = step(symptom)?;
        let width = step.max(i64::try_from(tuning.interval.as_millis()).unwrap_or(i64::MAX));
        // Samples that come once an interval lie in the middle of theirs, at least around the symptom: a late
        // one does not slip over.
        let near = symptom.iter().rfind(|time| **time <= case.symptom.at).or(symptom.first())?;
        let origin = near.0 - width / 2;
        let mut line = Self {
            places: Vec::new(),
            moments: Vec::new(),
            rhythm: Rhythm::default(),
            origin,
            width,
            samples: width as f64 / step as f64,
            window: 0..0,
            before: 0..0,
        };
        line.cover(symptom);
        line.rhythm.times = Arc::clone(symptom);
        for (subject, metric) in series {
            if let Some(series) = case.samples(*subject, *metric).filter(|series| !line.keeps_time(series)) {
                line.cover(&series.times);
            }
        }
        line.rhythm.positions = line.positions(symptom);
        line.rhythm.whole = line.rhythm.positions.iter().copied().eq(0..line.places.len());
        line.moments = (0..line.places.len()).map(|i| Moment::of(line.at(i))).collect();
        let at = case.symptom.at.0;
        let end = window_end(case.symptom.at, symptom, tuning).0;
        // A sample stands for the interval that begins or ends with it, and nobody says which.
        let begin = (0..line.places.len()).find(|i| line.at(*i) > at - width)?;
        let end = (begin..line.places.len()).find(|i| line.at(*i) >= end).unwrap_or(line.places.len());
        line.set_window(begin..end, tuning);
        (begin < end).then_some(line)
    }

    /// Was it measured when the symptom was?
    fn keeps_time(&self, series: &Series) -> bool {
        Arc::ptr_eq(&series.times, &self.rhythm.times)
    }

    fn place(&self, time: Timestamp) -> i64 {
        (time.0 - self.origin).div_euclid(self.width)
    }

    /// The place of a moment that probably lies in one of the next two: a look at those is cheaper than a division,
    /// and there are millions of samples.
    fn place_ahead(&self, time: Timestamp, ahead: &[i64]) -> i64 {
        let within = |place: &&i64| (0..self.width).contains(&(time.0 - self.origin - **place * self.width));
        ahead.iter().take(2).find(within).copied().unwrap_or_else(|| self.place(time))
    }

    /// Makes places for all samples of a series.
    fn cover(&mut self, times: &[Timestamp]) {
        let mut fresh = Vec::new();
        let (mut known, mut last) = (0, None);
        for time in times {
            let place = self.place_ahead(*time, &self.places[known..]);
            known += self.places[known..].iter().take_while(|known| **known < place).count();
            if self.places.get(known) != Some(&place) && last != Some(place) {
                fresh.push(place);
            }
            last = Some(place);
        }
        if !fresh.is_empty() {
            self.places.extend(fresh);
            self.places.sort_unstable();
        }
    }

    /// The middle of an interval, in milliseconds since the epoch.
    pub(super) fn at(&self, position: usize) -> i64 {
        self.origin + self.places[position] * self.width + self.width / 2
    }

    /// The time of day of an interval.
    pub(super) fn moment(&self, position: usize) -> Moment {
        self.moments[position]
    }

    /// How many intervals there are.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Moves the window, and with it what lies before.
    pub(super) fn set_window(&mut self, window: Range<usize>, tuning: &Tuning) {
        let reach = i64::try_from(tuning.before.as_millis()).unwrap_or(i64::MAX).max(self.width);
        let from = self.at(window.start) - reach;
        let begin = (0..window.start).rev().take(BEFORE).take_while(|i| self.at(*i) >= from).last();
        self.before = begin.unwrap_or(window.start)..window.start;
        self.window = window;
    }

    /// Is the interval before this one its neighbour in time?
    pub(super) fn adjoins(&self, position: usize) -> bool {
        position > 0 && self.places[position] - self.places[position - 1] == 1
    }

    /// Where samples lie that are all covered, by time.
    fn positions(&self, times: &[Timestamp]) -> Vec<usize> {
        let mut position = 0;
        let at = times.iter().map(|time| {
            let place = self.place_ahead(*time, &self.places[position..]);
            position += self.places[position..].iter().take_while(|known| **known < place).count();
            position
        });
        at.collect()
    }

    /// The values of a series that is covered, averaged in each interval. NaN is "no data".
    pub(super) fn values(&self, series: &Series) -> Vec<f64> {
        if self.rhythm.whole && self.keeps_time(series) {
            return series.values.clone();
        }
        let mut values = vec![f64::NAN; self.places.len()];
        let own = (!self.keeps_time(series)).then(|| self.positions(&series.times));
        let positions = own.as_ref().unwrap_or(&self.rhythm.positions);
        let mut samples = series.values.iter().zip(positions).peekable();
        while let Some((value, position)) = samples.next() {
            let (mut sum, mut count) = (*value, 1.0);
            while let Some((more, _)) = samples.next_if(|(_, next)| *next == position) {
                (sum, count) = (sum + more, count + 1.0);
            }
            values[*position] = if count > 1.0 { sum / count } else { sum };
        }
        values
    }
}

/// Where the window of a symptom ends, given when it was measured. What comes later is no history of it.
pub fn window_end(at: Timestamp, times: &[Timestamp], tuning: &Tuning) -> Timestamp {
    let intervals = step(times).unwrap_or(0).saturating_mul(3);
    let after = i64::try_from(tuning.after.as_millis()).unwrap_or(i64::MAX);
    Timestamp(at.0.saturating_add(after.max(intervals)))
}

/// The usual distance between samples: the median, since some are missing.
fn step(times: &[Timestamp]) -> Option<i64> {
    let mut steps: Vec<i64> =
        times.windows(2).map(|pair| pair[1].0 - pair[0].0).filter(|step| *step > 0).collect();
    let middle = steps.len() / 2;
    (!steps.is_empty()).then(|| *steps.select_nth_unstable(middle).1)
}
