//! Hints: Consul answers a question when something has altered. Two are open all the time, about services and
//! about what is critical. However often they are answered, a hint goes out every 100 ms at the most; whoever gets
//! it lists anyway.

use crate::Backend;
use crate::catalog::Check;
use crate::http::Path;
use futures::StreamExt;
use futures::stream::BoxStream;
use rein_plugin::CellKey;
use serde::de::IgnoredAny;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::Sender;
use tokio_stream::wrappers::ReceiverStream;

/// Between two hints.
const REST: Duration = Duration::from_millis(100);
/// Before a question that failed is asked again.
const AGAIN: Duration = Duration::from_secs(1);
/// Between two questions where no index is told.
const BLIND: Duration = Duration::from_secs(2);

/// A stream of hints. It ends its tasks when dropped.
pub(crate) fn hints(backend: Arc<Backend>) -> BoxStream<'static, Option<CellKey>> {
    let (send, receive) = tokio::sync::mpsc::channel(1);
    let services = watched(Arc::clone(&backend), send.clone(), Services);
    let critical = watched(backend, send, Critical::default());
    tokio::spawn(services);
    tokio::spawn(critical);
    ReceiverStream::new(receive).boxed()
}

/// What is asked over and over.
trait Question: Send + 'static {
    type Said: serde::de::DeserializeOwned + Send;

    fn path() -> Path;

    /// Whether the answer is another than before.
    fn alters(&mut self, said: Self::Said) -> bool;
}

struct Services;

impl Question for Services {
    type Said = HashMap<String, IgnoredAny>;

    fn path() -> Path {
        Path::new(&["catalog", "services"])
    }

    /// Its index moves also when only a weight or an address altered.
    fn alters(&mut self, _: Self::Said) -> bool {
        true
    }
}

/// Its index moves also when a check passes once more, saying something else.
#[derive(Default)]
struct Critical(BTreeSet<(String, String, String)>);

impl Question for Critical {
    type Said = Vec<Check>;

    fn path() -> Path {
        Path::new(&["health", "state", "critical"])
    }

    fn alters(&mut self, said: Self::Said) -> bool {
        let now = said.into_iter().map(|check| (check.node, check.check_id, check.notes)).collect();
        let alters = self.0 != now;
        self.0 = now;
        alters
    }
}

async fn watched<Q: Question>(backend: Arc<Backend>, send: Sender<Option<CellKey>>, mut question: Q) {
    let mut index = 0;
    loop {
        let answer = tokio::select! {
            () = send.closed() => return,
            answer = backend.http.block::<Q::Said>(Q::path(), index) => answer,
        };
        let pause = match answer {
            Ok(answer) => {
                // What altered before it began was not seen. One that goes back begins anew, as Consul asks for.
                let begins = index == 0 || answer.index < index;
                let same = answer.index == index && !begins;
                if (question.alters(answer.value) && !same) || begins {
                    // A reader who is behind will look anyway.
                    let _ = send.try_send(None);
                }
                index = if answer.index < index { 0 } else { answer.index };
                if answer.index == 0 { BLIND } else { REST }
            }
            Err(_) => {
                index = 0;
                AGAIN
            }
        };
        tokio::select! {
            () = send.closed() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}
