//! I12 and I13: the event stream is ordered, unique, whole by revision, resumable and complete with
//! deletions, however often it is cut; reads never go back and see one's own writes.

use crate::events::Stream;
use crate::house::{House, Where, change_id, end};
use crate::http1::{Answer, Api, Ask, Conn};
use clap::Args;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tokio::time::timeout;

/// Follows events through many cut connections while writers run, and compares what everybody saw
#[derive(Debug, Args)]
pub(crate) struct Watch {
    #[command(flatten)]
    house: Where,
    /// Writers
    #[arg(long, default_value_t = 6)]
    writers: usize,
    /// Followers
    #[arg(long, default_value_t = 4)]
    followers: usize,
    /// How long writers write, in seconds
    #[arg(long = "for", value_name = "SECONDS", default_value_t = 10)]
    lasts: u64,
    /// Kills of our own server meanwhile
    #[arg(long, default_value_t = 2)]
    kills: u32,
}

/// `noun name what`.
type Seen = (String, String, String);

/// What one follower saw, and how often it was cut off.
type Followed = (Vec<Batch>, u64);

/// One revision's events, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Batch {
    id: String,
    revision: i64,
    events: Vec<Seen>,
}

#[derive(Default)]
struct Ledger {
    expected: Mutex<BTreeSet<Seen>>,
    wrong: Mutex<Vec<String>>,
    reads: AtomicU64,
    writes: AtomicU64,
}

impl Ledger {
    async fn wrong(&self, what: String) {
        self.wrong.lock().await.push(what);
    }

    async fn expect(&self, noun: &str, name: &str, what: &str) {
        self.expected.lock().await.insert((noun.to_owned(), name.to_owned(), what.to_owned()));
    }
}

pub(crate) async fn run(args: Watch) -> Result<Value, String> {
    let env = [("REIN__LIMITS__WRITES_PER_SECOND", "1000000")];
    let mut house = args.house.open(&env).await?;
    let names = house.declare("watch", 24).await?;
    let status = house.api.conn().send(&Ask::get("/v1/status")).await?.want("status")?["server"].clone();
    let epoch = status["epoch"].as_str().unwrap_or_default().to_owned();
    let start = format!("{epoch}.{}", status["revision"]);
    let ledger = Arc::new(Ledger::default());
    let until = Instant::now() + Duration::from_secs(args.lasts);
    let writers: Vec<_> = (0..args.writers)
        .map(|n| {
            let own: Vec<_> = names.iter().skip(n).step_by(args.writers).cloned().collect();
            let writer = Writer { n, conn: house.api.conn(), other: house.api.conn(), seen: 0 };
            tokio::spawn(writer.run(own, until, Arc::clone(&ledger)))
        })
        .collect();
    let last: Arc<Mutex<Option<String>>> = Arc::default();
    let followers: Vec<_> = (0..args.followers)
        .map(|n| tokio::spawn(follow(house.api.clone(), start.clone(), n as u64, Arc::clone(&last))))
        .collect();
    let kills = if args.house.rein().is_some() { args.kills } else { 0 };
    for kill in 1..=kills {
        let begun = until - Duration::from_secs(args.lasts);
        tokio::time::sleep_until((begun + Duration::from_secs(args.lasts) * kill / (kills + 1)).into()).await;
        house.kill();
        house.start().await?;
    }
    for writer in writers {
        writer.await.map_err(|e| e.to_string())?;
    }
    // The last thing that happens: whoever has seen it has seen everything.
    let marker = crate::house::lay(&mut house.api.conn(), &names[0], 600).await?;
    *last.lock().await = change_id(&marker).map(str::to_owned);
    let mut seen = Vec::new();
    for follower in followers {
        seen.push(follower.await.map_err(|e| e.to_string())??);
    }
    verdict(&house, &start, (&ledger, &last, &seen), kills).await
}

struct Writer {
    n: usize,
    conn: Conn,
    other: Conn,
    /// The highest revision this client has seen.
    seen: i64,
}

