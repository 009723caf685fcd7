//! Heartbeats: taken, swept, shared. Whoever falls silent is lost, unless many do at once.

use crate::house::House;
use crate::registry::Registry;
use rein_domain::health::{Beat, Health, Losses, State, Streak, WINDOW, Why};
use rein_domain::instance::Registration;
use rein_domain::name::{Incarnation, InstanceName, ServiceName};
use rein_domain::time::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// How often all pulses are looked over.
const SWEEP: Duration = Duration::from_millis(500);

/// Of all instances, by service.
pub(super) type Pulses = HashMap<ServiceName, HashMap<InstanceName, Pulse>>;

/// What was heard and seen of one life of an instance.
pub(super) struct Pulse {
    pub(super) life: Incarnation,
    beat: Option<Beat>,
    /// When it was last heard, by the boot clock in milliseconds.
    last: AtomicI64,
    /// When this server began to listen for it.
    start: i64,
    /// Whether it was heard at all since.
    heard: bool,
    /// Since when it counts as lost for silence.
    silent: Option<i64>,
    /// Silent, but kept.
    kept: bool,
    /// What looks came to; `Up` where there is no check.
    pub(super) checked: State,
    pub(super) streak: Streak,
    /// Why the last look failed.
    pub(super) failed: Option<Box<str>>,
}

/// A mass loss of heartbeats, while it lasts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Preserving {
    pub(super) since: Option<Timestamp>,
    pub(super) losses: Losses,
    /// Whoever was last heard before this is really gone: somebody said so.
    accepted: Option<i64>,
}

/// What a heartbeat met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beaten {
    /// An instance in that life.
    Taken,
    /// Nobody, or another life of it.
    Unknown,
}

impl Pulse {
    fn new(said: &Registration, state: State, now: i64) -> Self {
        Self {
            life: said.incarnation.clone(),
            beat: said.beat,
            last: AtomicI64::new(now),
            start: now,
            // To register is to be heard; what was read from the store at the start was not.
            heard: state != State::Unknown,
            silent: None,
            kept: false,
            checked: if said.check.is_some() { state } else { State::Up },
            streak: Streak::default(),
            failed: None,
        }
    }

    fn silence(&self, now: i64) -> Duration {
        Duration::from_millis(u64::try_from(now - self.last.load(Ordering::Relaxed)).unwrap_or(0))
    }

    /// What both ways of knowing come to.
    fn verdict(&self) -> (State, Why) {
        if self.silent.is_some() {
            return (State::Down, Why::Silent);
        }
        let failed = || self.failed.clone().unwrap_or_default();
        match self.checked {
            State::Down => return (State::Down, Why::Failed(failed())),
            State::Starting if self.streak.bad > 0 => return (State::Starting, Why::Failed(failed())),
            State::Starting => return (State::Starting, Why::Registered),
            State::Unknown => return (State::Unknown, Why::NotHeard),
            State::Up => {}
        }
        match self.beat {
            Some(_) if self.kept && self.heard => (State::Up, Why::Preserved),
            Some(_) if self.kept => (State::Unknown, Why::Preserved),
            Some(_) if !self.heard => (State::Unknown, Why::NotHeard),
            Some(_) => (State::Up, Why::Heartbeat),
            None => (State::Up, Why::Passed),
        }
    }
}

/// An instance, and what is to be said of it.
pub(super) type Told = (ServiceName, InstanceName, Incarnation, State, Why);

impl Registry {
    /// A heartbeat of one life.
    pub(crate) fn beat(&self, service: &ServiceName, id: &InstanceName, life: &str, now: i64) -> Beaten {
        let pulses = self.pulses.read();
        match pulses.get(service).and_then(|all| all.get(id)).filter(|pulse| pulse.life.as_str() == life) {
            Some(pulse) => {
                pulse.last.fetch_max(now, Ordering::Relaxed);
                Beaten::Taken
            }
            None => Beaten::Unknown,
        }
    }

