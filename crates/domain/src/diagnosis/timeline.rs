//! Samples at any moments become values at common ones; which of them are the symptom's window,
//! which come just before, and which are history.

use super::case::{Case, Metric, Sample, Subject};
use super::tuning::Tuning;
use crate::time::Timestamp;
use std::ops::Range;

/// The intervals in which anything was measured, by time. There are no places for gaps.
#[derive(Debug, Clone)]
pub(super) struct Timeline {
    /// Numbers of intervals, counted from `origin`.
    places: Vec<i64>,
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

/// At most this many intervals say what the level just before was: a median of three is not one outlier.
const BEFORE: usize = 3;

impl Timeline {
    /// The timeline of some series of a case; absent: nothing was measured around the symptom.
    pub(super) fn of(case: &Case, series: &[(Subject, Metric)], tuning: &Tuning) -> Option<Self> {
        let symptom = case.samples(Subject::Node(case.symptom.node), case.symptom.metric);
        let step = step(symptom)?;
        let width = step.max(i64::try_from(tuning.interval.as_millis()).unwrap_or(i64::MAX));
        // Samples that come once an interval lie in the middle of theirs, at least around the symptom: a late
        // one does not slip over.
        let near = symptom.iter().rfind(|sample| sample.at <= case.symptom.at).or(symptom.first())?;
        let origin = near.at.0 - width / 2;
        let mut line = Self {
            places: Vec::new(),
            origin,
            width,
            samples: width as f64 / step as f64,
            window: 0..0,
            before: 0..0,
        };
        for (subject, metric) in series {
            line.cover(case.samples(*subject, *metric));
        }
        let at = case.symptom.at.0;
        let end = window_end(case.symptom.at, symptom, tuning).0;
        // A sample stands for the interval that begins or ends with it, and nobody says which.
        let begin = (0..line.places.len()).find(|i| line.at(*i) > at - width)?;
        let end = (begin..line.places.len()).find(|i| line.at(*i) >= end).unwrap_or(line.places.len());
        line.set_window(begin..end, tuning);
        (begin < end).then_some(line)
    }

    fn place(&self, sample: &Sample) -> i64 {
        (sample.at.0 - self.origin).div_euclid(self.width)
    }

    /// The place of a sample that probably lies in one of the next two: a look at those is cheaper than a division,
    /// and there are millions of samples.
    fn place_ahead(&self, sample: &Sample, ahead: &[i64]) -> i64 {
        let within =
            |place: &&i64| (0..self.width).contains(&(sample.at.0 - self.origin - **place * self.width));
        ahead.iter().take(2).find(within).copied().unwrap_or_else(|| self.place(sample))
    }

    /// Makes places for all samples of a series.
    fn cover(&mut self, samples: &[Sample]) {
        let mut fresh = Vec::new();
        let (mut known, mut last) = (0, None);
        for sample in samples {
            let place = self.place_ahead(sample, &self.places[known..]);
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

    /// The values of a series, averaged in each interval. NaN is "no data".
    pub(super) fn values(&self, samples: &[Sample]) -> Vec<f64> {
        let mut values = vec![f64::NAN; self.places.len()];
        let (mut position, mut sum, mut count) = (0, 0.0, 0.0);
        for sample in samples {
            let place = self.place_ahead(sample, &self.places[position..]);
            let mut next = position;
            while next < self.places.len() && self.places[next] < place {
                next += 1;
            }
            if next == self.places.len() {
                break;
            }
            if next != position {
                (position, sum, count) = (next, 0.0, 0.0);
            }
            if self.places[position] == place {
                sum += sample.value;
                count += 1.0;
                values[position] = sum / count;
            }
        }
        values
    }
}

/// Where the window of a symptom ends, given its samples. What comes later is no history of it.
pub fn window_end(at: Timestamp, samples: &[Sample], tuning: &Tuning) -> Timestamp {
    let intervals = step(samples).unwrap_or(0).saturating_mul(3);
    let after = i64::try_from(tuning.after.as_millis()).unwrap_or(i64::MAX);
    Timestamp(at.0.saturating_add(after.max(intervals)))
}

/// The usual distance between samples: the median, since some are missing.
fn step(samples: &[Sample]) -> Option<i64> {
    let mut steps: Vec<i64> =
        samples.windows(2).map(|pair| pair[1].at.0 - pair[0].at.0).filter(|step| *step > 0).collect();
    let middle = steps.len() / 2;
    (!steps.is_empty()).then(|| *steps.select_nth_unstable(middle).1)
}
