//! Services: who registers, who is there, who gets traffic.

use crate::app::definitions::{Mode, entry};
use crate::error::AppError;
use crate::gate::{Decision, Key};
use crate::house::House;
use crate::image::Image;
use crate::records::{self, Answer};
use crate::registry::{Beaten, Roster, Watcher};
use crate::views::{Viewer, registration_from, service_document, service_from, tidy};
use rein_api::ErrorCode;
use rein_api::definitions::DefinedView;
use rein_api::services::{
    AcceptLossRequest, AcceptedLossView, BeatRequest, BeatsRequest, BeatsView, ForeignRegistryView,
    LifeQuery, PreservedView, RegisterRequest, RegisteredView, RegistryView, RosterEntry, RosterView,
    ServiceDocument, ServiceList, ServiceView, TargetGroup, TargetQuery,
};
use rein_domain::access::{Actor, Pattern, Verb};
use rein_domain::fleet::Fleet;
use rein_domain::instance::{Registration, Weight};
use rein_domain::name::{BackendName, Incarnation, InstanceName, ServiceName};
use rein_domain::service::ServiceError;
use rein_domain::time::Timestamp;
use rein_store::Op;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most heartbeats in one request.
pub const MAX_BEATS: usize = 1000;

impl House {
    /// An instance registers. The same said again in the same life writes nothing.
    pub async fn register(
        &self,
        actor: &Actor,
        key: Option<Key>,
        request: &RegisterRequest,
    ) -> Result<RegisteredView, AppError> {
        let life = match &request.incarnation {
            Some(life) => life.parse()?,
            None => Incarnation::from_random(rand::random()),
        };
        let said = registration_from(request, life, &actor.name, self.clock.now())?;
        let pattern = Pattern::Service(said.service.clone());
        actor.can(Verb::Register, &pattern)?;
        let known = self.image.read().world.instance(&said.service, &said.id).map(|i| Arc::clone(&i.said));
        if let Some(known) = known.filter(|k| k.incarnation == said.incarnation && k.says_as(&said)) {
            self.registry.beat(&said.service, &said.id, said.incarnation.as_str(), self.boot());
            return Ok(registered(&known, "unchanged".to_owned()));
        }
        let ask = self.ask(actor, Verb::Register, key, request)?;
        let answer = self.gate(&ask, |image, now| decide_register(image, now, actor, &said)).await?;
        self.enroll_once();
        // Answered by the record, a request sent again gets the life it got the first time.
        let image = self.image.read();
        let kept = image.world.instance(&said.service, &said.id).map(|i| Arc::clone(&i.said));
        let life =
            answer.note.as_deref().and_then(|life| life.parse().ok()).unwrap_or(said.incarnation.clone());
        let said = kept
            .filter(|kept| kept.incarnation == life)
            .unwrap_or_else(|| Arc::new(Registration { incarnation: life, ..said.clone() }));
        Ok(registered(&said, answer.what))
    }

    /// An instance goes. One that is not there is gone already.
    pub async fn deregister(
        &self,
        actor: &Actor,
        key: Option<Key>,
        (service, id): (&str, &str),
        query: &LifeQuery,
    ) -> Result<BeatsView, AppError> {
        let (service, id): (ServiceName, InstanceName) = (service.parse()?, id.parse()?);
        actor.can(Verb::Register, &Pattern::Service(service.clone()))?;
        let found = self.image.read().world.instance(&service, &id).map(|i| i.said.incarnation.clone());
        let Some(life) = found else { return Ok(BeatsView::default()) };
        if query.incarnation.as_deref().is_some_and(|meant| meant != life.as_str()) {
            return Err(another_life(&service, &id));
        }
        let ask = self.ask(actor, Verb::Register, key, &("deregister", &service, &id, query))?;
        let decide = |image: &Image, now| {
            let key = records::instance(&service, &id);
            let now_there = image.world.instance(&service, &id).map(|i| &i.said.incarnation);
            if now_there.is_some_and(|there| *there != life) {
                return Err(another_life(&service, &id));
            }
            let target = format!("{service}/{id}");
            Ok(Decision {
                rights: vec![(Verb::Register, Pattern::Service(service.clone()))],
                must: vec![image.unmoved(key.clone())],
                ops: vec![Op::Delete(key)],
                entry: entry(actor, &target, "service:deregister", now),
                answer: Answer { what: "deregistered".into(), ..Answer::about(target) },
            })
        };
        self.gate(&ask, decide).await?;
        self.enroll_once();
        Ok(BeatsView { taken: 1, unknown: Vec::new() })
    }

