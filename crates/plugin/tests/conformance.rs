//! The suite on the plugin that `rein plugin new --lang rust` starts with, behind a socket.

#[path = "../templates/rust/src/backend.rs"]
#[allow(missing_docs, unreachable_pub)]
mod backend;

use async_trait::async_trait;
use rein_plugin::Adapter;
use rein_plugin::conformance::{Rig, Sample, Subject, over_socket};
use std::sync::Arc;

struct Files(Sample);

#[async_trait]
impl Rig for Files {
    async fn plugin(&self) -> Result<Arc<dyn Adapter>, String> {
        over_socket(backend::FileSilences::default()).await
    }

    async fn backend(&self) -> Result<Subject, String> {
        self.0.subject()
    }
}

fn files() -> Files {
    Files(serde_json::from_str(include_str!("../templates/rust/conformance.json")).unwrap())
}

mod behind_a_socket {
    rein_plugin::conformance!(super::files());
}

/// The suite finds what it is for: a plugin that says yes and does nothing breaks promises.
mod found {
    use super::*;
    use rein_plugin::*;

    struct Liar(backend::FileSilences);

    #[async_trait]
    impl Adapter for Liar {
        async fn describe(&self) -> Result<Description, Fault> {
            self.0.describe().await
        }
        async fn configure(&self, configuration: Configuration) -> Result<Vec<FieldError>, Fault> {
            self.0.configure(configuration).await
        }
        async fn check(&self) -> Result<Vec<Finding>, Fault> {
            self.0.check().await
        }
        async fn resolve(&self, targets: &[TargetName]) -> Result<Vec<CellKey>, Fault> {
            self.0.resolve(targets).await
        }
        async fn observe(&self, cells: &[CellKey]) -> Result<Vec<Seen>, Fault> {
            let mut seen = self.0.observe(cells).await?;
            seen.reverse();
            Ok(seen)
        }
        async fn apply(&self, write: Write) -> Result<(), Fault> {
            self.0.apply(write).await
        }
        fn silences(&self) -> Option<&dyn Silences> {
            self.0.silences()
        }
    }

    struct Liars;

    #[async_trait]
    impl Rig for Liars {
        async fn plugin(&self) -> Result<Arc<dyn Adapter>, String> {
            over_socket(Liar(backend::FileSilences::default())).await
        }
        async fn backend(&self) -> Result<Subject, String> {
            files().0.subject()
        }
    }

    #[tokio::test]
    async fn answers_in_another_order() {
        let broken = conformance::cells_that_hold_nothing_are_absent_and_keep_their_order(&Liars).await;
        assert!(broken.unwrap_err().contains("stands where"));
    }
}
