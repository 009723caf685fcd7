//! One task a backend, which settles it whenever something concerning it moved, or its plugin hints that something
//! did, and now and then.

use crate::house::House;
use crate::reconcile::echoes::Echoes;
use crate::reconcile::entries::Listing;
use crate::reconcile::late::Search;
use crate::reconcile::settle::SOON;
use futures::StreamExt;
use futures::stream::BoxStream;
use rein_domain::backend::Backend;
use rein_domain::hold::Cell;
use rein_domain::name::BackendName;
use rein_plugin::CellKey;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What is done for one backend when all is calm there.
#[derive(Default)]
pub(super) struct Calm {
    /// For late writes.
    pub(super) search: Search,
    /// What was written again.
    pub(super) echoes: Echoes,
}

impl House {
    /// Keeps one task for each declared backend.
    pub(crate) async fn tend_all(self: Arc<Self>, stop: CancellationToken) {
        let mut revision = self.revision.subscribe();
        let mut tended: BTreeMap<BackendName, (Backend, CancellationToken)> = BTreeMap::new();
        loop {
            revision.borrow_and_update();
            let declared: BTreeMap<BackendName, Backend> =
                self.image.read().world.backends().map(|b| (b.name.clone(), b.clone())).collect();
            tended.retain(|name, (backend, end)| {
                let same = declared.get(name) == Some(backend);
                if !same {
                    end.cancel();
                    if !declared.contains_key(name) {
                        self.plugins.forget(name);
                        self.registry.surveys.forget(name);
                    }
                }
                same
            });
            for (name, backend) in declared {
                let Entry::Vacant(place) = tended.entry(name) else { continue };
                self.plugins.declare(&backend);
                let end = stop.child_token();
                tokio::spawn(super::until(end.clone(), Arc::clone(&self).tend(backend.name.clone())));
                place.insert((backend, end));
            }
            tokio::select! {
                () = stop.cancelled() => return,
                changed = revision.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Settles one backend whenever something concerning it moved, and now and then.
    async fn tend(self: Arc<Self>, name: BackendName) {
        let mut revision = self.revision.subscribe();
        let mut hints = None;
        let mut listing = Listing::default();
        let mut calm = Calm::default();
        loop {
            revision.borrow_and_update();
            let handled = self.image.read().moved(&name);
            if listing.is_due() {
                listing.done(self.survey(&name).await);
            }
            let rest = self.settle(&name, &mut calm).await;
            if self.image.read().moved(&name) != handled {
                listing.soon();
            }
            let rest = listing.rest(rest);
            if hints.is_none() && rest.is_some() {
                hints = self.hints(&name).await;
            }
            let moved = async {
                while revision.changed().await.is_ok() {
                    if self.image.read().moved(&name) != handled {
                        return;
                    }
                }
                std::future::pending::<()>().await;
            };
            let hinted = async {
                match hints.as_mut() {
                    Some(stream) => stream.next().await,
                    None => std::future::pending().await,
                }
            };
            let slept = async {
                match rest {
                    Some(rest) => tokio::time::sleep(rest).await,
                    None => std::future::pending().await,
                }
            };
            let lost = tokio::select! {
                () = moved => false,
                () = slept => false,
                hint = hinted => {
                    listing.soon();
                    if hint.as_ref().and_then(Option::as_ref).is_some_and(|cell| !self.holds(&name, cell)) {
                        calm.search.soon();
                    }
                    hint.is_none()
                }
            };
            if lost {
                hints = None;
                tokio::time::sleep(SOON).await;
            }
        }
    }

    fn holds(&self, backend: &BackendName, cell: &CellKey) -> bool {
        self.image.read().hold(&Cell { backend: backend.clone(), key: cell.0.clone() }).is_some()
    }

    /// The plugin's hints, if it gives any.
    async fn hints(&self, name: &BackendName) -> Option<BoxStream<'static, Option<CellKey>>> {
        let watches = self.looks.of(name).description.as_ref().is_some_and(|d| d.watches);
        let adapter = self.plugins.adapter(name).filter(|_| watches)?;
        adapter.watch().await.ok()
    }
}
