//! Markers and sources, to the domain and from it.

use crate::error::AppError;
use rein_api::ErrorCode;
use rein_api::markers::{MarkerRequest, MarkerView, SourceDocument};
use rein_domain::access::Actor;
use rein_domain::marker::Marker;
use rein_domain::name::MarkerId;
use rein_domain::source::Source;
use rein_domain::time::Timestamp;
use std::time::Duration;

pub(crate) fn marker_from(
    request: &MarkerRequest,
    id: MarkerId,
    actor: &Actor,
    now: Timestamp,
) -> Result<Marker, AppError> {
    let at = match (request.at, request.ago_seconds) {
        (None, None) => now,
        (Some(at), None) => at.0,
        (None, Some(ago)) => now.minus(Duration::from_secs(ago)),
        (Some(_), Some(_)) => {
            let message = "`at` and `ago_seconds` are both given; one of them says when";
            return Err(AppError::new(ErrorCode::Invalid, message));
        }
    };
    let marker = Marker {
        id,
        kind: request.kind.parse()?,
        service: request.service.parse()?,
        version: request.version.as_deref().map(str::parse).transpose()?,
        before: None,
        by: request.by.as_deref().map_or_else(|| Ok(actor.name.clone()), str::parse)?,
        actor: actor.name.clone(),
        at,
        recorded: now,
        note: request.note.clone(),
    };
    // What was done by Rein is in its own trail, and nobody else says so.
    if marker.by.as_str() == "rein" {
        let message = "`rein` records its own changes; name who made this one with `by`";
        return Err(AppError::new(ErrorCode::Invalid, message));
    }
    Ok(marker.record(now)?)
}

pub(crate) fn marker_view(marker: &Marker) -> MarkerView {
    MarkerView {
        id: marker.id.to_string(),
        kind: marker.kind.to_string(),
        service: marker.service.to_string(),
        version: marker.version.as_ref().map(ToString::to_string),
        before: marker.before.as_ref().map(ToString::to_string),
        by: marker.by.to_string(),
        actor: marker.actor.to_string(),
        at: marker.at.into(),
        recorded: marker.recorded.into(),
        note: marker.note.clone(),
    }
}

pub(crate) fn source_from(document: &SourceDocument) -> Result<Source, AppError> {
    if document.kind != "source" {
        let kind = rein_domain::text::clean(&document.kind).into_owned();
        return Err(AppError::new(ErrorCode::Invalid, format!("kind `{kind}` is not `source`")));
    }
    let source =
        Source { name: document.name.parse()?, owner: document.owner.clone(), every: document.every_seconds };
    source.check()?;
    Ok(source)
}

pub(crate) fn source_document(source: &Source) -> SourceDocument {
    SourceDocument {
        kind: "source".into(),
        name: source.name.to_string(),
        owner: source.owner.clone(),
        every_seconds: source.every,
    }
}
