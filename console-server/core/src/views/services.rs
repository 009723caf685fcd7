//! Services and instances on the wire.

use super::{Viewer, proof_view, summary_words};
use crate::error::AppError;
use rein_api::ErrorCode;
use rein_api::changes::{ChangeView, EffectView, HolderView, LegView};
use rein_api::proof::ProofView;
use rein_api::services::{
    CheckKind, CheckRequest, InstanceLegRequest, InstancePreview, InstanceView, RegisterRequest,
    ServiceDocument, ServiceRow, ServiceView, SwitchBrief, VersionView, ZoneView,
};
use rein_domain::change::{Change, InstanceLeg, Pick, Which, Wish};
use rein_domain::fleet::{Bond, Fleet, Instance, Weighed};
use rein_domain::health::{Beat, Check, Probe, State};
use rein_domain::hold::{Cell, HoldState};
use rein_domain::instance::{InstanceError, Registration, Weight};
use rein_domain::layer::Summary;
use rein_domain::name::{ActorName, BackendName, ChangeId, Incarnation, ServiceName};
use rein_domain::scope::Scope;
use rein_domain::service::{Floor, Service};
use rein_domain::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How far back a service's changes are shown.
const LATELY: Duration = Duration::from_secs(24 * 3600);
/// Most of them.
const CHANGES: usize = 20;

/// What is about to happen to layers.
#[derive(Clone, Copy)]
pub(crate) enum Lying<'a> {
    /// One more is laid.
    New,
    /// These go.
    Going(&'a BTreeSet<ChangeId>),
}

/// `drain`, `weigh 10 in sh`.
pub(crate) fn leg_words(leg: &InstanceLeg) -> String {
    let what =
        if leg.weight == Weight::DRAINED { "drained".to_owned() } else { format!("weight {}", leg.weight) };
    match &leg.which {
        Which::One { .. } => what,
        Which::Zone(zone) => format!("{what} in {zone}"),
    }
}

/// Does a change lie over instances or switches of a service?
pub(crate) fn concerns(change: &Change, service: &ServiceName) -> bool {
    change.instance_legs().any(|leg| leg.service == *service)
        || change.switch_legs().any(|leg| leg.switch.service() == service)
}

/// Instances as a client names them.
pub(crate) fn instance_wish_from(leg: &InstanceLegRequest) -> Result<Wish, AppError> {
    let pick = match (&leg.instance.id, &leg.instance.zone) {
        (Some(id), None) => {
            let life = leg.instance.incarnation.as_deref().map(str::parse).transpose()?;
            Pick::One(id.parse()?, life)
        }
        (None, Some(zone)) => Pick::Zone(zone.parse()?),
        (None, None) => {
            return Err(AppError::new(ErrorCode::Invalid, "which instances of the service?")
                .hint("name one instance, or a zone"));
        }
        (Some(_), Some(_)) => {
            return Err(AppError::new(ErrorCode::Invalid, "name an instance or a zone, not both"));
        }
    };
    Ok(Wish::Instance(leg.instance.service.parse()?, pick, leg.weight.try_into()?))
}

/// A registration, checked.
pub(crate) fn registration_from(
    request: &RegisterRequest,
    incarnation: Incarnation,
    by: &ActorName,
    at: Timestamp,
) -> Result<Registration, AppError> {
    let check = request.check.as_ref().map(check_from);
    let beat = match request.heartbeat_seconds {
        Some(0) => None,
        Some(every) => Some(Beat { every }),
        None if check.is_some() => None,
        None => Some(Beat::default()),
    };
    let said = Registration {
        service: request.service.parse()?,
        id: request.id.parse()?,
        incarnation,
        zone: request.zone.as_deref().map(str::parse).transpose()?,
        version: request.version.as_deref().map(str::parse).transpose()?,
        address: request.address.parse()?,
        weight: request.weight.map_or(Ok(Weight::USUAL), Weight::try_from)?,
        metadata: request.metadata.clone(),
        check,
        beat,
        by: by.clone(),
        at,
        spared: BTreeSet::new(),
        came: None,
        cell: None,
    };
    said.check()?;
    if let Ok(ip) = said.address.host().parse()
        && let Some(why) = rein_plugin::address::refused(ip)
    {
        return Err(InstanceError::Address { given: request.address.clone(), why }.into());
    }
    Ok(said)
}

