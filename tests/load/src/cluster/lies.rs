//! Seeded bugs: a server that lies, to see that the checker notices. What a client of such a server sends and
//! is told is exactly what it would be if the server had the fault.

use super::history::View;
use clap::ValueEnum;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many revisions ago a stale read is from.
const AGO: usize = 10;

/// A fault that no server may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Bug {
    /// A consistent read answers what was ten revisions ago
    StaleRead,
    /// A condition that no longer holds is not looked at: the write is done over what moved meanwhile
    LostCas,
    /// A key's record is lost: a request sent again is done again
    KeyTwice,
}

/// What a lying server knows.
pub(crate) struct Liar {
    bug: Option<Bug>,
    /// By target, then by revision.
    views: Mutex<BTreeMap<usize, BTreeMap<i64, View>>>,
    told: AtomicU32,
}

impl Liar {
    pub(crate) fn new(bug: Option<Bug>) -> Self {
        Self { bug, views: Mutex::default(), told: AtomicU32::new(0) }
    }

    /// How often it lied.
    pub(crate) fn told(&self) -> u32 {
        self.told.load(Ordering::Relaxed)
    }

    fn ago(&self, target: usize, ago: usize) -> Option<View> {
        let views = self.views.lock().unwrap_or_else(PoisonError::into_inner);
        let of_target = views.get(&target)?;
        of_target.values().rev().nth(ago).cloned()
    }

    /// What a consistent read is told instead of the truth.
    pub(crate) fn read(&self, target: usize, truth: View) -> View {
        let mut views = self.views.lock().unwrap_or_else(PoisonError::into_inner);
        views.entry(target).or_default().insert(truth.revision, truth.clone());
        drop(views);
        match self.ago(target, AGO).filter(|_| self.bug == Some(Bug::StaleRead) && self.rarely()) {
            Some(old) => {
                self.told.fetch_add(1, Ordering::Relaxed);
                old
            }
            None => truth,
        }
    }

    /// What the condition of a write was that is sent without one.
    pub(crate) fn condition(&self, target: usize) -> Option<i64> {
        let old = self.ago(target, 1).filter(|_| self.bug == Some(Bug::LostCas) && self.rarely())?;
        Some(old.revision)
    }

    /// A lie was told.
    pub(crate) fn note(&self) {
        self.told.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether a request that was done is done once more.
    pub(crate) fn repeats(&self) -> bool {
        self.bug == Some(Bug::KeyTwice) && self.rarely()
    }

    /// One in four.
    fn rarely(&self) -> bool {
        rand::random_ratio(1, 4)
    }
}
