//! What doors serve is made here: anew after every commit that may alter it, and at every deadline.

use crate::doorway::{Flag, Served};
use crate::house::House;
use rein_domain::name::SwitchName;
use rein_domain::proof::Tally;
use rein_store::Revision;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Between two sets: many flips at once make one set.
const REST: Duration = Duration::from_millis(5);
/// The longest sleep before the clock is looked at again.
const LOOK: Duration = Duration::from_millis(250);

impl House {
    /// Publishes a new set whenever one is due.
    pub(crate) async fn serve(self: Arc<Self>) {
        let mut revision = self.revision.subscribe();
        loop {
            revision.borrow_and_update();
            self.publish();
            tokio::time::sleep(REST).await;
            let now = self.clock.now();
            let edge = self.image.read().world.next_edge(now);
            let nap = edge.map_or(LOOK, |at| at.since(now).min(LOOK));
            tokio::select! {
                changed = revision.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(nap) => {}
            }
        }
    }

    /// Who of this server's clients has got what a switch comes to now, where `altered` is the revision
    /// that altered it last.
    pub(crate) fn tally(&self, switch: &SwitchName, expects: Option<u32>, altered: Revision) -> Tally {
        let served = self.served.borrow().clone();
        let now = self.clock.now();
        let flag = served.flags.get(switch).filter(|flag| {
            // Neither a commit nor a deadline may lie between what is served and what is true now.
            served.revision >= altered && flag.stack.layers.iter().all(|layer| layer.live(now))
        });
        let serial = flag.map_or(u64::MAX, |flag| flag.since);
        self.witnesses.tally(switch, expects, serial)
    }

    /// Makes the set as of now, if it differs from the one served.
    pub(crate) fn publish(&self) {
        let mut image = self.image.write();
        if image.held.is_some() {
            // What was served before goes on; nothing comes back before somebody has accepted it.
            return;
        }
        let now = self.clock.now();
        let passed = image.world.expired(now);
        let passed: Vec<_> =
            passed.iter().flat_map(|c| c.switch_legs()).map(|leg| leg.switch.clone()).collect();
        image.soil(passed);
        let dirty = image.take_dirty();
        let revision = image.revision;
        let before = Arc::clone(&self.served.borrow());
        let serial = before.serial + 1;
        let mut flags: Option<BTreeMap<_, _>> = None;
        for name in dirty {
            let fresh = image.world.stack(&name, now).and_then(|mut stack| {
                stack.layers.retain(|layer| layer.live(now));
                let switch = image.world.switch(&name)?.clone();
                Some(Flag { switch, stack, since: serial })
            });
            let old = before.flags.get(&name);
            match (fresh, old) {
                (Some(fresh), Some(old)) if fresh.switch == old.switch && fresh.stack == old.stack => {}
                (Some(fresh), _) => {
                    flags.get_or_insert_with(|| before.flags.clone()).insert(name, Arc::new(fresh));
                }
                (None, Some(_)) => {
                    flags.get_or_insert_with(|| before.flags.clone()).remove(&name);
                }
                (None, None) => {}
            }
        }
        drop(image);
        if flags.is_none() && before.revision == revision && before.serial > 0 {
            return;
        }
        let altered = flags.is_some() || before.serial == 0;
        let served = Served {
            serial: if altered { serial } else { before.serial },
            revision,
            at: now,
            flags: flags.unwrap_or_else(|| before.flags.clone()),
        };
        // Doors are woken only when what they serve has altered; the revision is for proofs.
        self.served.send_if_modified(|current| {
            *current = Arc::new(served);
            altered
        });
    }
}
