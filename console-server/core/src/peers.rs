//! Soft state of other servers: proofs are gathered from all of them, and looks at backends from the one
//! that reconciles. Nothing of it is stored; a server that does not answer is named.

use crate::app::tokens;
use crate::error::AppError;
use crate::house::House;
use crate::reconcile::Look;
use crate::records::SessionRecord;
use futures::future::join_all;
use parking_lot::RwLock;
use rein_api::ErrorCode;
use rein_api::cluster::{PeerAnswer, PeerLook, PeerQuestion, PeerSeen, PeerTally};
use rein_domain::name::{BackendName, SwitchName};
use rein_domain::proof::Tally;
use rein_domain::time::Timestamp;
use rein_plugin::{CellKey, Seen};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a peer has to answer.
const PATIENCE: Duration = Duration::from_millis(200);
/// How long an answer is good for.
const FRESH: Duration = Duration::from_millis(150);
/// How long one is kept for whoever is just about to read it.
const KEPT: Duration = Duration::from_secs(2);
/// How often clocks are compared when nobody asks for anything.
const PULSE: Duration = Duration::from_secs(2);
/// The most that the clocks of two servers may differ.
const MOST_APART: Duration = Duration::from_secs(1);

/// What the others said last.
#[derive(Default)]
pub(crate) struct Peers(RwLock<Heard>);

#[derive(Default)]
struct Heard {
    peers: BTreeMap<String, Voice>,
    /// Whose clock differs, and by how much.
    apart: Option<(String, Duration)>,
}

/// One server, as it was last heard.
#[derive(Default)]
struct Voice {
    /// Whether it answered the last question.
    answered: bool,
    /// When that was asked.
    asked: Option<Instant>,
    /// Its clients, by switch: when it said so, of which revision, and what.
    tallies: BTreeMap<String, (Instant, i64, PeerTally)>,
}

impl Voice {
    fn knows(&self, switch: &str, altered: i64) -> bool {
        let tally = self.tallies.get(switch);
        tally.is_some_and(|(at, of, _)| *of == altered && at.elapsed() < FRESH)
    }
}

impl Peers {
    /// Adds what clients of other servers have shown.
    pub(crate) fn add_to(&self, tally: &mut Tally, switch: &SwitchName) {
        for (name, voice) in &self.0.read().peers {
            match voice.tallies.get(&switch.to_string()).filter(|_| voice.answered) {
                Some((.., theirs)) => {
                    tally.sent += theirs.sent;
                    tally.received += theirs.received;
                    tally.held += theirs.held;
                    tally.decided += theirs.decided;
                    tally.connected += theirs.connected;
                    tally.waiting.extend(theirs.waiting.iter().cloned());
                }
                // There may be clients that nobody counted.
                None => tally.waiting.push(format!("clients of server {name}, which does not answer")),
            }
        }
        tally.waiting.sort();
    }

    /// Why the clocks cannot be trusted.
    pub(crate) fn trouble(&self) -> Option<String> {
        let (name, by) = self.0.read().apart.clone()?;
        Some(format!(
            "the clock of server {name} differs by {:.1} s: nothing is written and nothing expires until they agree within {} s",
            by.as_secs_f64(),
            MOST_APART.as_secs()
        ))
    }
}

impl House {
    /// Asks all other servers, unless that was just done. On its own a server has nobody to ask.
    pub async fn gather(&self, switches: impl IntoIterator<Item = SwitchName>) {
        if self.standing.member.is_none() {
            return;
        }
        let question = {
            let image = self.image.read();
            let with_revision = |name: SwitchName| (name.to_string(), image.altered_at(&name).0);
            PeerQuestion { switches: switches.into_iter().map(with_revision).collect(), beats_after: None }
        };
        let known = {
            let heard = self.peers.0.read();
            let names: Vec<String> = self.others().into_iter().map(|session| session.name).collect();
            names.iter().all(|name| {
                heard.peers.get(name).is_some_and(|voice| {
                    let just = voice.asked.is_some_and(|at| at.elapsed() < FRESH);
                    just && (!voice.answered || question.switches.iter().all(|(s, at)| voice.knows(s, *at)))
                })
            })
        };
        if !known {
            self.ask_peers(question).await;
        }
    }

    /// The other servers over the store.
    fn others(&self) -> Vec<SessionRecord> {
        let image = self.image.read();
        let others = image.sessions.iter().filter(|(run, _)| **run != self.standing.run);
        others.map(|(_, session)| session.clone()).collect()
    }

    /// The same for every switch that layers lie over.
    pub async fn gather_layered(&self) {
        if self.standing.member.is_some() {
            let now = self.clock.now();
            let names: Vec<_> = {
                let world = &self.image.read().world;
                let layered = world.switches().filter(|s| !world.over(&s.name, now).is_empty());
                layered.map(|s| s.name.clone()).collect()
            };
            self.gather(names).await;
        }
    }

    /// The same for every switch there is.
    pub async fn gather_all(&self) {
        if self.standing.member.is_some() {
            let names: Vec<_> = self.image.read().world.switches().map(|s| s.name.clone()).collect();
            self.gather(names).await;
        }
    }

    /// Compares clocks now and then.
    pub(crate) async fn pulse(self: Arc<Self>) {
        if self.standing.member.is_none() {
            return;
        }
        loop {
            self.ask_peers(PeerQuestion::default()).await;
            tokio::time::sleep(PULSE).await;
        }
    }

