//! Markers: record changes that were made elsewhere, list them.

use crate::app::definitions::entry;
use crate::app::pieces::limit;
use crate::error::AppError;
use crate::gate::{Decision, Key};
use crate::house::House;
use crate::image::Image;
use crate::records::{self, Answer};
use crate::views::{marker_from, marker_view};
use rein_api::ErrorCode;
use rein_api::markers::{MarkedView, MarkerList, MarkerQuery, MarkerRequest};
use rein_domain::access::{Actor, Pattern, Verb};
use rein_domain::name::{MarkerId, ServiceName};
use rein_domain::time::Timestamp;
use rein_store::Op;
use std::time::Duration;

/// Of those that have to give way, at most so many at once; the next marker takes care of the others.
const GIVE_WAY: usize = 8;

impl House {
    /// Records a change that was made elsewhere.
    pub async fn mark(
        &self,
        actor: &Actor,
        key: Option<Key>,
        request: &MarkerRequest,
    ) -> Result<MarkedView, AppError> {
        let service: ServiceName = request.service.parse()?;
        actor.can(Verb::Mark, &Pattern::Service(service))?;
        let id = MarkerId::from_random(rand::random());
        let ask = self.ask(actor, Verb::Mark, key, request)?;
        let decide = |image: &Image, now| decide_mark(image, now, actor, (&id, request));
        let answer = self.gate(&ask, decide).await?;
        let image = self.image.read();
        let gone = || AppError::new(ErrorCode::Gone, "it was recorded, and is no longer kept");
        let marker = image.markers.get(&answer.subject.parse()?).ok_or_else(gone)?;
        let known = image.world.fleet(&marker.service).is_some();
        let near = if known { Vec::new() } else { image.world.near_service(&marker.service) };
        Ok(MarkedView {
            marker: marker_view(marker),
            known,
            near: near.iter().map(ToString::to_string).collect(),
        })
    }

    /// Changes made elsewhere, newest first.
    pub fn markers(&self, actor: &Actor, query: &MarkerQuery) -> Result<MarkerList, AppError> {
        actor.can(Verb::Read, &Pattern::All)?;
        let most = limit(query.limit, 200)?;
        let service: Option<ServiceName> = query.service.as_deref().map(str::parse).transpose()?;
        let since = query.since_seconds.map(|s| self.clock.now().minus(Duration::from_secs(s)));
        let image = self.image.read();
        let found = image.markers.since(since.unwrap_or(Timestamp(i64::MIN)));
        let fits = found.into_iter().filter(|m| service.as_ref().is_none_or(|s| *s == m.service));
        Ok(MarkerList { markers: fits.take(most).map(marker_view).collect() })
    }
}

fn decide_mark(
    image: &Image,
    now: Timestamp,
    actor: &Actor,
    (id, request): (&MarkerId, &MarkerRequest),
) -> Result<Decision, AppError> {
    let marker = marker_from(request, id.clone(), actor, now)?;
    let key = records::marker(id);
    let gives_way = image.markers.gives_way(&marker.by, &marker.actor);
    let mut ops = vec![Op::Put(key.clone(), records::encode(&marker)?, None)];
    ops.extend(gives_way.iter().take(GIVE_WAY).map(|id| Op::Delete(records::marker(id))));
    let mut entry = entry(actor, marker.service.as_str(), "marker:write", now);
    entry.detail = format!("{} by {}", marker.what(), marker.by);
    entry.reason.clone_from(&marker.note);
    Ok(Decision {
        rights: vec![(Verb::Mark, Pattern::Service(marker.service.clone()))],
        must: vec![image.unmoved(key)],
        ops,
        entry,
        answer: Answer { what: marker.what(), ..Answer::about(id) },
    })
}
