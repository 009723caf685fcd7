//! The event stream: the store's watch, told in nouns; and beside it what is seen and never stored, the health of
//! instances. What was recorded can be resumed from; what was only seen is told to those who listen then.

use crate::error::AppError;
use crate::house::House;
use crate::records;
use crate::views::said;
use futures::stream::{self, BoxStream, StreamExt};
use rein_api::ErrorCode;
use rein_api::events::EventView;
use rein_domain::access::{Actor, Pattern, Verb};
use rein_domain::change::{Change, Did, Ending};
use rein_domain::hold::{Hold, HoldState};
use rein_domain::incident::Incident;
use rein_domain::instance::Registration;
use rein_domain::marker::Marker;
use rein_store::{Event, Key, Revision, StoreError};

/// What the stream brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Events {
    /// All events of one revision: a client may go on from here.
    Recorded(Vec<EventView>),
    /// Something that is nowhere recorded.
    Seen(EventView),
}

impl House {
    /// Events after a cursor (`EPOCH.REVISION`), or from now on.
    pub async fn events(
        &self,
        actor: &Actor,
        after: Option<&str>,
    ) -> Result<BoxStream<'static, Result<Events, AppError>>, AppError> {
        actor.can(Verb::Read, &Pattern::All)?;
        let from = match after {
            None => self.store.revision().await?,
            Some(cursor) => self.cursor(cursor)?,
        };
        let batches = self.store.watch(&Key::everything(), from).await?;
        let told = batches.map(|batch| -> Result<Events, AppError> {
            match batch {
                Ok(batch) => {
                    Ok(Events::Recorded(batch.events.iter().filter_map(|e| tell(e, batch.at)).collect()))
                }
                Err(StoreError::Compacted { oldest }) => {
                    Err(gone(format!("the history up to {} is no longer kept", oldest.0)))
                }
                Err(error) => Err(error.into()),
            }
        });
        // Bookkeeping alone (checkpoints, idempotency records) makes no event.
        let told = told.filter(|events| {
            std::future::ready(!matches!(events, Ok(Events::Recorded(events)) if events.is_empty()))
        });
        // The store's watch ends the stream; what is seen never does.
        let seen = self.registry.news.listen().map(|event| Ok(Events::Seen(event)));
        let told = told.map(Some).chain(stream::once(std::future::ready(None)));
        let both = stream::select(told, seen.map(Some));
        Ok(both.take_while(|told| std::future::ready(told.is_some())).filter_map(std::future::ready).boxed())
    }

    fn cursor(&self, text: &str) -> Result<Revision, AppError> {
        let bad = || AppError::new(ErrorCode::Invalid, "a cursor is EPOCH.REVISION, as the stream's ids are");
        let (epoch, revision) = text.split_once('.').ok_or_else(bad)?;
        if epoch != self.epoch {
            return Err(gone("the cursor is from another epoch".into()));
        }
        let revision: i64 = revision.parse().map_err(|_| bad())?;
        if revision < 0 || revision > self.revision().0.max(0) + 1_000_000 {
            return Err(bad());
        }
        Ok(Revision(revision))
    }
}

fn gone(message: String) -> AppError {
    AppError::new(ErrorCode::Gone, message).hint("list again, then watch from the revision of that answer")
}