impl Writer {
    async fn run(mut self, switches: Vec<String>, until: Instant, ledger: Arc<Ledger>) {
        let mut turn = 0;
        while Instant::now() < until {
            turn += 1;
            let switch = &switches[turn % switches.len()];
            let incident = format!("INC-{}-{turn}", self.n);
            let mut body = json!({"legs": [{"switch": switch, "setting": "off"}], "lasts_seconds": 600});
            if turn % 2 == 0 {
                // Two records in one commit: both events come together or neither does.
                body["incident"] = incident.clone().into();
            }
            let Some(laid) = self.write(&Ask::post("/v1/changes", body.to_string()), &ledger).await else {
                continue;
            };
            let Some(id) = change_id(&laid.json()).map(str::to_owned) else { continue };
            ledger.expect("change", &id, "put").await;
            if turn % 2 == 0 {
                ledger.expect("incident", &incident, "put").await;
            }
            self.read(&id, true, &ledger).await;
            if self.write(&end(&id), &ledger).await.is_some() {
                self.read(&id, false, &ledger).await;
            }
            if turn % 10 == 0 {
                self.define_and_delete(turn, &ledger).await;
            }
        }
    }

    async fn define_and_delete(&mut self, turn: usize, ledger: &Ledger) {
        let name = format!("watch/tmp-{}-{turn}", self.n);
        let path = format!("/v1/definitions/switch/{name}");
        let body = json!({"kind": "switch", "name": name, "owner": "t", "level": 4, "lost": "nothing"});
        if self.write(&Ask::put(path.clone(), body.to_string()), ledger).await.is_some() {
            ledger.expect("switch", &name, "put").await;
            let delete = Ask { method: http::Method::DELETE, ..Ask::post(path, "") };
            if self.write(&delete, ledger).await.is_some() {
                ledger.expect("switch", &name, "deleted").await;
            }
        }
    }

