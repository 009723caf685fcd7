//! Hints: ZooKeeper tells what alters under the base. However often that is, a hint goes out every 100 ms at
//! the most; whoever gets it lists anyway.

use crate::Backend;
use crate::ensemble::Trouble;
use futures::StreamExt;
use futures::stream::BoxStream;
use rein_plugin::CellKey;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::Sender;
use tokio_stream::wrappers::ReceiverStream;
use zookeeper_client::{AddWatchMode, EventType, PersistentWatcher};

/// Between two hints.
const REST: Duration = Duration::from_millis(100);
/// Before a broken watch is begun again.
const AGAIN: Duration = Duration::from_secs(1);
/// Between two hints where the server tells nothing: before 3.6 there are no watches over a whole tree.
const BLIND: Duration = Duration::from_secs(2);

/// A stream of hints. It ends its task when dropped.
pub(crate) fn hints(backend: Arc<Backend>) -> BoxStream<'static, Option<CellKey>> {
    let (send, receive) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move {
        loop {
            let base = backend.settings.base.clone();
            let begun = backend
                .ensemble
                .ask(|client| async move { client.watch(&base, AddWatchMode::PersistentRecursive).await });
            let pause = match begun.await {
                Ok(watcher) => {
                    // What altered before it began was not seen.
                    let _ = send.try_send(None);
                    tell(&send, watcher).await;
                    AGAIN
                }
                Err(Trouble::Refused(_)) => {
                    let _ = send.try_send(None);
                    BLIND
                }
                Err(_) => AGAIN,
            };
            tokio::select! {
                () = send.closed() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    });
    ReceiverStream::new(receive).boxed()
}

/// Until the session ends or is interrupted, or nobody listens.
async fn tell(send: &Sender<Option<CellKey>>, mut watcher: PersistentWatcher) {
    loop {
        tokio::select! {
            () = send.closed() => return,
            event = watcher.changed() => {
                if event.event_type == EventType::Session {
                    return;
                }
            }
        }
        // What comes close behind is told with it, and does not pile up.
        let rest = tokio::time::sleep(REST);
        tokio::pin!(rest);
        loop {
            tokio::select! {
                () = send.closed() => return,
                () = &mut rest => break,
                event = watcher.changed() => {
                    if event.event_type == EventType::Session {
                        return;
                    }
                }
            }
        }
        // A reader who is behind will look anyway.
        let _ = send.try_send(None);
    }
}
