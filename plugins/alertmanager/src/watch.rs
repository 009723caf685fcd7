//! Hints. Alertmanager tells nobody what has altered, so one peer is asked every two seconds; gossip brings
//! there what others are told.

use crate::Backend;
use crate::cell;
use crate::silence::Silence;
use futures::StreamExt;
use futures::stream::BoxStream;
use rein_plugin::CellKey;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;
use tokio_stream::wrappers::ReceiverStream;

/// How often.
const PERIOD: Duration = Duration::from_secs(2);
/// Hints that wait for their reader.
const WAITING: usize = 64;

/// A stream of the cells whose silences altered. It ends its task when dropped.
pub(crate) fn hints(backend: Arc<Backend>) -> BoxStream<'static, Option<CellKey>> {
    let (send, receive) = tokio::sync::mpsc::channel(WAITING);
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(PERIOD);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut known: Option<HashMap<String, u64>> = None;
        loop {
            tokio::select! {
                () = send.closed() => return,
                _ = tick.tick() => {}
            }
            // A peer that fails is no news: the next look will name it.
            let Some(found) = backend.glance().await else { continue };
            if let Some(known) = &known {
                let gone = known.keys().filter(|key| !found.contains_key(*key));
                let altered =
                    found.iter().filter(|(key, hash)| known.get(*key) != Some(hash)).map(|(key, _)| key);
                let altered: Vec<&String> = gone.chain(altered).collect();
                let hints = match altered.len() {
                    0..WAITING => altered.into_iter().map(|key| Some(CellKey(key.clone()))).collect(),
                    _ => vec![None],
                };
                for hint in hints {
                    // A reader who is behind will look anyway.
                    let _ = send.try_send(hint);
                }
            }
            known = Some(found);
        }
    });
    ReceiverStream::new(receive).boxed()
}

impl Backend {
    /// What the first peer that answers shows of every cell, as a digest.
    async fn glance(&self) -> Option<HashMap<String, u64>> {
        let foreign = self.foreign.read().clone();
        for peer in &self.settings.peers {
            let mut found: HashMap<String, u64> = HashMap::new();
            let each = |json: &[u8]| {
                if foreign.is_empty() && !Silence::may_be_ours(json) {
                    return Ok(());
                }
                let silence = Silence::read(json)?;
                let named = foreign.contains(&silence.id).then(|| cell::foreign(&silence.id));
                for key in named.into_iter().chain(silence.key.clone()) {
                    let mut hash = DefaultHasher::new();
                    (&silence.id, &silence.state, silence.value().text()).hash(&mut hash);
                    // The order of a list means nothing.
                    let sum = found.entry(key).or_default();
                    *sum = sum.wrapping_add(hash.finish());
                }
                Ok(())
            };
            if self.http.each(&format!("{peer}/api/v2/silences"), self.settings.timeout, each).await.is_ok() {
                return Some(found);
            }
        }
        None
    }
}
