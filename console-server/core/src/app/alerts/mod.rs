//! Alerts: gathered from all backends that hush alerts, judged, explained; and the rules that judge them.

mod sources;

use crate::app::definitions::{Mode, entry};
use crate::app::happened::{over, service, version_words};
use crate::app::silences::time;
use crate::app::versions::marked;
use crate::error::AppError;
use crate::gate::{Decision, Key};
use crate::house::House;
use crate::image::Image;
use crate::records::{self, Answer};
use crate::views::{Named, judged_view, rules_from, said, tidy};
use rein_api::ErrorCode;
use rein_api::alerts::{AlertExplained, AlertRulesDocument, CallsView, JudgedAlerts, JudgedQuery, LineView};
use rein_api::definitions::DefinedView;
use rein_domain::access::{Actor, Pattern, Verb};
use rein_domain::alert::{Alert, CallGraph, Flight, Known, Priority, Scene, State, THE_RULES, Told, judge};
use rein_domain::change::Change;
use rein_domain::marker::Marker;
use rein_domain::name::{BackendName, ServiceName};
use rein_domain::time::Timestamp;
use rein_domain::versions::{self, VersionChange};
use rein_plugin::AlertSeen;
use rein_store::Op;
use sources::{CallsRead, Firing};
use std::collections::{BTreeMap, BTreeSet};

/// Most alerts that an ambiguous beginning of an id is told to be of.
const SHOWN: usize = 8;

/// Changes by the silences that they are, as a backend calls those.
type Silences = BTreeMap<(BackendName, String), String>;

impl House {
    /// All alerts that fire, each in its place. Backends have two seconds in all: one that is slow costs
    /// what it knows, and is named.
    pub async fn judged_alerts(&self, actor: &Actor) -> Result<JudgedAlerts, AppError> {
        actor.can(Verb::Read, &Pattern::All)?;
        let (firing, calls) = tokio::join!(self.firing_alerts(), self.calls());
        let now = self.clock.now();
        let (services, flights, rules, declared) = {
            let image = self.image.read();
            let rules = image.alert_rules.clone().unwrap_or_default();
            let fire = firing.seen.iter().filter_map(|(_, seen)| rules.service_of(&seen.labels));
            let fire: BTreeSet<String> = fire.map(str::to_owned).collect();
            (known(&image, &fire), flights(&image, &fire, now), rules, image.alert_rules.is_some())
        };
        let calls_view = calls_view(&calls);
        let Firing { seen, unreachable, unlisted, missing_peers, backends } = firing;
        let silences = self.own_silences(&backends);
        // Thousands of alerts may take a moment that others should not have to wait for.
        let judged = tokio::task::spawn_blocking(move || {
            let alerts: Vec<Alert> =
                seen.iter().map(|(backend, seen)| alert(backend, seen, &silences)).collect();
            let scene =
                Scene { alerts: &alerts, calls: &calls.graph, services: &services, flights: &flights };
            let judged = judge(&scene, &rules);
            judged_view(&judged, Named { seen: &seen, services: &services })
        });
        let judged = judged.await.map_err(|e| AppError::new(ErrorCode::Internal, e.to_string()))?;
        let (rules_declared, calls) = (declared, calls_view);
        Ok(JudgedAlerts { calls, unreachable, unlisted, missing_peers, backends, rules_declared, ..judged })
    }

    /// What people know Rein's own silences by, as far as they were seen.
    fn own_silences(&self, backends: &[String]) -> Silences {
        let mut all = Silences::new();
        for name in backends.iter().filter_map(|name| name.parse::<BackendName>().ok()) {
            for (cell, seen) in &self.looks.of(&name).seen {
                if let Some(change) = cell.split('.').next().filter(|_| !cell.starts_with("foreign:")) {
                    all.insert((name.clone(), seen.object.clone()), change.to_owned());
                }
            }
        }
        all
    }

    /// Those of them that are asked for. A line brings along what it is folded under and what is folded
    /// under it.
    pub async fn judged_alerts_of(
        &self,
        actor: &Actor,
        query: &JudgedQuery,
    ) -> Result<JudgedAlerts, AppError> {
        let least: Option<Priority> = query.priority.as_deref().map(str::parse).transpose()?;
        let mut judged = self.judged_alerts(actor).await?;
        let lines = &judged.lines;
        let root = |line: &LineView| {
            let mut at = line;
            while let Some(above) = at.under.and_then(|n| lines.get(n as usize - 1)) {
                at = above;
            }
            at.line
        };
        let urgent = |line: &LineView| {
            let priority = line.priority.parse::<Priority>();
            least.is_none_or(|least| priority.is_ok_and(|priority| priority <= least))
        };
        let concerned =
            |line: &LineView| query.service.is_none() || line.service.as_ref() == query.service.as_ref();
        let trees: BTreeSet<u32> = lines.iter().filter(|line| concerned(line)).map(root).collect();
        let urgent: BTreeSet<u32> = lines.iter().filter(|line| urgent(line)).map(|line| line.line).collect();
        let kept: BTreeSet<u32> = lines
            .iter()
            .filter(|line| trees.contains(&root(line)) && urgent.contains(&root(line)))
            .map(|line| line.line)
            .collect();
        judged.lines.retain(|line| kept.contains(&line.line));
        Ok(judged)
    }