    /// One instance says that it is there.
    pub fn heartbeat(&self, actor: &Actor, beat: &BeatRequest) -> Result<BeatsView, AppError> {
        let view = self.heartbeats(actor, std::slice::from_ref(beat))?;
        if view.taken == 0 {
            let message = format!("{}/{} is not registered in that life", beat.service, beat.id);
            let message = rein_domain::text::clean(&message).into_owned();
            return Err(AppError::new(ErrorCode::NotFound, message)
                .hint("register again: POST /v1/registry/instances"));
        }
        Ok(view)
    }

    /// Many say so.
    pub fn heartbeats_of(&self, actor: &Actor, request: &BeatsRequest) -> Result<BeatsView, AppError> {
        if request.beats.len() > MAX_BEATS {
            let message = format!("{} heartbeats in one request; at most {MAX_BEATS}", request.beats.len());
            return Err(AppError::new(ErrorCode::TooLarge, message).hint("send several requests"));
        }
        self.heartbeats(actor, &request.beats)
    }

    fn heartbeats(&self, actor: &Actor, beats: &[BeatRequest]) -> Result<BeatsView, AppError> {
        let now = self.boot();
        let mut view = BeatsView::default();
        let mut allowed: Option<ServiceName> = None;
        for beat in beats {
            let (service, id): (ServiceName, InstanceName) = (beat.service.parse()?, beat.id.parse()?);
            if allowed.as_ref() != Some(&service) {
                actor.can(Verb::Register, &Pattern::Service(service.clone()))?;
                allowed = Some(service.clone());
            }
            match self.registry.beat(&service, &id, &beat.incarnation, now) {
                Beaten::Taken => view.taken += 1,
                Beaten::Unknown => view.unknown.push(format!("{service}/{id}")),
            }
        }
        metrics::counter!("rein_registry_heartbeats_total").increment(u64::from(view.taken));
        Ok(view)
    }

    /// All services.
    pub fn services(&self, actor: &Actor) -> Result<ServiceList, AppError> {
        actor.can(Verb::ReadServices, &Pattern::All)?;
        let image = self.image.read();
        let viewer = Viewer::new(self, &image, self.clock.now(), &actor.name);
        let switched = viewer.switch_changes();
        let row = |(name, fleet): (&ServiceName, &Fleet)| {
            let changes = switched.get(name).map_or(0, |ids| u32::try_from(ids.len()).unwrap_or(u32::MAX));
            viewer.service_row(name, fleet, changes)
        };
        Ok(ServiceList {
            services: image.world.fleets().map(row).collect(),
            registry: self.registry_view(&image),
        })
    }

    /// One service.
    pub fn service(&self, actor: &Actor, name: &str) -> Result<ServiceView, AppError> {
        // Its changes and switches are for people; a service finds its callees by watching.
        actor.can(Verb::Read, &Pattern::All)?;
        let name: ServiceName = name.parse()?;
        let image = self.image.read();
        let Some(fleet) = image.world.fleet(&name) else {
            let near = image.world.near_service(&name);
            return Err(ServiceError::Unknown { name, near }.into());
        };
        Ok(Viewer::new(self, &image, self.clock.now(), &actor.name).service(&name, fleet))
    }

