//! The event stream (server-sent events), resumable.

use crate::App;
use crate::answer::Refusal;
use crate::caller::{Caller, Query, token};
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures::stream::{self, Stream, StreamExt};
use rein_api::ErrorBody;
use rein_api::events::{EventQuery, EventView};
use rein_core::AppError;
use rein_core::app::events::Events;
use std::convert::Infallible;
use std::time::Duration;

/// Between two signs of life.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// The caller's secret: a stream ends when it is revoked or expires.
pub(crate) struct Secret(pub(crate) String);

impl FromRequestParts<App> for Secret {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refusal> {
        Ok(Self(token(parts).unwrap_or_default().to_owned()))
    }
}

/// Where a client that was cut off wants to go on.
pub(crate) struct LastId(Option<String>);

impl FromRequestParts<App> for LastId {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refusal> {
        let header = parts.headers.get("last-event-id");
        Ok(Self(header.and_then(|id| id.to_str().ok()).map(str::to_owned)))
    }
}

/// What alters, in order; resume with `after` or `Last-Event-ID`
#[utoipa::path(get, path = "/v1/events", tag = "events", params(EventQuery), responses(
    (status = 200, body = String, content_type = "text/event-stream", description = "A stream of EventView"),
    (status = "default", body = ErrorBody)))]
pub(crate) async fn events(
    State(app): State<App>,
    Caller(actor): Caller,
    from: (Secret, LastId),
    Query(query): Query<EventQuery>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    let (Secret(secret), LastId(last)) = from;
    let after = last.or(query.after);
    let batches = app.house.events(&actor, after.as_deref()).await?;
    let (stop, epoch) = (app.stop.clone(), app.house.epoch().to_owned());
    let told = batches.flat_map(move |batch| stream::iter(spell(batch, &epoch)));
    // Rights are looked at again with every event and every heartbeat.
    let house = app.house.clone();
    let good = move || house.authenticate(&secret).is_ok();
    let revoked = {
        let good = good.clone();
        async move {
            while good() {
                tokio::time::sleep(HEARTBEAT).await;
            }
        }
    };
    let told = told.take_while(move |_| std::future::ready(good())).take_until(async move {
        tokio::select! { () = stop.cancelled() => {}, () = revoked => {} }
    });
    Ok(Sse::new(told).keep_alive(KeepAlive::new().interval(HEARTBEAT)))
}

/// The id stands on a revision's last event only: whoever is cut off within a revision gets
/// the whole of it again.
fn spell(batch: Result<Events, AppError>, epoch: &str) -> Vec<Result<Event, Infallible>> {
    match batch {
        // Without an id: nobody can go on from what is nowhere recorded.
        Ok(Events::Seen(view)) => {
            vec![Ok(Event::default().event(&view.noun).json_data(&view).unwrap_or_default())]
        }
        Ok(Events::Recorded(events)) => {
            let last = events.len().saturating_sub(1);
            let event = |(i, view): (usize, EventView)| {
                let event = Event::default().event(&view.noun).json_data(&view).unwrap_or_default();
                Ok(if i == last { event.id(format!("{epoch}.{}", view.revision)) } else { event })
            };
            events.into_iter().enumerate().map(event).collect()
        }
        Err(error) => vec![Ok(Event::default().event("error").json_data(&*error.0).unwrap_or_default())],
    }
}