    /// Why an alert stands where it stands, by its id or the beginning of one.
    pub async fn explained_alert(&self, actor: &Actor, id: &str) -> Result<AlertExplained, AppError> {
        let judged = self.judged_alerts(actor).await?;
        let (line, alert) = find(&judged, id)?;
        let line = &judged.lines[line];
        let mut above = Vec::new();
        let mut at = line;
        while let Some(next) = at.under.and_then(|n| judged.lines.get(n as usize - 1)) {
            above.push(next.clone());
            at = next;
        }
        let mut inside = BTreeSet::from([line.line]);
        let mut below = Vec::new();
        for one in &judged.lines {
            if one.under.is_some_and(|under| inside.contains(&under)) {
                inside.insert(one.line);
                below.push(one.clone());
            }
        }
        Ok(AlertExplained {
            alert: line.alerts[alert].clone(),
            line: line.clone(),
            above,
            below,
            calls: judged.calls.clone(),
            unreachable: judged.unreachable.clone(),
        })
    }

    /// Declares what decides about alerts.
    pub async fn define_alert_rules(
        &self,
        actor: &Actor,
        key: Option<Key>,
        (name, document): (&str, &AlertRulesDocument),
        mode: Mode,
    ) -> Result<DefinedView, AppError> {
        actor.can(Verb::Define, &Pattern::All)?;
        let rules = rules_from(document)?;
        if name != document.name {
            let message = format!("the path names {}, the document {}", tidy(name), document.name);
            return Err(AppError::new(ErrorCode::Invalid, message));
        }
        if self.image.read().alert_rules.as_ref() == Some(&rules) {
            return Ok(DefinedView { name: name.to_owned(), outcome: "unchanged".into(), note: None });
        }
        let ask = self.ask(actor, Verb::Define, key, &("alert-rules", document))?;
        let decide = |image: &Image, now| {
            let old = image.alert_rules.is_some();
            let (verb, what) =
                if old { ("alert-rules:alter", "altered") } else { ("alert-rules:declare", "created") };
            let key = records::alert_rules();
            let op = Op::Put(key.clone(), image.spell(&key, &rules)?, None);
            Ok(decision(image, op, entry(actor, THE_RULES, verb, now), what))
        };
        let answer = match mode {
            Mode::Apply => self.gate(&ask, decide).await?,
            Mode::DryRun => self.rehearse(&ask, decide)?,
        };
        Ok(DefinedView { name: answer.subject, outcome: answer.what, note: answer.note })
    }

    /// Takes the declaration away; the usual rules hold again.
    pub async fn undefine_alert_rules(
        &self,
        actor: &Actor,
        key: Option<Key>,
        name: &str,
    ) -> Result<DefinedView, AppError> {
        let ask = self.ask(actor, Verb::Define, key, &("undefine", "alert-rules", name))?;
        let decide = |image: &Image, now| {
            if name != THE_RULES || image.alert_rules.is_none() {
                let message = format!("no alert-rules {} are declared", tidy(name));
                return Err(AppError::new(ErrorCode::NotFound, message).hint("the usual ones hold"));
            }
            let op = Op::Delete(records::alert_rules());
            Ok(decision(image, op, entry(actor, THE_RULES, "alert-rules:delete", now), "deleted"))
        };
        let answer = self.gate(&ask, decide).await?;
        Ok(DefinedView { name: answer.subject, outcome: answer.what, note: answer.note })
    }
}

fn decision(image: &Image, op: Op, entry: rein_domain::audit::Entry, what: &str) -> Decision {
    Decision {
        rights: vec![(Verb::Define, Pattern::All)],
        must: vec![image.unmoved(records::alert_rules())],
        ops: vec![op],
        entry,
        answer: Answer { what: what.to_owned(), ..Answer::about(THE_RULES) },
    }
}