    /// Who gets traffic of a service now.
    pub fn roster(&self, actor: &Actor, name: &str) -> Result<RosterView, AppError> {
        actor.can(Verb::ReadServices, &Pattern::All)?;
        let name: ServiceName = name.parse()?;
        Ok(roster_view(&name, &self.registry.roster(&name)))
    }

    /// The same, and every newer one.
    pub fn watch_roster(
        self: &Arc<Self>,
        actor: &Actor,
        name: &str,
    ) -> Result<(ServiceName, Watcher), AppError> {
        actor.can(Verb::ReadServices, &Pattern::All)?;
        let name: ServiceName = name.parse()?;
        let watcher = self.watch_service(actor.name.to_string(), &name);
        Ok((name, watcher))
    }

    /// Targets for Prometheus.
    pub fn targets(&self, actor: &Actor, query: &TargetQuery) -> Result<Vec<TargetGroup>, AppError> {
        actor.can(Verb::ReadServices, &Pattern::All)?;
        let only: Option<ServiceName> = query.service.as_deref().map(str::parse).transpose()?;
        let image = self.image.read();
        let now = self.clock.now();
        let mut groups = Vec::new();
        for (name, _) in
            image.world.fleets().filter(|(name, _)| only.as_ref().is_none_or(|only| only == *name))
        {
            // What a foreign registry calls an address may be none.
            let all = image.world.weighed_all(name, now).into_iter();
            for (found, weighed) in all.filter(|(found, _)| found.said.address.port() != 0) {
                let served = found.health.state.serves() && weighed.weight != Weight::DRAINED;
                if served || query.all {
                    groups.push(target(&found.said, weighed.weight, found.health.state.as_str()));
                }
            }
        }
        Ok(groups)
    }

    /// How the registry itself is.
    pub(crate) fn registry_view(&self, image: &Image) -> RegistryView {
        let instances = image.world.fleets().map(|(_, fleet)| fleet.instances.len()).sum::<usize>();
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let preserved = self.registry.preserved().map(|(since, losses)| PreservedView {
            since: since.into(),
            silent: number(losses.lost),
            of: number(losses.all),
        });
        let foreign = image.world.backends().filter_map(|b| {
            let survey = self.registry.surveys.of(&b.name)?;
            Some(ForeignRegistryView {
                backend: b.name.to_string(),
                instances: number(image.world.foreign_count(&b.name)),
                unread: survey.unread,
                listed: survey.at.map(Into::into),
                stale_ms: self.stale_registry(&b.name),
                fault: survey.fault,
                missing_peers: survey.missing_peers.iter().map(|peer| tidy(peer)).collect(),
            })
        });
        let foreign = foreign.collect();
        RegistryView { instances: number(instances), preserved, stale_ms: self.health_age(), foreign }
    }

    /// How old what is known of a foreign registry is, in milliseconds, if it does not answer now.
    pub(crate) fn stale_registry(&self, backend: &BackendName) -> Option<u64> {
        let survey = self.registry.surveys.of(backend).filter(|survey| survey.fault.is_some())?;
        let since =
            survey.boot.map_or_else(|| self.uptime().as_millis(), |at| (self.boot() - at).max(0) as u128);
        Some(u64::try_from(since).unwrap_or(u64::MAX))
    }

    /// Somebody says that those who are silent are really gone.
    pub async fn accept_loss(
        &self,
        actor: &Actor,
        key: Option<Key>,
        request: &AcceptLossRequest,
    ) -> Result<AcceptedLossView, AppError> {
        let ask = self.ask(actor, Verb::ServiceDrain, key, &("accept-loss", request))?;
        let decide = |_: &Image, now| {
            if self.registry.preserved().is_none() {
                return Err(AppError::new(ErrorCode::Over, "no mass loss of heartbeats goes on")
                    .hint("rein service list"));
            }
            let mut entry = entry(actor, "*", "service:accept-loss", now);
            entry.reason.clone_from(&request.reason);
            Ok(Decision {
                rights: vec![(Verb::ServiceDrain, Pattern::All)],
                must: Vec::new(),
                ops: Vec::new(),
                entry,
                answer: Answer::about("*"),
            })
        };
        self.gate(&ask, decide).await?;
        let lost = self.registry.accept_loss(self.boot());
        self.sweep_once();
        Ok(AcceptedLossView { lost: u32::try_from(lost).unwrap_or(u32::MAX) })
    }

