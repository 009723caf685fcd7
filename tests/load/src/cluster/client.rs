//! A client: lays, extends and ends layers and reads targets, each time through whichever server, and writes
//! down what it was told. It carries what it has seen from one server to the next, as Rein's own client does.

use super::history::{Call, How, Told, View, What};
use super::lies::Liar;
use super::model::{MOST, MOST_OPEN};
use crate::http1::{Answer, Api, Ask, Conn};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// How long a server is waited for before another is asked under the same key.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// How long a write is insisted on after the run, when everything works again.
const INSIST: Duration = Duration::from_secs(25);
/// By then no request from during the run is under way any more.
const CALM: Duration = Duration::from_secs(12);
/// Layers last longer than any run.
const LASTS: u64 = 7_200;
/// More than that over one target are brought down.
const LAYERS: usize = 6;

/// What all clients share.
pub(crate) struct Room {
    pub(crate) begun: Instant,
    pub(crate) until: Instant,
    pub(crate) names: Vec<String>,
    pub(crate) calls: Mutex<Vec<Call>>,
    /// Answers that no client of a working server may get.
    pub(crate) odd: Mutex<Vec<String>>,
    pub(crate) liar: Liar,
    /// Operations so far, and outcomes nobody knows, by target.
    used: Vec<AtomicUsize>,
    open: Mutex<Vec<usize>>,
    /// Targets by tag.
    laid: Mutex<BTreeMap<u32, Vec<usize>>>,
    tags: AtomicU32,
}

impl Room {
    pub(crate) fn new(names: Vec<String>, until: Instant, liar: Liar) -> Self {
        Self {
            begun: Instant::now(),
            until,
            calls: Mutex::default(),
            odd: Mutex::default(),
            liar,
            used: names.iter().map(|_| AtomicUsize::new(0)).collect(),
            open: Mutex::new(vec![0; names.len()]),
            laid: Mutex::default(),
            tags: AtomicU32::new(1),
            names,
        }
    }

    fn odd(&self, what: String) {
        self.odd.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    /// Whether one more operation on these targets can still be judged.
    fn admits(&self, targets: &[usize]) -> bool {
        // Clients look at the same time: a few places are kept.
        let full = |target: &&usize| self.used[**target].load(Ordering::Relaxed) + 16 > MOST;
        let admits = !targets.iter().any(|target| full(&target));
        if admits {
            for target in targets {
                self.used[*target].fetch_add(1, Ordering::Relaxed);
            }
        }
        admits
    }

    /// Whether an outcome may stay unknown: at most so many on each target.
    fn may_leave_open(&self, targets: &[usize], most: usize) -> bool {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let free = targets.iter().all(|target| open[*target] < most);
        if free {
            targets.iter().for_each(|target| open[*target] += 1);
        }
        free
    }
}

/// What became of a write when it was sent before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    NotDone,
    InDoubt,
}

/// What one answer to a write says.
enum Heard {
    /// Its outcome.
    Told(Told),
    /// Nothing: it may have been done.
    Nothing,
    /// That this time it was not done.
    Again,
}

/// One client.
pub(crate) struct Client {
    n: usize,
    room: Arc<Room>,
    servers: Vec<Api>,
    conns: Vec<Conn>,
    dice: StdRng,
    seen: i64,
    epoch: String,
    /// The last state it saw of each target: its revision, and its layers' tags and changes.
    views: BTreeMap<usize, (i64, Vec<(u32, String)>)>,
}

