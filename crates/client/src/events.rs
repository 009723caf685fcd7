//! The event stream: followed across lost connections.

use crate::calls::escape;
use crate::client::{Call, Client};
use crate::error::ClientError;
use eventsource_stream::Eventsource;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use rein_api::ErrorBody;
use rein_api::events::EventView;
use std::time::Duration;

/// The server sends a heartbeat every 10 s; after three missed ones the connection is dead.
const SILENCE: Duration = Duration::from_secs(31);
/// Pauses between attempts to get the stream back.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What the stream brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The stream is open; everything from here on is seen.
    Connected,
    /// Something altered.
    Altered(EventView),
    /// The connection was lost, for this reason; it is being got back.
    Lost(String),
}

type Inner = BoxStream<'static, Result<eventsource_stream::Event, String>>;

/// An event stream that picks up where it was after every loss.
pub struct Events {
    client: Client,
    cursor: Option<String>,
    inner: Option<Inner>,
    pause: Duration,
}

impl Client {
    /// Follows events after `cursor` (`EPOCH.REVISION`); without one, from now on.
    pub fn events(&self, cursor: Option<String>) -> Events {
        Events { client: self.clone(), cursor, inner: None, pause: Duration::ZERO }
    }
}

impl Events {
    /// The last event seen, as `EPOCH.REVISION`.
    pub fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    /// The next thing that happens. An error is final for this cursor: the server refuses it
    /// (`gone`: the history kept does not reach back so far), or was never reached at all.
    pub async fn next(&mut self) -> Result<Event, ClientError> {
        self.following().boxed().await
    }

    async fn following(&mut self) -> Result<Event, ClientError> {
        let Some(inner) = &mut self.inner else { return self.connect().await };
        match inner.next().await {
            // The server ends a stream with the refusal it would have answered at its start.
            Some(Ok(event)) if event.event == "error" => {
                let body: ErrorBody =
                    serde_json::from_str(&event.data).map_err(|e| self.client.protocol(e.to_string()))?;
                self.inner = None;
                Err(ClientError::Refused { status: body.code.status(), body })
            }
            Some(Ok(event)) => {
                let view = serde_json::from_str(&event.data);
                let view: EventView = view.map_err(|e| self.client.protocol(e.to_string()))?;
                if !event.id.is_empty() {
                    self.cursor = Some(event.id);
                }
                Ok(Event::Altered(view))
            }
            Some(Err(why)) => Ok(self.lost(why)),
            None => Ok(self.lost("the server closed the stream".to_owned())),
        }
    }

    fn lost(&mut self, why: String) -> Event {
        self.inner = None;
        self.pause = FIRST_PAUSE;
        Event::Lost(why)
    }

    async fn connect(&mut self) -> Result<Event, ClientError> {
        loop {
            tokio::time::sleep(self.pause).await;
            match open(&self.client, self.cursor.as_deref()).await {
                Ok(inner) => {
                    self.inner = Some(inner);
                    return Ok(Event::Connected);
                }
                // Only a stream that was open once is waited for.
                Err(ClientError::Unreachable { .. }) if !self.pause.is_zero() => {
                    self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

async fn open(client: &Client, cursor: Option<&str>) -> Result<Inner, ClientError> {
    let path = match cursor {
        Some(cursor) => format!("/v1/events?after={}", escape(cursor)),
        None => "/v1/events".to_owned(),
    };
    let body = client.open(Call::get(path)).await?;
    let watched = futures::stream::unfold(Some(body), |body| async {
        let mut body = body?;
        match tokio::time::timeout(SILENCE, body.next()).await {
            Ok(None) => None,
            Ok(Some(part)) => Some((part, Some(body))),
            Err(_) => Some((Err(format!("nothing heard for {} s", SILENCE.as_secs())), None)),
        }
    });
    Ok(watched.eventsource().map(|event| event.map_err(|e| e.to_string())).boxed())
}