    /// Declares a service, or alters its declaration.
    pub async fn define_service(
        &self,
        actor: &Actor,
        key: Option<Key>,
        (name, document): (&str, &ServiceDocument),
        mode: Mode,
    ) -> Result<DefinedView, AppError> {
        let service = service_from(document)?;
        if service.name.as_str() != name {
            let message =
                format!("the path names {}, the document {}", rein_domain::text::clean(name), service.name);
            return Err(AppError::new(ErrorCode::Invalid, message));
        }
        let pattern = Pattern::Service(service.name.clone());
        actor.can(Verb::Define, &pattern)?;
        let known = self.image.read().world.fleet(&service.name).and_then(|fleet| fleet.declared.clone());
        if known.as_ref() == Some(&service) {
            return Ok(DefinedView { name: name.to_owned(), outcome: "unchanged".into(), note: None });
        }
        let ask = self.ask(actor, Verb::Define, key, &("service", document))?;
        let decide = |image: &Image, now| {
            let old = image.world.fleet(&service.name).is_some_and(|fleet| fleet.declared.is_some());
            let (verb, what) =
                if old { ("service:alter", "altered") } else { ("service:declare", "created") };
            let key = records::service(&service.name);
            Ok(Decision {
                rights: vec![(Verb::Define, pattern.clone())],
                must: vec![image.unmoved(key.clone())],
                ops: vec![Op::Put(key.clone(), image.spell(&key, &service)?, None)],
                entry: entry(actor, service.name.as_str(), verb, now),
                answer: Answer { what: what.into(), ..Answer::about(&service.name) },
            })
        };
        let answer = match mode {
            Mode::Apply => self.gate(&ask, decide).await?,
            Mode::DryRun => self.rehearse(&ask, decide)?,
        };
        Ok(DefinedView { name: answer.subject, outcome: answer.what, note: answer.note })
    }

    /// Takes a declaration away; instances stay.
    pub async fn undefine_service(
        &self,
        actor: &Actor,
        key: Option<Key>,
        name: &str,
    ) -> Result<DefinedView, AppError> {
        let name: ServiceName = name.parse()?;
        let ask = self.ask(actor, Verb::Define, key, &("undefine", "service", &name))?;
        let decide = |image: &Image, now| {
            if image.world.fleet(&name).is_none_or(|fleet| fleet.declared.is_none()) {
                let near = image.world.near_service(&name);
                return Err(ServiceError::Unknown { name: name.clone(), near }.into());
            }
            let key = records::service(&name);
            Ok(Decision {
                rights: vec![(Verb::Define, Pattern::Service(name.clone()))],
                must: vec![image.unmoved(key.clone())],
                ops: vec![Op::Delete(key)],
                entry: entry(actor, name.as_str(), "service:delete", now),
                answer: Answer { what: "deleted".into(), ..Answer::about(&name) },
            })
        };
        let answer = self.gate(&ask, decide).await?;
        Ok(DefinedView { name: answer.subject, outcome: answer.what, note: answer.note })
    }

    /// All declarations.
    pub(crate) fn service_documents(image: &Image) -> Vec<ServiceDocument> {
        image.world.fleets().filter_map(|(_, fleet)| fleet.declared.as_ref()).map(service_document).collect()
    }
}