    /// Follows what is registered: new lives begin, gone ones end. Hands out those that are new.
    pub(super) fn follow<'a>(
        &self,
        service: &ServiceName,
        there: impl Iterator<Item = (&'a Arc<Registration>, State)>,
        now: i64,
    ) -> Vec<Arc<Registration>> {
        let mut pulses = self.pulses.write();
        let mut known = pulses.remove(service).unwrap_or_default();
        let mut all = HashMap::with_capacity(known.len());
        let mut fresh = Vec::new();
        for (said, state) in there {
            let pulse = match known.remove(&said.id) {
                Some(pulse) if pulse.life == said.incarnation => pulse,
                _ => {
                    fresh.push(Arc::clone(said));
                    Pulse::new(said, state, now)
                }
            };
            all.insert(said.id.clone(), pulse);
        }
        if !all.is_empty() {
            pulses.insert(service.clone(), all);
        }
        fresh
    }

    /// Age of the last heartbeat, where one is expected and one came.
    pub(crate) fn beat_age(&self, said: &Registration, now: i64) -> Option<Duration> {
        let pulses = self.pulses.read();
        let pulse =
            pulses.get(&said.service)?.get(&said.id).filter(|pulse| pulse.life == said.incarnation)?;
        (pulse.beat.is_some() && pulse.heard).then(|| pulse.silence(now))
    }

    /// Alters a pulse, if it is still that life's, and says what its verdict is then.
    pub(super) fn with_pulse<T>(
        &self,
        said: &Registration,
        alter: impl FnOnce(&mut Pulse) -> T,
    ) -> Option<(T, Told)> {
        let mut pulses = self.pulses.write();
        let pulse =
            pulses.get_mut(&said.service)?.get_mut(&said.id).filter(|p| p.life == said.incarnation)?;
        let altered = alter(pulse);
        let (state, why) = pulse.verdict();
        Some((altered, (said.service.clone(), said.id.clone(), said.incarnation.clone(), state, why)))
    }

    /// Looks over all pulses. Hands out those whose verdict may have altered.
    pub(super) fn sweep(&self, now: i64, at: Timestamp) -> Vec<Told> {
        let mut pulses = self.pulses.write();
        let mut preserving = self.preserving.lock();
        let accepted = preserving.accepted.unwrap_or(i64::MIN);
        let window = i64::try_from(WINDOW.as_millis()).unwrap_or(i64::MAX);
        let mut losses = Losses::default();
        for pulse in pulses.values().flat_map(HashMap::values) {
            let Some(beat) = pulse.beat.filter(|_| pulse.last.load(Ordering::Relaxed) > accepted) else {
                continue;
            };
            match pulse.silent {
                Some(since) if now - since > window => {}
                _ => {
                    losses.all += 1;
                    losses.lost += usize::from(beat.late(pulse.silence(now)));
                }
            }
        }
        let mass = losses.is_mass();
        note(&mut preserving, losses, at);
        let mut told = Vec::new();
        for (service, all) in pulses.iter_mut() {
            for (id, pulse) in all {
                if step(pulse, (now, accepted), if mass { Judged::Kept } else { Judged::Lost }) {
                    let (state, why) = pulse.verdict();
                    told.push((service.clone(), id.clone(), pulse.life.clone(), state, why));
                }
            }
        }
        told
    }

    /// The mass loss that goes on now.
    pub(crate) fn preserved(&self) -> Option<(Timestamp, Losses)> {
        let preserving = self.preserving.lock();
        preserving.since.map(|since| (since, preserving.losses))
    }

    /// Somebody says that those who are silent now are really gone. How many there are.
    pub(crate) fn accept_loss(&self, now: i64) -> usize {
        let pulses = self.pulses.read();
        let late = |pulse: &&Pulse| pulse.beat.is_some_and(|beat| beat.late(pulse.silence(now)));
        let silent: Vec<i64> = pulses
            .values()
            .flat_map(HashMap::values)
            .filter(late)
            .map(|pulse| pulse.last.load(Ordering::Relaxed))
            .collect();
        self.preserving.lock().accepted = silent.iter().max().copied();
        silent.len()
    }

    /// Some of those who have counted as lost for longer than `limit`.
    pub(crate) fn silent_for(
        &self,
        limit: Duration,
        most: usize,
        now: i64,
    ) -> Vec<(ServiceName, InstanceName, Incarnation)> {
        let limit = i64::try_from(limit.as_millis()).unwrap_or(i64::MAX);
        let pulses = self.pulses.read();
        let all = pulses.iter().flat_map(|(service, all)| all.iter().map(move |one| (service, one)));
        let long = all.filter(|(_, (_, pulse))| pulse.silent.is_some_and(|since| now - since > limit));
        let named = long.map(|(service, (id, pulse))| (service.clone(), id.clone(), pulse.life.clone()));
        named.take(most).collect()
    }