fn check_from(request: &CheckRequest) -> Check {
    let path = request.path.clone();
    let probe = match request.kind {
        CheckKind::Http if path.is_empty() => Probe::Http("/".to_owned()),
        CheckKind::Http => Probe::Http(path),
        CheckKind::Tcp => Probe::Tcp,
        CheckKind::Grpc => Probe::Grpc(path),
    };
    Check { probe, every: request.every_seconds, rise: request.rise, fall: request.fall }
}

/// A declared service, checked.
pub(crate) fn service_from(document: &ServiceDocument) -> Result<Service, AppError> {
    if document.kind != "service" {
        let kind = rein_domain::text::clean(&document.kind).into_owned();
        return Err(AppError::new(ErrorCode::Invalid, format!("kind `{kind}` is not `service`")));
    }
    let service = Service {
        name: document.name.parse()?,
        owner: document.owner.clone(),
        tier: document.tier.try_into()?,
        floor: document.floor,
    };
    service.check()?;
    Ok(service)
}

/// The file that declares a service.
pub(crate) fn service_document(service: &Service) -> ServiceDocument {
    ServiceDocument {
        kind: "service".into(),
        name: service.name.to_string(),
        owner: service.owner.clone(),
        tier: service.tier.into(),
        floor: service.floor,
    }
}

fn weight_words(weight: Weight, base: Weight) -> String {
    match weight {
        Weight::DRAINED => "drained".to_owned(),
        weight if weight == base => format!("weight {weight}"),
        weight => format!("weight {weight} of {base}"),
    }
}

