//! What the services measure of themselves, gathered for one second at a time.

use crate::plan::Service;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// The measurements of the running second. One for the whole company: the services live in one
/// process, and a lock held for a push is cheaper than collecting from two dozen places.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    now: Mutex<Counts>,
}

/// What was counted since the last time somebody looked.
#[derive(Debug, Default, Clone)]
pub(crate) struct Counts {
    /// Per service, by [`Service`].
    pub(crate) services: BTreeMap<Service, Visits>,
    /// What users saw at the front door, timeouts included.
    pub(crate) users: Visits,
    /// Per flag key: decisions of the services.
    pub(crate) decisions: BTreeMap<&'static str, Decisions>,
}

/// Requests of one service.
#[derive(Debug, Default, Clone)]
pub(crate) struct Visits {
    /// Requests that arrived.
    pub(crate) arrived: u64,
    /// Requests answered well.
    pub(crate) ok: u64,
    /// Requests refused, failed, or given up by the caller.
    pub(crate) failed: u64,
    /// How long the finished ones took.
    pub(crate) took: Vec<Duration>,
}

/// How often a switch was asked, and how often the feature was to stay off.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Decisions {
    pub(crate) all: u64,
    pub(crate) off: u64,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Ok,
    Failed,
}

impl Visits {
    fn finish(&mut self, end: End, took: Duration) {
        match end {
            End::Ok => self.ok += 1,
            End::Failed => self.failed += 1,
        }
        self.took.push(took);
    }
}

impl Meter {
    /// A request arrived; tell the returned visit how it ended.
    pub(crate) fn arrive(&self, service: Service) -> Visit<'_> {
        self.now.lock().services.entry(service).or_default().arrived += 1;
        Visit { meter: self, service, since: Instant::now(), end: End::Failed }
    }

    /// A user's request ended.
    pub(crate) fn user(&self, end: End, took: Duration) {
        let users = &mut self.now.lock().users;
        users.arrived += 1;
        users.finish(end, took);
    }

    /// A service asked for a switch; `runs` is what it was told.
    pub(crate) fn decided(&self, flag: &'static str, runs: bool) {
        let mut now = self.now.lock();
        let decisions = now.decisions.entry(flag).or_default();
        decisions.all += 1;
        decisions.off += u64::from(!runs);
    }

    /// Takes everything counted so far and starts afresh.
    pub(crate) fn take(&self) -> Counts {
        std::mem::take(&mut self.now.lock())
    }
}

/// One request inside a service. Dropped without [`Visit::end`] it counts as failed: that is a
/// caller that hung up.
#[derive(Debug)]
pub(crate) struct Visit<'a> {
    meter: &'a Meter,
    service: Service,
    since: Instant,
    end: End,
}

impl Visit<'_> {
    pub(crate) fn end(mut self, end: End) {
        self.end = end;
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        let took = self.since.elapsed();
        self.meter.now.lock().services.entry(self.service).or_default().finish(self.end, took);
    }
}
