//! Hints: etcd tells what alters under the prefix. However often that is, a hint goes out every 100 ms at the
//! most; whoever gets it lists anyway.

use crate::Backend;
use crate::list::end_of;
use crate::members::ANSWER;
use etcd_client::{WatchOptions, WatchStream};
use futures::StreamExt;
use futures::stream::BoxStream;
use rein_plugin::CellKey;
use std::sync::Arc;
use std::time::Duration;
use tokio_stream::wrappers::ReceiverStream;

/// Between two hints.
const REST: Duration = Duration::from_millis(100);
/// Before a broken watch is begun again.
const AGAIN: Duration = Duration::from_secs(1);

/// A stream of hints. It ends its task when dropped.
pub(crate) fn hints(backend: Arc<Backend>) -> BoxStream<'static, Option<CellKey>> {
    let (send, receive) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move {
        loop {
            let member = backend.members.current();
            if let Ok(mut stream) = backend.begin(member).await {
                // What altered before it began was not seen.
                let _ = send.try_send(None);
                loop {
                    let message = tokio::select! {
                        () = send.closed() => return,
                        message = stream.message() => message,
                    };
                    match message {
                        Ok(Some(message)) if !message.canceled() => {
                            if !message.events().is_empty() {
                                // A reader who is behind will look anyway.
                                let _ = send.try_send(None);
                                tokio::time::sleep(REST).await;
                            }
                        }
                        _ => break,
                    }
                }
            }
            backend.members.turn_away(member);
            tokio::select! {
                () = send.closed() => return,
                () = tokio::time::sleep(AGAIN) => {}
            }
        }
    });
    ReceiverStream::new(receive).boxed()
}

impl Backend {
    async fn begin(&self, member: usize) -> Result<WatchStream, crate::members::Trouble> {
        let options = WatchOptions::new().with_range(end_of(&self.settings.prefix));
        let prefix = self.settings.prefix.clone();
        self.members
            .ask(member, |client| async move {
                client.watch_client().max_decoding_message_size(ANSWER).watch(prefix, Some(options)).await
            })
            .await
    }
}