    /// What was heard since `after`: instance, life, and how long ago in milliseconds.
    pub(super) fn heard_since(&self, after: i64, now: i64) -> Vec<(String, String, String, i64)> {
        let pulses = self.pulses.read();
        let mut heard = Vec::new();
        for (service, all) in pulses.iter() {
            for (id, pulse) in all {
                let last = pulse.last.load(Ordering::Relaxed);
                if pulse.beat.is_some() && pulse.heard && last > after {
                    heard.push((service.to_string(), id.to_string(), pulse.life.to_string(), now - last));
                }
            }
        }
        heard
    }
}

/// Whether those who lapse are lost, or kept because so many do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Judged {
    Lost,
    Kept,
}

/// One pulse in a sweep; says whether its verdict may have altered.
fn step(pulse: &mut Pulse, (now, accepted): (i64, i64), judged: Judged) -> bool {
    let Some(beat) = pulse.beat else { return false };
    let (last, before) = (pulse.last.load(Ordering::Relaxed), (pulse.silent, pulse.kept, pulse.heard));
    let lapsed = beat.lapsed(pulse.silence(now));
    let recently = pulse.silent.is_none_or(|since| now - since <= WINDOW.as_millis() as i64);
    if !lapsed {
        // Silent so far, and heard again; or heard for the first time.
        pulse.heard |= last > pulse.start;
        (pulse.silent, pulse.kept) = (None, false);
    } else if judged == Judged::Kept && last > accepted && recently {
        (pulse.silent, pulse.kept) = (None, true);
    } else if pulse.silent.is_none() {
        (pulse.silent, pulse.kept) = (Some(now), false);
    }
    before != (pulse.silent, pulse.kept, pulse.heard)
}

fn note(preserving: &mut Preserving, losses: Losses, at: Timestamp) {
    preserving.losses = losses;
    match (losses.is_mass(), preserving.since) {
        (true, None) => {
            preserving.since = Some(at);
            tracing::error!(
                silent = losses.lost,
                of = losses.all,
                "many instances fell silent at once: a network fault until proved otherwise; nobody is taken \
                 down for silence. If they are really gone: rein service accept-loss"
            );
        }
        (false, Some(_)) => {
            preserving.since = None;
            tracing::warn!(silent = losses.lost, of = losses.all, "the mass loss of heartbeats is over");
        }
        _ => {}
    }
}

impl House {
    /// Milliseconds on the boot clock.
    pub(crate) fn boot(&self) -> i64 {
        self.clock.boot()
    }

    /// Looks over all pulses now and then, and writes what follows into the image.
    pub(crate) async fn listen(self: Arc<Self>) {
        loop {
            tokio::time::sleep(SWEEP).await;
            self.sweep_once();
        }
    }

    pub(crate) fn sweep_once(&self) {
        let told = self.registry.sweep(self.boot(), self.clock.now());
        if !self.follows_another() {
            self.tell(told);
        }
        if let Some((_, losses)) = self.registry.preserved() {
            metrics::gauge!("rein_registry_preserved").set(losses.lost as f64);
        } else {
            metrics::gauge!("rein_registry_preserved").set(0.0);
        }
    }

    /// Writes health into the image; whoever makes rosters wakes if any altered.
    pub(super) fn tell(&self, told: Vec<Told>) {
        if told.is_empty() {
            return;
        }
        let now = self.clock.now();
        let mut any = false;
        {
            let mut image = self.image.write();
            for (service, id, life, state, why) in told {
                let known = image.world.instance(&service, &id).map(|found| &found.health);
                let Some(known) = known else { continue };
                let since = if known.state == state { known.since } else { now };
                let was = known.state;
                if image.world.put_health((&service, &id), &life, Health { state, why: why.clone(), since }) {
                    if was != state {
                        self.registry.news.tell((&service, &id), (was, state, &why), image.revision);
                        tracing::info!(%service, instance = %id, from = was.as_str(), to = state.as_str(), %why, "health");
                    }
                    image.soil_service(service);
                    any = true;
                }
            }
        }
        if any {
            self.registry.altered.notify_one();
        }
    }
}