impl Client {
    pub(crate) fn new(n: usize, seed: u64, servers: Vec<Api>, room: Arc<Room>) -> Self {
        let conns = servers.iter().map(Api::conn).collect();
        let dice = StdRng::seed_from_u64(seed ^ (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        Self { n, room, servers, conns, dice, seen: 0, epoch: String::new(), views: BTreeMap::new() }
    }

    /// Acts until the run is over.
    pub(crate) async fn run(mut self) {
        while Instant::now() < self.room.until {
            let target = self.dice.random_range(0..self.room.names.len());
            let pause = Duration::from_millis(self.dice.random_range(2..40));
            self.act(target).await;
            sleep(pause).await;
        }
    }

    async fn act(&mut self, target: usize) {
        let draw = self.dice.random_range(0..100);
        let layers = self.views.get(&target).map_or(&[][..], |(_, layers)| layers.as_slice());
        let pick = layers.get(self.dice.random_range(0..layers.len().max(1))).cloned();
        let crowded = layers.len() > LAYERS;
        match (draw, pick) {
            (0..30, _) | (30..100, None) if draw < 60 => self.read(target, How::Consistent).await,
            (30..55, _) => self.read(target, How::Ordinary).await,
            (55..65, Some(layer)) => self.extend(layer).await,
            (65..80, Some(layer)) => self.end(layer).await,
            (_, Some(layer)) if crowded => self.end(layer).await,
            _ => self.lay(target).await,
        }
    }

    async fn lay(&mut self, target: usize) {
        let tag = self.room.tags.fetch_add(1, Ordering::Relaxed);
        let mut targets = vec![target];
        let second = self.dice.random_range(0..self.room.names.len() * 6);
        let known = self.views.get(&target).map(|(revision, _)| *revision);
        let mut seen = known.filter(|_| self.dice.random_bool(0.5));
        if second < self.room.names.len() && second != target {
            targets.push(second);
            seen = None;
        }
        if !self.room.admits(&targets) {
            return;
        }
        self.room.laid.lock().unwrap_or_else(PoisonError::into_inner).insert(tag, targets.clone());
        let names = &self.room.names;
        let legs: Vec<Value> =
            targets.iter().map(|n| json!({"switch": names[*n], "setting": "off"})).collect();
        let mut body = json!({"legs": legs, "lasts_seconds": LASTS, "reason": tag.to_string()});
        if self.dice.random_bool(0.3) {
            body["incident"] = format!("INC-{}", tag % 4).into();
        }
        match self.room.liar.condition(target).filter(|_| targets.len() == 1) {
            Some(old) => {
                seen = Some(old);
                self.room.liar.note();
            }
            None => {
                if let Some(seen) = seen {
                    body["seen"] = json!({ &names[target]: seen });
                }
            }
        }
        let ask = Ask::post("/v1/changes", body.to_string());
        let done = self.write(What::Lay { tag, targets, seen }, &ask).await;
        if done && self.room.liar.repeats() {
            let again = Ask::post("/v1/changes", body.to_string());
            if self.send(0, &again).await.is_ok_and(|answer| answer.good()) {
                self.room.liar.note();
            }
        }
    }

    async fn end(&mut self, (tag, change): (u32, String)) {
        let targets = self.targets(tag);
        if self.room.admits(&targets) {
            let ask = Ask::post(format!("/v1/changes/{change}/end"), "{}");
            self.write(What::End { tag, targets }, &ask).await;
        }
    }

    async fn extend(&mut self, (tag, change): (u32, String)) {
        let targets = self.targets(tag);
        if self.room.admits(&targets) {
            let ask = Ask::post(format!("/v1/changes/{change}/extend"), json!({"by_seconds": 1}).to_string());
            self.write(What::Extend { tag, targets }, &ask).await;
        }
    }

    fn targets(&self, tag: u32) -> Vec<usize> {
        let laid = self.room.laid.lock().unwrap_or_else(PoisonError::into_inner);
        laid.get(&tag).cloned().unwrap_or_default()
    }

    /// Sends a write to one server after the other, under one key, until its outcome is known; now and then
    /// it is left open. Answers whether it was done.
    async fn write(&mut self, what: What, ask: &Ask) -> bool {
        let (from, give_up) = (self.room.begun.elapsed(), self.room.until + INSIST);
        let mut before = Before::NotDone;
        let told = loop {
            let server = self.dice.random_range(0..self.servers.len());
            let answer = self.send(server, ask).await;
            match self.heard(&what, &answer, before) {
                Heard::Told(told) => break told,
                Heard::Nothing => before = Before::InDoubt,
                Heard::Again => {}
            }
            let late = Instant::now() > give_up;
            let leaves = self.dice.random_bool(0.25);
            let may_leave = |room: &Room| room.may_leave_open(what.targets(), MOST_OPEN - 2);
            if before == Before::InDoubt && (late || (leaves && may_leave(&self.room))) {
                break Told::Unknown;
            } else if before == Before::NotDone && (late || leaves) {
                break Told::Refused;
            }
            sleep(Duration::from_millis(40)).await;
        };
        let done = matches!(told, Told::Done { .. });
        self.note((from, what, told), ask.key.clone().unwrap_or_default());
        done
    }

    /// What one answer says of a write.
    fn heard(&self, what: &What, answer: &Result<Answer, String>, before: Before) -> Heard {
        let answer = match answer {
            Ok(answer) => answer,
            // Nobody listened, so nobody heard it.
            Err(why) if why.contains("refused") => return Heard::Again,
            Err(_) => return Heard::Nothing,
        };
        let code = answer.json()["code"].as_str().unwrap_or_default().to_owned();
        // One that was sent before may still be under way at a server that is stopped. Long after the last
        // one goes on, it is not any more.
        let pending = before == Before::InDoubt && Instant::now() < self.room.until + CALM;
        match (answer.status, code.as_str(), what) {
            (200..300, ..) => {
                Heard::Told(Told::Done { most: answer.json()["change"]["revision"].as_i64().unwrap_or(-1) })
            }
            (503, ..) => Heard::Again,
            (504, ..) => Heard::Nothing,
            (409, "moved" | "over", _) if pending => {
                let leave = self.room.may_leave_open(what.targets(), MOST_OPEN);
                if leave { Heard::Told(Told::Unknown) } else { Heard::Again }
            }
            (409, "moved", What::Lay { seen: Some(_), .. }) => Heard::Told(Told::Moved),
            (409, "moved", _) => Heard::Again,
            (409, "over", _) => Heard::Told(Told::Over),
            (status, ..) => {
                self.room.odd(format!("{what:?}: {status} {}", String::from_utf8_lossy(&answer.body)));
                Heard::Told(if before == Before::InDoubt { Told::Unknown } else { Told::Refused })
            }
        }
    }

    async fn read(&mut self, target: usize, how: How) {
        if how == How::Consistent && !self.room.admits(&[target]) {
            return;
        }
        let query = if how == How::Consistent { "?consistent=true" } else { "" };
        let ask = Ask::get(format!("/v1/switches/{}{query}", self.room.names[target]));
        for _ in 0..4 {
            let from = self.room.begun.elapsed();
            let server = self.dice.random_range(0..self.servers.len());
            let before = self.seen;
            let answer = match self.send(server, &ask).await {
                Ok(answer) if answer.good() => answer,
                Ok(answer) if answer.status == 503 => continue,
                Ok(answer) => {
                    let said = String::from_utf8_lossy(&answer.body);
                    return self.room.odd(format!("read of {target}: {} {said}", answer.status));
                }
                Err(_) => continue,
            };
            let Some((mut view, layers)) = seen(&answer.json()) else {
                return self.room.odd(format!("read of {target}: {}", answer.json()));
            };
            self.views.insert(target, (view.revision, layers));
            if how == How::Consistent {
                view = self.room.liar.read(target, view);
            }
            let header = revision(&answer).unwrap_or(before);
            let told = Told::View { revision: view.revision, layers: view.layers, header };
            return self.note((from, What::Read { target, how }, told), String::new());
        }
    }

    fn note(&self, (from, what, told): (Duration, What, Told), key: String) {
        let call = Call { client: self.n, from, to: self.room.begun.elapsed(), what, told, key };
        self.room.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    }

    /// Sends to one server; no answer in time is an error, and the connection is given up.
    async fn send(&mut self, server: usize, ask: &Ask) -> Result<Answer, String> {
        let mut ask = ask.clone();
        if !self.epoch.is_empty() {
            ask = ask.with("rein-epoch", self.epoch.clone()).with("rein-seen", self.seen.to_string());
        }
        let answer = timeout(PATIENCE, self.conns[server].send(&ask)).await;
        let Ok(answer) = answer else {
            self.conns[server] = self.servers[server].conn();
            return Err("no answer in time".to_owned());
        };
        let answer = answer?;
        if let Some(epoch) = answer.header("rein-epoch").filter(|_| answer.good()) {
            epoch.clone_into(&mut self.epoch);
            self.seen = self.seen.max(revision(&answer).unwrap_or(0));
        }
        Ok(answer)
    }
}

fn revision(answer: &Answer) -> Option<i64> {
    answer.header("rein-revision")?.parse().ok()
}

/// A target and its layers in an answer.
fn seen(answer: &Value) -> Option<(View, Vec<(u32, String)>)> {
    let layer = |layer: &Value| {
        let tag = layer["reason"].as_str()?.parse().ok()?;
        Some((tag, layer["change"].as_str()?.to_owned()))
    };
    let layers: Vec<(u32, String)> = answer["layers"].as_array()?.iter().map(layer).collect::<Option<_>>()?;
    let mut tags: Vec<u32> = layers.iter().map(|(tag, _)| *tag).collect();
    tags.sort_unstable();
    Some((View { revision: answer["revision"].as_i64()?, layers: tags }, layers))
}
