//! Long answers, a page at a time, all pages of one moment.

use parking_lot::Mutex;
use rein_plugin::Fault;
use rein_plugin::telemetry::{EdgeMeasured, Line, MAX_PAGE, Measured, Reading, Running, Subject};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

/// Answers of which pages are still to be fetched.
const KEPT: usize = 4;
/// Most bytes of a page, about.
const MAX_BYTES: usize = 3 * 1024 * 1024;

/// How much room an entry takes in a page.
pub(crate) trait Room {
    fn bytes(&self) -> usize;
}

impl Room for Measured {
    fn bytes(&self) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        self.service.len() + text(&self.instance) + text(&self.zone) + self.source.len() + 100
    }
}

impl Room for EdgeMeasured {
    fn bytes(&self) -> usize {
        self.caller.len() + self.callee.len() + self.source.len() + 100
    }
}

impl Room for Running {
    fn bytes(&self) -> usize {
        self.service.len() + self.version.len() + self.source.len() + 50
    }
}

impl Room for Line {
    fn bytes(&self) -> usize {
        let names = match &self.of {
            Subject::Service(one) => one.len(),
            Subject::Instance(one, other) | Subject::Edge(one, other) => one.len() + other.len(),
        };
        // A step takes three bytes at the most, and a value eight.
        names + self.source.len() + self.samples.len() * 11 + 100
    }
}

/// Answers that were given in part.
pub(crate) struct Pages<T> {
    next: AtomicU64,
    kept: Mutex<VecDeque<(u64, Reading<T>)>>,
}

impl<T> Default for Pages<T> {
    fn default() -> Self {
        Self { next: AtomicU64::new(1), kept: Mutex::default() }
    }
}

impl<T: Room + Clone> Pages<T> {
    /// The first page of a whole answer.
    pub(crate) fn first(&self, whole: Reading<T>) -> Reading<T> {
        let (end, id) = (page_end(&whole.items, 0), self.next.fetch_add(1, Ordering::Relaxed));
        if end == whole.items.len() {
            return whole;
        }
        let page = cut(&whole, id, 0, end);
        let mut kept = self.kept.lock();
        kept.push_back((id, whole));
        if kept.len() > KEPT {
            kept.pop_front();
        }
        page
    }

    /// The page that was promised.
    pub(crate) fn next(&self, page: &str) -> Result<Reading<T>, Fault> {
        let asked = page.split_once(':').and_then(|(id, from)| Some((id.parse().ok()?, from.parse().ok()?)));
        let (id, from): (u64, usize) =
            asked.ok_or_else(|| Fault::Invalid("the page is none that was promised".into()))?;
        let kept = self.kept.lock();
        let (_, whole) = kept.iter().find(|(known, _)| *known == id).ok_or_else(|| {
            Fault::NotDone("the answer this page belongs to is not kept any more; ask anew".into())
        })?;
        if from >= whole.items.len() {
            return Err(Fault::Invalid("the page is none that was promised".into()));
        }
        Ok(cut(whole, id, from, page_end(&whole.items, from)))
    }
}

fn page_end<T: Room>(items: &[T], from: usize) -> usize {
    let mut bytes = 0;
    let rest = items.iter().skip(from).take(MAX_PAGE);
    let fits = rest.take_while(|item| {
        bytes += item.bytes();
        bytes <= MAX_BYTES
    });
    // One alone always fits: names have an end.
    from + fits.count().max(1).min(items.len().saturating_sub(from))
}

fn cut<T: Clone>(whole: &Reading<T>, id: u64, from: usize, end: usize) -> Reading<T> {
    Reading {
        items: whole.items.get(from..end).unwrap_or_default().to_vec(),
        next: (end < whole.items.len()).then(|| format!("{id}:{end}")),
        missing_peers: whole.missing_peers.clone(),
        ..*whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rein_plugin::telemetry::Measures;
    use std::time::Duration;

    fn reading(count: usize, name: usize) -> Reading<EdgeMeasured> {
        let edge = |n: usize| EdgeMeasured {
            caller: format!("{n:0>name$}"),
            callee: "x".into(),
            measures: Measures::default(),
            source: String::new(),
        };
        let items = (0..count).map(edge).collect();
        Reading { items, next: None, at_ms: 1, window: Duration::from_secs(1), missing_peers: vec![] }
    }

    #[test]
    fn every_entry_is_on_one_page_and_pages_have_a_size() {
        for (count, name) in [(0, 1), (1, 1), (4000, 4), (4001, 4), (9000, 1000)] {
            let pages = Pages::default();
            let whole = reading(count, name);
            let mut page = pages.first(whole.clone());
            let mut all = page.items.clone();
            while let Some(next) = page.next {
                page = pages.next(&next).unwrap();
                assert!(page.items.len() <= MAX_PAGE && !page.items.is_empty());
                assert!(page.items.iter().map(Room::bytes).sum::<usize>() <= MAX_BYTES);
                all.extend(page.items.clone());
            }
            assert_eq!(all, whole.items);
        }
    }

    #[test]
    fn a_page_that_nobody_promised_is_refused() {
        let pages = Pages::<EdgeMeasured>::default();
        let first = pages.first(reading(5000, 4)).next.unwrap();
        for page in ["", "x", "1", "1:x", "1:5000", ":", "1:-1"] {
            assert!(matches!(pages.next(page), Err(Fault::Invalid(_))), "{page}");
        }
        for _ in 0..KEPT {
            pages.first(reading(5000, 4));
        }
        assert!(matches!(pages.next(&first), Err(Fault::NotDone(_))));
    }
}
