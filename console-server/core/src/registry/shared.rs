//! Several servers: heartbeats heard by one count for all, and what the server that looks has seen is what
//! the others serve. It travels with the questions that servers ask each other anyway.

use crate::house::House;
use crate::registry::pulses::{Beaten, Told as Verdict};
use rein_api::cluster::{PeerAnswer, PeerHealth};
use rein_domain::fleet::Instance;
use rein_domain::health::{State, Why};
use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

/// What the server that looks said last.
#[derive(Default)]
pub(super) struct Told {
    /// When.
    at: Option<Instant>,
    /// Up to when each server has told what it heard, by its own boot clock.
    heard: HashMap<String, i64>,
}

impl House {
    /// Does another server look and judge?
    pub(super) fn follows_another(&self) -> bool {
        self.standing.member.is_some() && !self.leads()
    }

    /// How old is what this server knows of health, in milliseconds; `None` while it looks itself.
    pub(crate) fn health_age(&self) -> Option<u64> {
        if !self.follows_another() {
            return None;
        }
        let at = self.registry.told.lock().at;
        let age = at.map_or(self.uptime(), |at| at.elapsed());
        (age > std::time::Duration::from_secs(5)).then(|| u64::try_from(age.as_millis()).unwrap_or(u64::MAX))
    }

    /// From when on this server wants to be told what another one heard.
    pub(crate) fn heard_up_to(&self, name: &str) -> i64 {
        self.registry.told.lock().heard.get(name).copied().unwrap_or(i64::MIN)
    }

    /// What this server tells another one: what it heard, and, if it looks, who is not up.
    pub(crate) fn tell_peer(&self, after: Option<i64>, answer: &mut PeerAnswer) {
        let boot = self.boot();
        answer.boot = boot;
        if let Some(after) = after {
            for (service, id, life, ago) in self.registry.heard_since(after, boot) {
                answer.beats.entry(service).or_default().push((id, life, ago));
            }
        }
        if !self.leads() {
            return;
        }
        let image = self.image.read();
        for (service, fleet) in image.world.fleets() {
            for (id, found) in fleet.instances.iter().filter(|(_, found)| is_unwell_here(found)) {
                answer.unwell.entry(service.to_string()).or_default().push(PeerHealth {
                    id: id.to_string(),
                    incarnation: found.said.incarnation.to_string(),
                    state: found.health.state.as_str().to_owned(),
                    why: found.health.why.to_string(),
                });
            }
        }
    }

    /// Takes in what another server told.
    /// `asked`: when it was asked, by the boot clock. Counted from then, a heartbeat never looks newer than
    /// it is, however often servers tell each other.
    pub(crate) fn hear_peer(&self, name: &str, answer: &PeerAnswer, asked: i64) {
        for (service, beats) in &answer.beats {
            let Ok(service) = service.parse() else { continue };
            for (id, life, ago) in beats {
                let Ok(id) = id.parse() else { continue };
                // Unknown: it registered a moment ago, and is heard with its next heartbeat.
                let _: Beaten = self.registry.beat(&service, &id, life, asked - ago);
            }
        }
        self.registry.told.lock().heard.insert(name.to_owned(), answer.boot);
        if answer.leads && self.follows_another() {
            self.adopt(answer);
        }
    }

    /// What the server that looks says of health is what this one serves.
    fn adopt(&self, answer: &PeerAnswer) {
        let mut verdicts: Vec<Verdict> = Vec::new();
        let mut unwell = BTreeSet::new();
        for (service, all) in &answer.unwell {
            let Ok(name) = service.parse::<rein_domain::name::ServiceName>() else { continue };
            for health in all {
                let (Ok(id), Ok(life)) = (health.id.parse(), health.incarnation.parse()) else { continue };
                unwell.insert((service.clone(), health.id.clone()));
                let why = Why::Told(crate::views::tidy(&health.why).into_boxed_str());
                verdicts.push((name.clone(), id, life, State::named(&health.state), why));
            }
        }
        let image = self.image.read();
        for (service, fleet) in image.world.fleets() {
            for (id, found) in fleet.instances.iter().filter(|(_, found)| is_unwell_here(found)) {
                if !unwell.contains(&(service.to_string(), id.to_string())) {
                    let life = found.said.incarnation.clone();
                    verdicts.push((service.clone(), id.clone(), life, State::Up, Why::Told("up".into())));
                }
            }
        }
        drop(image);
        self.registry.told.lock().at = Some(Instant::now());
        self.tell(verdicts);
    }
}

/// Not up, and registered here: of foreign registries every server knows by itself.
fn is_unwell_here(found: &Instance) -> bool {
    found.said.cell.is_none() && found.health.state != State::Up
}