fn tell(event: &Event, at: Revision) -> Option<EventView> {
    let (key, value) = match event {
        Event::Put(entry) => (&entry.key, Some(&entry.value)),
        Event::Delete(key) => (key, None),
    };
    let text = key.to_string();
    let (noun, prefix) = [
        ("switch", records::SWITCH),
        ("backend", records::BACKEND),
        ("alert-rules", records::ALERT_RULES),
        ("cell", records::HOLD),
        ("change", records::CHANGE),
        ("incident", records::INCIDENT),
        ("service", records::SERVICE),
        ("instance", records::INSTANCE),
        ("marker", records::MARKER),
        ("source", records::SOURCE),
    ]
    .into_iter()
    .find(|(_, prefix)| text.starts_with(prefix))?;
    let name = text[prefix.len()..].to_owned();
    let what = if value.is_some() { "put" } else { "deleted" };
    let words = match (noun, value) {
        ("change", Some(value)) => serde_json::from_slice::<Change>(value).map(|c| change_words(&c)).ok(),
        ("incident", Some(value)) => {
            serde_json::from_slice::<Incident>(value).map(|i| incident_words(&i)).ok()
        }
        ("cell", Some(value)) => serde_json::from_slice::<Hold>(value).map(|h| hold_words(&name, &h)).ok(),
        ("cell", None) => Some(format!("{name} let go: it holds what it held before")),
        ("marker", Some(value)) => serde_json::from_slice::<Marker>(value).map(|m| marker_words(&m)).ok(),
        // That an old one is forgotten is no event.
        ("marker", None) => None,
        ("instance", Some(value)) => {
            serde_json::from_slice::<Registration>(value).map(|said| instance_words(&said)).ok()
        }
        ("instance", None) => Some(format!("{name} is registered no more")),
        ("switch" | "backend" | "service" | "source" | "alert-rules", Some(_)) => {
            Some(format!("{noun} {name} declared"))
        }
        ("switch" | "backend" | "service" | "source" | "alert-rules", None) => {
            Some(format!("{noun} {name} deleted"))
        }
        _ => Some(format!("{noun} {name} no longer kept")),
    }?;
    Some(EventView { revision: at.0, noun: noun.into(), name, what: what.into(), text: words })
}

fn change_words(change: &Change) -> String {
    let legs = said(change);
    let id = &change.id;
    if let Some(ended) = &change.ended {
        let by = ended.by.as_ref().map_or("rein", |name| name.as_str());
        return match ended.how {
            Ending::Expired => format!("{id} expired: {legs} by {}", change.actor),
            Ending::Undone => format!("{by} undid {id}: {legs}"),
            Ending::Ended => format!("{by} ended {id}: {legs}"),
            Ending::Closed => format!("{id} was over with its incident, closed by {by}: {legs}"),
        };
    }
    match change.acts.last().map(|act| (&act.did, &act.by)) {
        Some((Did::Extended { to, .. }, by)) => {
            format!("{by} moved the deadline of {id} to {}: {legs}", super::pieces::rfc3339(*to))
        }
        _ => {
            let incident = change.incident.as_ref().map(|i| format!(" for {i}")).unwrap_or_default();
            format!(
                "{} laid {id}{incident}: {legs} until {}",
                change.actor,
                super::pieces::rfc3339(change.deadline)
            )
        }
    }
}

fn hold_words(cell: &str, hold: &Hold) -> String {
    let change = &hold.change;
    match hold.state {
        HoldState::Intended => format!("{cell} is being written for {change}"),
        HoldState::Held => format!("{cell} holds what {change} wants"),
        HoldState::Conflict => {
            format!("{cell} is in conflict: it holds neither what was there nor what {change} wants")
        }
    }
}

fn instance_words(said: &Registration) -> String {
    let mut words = format!("{}/{} registered", said.service, said.id);
    let zone = said.zone.as_ref().map(|zone| format!("in {zone}"));
    let version = said.version.as_ref().map(ToString::to_string);
    let more: Vec<String> = version.into_iter().chain(zone).collect();
    if !more.is_empty() {
        words.push_str(&format!(": {}", more.join(" ")));
    }
    words
}

fn marker_words(marker: &Marker) -> String {
    let Marker { service, by, actor, note, .. } = marker;
    let (what, at) = (marker.what(), super::pieces::rfc3339(marker.at));
    if marker.before.is_some() {
        return format!("{by} shows another version at {at}: {what} of {service}");
    }
    let whose = if by == actor { String::new() } else { format!(" (recorded by {actor})") };
    let note = if note.is_empty() { String::new() } else { format!(": {note}") };
    format!("{by} made a change at {at}{whose}: {what} of {service}{note}")
}

fn incident_words(incident: &Incident) -> String {
    match &incident.closed {
        Some(closed) => format!("{} closed {}", closed.by, incident.name),
        None => format!("{} opened {}", incident.by, incident.name),
    }
}