/// The line and the alert in it that are meant: written out whole, or the only one that begins so. One that
/// people hear of before one that they do not.
fn find(judged: &JudgedAlerts, id: &str) -> Result<(usize, usize), AppError> {
    let all = || {
        let lines = judged.lines.iter().enumerate();
        lines.flat_map(|(n, line)| line.alerts.iter().enumerate().map(move |(at, alert)| (n, at, alert)))
    };
    if let Some((line, at, _)) = all().find(|(.., alert)| alert.id == id) {
        return Ok((line, at));
    }
    let mut fit: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (line, at, alert) in all().filter(|(.., alert)| !id.is_empty() && alert.id.starts_with(id)) {
        fit.entry(&alert.id).or_insert((line, at));
    }
    match (fit.len(), judged.unreachable.keys().next()) {
        (1, _) => Ok(fit.into_values().next().unwrap_or_default()),
        (0, Some(backend)) => {
            let message = format!("no alert {} is known, and {backend} does not answer", tidy(id));
            Err(AppError::new(ErrorCode::BackendUnreachable, message)
                .hint(format!("rein backend check {backend}")))
        }
        (0, None) => {
            let message = format!("no alert that fires has an id that begins with {}", tidy(id));
            Err(AppError::new(ErrorCode::NotFound, message).hint("rein alert list -v"))
        }
        _ => {
            let some: Vec<&str> = fit.into_keys().take(SHOWN).collect();
            let message = format!("{} could be several alerts; write more of it", tidy(id));
            Err(AppError::new(ErrorCode::Invalid, message).hint(format!("one of {}", some.join(", "))))
        }
    }
}

fn alert(backend: &BackendName, seen: &AlertSeen, silences: &Silences) -> Alert {
    let own = |id: &String| silences.get(&(backend.clone(), id.clone())).unwrap_or(id).clone();
    let state = match seen.state.as_str() {
        "suppressed" if !seen.silenced_by.is_empty() => {
            State::Silenced(seen.silenced_by.iter().map(own).collect())
        }
        "suppressed" => State::Inhibited(seen.inhibited_by.clone()),
        _ => State::Firing,
    };
    Alert {
        id: seen.id.clone(),
        backend: backend.clone(),
        labels: seen.labels.clone(),
        since: time(&seen.since).unwrap_or_default(),
        state,
    }
}

fn known(image: &Image, services: &BTreeSet<String>) -> BTreeMap<String, Known> {
    let known = |name: &String| {
        let fleet = image.world.fleet(&name.parse().ok()?)?;
        let instances = u32::try_from(fleet.instances.len()).unwrap_or(u32::MAX);
        let tier = fleet.declared.as_ref().map(|service| service.tier);
        Some((name.clone(), Known { tier, instances: (instances > 0).then_some(instances) }))
    };
    services.iter().filter_map(known).collect()
}

/// Changes that can have made one of these services fire. A silence cannot: it hushes people.
fn flights(image: &Image, services: &BTreeSet<String>, now: Timestamp) -> Vec<Flight> {
    let flight = |change: &Change| {
        let mut legs = change.legs.iter().filter_map(service).map(ServiceName::as_str);
        // Of thousands of changes that are kept most concern nobody who fires.
        legs.clone().any(|name| services.contains(name)).then(|| Flight {
            id: change.id.to_string(),
            what: said(change),
            by: change.actor.to_string(),
            services: legs.by_ref().map(str::to_owned).collect(),
            began: change.created,
            over: over(image, change, now).map(|(at, _)| at),
            told: Told::Rein,
        })
    };
    if services.is_empty() {
        return Vec::new();
    }
    let elsewhere = marked(image, Timestamp(i64::MIN)).into_iter();
    let elsewhere = elsewhere.filter(|marker| services.contains(marker.service.as_str())).map(made_elsewhere);
    let came = services.iter().filter_map(|name| {
        let name: ServiceName = name.parse().ok()?;
        Some(versions::changes(&name, image.world.fleet(&name)?, Timestamp(i64::MIN)))
    });
    let came = came.flatten().map(another_version);
    image.world.changes().filter_map(flight).chain(elsewhere).chain(came).collect()
}

/// A change that somebody else made, and recorded: a moment, and not a layer that lies over the service.
fn made_elsewhere(marker: &Marker) -> Flight {
    let version = marker.version.as_ref().map_or_else(String::new, |version| format!(" {version}"));
    Flight {
        id: marker.id.to_string(),
        what: match marker.before {
            Some(_) => format!("{} {}", marker.service, marker.what()),
            None => format!("{} {}{version}", marker.kind, marker.service),
        },
        by: marker.by.to_string(),
        services: [marker.service.to_string()].into(),
        began: marker.at,
        over: Some(marker.at),
        told: Told::Marker,
    }
}

/// A version that came to a service, as the registry tells it.
fn another_version(change: VersionChange) -> Flight {
    Flight {
        id: format!("{} {}", change.service, change.to),
        what: format!("{} {}", change.service, version_words(&change)),
        by: "registry".to_owned(),
        services: [change.service.to_string()].into(),
        began: change.at,
        over: Some(change.at),
        told: Told::Registry,
    }
}

fn calls_view(read: &CallsRead) -> CallsView {
    let (known, why) = match &read.graph {
        CallGraph::Known(_) => ("known", None),
        CallGraph::Partly(_, why) => ("partly", Some(tidy(why))),
        CallGraph::Unknown(why) => ("unknown", Some(tidy(why))),
    };
    CallsView { known: known.to_owned(), why, unreachable: read.unreachable.clone() }
}
