//! Late writes: of a server that was stopped in the middle of a call, and went on after the change was over.

use crate::house::House;
use crate::reconcile::settle::Case;
use rein_domain::hold::{Cell, Found, Heard, Life, Origin, Value, Want, decide};
use rein_domain::name::{BackendName, ChangeId};
use rein_plugin::{Adapter, CellKey};
use std::time::{Duration, Instant};

/// How often a backend is searched for them.
pub(super) const SWEEP: Duration = Duration::from_secs(30);
/// How often at most, where a backend hints at a cell that Rein does not hold.
const HINTED: Duration = Duration::from_secs(2);

/// When one backend is searched.
pub(super) struct Search {
    next: Instant,
    last: Instant,
}

impl Default for Search {
    /// As soon as all is calm.
    fn default() -> Self {
        let now = Instant::now();
        Self { next: now, last: now }
    }
}

impl Search {
    pub(super) fn is_due(&self) -> bool {
        self.next <= Instant::now()
    }

    pub(super) fn done(&mut self) {
        self.last = Instant::now();
        self.next = self.last + SWEEP;
    }

    /// Something altered that may be a late write.
    pub(super) fn soon(&mut self) {
        self.next = self.next.min(self.last + HINTED);
    }
}

/// What a sweep found.
pub(super) enum Swept {
    /// Something to be ended.
    Found,
    /// Nothing.
    Clean,
    /// There can be nothing.
    Never,
}

impl House {
    /// Looks for objects of changes that are over and whose cells were let go: a write that was late. Each
    /// gets a hold again, and with it its end. Changes that this store does not know belong to somebody
    /// else's Rein, and are left alone.
    pub(super) async fn sweep(&self, name: &BackendName, adapter: &dyn Adapter) -> Swept {
        let now = self.clock.now();
        let known =
            self.image.read().world.changes().any(|c| c.cells().any(|(cell, _)| cell.backend == *name));
        let Some(silences) = adapter.silences().filter(|_| known && !self.options.observe) else {
            return Swept::Never;
        };
        let Ok(found) = crate::app::silences::all_of(silences).await else { return Swept::Clean };
        let mut swept = Swept::Clean;
        for cell in found.into_iter().filter(|silence| silence.state != "expired").filter_map(|s| s.cell) {
            let cell = Cell { backend: name.clone(), key: cell.0 };
            let orphan = {
                let image = self.image.read();
                let id = cell.key.split('.').next().and_then(|id| id.parse::<ChangeId>().ok());
                let over =
                    id.filter(|id| image.world.change(id).is_some_and(|c| !image.world.active(c, now)));
                over.filter(|_| image.hold(&cell).is_none())
            };
            let Some(change) = orphan else { continue };
            let Ok(seen) = adapter.observe(&[CellKey(cell.key.clone())]).await else { continue };
            let Some(value) = seen.into_iter().next().map(|seen| Value(seen.value)) else { continue };
            // As if it had just been written: the next look sees what nobody wants any more, and ends it.
            let found =
                Found { value: &value, incarnation: "", copies: 1, heard: Heard::All, life: Life::There };
            let want = Want { change, value: value.clone(), origin: Origin::Own, lapses: None };
            let step = decide(None, Some(&want), &found, Default::default(), now);
            let case = Case { cell, want: None, weighs: None, hold: None };
            if let Ok(true) = self.record(&case, &step).await {
                tracing::warn!(cell = %case.cell, "a late write of a change that is over was found");
                swept = Swept::Found;
            }
        }
        swept
    }
}
