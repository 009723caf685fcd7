//! Health that altered, told to whoever listens just then. Nothing of it is kept.

use futures::stream::{Stream, unfold};
use rein_api::events::EventView;
use rein_domain::health::{State, Why};
use rein_domain::name::{InstanceName, ServiceName};
use rein_store::Revision;
use tokio::sync::broadcast::{Receiver, Sender, error::RecvError};

/// News kept for a listener that is slow. Whoever is slower is told how many it missed.
const KEPT: usize = 1024;

/// Where news are told.
pub(crate) struct News(Sender<EventView>);

impl Default for News {
    fn default() -> Self {
        Self(Sender::new(KEPT))
    }
}

impl News {
    /// The health of an instance altered.
    pub(super) fn tell(
        &self,
        (service, id): (&ServiceName, &InstanceName),
        (was, state, why): (State, State, &Why),
        at: Revision,
    ) {
        if self.0.receiver_count() == 0 {
            return;
        }
        let name = format!("{service}/{id}");
        let text = format!("{name} is {}, was {}: {why}", state.as_str(), was.as_str());
        // Refused only if the last listener went away just now.
        let _ = self.0.send(event(at, name, text));
    }

    /// All that is told from now on.
    pub(crate) fn listen(&self) -> impl Stream<Item = EventView> + Send + use<> {
        unfold(self.0.subscribe(), |mut told: Receiver<EventView>| async {
            match told.recv().await {
                Ok(event) => Some((event, told)),
                Err(RecvError::Lagged(missed)) => {
                    let text = format!("{missed} alterations of health came too fast to be told one by one");
                    Some((event(Revision(0), String::new(), text), told))
                }
                Err(RecvError::Closed) => None,
            }
        })
    }
}

fn event(at: Revision, name: String, text: String) -> EventView {
    EventView { revision: at.0, noun: "instance".into(), name, what: "health".into(), text }
}