    async fn ask_peers(&self, question: PeerQuestion) {
        let Some(member) = &self.standing.member else { return };
        let sessions = self.others();
        let token = format!("{}.{}", self.standing.run, self.standing.token);
        let asked = join_all(sessions.iter().map(|session| async {
            let (before, boot) = (self.clock.now(), self.boot());
            let question =
                PeerQuestion { beats_after: Some(self.heard_up_to(&session.name)), ..question.clone() };
            let answer =
                tokio::time::timeout(PATIENCE, member.calls.ask(&session.address, &token, &question));
            let answer = answer.await.ok().and_then(Result::ok);
            if let Some(answer) = &answer {
                self.hear_peer(&session.name, answer, boot);
            }
            (session.name.clone(), answer, before, self.clock.now())
        }))
        .await;
        let mut apart = None;
        for (name, answer, before, after) in &asked {
            let Some(answer) = answer else { continue };
            self.take_looks(answer);
            let by = self::apart(Timestamp(answer.now), *before, *after);
            if by > MOST_APART {
                apart = Some((name.clone(), by));
            }
        }
        self.note(asked.into_iter().map(|(name, answer, ..)| (name, answer)).collect(), &question, apart);
    }

    /// Keeps what was heard. Servers that have gone are forgotten with what they said.
    fn note(
        &self,
        answers: Vec<(String, Option<PeerAnswer>)>,
        question: &PeerQuestion,
        apart: Option<(String, Duration)>,
    ) {
        let now = Instant::now();
        let mut heard = self.peers.0.write();
        heard.apart = apart;
        heard.peers.retain(|name, _| answers.iter().any(|(answering, _)| answering == name));
        for (name, answer) in answers {
            let voice = heard.peers.entry(name).or_default();
            voice.asked = Some(now);
            voice.answered = answer.is_some();
            voice.tallies.retain(|_, (at, ..)| at.elapsed() < KEPT);
            for (switch, tally) in answer.into_iter().flat_map(|answer| answer.tallies) {
                let altered = question.switches.get(&switch).copied().unwrap_or_default();
                voice.tallies.insert(switch, (now, altered, tally));
            }
        }
    }

    /// What the reconciling server saw is what this one shows.
    fn take_looks(&self, answer: &PeerAnswer) {
        if !answer.leads || self.leads() {
            return;
        }
        for (name, look) in &answer.looks {
            let Ok(backend) = name.parse::<BackendName>() else { continue };
            self.looks.take(&backend, |known| Look {
                at: look.at.map(Timestamp),
                fault: look.fault.clone(),
                seen: look.seen.iter().map(|(key, seen)| (key.clone(), seen_from(key, seen))).collect(),
                refused: look.refused.clone().into_iter().collect(),
                description: known.description.clone(),
            });
        }
    }

    /// Is this a server over the same store? It shows its run and its token; the token's hash lies in its session.
    pub fn knows_peer(&self, token: &str) -> Result<(), AppError> {
        let unknown = || {
            AppError::new(ErrorCode::Unauthenticated, "this is for servers over the same store")
                .hint("people ask the other routes: GET /openapi.json lists them")
        };
        let (run, secret) = token.split_once('.').ok_or_else(unknown)?;
        let hash = tokens::hash(secret);
        let known = self.image.read().sessions.get(run).is_some_and(|session| session.token == hash);
        if known { Ok(()) } else { Err(unknown()) }
    }

    /// Answers another server, that is [known](Self::knows_peer).
    pub fn answer_peer(&self, question: &PeerQuestion) -> PeerAnswer {
        let mut tallies = BTreeMap::new();
        for (name, altered) in &question.switches {
            let Ok(switch) = name.parse::<SwitchName>() else { continue };
            let Some(expects) = self.image.read().world.switch(&switch).map(|s| s.expects) else { continue };
            let tally = self.tally(&switch, expects, rein_store::Revision(*altered));
            tallies.insert(name.clone(), view(tally));
        }
        let leads = self.leads();
        let looks =
            if leads { self.looks.all().into_iter().map(look_view).collect() } else { BTreeMap::new() };
        let mut answer =
            PeerAnswer { now: self.clock.now().0, leads, tallies, looks, ..PeerAnswer::default() };
        self.tell_peer(question.beats_after, &mut answer);
        answer
    }
}

/// How far a peer's time lies outside of the time in which it was asked.
fn apart(theirs: Timestamp, before: Timestamp, after: Timestamp) -> Duration {
    before.since(theirs).max(theirs.since(after))
}

fn view(tally: Tally) -> PeerTally {
    PeerTally {
        sent: tally.sent,
        received: tally.received,
        held: tally.held,
        decided: tally.decided,
        connected: tally.connected,
        waiting: tally.waiting,
    }
}

fn look_view((name, look): (BackendName, Arc<Look>)) -> (String, PeerLook) {
    let look = Arc::unwrap_or_clone(look);
    let seen = |(key, seen): (String, Seen)| {
        let seen = PeerSeen {
            value: seen.value,
            incarnation: seen.incarnation,
            missing_peers: seen.missing_peers,
            copies: seen.copies,
            object: seen.object,
            effect: seen.effect,
            peers: seen.peers,
            over: seen.over,
        };
        (key, seen)
    };
    let look = PeerLook {
        at: look.at.map(|at| at.0),
        fault: look.fault,
        seen: look.seen.into_iter().map(seen).collect(),
        refused: look.refused.into_iter().collect(),
    };
    (name.to_string(), look)
}

fn seen_from(key: &str, seen: &PeerSeen) -> Seen {
    Seen {
        cell: CellKey(key.to_owned()),
        value: seen.value.clone(),
        version: String::new(),
        incarnation: seen.incarnation.clone(),
        missing_peers: seen.missing_peers.clone(),
        copies: seen.copies,
        object: seen.object.clone(),
        effect: seen.effect.clone(),
        peers: seen.peers,
        over: seen.over,
    }
}
