//! Where lists under way go on.

use crate::types::Fault;
use parking_lot::Mutex;
use std::collections::BTreeMap;

/// What a registry's plugin remembers of lists of which pages are still to be read, the last `MOST` of them.
#[derive(Debug)]
pub struct Cursors<C, const MOST: usize>(Mutex<(u64, BTreeMap<u64, C>)>);

impl<C, const MOST: usize> Default for Cursors<C, MOST> {
    fn default() -> Self {
        Self(Mutex::new((0, BTreeMap::new())))
    }
}

impl<C, const MOST: usize> Cursors<C, MOST> {
    /// The name of the next page.
    pub fn put(&self, cursor: C) -> String {
        let mut guard = self.0.lock();
        let (last, all) = &mut *guard;
        *last += 1;
        all.insert(*last, cursor);
        if all.len() > MOST {
            all.pop_first();
        }
        last.to_string()
    }

    /// Where that page begins; it is told once.
    ///
    /// # Errors
    /// [`Fault::Invalid`] when nobody was given this name, or too long ago.
    pub fn take(&self, page: &str) -> Result<C, Fault> {
        let number: Option<u64> = page.parse().ok();
        number
            .and_then(|number| self.0.lock().1.remove(&number))
            .ok_or_else(|| Fault::Invalid("there is no such page; begin again".into()))
    }
}