fn decide_register(
    image: &Image,
    now: Timestamp,
    actor: &Actor,
    said: &Registration,
) -> Result<Decision, AppError> {
    let key = records::instance(&said.service, &said.id);
    let known = image.world.instance(&said.service, &said.id).map(|found| &found.said);
    let again = known.filter(|known| known.incarnation == said.incarnation);
    let spared = match again {
        Some(known) => known.spared.clone(),
        None => image.world.spares(said, now),
    };
    let came = match again.filter(|known| known.version == said.version) {
        Some(known) => known.came.clone(),
        None => image.came(said, now),
    };
    let said = Registration { at: again.map_or(now, |known| known.at), spared, came, ..said.clone() };
    let mut must = vec![image.unmoved(key.clone())];
    if !image.world.over_service(&said.service, now).is_empty() {
        must.push(image.unmoved(records::service_target(&said.service)));
    }
    let target = format!("{}/{}", said.service, said.id);
    let mut entry = entry(actor, &target, "service:register", now);
    let version = said.version.as_ref().map(|v| format!(" runs {v}")).unwrap_or_default();
    entry.detail = format!("at {}{version}", said.address);
    if !said.spared.is_empty() {
        let ids: Vec<&str> = said.spared.iter().map(|id| id.as_str()).collect();
        entry.detail.push_str(&format!(", not drained by {}: too few were left", ids.join(", ")));
    }
    let what = match (known, again) {
        (None, _) => "registered",
        (Some(_), Some(_)) => "altered",
        (Some(_), None) => "replaced",
    };
    let note = Some(said.incarnation.to_string());
    Ok(Decision {
        rights: vec![(Verb::Register, Pattern::Service(said.service.clone()))],
        must,
        ops: vec![Op::Put(key.clone(), image.spell(&key, &said)?, None)],
        entry,
        answer: Answer { what: what.into(), note, ..Answer::about(target) },
    })
}

fn another_life(service: &ServiceName, id: &InstanceName) -> AppError {
    AppError::new(ErrorCode::Moved, format!("{service}/{id} has registered anew: that life of it is over"))
        .hint("nothing was changed; who is there now: GET /v1/services/NAME")
}

fn registered(said: &Registration, outcome: String) -> RegisteredView {
    RegisteredView {
        service: said.service.to_string(),
        id: said.id.to_string(),
        incarnation: said.incarnation.to_string(),
        heartbeat_seconds: said.beat.map(|beat| beat.every),
        lease_seconds: said.beat.map(|beat| beat.lease().as_secs()),
        outcome,
    }
}

/// A roster as watchers see it.
pub fn roster_view(service: &ServiceName, roster: &Roster) -> RosterView {
    let entry = |entry: &crate::registry::Entry| RosterEntry {
        id: entry.said.id.to_string(),
        address: entry.said.address.to_string(),
        zone: entry.said.zone.as_ref().map(ToString::to_string),
        version: entry.said.version.as_ref().map(ToString::to_string),
        weight: entry.weight.get(),
        metadata: entry.said.metadata.clone(),
    };
    RosterView {
        service: service.to_string(),
        serial: roster.serial,
        instances: roster.entries.iter().map(entry).collect(),
    }
}

fn target(said: &Registration, weight: Weight, state: &str) -> TargetGroup {
    let mut labels = BTreeMap::from([
        ("service".to_owned(), said.service.to_string()),
        ("__meta_rein_instance".to_owned(), said.id.to_string()),
        ("__meta_rein_weight".to_owned(), weight.to_string()),
        ("__meta_rein_state".to_owned(), state.to_owned()),
    ]);
    let mut may =
        |name: &str, value: Option<String>| labels.extend(value.map(|value| (name.to_owned(), value)));
    may("__meta_rein_registry", said.cell.as_ref().map(|cell| cell.backend.to_string()));
    may("zone", said.zone.as_ref().map(ToString::to_string));
    may("version", said.version.as_ref().map(ToString::to_string));
    for (key, value) in &said.metadata {
        // A label's name takes neither dashes nor dots.
        let name: String = key.chars().map(|c| if matches!(c, '-' | '.') { '_' } else { c }).collect();
        labels.insert(format!("__meta_rein_metadata_{name}"), value.clone());
    }
    TargetGroup { targets: vec![said.address.to_string()], labels }
}
