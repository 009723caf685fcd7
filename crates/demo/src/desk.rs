//! An instance's capacity: so many workers, so much room to wait, and no more.

use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{Semaphore, SemaphorePermit};

/// The workers of one instance and the queue before them.
#[derive(Debug)]
pub(crate) struct Desk {
    workers: Semaphore,
    all: usize,
    waiting: AtomicUsize,
    room: usize,
}

/// All workers are busy and the queue is full: said at once, because a caller that is refused
/// quickly can still do something else.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// A place in the queue, given back also when the caller hangs up while it waits.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Desk {
    pub(crate) fn new(workers: usize, room: usize) -> Self {
        Self { workers: Semaphore::new(workers), all: workers, waiting: AtomicUsize::new(0), room }
    }

    /// Takes a worker, waiting for one if there is room to wait. Held until the permit is dropped.
    pub(crate) async fn worker(&self) -> Result<SemaphorePermit<'_>, Full> {
        if let Ok(free) = self.workers.try_acquire() {
            return Ok(free);
        }
        let ahead = self.waiting.fetch_add(1, Ordering::Relaxed);
        let place = Place(&self.waiting);
        if ahead >= self.room {
            return Err(Full);
        }
        let worker = self.workers.acquire().await.map_err(|_| Full);
        drop(place);
        worker
    }

    /// Requests being worked on now.
    pub(crate) fn busy(&self) -> usize {
        self.all.saturating_sub(self.workers.available_permits())
    }

    /// Requests waiting for a worker now.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[tokio::test]
    async fn a_full_queue_refuses_and_a_caller_that_leaves_gives_its_place_back() {
        let desk = Desk::new(1, 1);
        let first = desk.worker().await.expect("a free worker");
        let mut second = Box::pin(desk.worker());
        assert!(second.as_mut().now_or_never().is_none(), "waits");
        assert_eq!(desk.waiting(), 1);
        assert_eq!(desk.worker().await.expect_err("refused"), Full);
        assert_eq!(desk.waiting(), 1);
        drop(second);
        assert_eq!(desk.waiting(), 0);
        drop(first);
        assert!(desk.worker().now_or_never().expect("at once").is_ok());
    }
}