    /// Sends a write until there is an answer; the key makes that one write.
    async fn write(&mut self, ask: &Ask, ledger: &Ledger) -> Option<Answer> {
        for _ in 0..500 {
            match self.conn.send(ask).await {
                Ok(answer) if answer.good() => {
                    ledger.writes.fetch_add(1, Ordering::Relaxed);
                    self.note(&answer, ledger).await;
                    return Some(answer);
                }
                Ok(answer) if matches!(answer.status, 503 | 504) => {}
                Ok(answer) => {
                    let body = String::from_utf8_lossy(&answer.body).into_owned();
                    ledger.wrong(format!("{}: {} {body}", ask.path, answer.status)).await;
                    return None;
                }
                Err(_) => {}
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        ledger.wrong(format!("{}: no answer for 10 s", ask.path)).await;
        None
    }

    /// Reads over another connection what was just written.
    async fn read(&mut self, id: &str, active: bool, ledger: &Ledger) {
        for _ in 0..500 {
            let ask = Ask::get(format!("/v1/changes/{id}")).with("rein-seen", self.seen.to_string());
            match self.other.send(&ask).await {
                Ok(answer) if matches!(answer.status, 503) => {}
                Ok(answer) => {
                    ledger.reads.fetch_add(1, Ordering::Relaxed);
                    if answer.json()["active"] != active {
                        ledger.wrong(format!("{id}: own write not seen: {}", answer.json())).await;
                    }
                    self.note(&answer, ledger).await;
                    return;
                }
                Err(_) => {}
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        ledger.wrong(format!("{id}: unreadable for 10 s")).await;
    }

    /// Reads and writes of one client never go back.
    async fn note(&mut self, answer: &Answer, ledger: &Ledger) {
        let revision = answer.header("rein-revision").and_then(|text| text.parse().ok()).unwrap_or(-1);
        if revision < self.seen {
            ledger.wrong(format!("revision went back from {} to {revision}", self.seen)).await;
        }
        self.seen = self.seen.max(revision);
    }
}

/// Follows from `start`, cut off again and again, until the last change has been seen.
async fn follow(
    api: Api,
    start: String,
    seed: u64,
    last: Arc<Mutex<Option<String>>>,
) -> Result<Followed, String> {
    let mut dice = StdRng::seed_from_u64(seed);
    let (mut batches, mut cuts): Followed = (Vec::new(), 0);
    let give_up = Instant::now() + Duration::from_secs(1200);
    while Instant::now() < give_up {
        let after = batches.last().map_or(&start, |batch| &batch.id).clone();
        let Ok(mut stream) = Stream::open(&api, Some(&after)).await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        // What a revision has brought before its id is not kept when the cut comes first.
        let mut part = Vec::new();
        for _ in 0..dice.random_range(1..60) {
            let Ok(Some(event)) = timeout(Duration::from_millis(500), stream.next()).await else { break };
            let text = |name: &str| event.data[name].as_str().unwrap_or_default().to_owned();
            part.push((text("noun"), text("name"), text("what")));
            if let Some(id) = event.id {
                let revision = event.data["revision"].as_i64().unwrap_or(-1);
                batches.push(Batch { id, revision, events: std::mem::take(&mut part) });
            }
        }
        cuts += 1;
        if let Some(last) = &*last.lock().await
            && batches.iter().rev().take(5).any(|b| b.events.iter().any(|(_, name, _)| name == last))
        {
            return Ok((batches, cuts));
        }
    }
    Err("a follower never saw the last change".into())
}

/// Reads everything from `start` in one go.
async fn whole(api: &Api, start: &str, last: Option<&str>) -> Result<Vec<Batch>, String> {
    let mut stream = Stream::open(api, Some(start)).await?;
    let (mut batches, mut part) = (Vec::new(), Vec::new());
    loop {
        let event = timeout(Duration::from_secs(10), stream.next()).await;
        let event = event.ok().flatten().ok_or("the stream ended before the last change")?;
        let text = |name: &str| event.data[name].as_str().unwrap_or_default().to_owned();
        part.push((text("noun"), text("name"), text("what")));
        let over = event.data["name"].as_str() == last;
        if let Some(id) = event.id {
            let revision = event.data["revision"].as_i64().unwrap_or(-1);
            batches.push(Batch { id, revision, events: std::mem::take(&mut part) });
            if over {
                return Ok(batches);
            }
        }
    }
}

async fn verdict(
    house: &House,
    start: &str,
    (ledger, last, seen): (&Ledger, &Mutex<Option<String>>, &[Followed]),
    kills: u32,
) -> Result<Value, String> {
    let all = whole(&house.api, start, last.lock().await.as_deref()).await?;
    let mut wrong = ledger.wrong.lock().await.clone();
    for pair in all.windows(2) {
        if pair[1].revision <= pair[0].revision {
            wrong.push(format!("{} comes after {}", pair[1].id, pair[0].id));
        }
    }
    for batch in &all {
        let distinct: BTreeSet<_> = batch.events.iter().map(|(noun, name, _)| (noun, name)).collect();
        if distinct.len() != batch.events.len() || !batch.id.ends_with(&format!(".{}", batch.revision)) {
            wrong.push(format!("revision {} is odd: {:?}", batch.id, batch.events));
        }
    }
    for (n, (batches, _)) in seen.iter().enumerate() {
        // The followers' last batches may go past the marker; up to there they must be the same.
        let same = batches.iter().zip(&all).take_while(|(a, b)| a == b).count();
        if same < all.len() {
            let at = all.get(same).map(|b| b.id.clone());
            wrong.push(format!("follower {n} differs from the whole at {at:?}: {:?}", batches.get(same)));
        }
    }
    let told: BTreeSet<&Seen> = all.iter().flat_map(|batch| &batch.events).collect();
    let expected = ledger.expected.lock().await;
    let missing: Vec<_> = expected.iter().filter(|event| !told.contains(event)).collect();
    wrong.extend(missing.iter().map(|event| format!("never told: {event:?}")));
    Ok(json!({
        "what": "watch", "n": all.iter().map(|b| b.events.len()).sum::<usize>(), "revisions": all.len(),
        "shared_revisions": all.iter().filter(|b| b.events.len() > 1).count(),
        "cuts": seen.iter().map(|(_, cuts)| cuts).sum::<u64>(), "followers": seen.len(), "kills": kills,
        "writes": ledger.writes.load(Ordering::Relaxed), "reads": ledger.reads.load(Ordering::Relaxed),
        "deletions": expected.iter().filter(|(_, _, what)| what == "deleted").count(),
        "violations": wrong.len(), "wrong": wrong.iter().take(5).collect::<Vec<_>>(),
    }))
}