fn floor_words(floor: Floor) -> String {
    match floor {
        Floor::Declared(1) => "1 instance".to_owned(),
        Floor::Declared(least) => format!("{least} instances"),
        Floor::Usual => "half of the healthy ones in each zone (none declared)".to_owned(),
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl Viewer<'_> {
    /// What an act does to the instances of one leg.
    pub(crate) fn instance_effect(
        &self,
        leg: &InstanceLeg,
        change: &ChangeId,
        lying: Lying<'_>,
    ) -> EffectView {
        let world = &self.image.world;
        let over = world.over_service(&leg.service, self.now);
        let mut holding: BTreeSet<ChangeId> = BTreeSet::new();
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for (found, weighed) in world.weighed_all(&leg.service, self.now) {
            let said = &found.said;
            if !leg.covers(change, said) {
                continue;
            }
            let then = match lying {
                Lying::New => weighed.weight.min(leg.weight),
                Lying::Going(gone) => {
                    let stays = over.iter().filter(|c| !gone.contains(&c.id));
                    let legs = stays.flat_map(|c| c.instance_legs().map(move |leg| (c, leg)));
                    let mine = legs.filter(|(c, leg)| leg.service == said.service && leg.covers(&c.id, said));
                    mine.map(|(_, leg)| leg.weight).fold(said.weight, Weight::min)
                }
            };
            let gone = |id: &ChangeId| matches!(lying, Lying::Going(gone) if gone.contains(id));
            holding.extend(weighed.by.iter().filter(|id| !gone(id)).cloned());
            before.push((weighed.weight, said.weight));
            after.push((then, said.weight));
        }
        let words = |all: &[(Weight, Weight)]| match (&leg.which, all) {
            (Which::One { .. }, [(weight, base)]) => weight_words(*weight, *base),
            (Which::One { .. }, _) => "gone".to_owned(),
            (Which::Zone(zone), all) => {
                let with = all.iter().filter(|(weight, _)| *weight != Weight::DRAINED).count();
                let full = all.iter().filter(|(weight, base)| weight == base).count();
                let less =
                    if full < with { format!(", {} of them with less", with - full) } else { String::new() };
                format!("{zone}: {with} of {} with traffic{less}", all.len())
            }
        };
        let still_held = holding.iter().filter_map(|id| self.instance_holder(id, &leg.service)).collect();
        EffectView {
            target: rein_domain::change::Leg::Instance(leg.clone()).target(),
            before: words(&before),
            after: words(&after),
            visible: before != after,
            still_held,
        }
    }

    fn instance_holder(&self, id: &ChangeId, service: &ServiceName) -> Option<HolderView> {
        let change = self.image.world.change(id)?;
        let leg = change.instance_legs().find(|leg| leg.service == *service)?;
        Some(HolderView {
            change: id.to_string(),
            actor: change.actor.to_string(),
            incident: change.incident.as_ref().map(ToString::to_string),
            summary: leg_words(leg),
            deadline: change.deadline.into(),
            own: change.actor == *self.reader,
        })
    }

    /// What a change would do to instances.
    pub(crate) fn preview_instances(&self, change: &Change) -> Vec<InstancePreview> {
        let legs: Vec<&InstanceLeg> = change.instance_legs().collect();
        let preview = |leg: &&InstanceLeg| {
            let counts = self.image.world.counts(&leg.service, &legs, self.now);
            let left = counts.iter().map(|(zone, count)| {
                let zone = zone.as_ref().map_or("no zone", |zone| zone.as_str());
                format!("{zone} {} of {} healthy", count.left, count.healthy)
            });
            let floor = self.image.world.fleet(&leg.service).map_or(Floor::Usual, Fleet::floor);
            InstancePreview {
                effect: self.instance_effect(leg, &change.id, Lying::New),
                summary: leg_words(leg),
                left: left.collect(),
                floor: floor_words(floor),
                reach: self.watchers(&leg.service),
                registries: self.registries_written(change, leg),
            }
        };
        legs.iter().map(preview).collect()
    }

    /// What is written into foreign registries for a leg: in words.
    fn registries_written(&self, change: &Change, leg: &InstanceLeg) -> Vec<String> {
        let mut entries: BTreeMap<BackendName, u32> = BTreeMap::new();
        for cell in self.image.world.cells_of(change, leg) {
            *entries.entry(cell.backend).or_default() += 1;
        }
        let words = |(backend, count): (BackendName, u32)| {
            let look = self.house.looks.of(&backend);
            let dies = look.description.as_ref().map(|d| super::tidy(&d.when_rein_dies));
            let dies = dies.map(|dies| format!(" · when Rein dies: {dies}")).unwrap_or_default();
            let late = look.fault.is_some();
            let late = if late { " · it does not answer: written as soon as it does" } else { "" };
            let entries = if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") };
            format!("{backend}: {entries}{late}{dies}")
        };
        entries.into_iter().map(words).collect()
    }

    /// Who watches a service, and has got what the layers over it come to now.
    fn watchers(&self, service: &ServiceName) -> ProofView {
        let altered = self.image.service_altered_at(service);
        let tally = self.house.registry.tally(service, altered);
        let complete = tally.waiting.is_empty();
        ProofView { complete, ..proof_view(tally) }
    }

    /// One leg over instances.
    pub(super) fn instance_leg(&self, change: &Change, leg: &InstanceLeg, active: bool) -> LegView {
        let cells = self.image.world.cells_of(change, leg);
        let proof = self.leg_proof(change, leg, &cells, active);
        let is_torn =
            |cell: &&Cell| self.image.hold(cell).is_some_and(|(hold, _)| hold.state == HoldState::Conflict);
        let torn = cells.iter().find(is_torn);
        let late = || cells.iter().find(|cell| !self.cell_proof(cell, active).complete);
        // Of many, the one that somebody should look at.
        let worst = torn.or_else(late).or(cells.first());
        let state = match active {
            _ if torn.is_some() => "conflict",
            false => "over",
            true if self.image.world.bond(leg) == Bond::Moot => "moot",
            true if proof.complete => "in force",
            true => "pending",
        };
        // Nobody is left to hear of a layer on somebody who is gone.
        let proof = ProofView { complete: proof.complete || state == "moot", ..proof };
        let zones = match &leg.which {
            Which::Zone(zone) => BTreeSet::from([zone.clone()]),
            Which::One { .. } => BTreeSet::new(),
        };
        LegView {
            noun: "instance".to_owned(),
            target: rein_domain::change::Leg::Instance(leg.clone()).target(),
            setting: if leg.weight == Weight::DRAINED { "drained" } else { "weighed" }.to_owned(),
            stance: "protects".to_owned(),
            scope: super::scope_view(&Scope { zones, ..Scope::default() }),
            summary: leg_words(leg),
            state: state.to_owned(),
            proof,
            cell: worst.map(|cell| self.cell(cell, &change.id)),
        }
    }

    /// Who has got one leg: those who watch the service, and the registries that hold its instances.
    fn leg_proof(&self, change: &Change, leg: &InstanceLeg, cells: &[Cell], active: bool) -> ProofView {
        if cells.is_empty() {
            return self.watchers(&leg.service);
        }
        let mut all = cells.iter().map(|cell| self.cell_proof(cell, active));
        let mut sum = all.next().unwrap_or_default();
        for one in all {
            sum.sent += one.sent;
            sum.received += one.received;
            sum.held += one.held;
            sum.connected += one.connected;
            sum.expected = Some(sum.expected.unwrap_or(0) + one.expected.unwrap_or(0));
            sum.waiting.extend(one.waiting);
            sum.complete &= one.complete;
        }
        sum.waiting.sort();
        sum.waiting.dedup();
        let fleet = self.image.world.fleet(&leg.service);
        let mut instances = fleet.into_iter().flat_map(|fleet| fleet.instances.values());
        let here = instances.any(|i| i.said.cell.is_none() && leg.covers(&change.id, &i.said));
        let complete = sum.complete && (!here || self.watchers(&leg.service).complete);
        ProofView { complete, ..sum }
    }

    /// A service in a list.
    pub(crate) fn service_row(&self, name: &ServiceName, fleet: &Fleet, switch_changes: u32) -> ServiceRow {
        let over = self.image.world.over_service(name, self.now);
        let mut zones: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
        let mut versions: BTreeMap<&str, u32> = BTreeMap::new();
        let mut registries: BTreeSet<&BackendName> = BTreeSet::new();
        let (mut up, mut known, mut drained, mut down) = (0, 0, 0, 0);
        for found in fleet.instances.values() {
            let said = &found.said;
            let serves = found.health.state.serves();
            let zone = zones.entry(said.zone.as_ref().map_or("", |z| z.as_str())).or_default();
            *zone = (zone.0 + u32::from(serves), zone.1 + 1);
            *versions.entry(said.version.as_ref().map_or("", |v| v.as_str())).or_default() += 1;
            registries.extend(said.cell.as_ref().map(|cell| &cell.backend));
            up += u32::from(serves);
            down += u32::from(found.health.state == State::Down);
            known += u32::from(found.health.state != State::Unknown);
            if !over.is_empty() && self.image.world.weighed(said, self.now).weight == Weight::DRAINED {
                drained += 1;
            }
        }
        let all = count(fleet.instances.len());
        let health = match (up, known) {
            _ if all == 0 => "empty",
            (0, _) if down == 0 => "starting",
            (0, _) => "down",
            (up, _) if up < all => "degraded",
            (_, 0) => "unknown",
            _ => "up",
        };
        let short = if over.is_empty() { None } else { self.image.world.shortfall(name, self.now) };
        ServiceRow {
            name: name.to_string(),
            owner: fleet.declared.as_ref().map(|s| s.owner.clone()),
            tier: fleet.declared.as_ref().map(|s| s.tier.into()),
            health: health.to_owned(),
            up,
            all,
            drained,
            zones: zones
                .iter()
                .map(|(zone, (up, all))| ZoneView { zone: (*zone).to_owned(), up: *up, all: *all })
                .collect(),
            versions: versions
                .iter()
                .map(|(version, instances)| VersionView {
                    version: (*version).to_owned(),
                    instances: *instances,
                })
                .collect(),
            registries: registries.into_iter().map(ToString::to_string).collect(),
            active_changes: count(over.len()) + switch_changes,
            alarm: short.map(|short| format!("below its floor: {short}")),
        }
    }

    /// Active changes over switches, by service.
    pub(crate) fn switch_changes(&self) -> BTreeMap<ServiceName, BTreeSet<ChangeId>> {
        let mut by_service: BTreeMap<ServiceName, BTreeSet<ChangeId>> = BTreeMap::new();
        for change in self.image.world.not_ended().filter(|c| self.image.world.active(c, self.now)) {
            for leg in change.switch_legs() {
                by_service.entry(leg.switch.service().clone()).or_default().insert(change.id.clone());
            }
        }
        by_service
    }

    /// One service.
    pub(crate) fn service(&self, name: &ServiceName, fleet: &Fleet) -> ServiceView {
        let switched = self.switch_changes().remove(name).map_or(0, |ids| count(ids.len()));
        let mut instances: Vec<InstanceView> =
            self.image.world.weighed_all(name, self.now).iter().map(|(i, w)| self.instance(i, w)).collect();
        instances.sort_by(|a, b| (&a.zone, &a.id).cmp(&(&b.zone, &b.id)));
        let of_it = self.image.world.switches().filter(|s| s.name.service() == name);
        let switches = of_it.map(|switch| {
            let stack = self.image.world.stack(&switch.name, self.now);
            let summary = stack.map_or(Summary::Everywhere(switch.default), |s| s.summary(self.now));
            SwitchBrief { name: switch.name.to_string(), summary: summary_words(&summary, switch.protects) }
        });
        ServiceView {
            row: self.service_row(name, fleet, switched),
            floor: floor_words(fleet.floor()),
            instances,
            switches: switches.collect(),
            changes: self.changes_of(name),
            proof: self.watchers(name),
            registry: self.house.registry_view(self.image),
            revision: self.image.revision_of(&crate::records::service_target(name)).map_or(0, |r| r.0),
        }
    }

    fn changes_of(&self, name: &ServiceName) -> Vec<ChangeView> {
        let since = self.now.minus(LATELY);
        let lately = |c: &&Change| {
            self.image.world.active(c, self.now) || c.ended.as_ref().map_or(c.deadline, |e| e.at) >= since
        };
        let mut found: Vec<&Change> =
            self.image.world.changes().filter(|c| concerns(c, name)).filter(lately).collect();
        found.sort_by_key(|c| {
            (!self.image.world.active(c, self.now), std::cmp::Reverse((c.created, c.id.clone())))
        });
        found.into_iter().take(CHANGES).map(|c| self.change(c)).collect()
    }

    fn instance(&self, found: &Instance, weighed: &Weighed) -> InstanceView {
        let said = &found.said;
        let age = self.house.registry.beat_age(said, self.house.boot());
        let check = said.check.as_ref().map(|check| {
            format!("{} every {} s, {} up, {} down", check.probe, check.every, check.rise, check.fall)
        });
        InstanceView {
            id: said.id.to_string(),
            incarnation: said.incarnation.to_string(),
            zone: said.zone.as_ref().map(ToString::to_string),
            version: said.version.as_ref().map(ToString::to_string),
            address: said.address.to_string(),
            weight: said.weight.get(),
            effective: weighed.weight.get(),
            changes: weighed.by.iter().map(ToString::to_string).collect(),
            spared: said.spared.iter().filter(|id| self.holds_still(id)).map(ToString::to_string).collect(),
            state: found.health.state.as_str().to_owned(),
            why: found.health.why.to_string(),
            since: found.health.since.into(),
            served: found.health.state.serves() && weighed.weight != Weight::DRAINED,
            beat_age_ms: age.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX)),
            check,
            metadata: said.metadata.clone(),
            registered: said.at.into(),
            by: said.by.to_string(),
            registry: said.cell.as_ref().map(|cell| cell.backend.to_string()),
            stale_ms: said.cell.as_ref().and_then(|cell| self.house.stale_registry(&cell.backend)),
        }
    }

    fn holds_still(&self, id: &ChangeId) -> bool {
        self.image.world.change(id).is_some_and(|c| self.image.world.active(c, self.now))
    }
}
