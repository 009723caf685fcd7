//! The conformance suite on etcd, and what only a cluster can be asked.

mod cluster;

use std::path::PathBuf;

use async_trait::async_trait;
use cluster::{Etcd, Sync, open};
use parking_lot::Mutex;
use rein_store::conformance::Rig;
use rein_store::{EtcdOptions, EtcdStore};

/// A cluster of one member for each store. Reopening connects anew, or kills the member first.
struct Single {
    program: PathBuf,
    etcd: Mutex<Option<Etcd>>,
    kills: bool,
}

impl Single {
    fn new(kills: bool) -> Option<Self> {
        Some(Self { program: cluster::program()?, etcd: Mutex::new(None), kills })
    }

    fn options(&self) -> EtcdOptions {
        self.etcd.lock().as_ref().expect("a store was made").options()
    }
}

#[async_trait]
impl Rig for Single {
    type S = EtcdStore;

    async fn fresh(&self) -> EtcdStore {
        *self.etcd.lock() = Some(Etcd::start(self.program.clone(), 1, Sync::No, &[]));
        open(self.options()).await
    }

    async fn reopen(&self, store: EtcdStore) -> EtcdStore {
        store.close().await;
        if self.kills
            && let Some(etcd) = self.etcd.lock().as_mut()
        {
            etcd.kill(0);
            etcd.run(0);
        }
        open(self.options()).await
    }
}

macro_rules! rig {
    ($kills:expr) => {
        match Single::new($kills) {
            Some(rig) => rig,
            None => return,
        }
    };
}

rein_store::conformance!(rig!(false));

/// The same promises when etcd itself is killed between closing and opening.
macro_rules! killed {
    ($($name:ident,)*) => {
        mod killed {
            use super::Single;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    rein_store::conformance::$name(&rig!(true)).await;
                }
            )*
        }
    };
}

killed!(
    what_was_acknowledged_survives_a_restart,
    a_watch_resumes_across_a_restart,
    compacted_history_is_refused_and_the_rest_served,
    leases_survive_a_restart,
    lanes_are_separate_and_survive_a_restart,
);
