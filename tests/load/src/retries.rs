//! I3, and I1 and I2 from outside: one key is one change, however often it is sent, over however many
//! connections, and however often the server is killed meanwhile.

use crate::audit;
use crate::events::Follower;
use crate::house::{House, Where};
use crate::http1::{Ask, Conn};
use clap::Args;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Sends each key many times over several connections, kills the server meanwhile, and counts doubles
#[derive(Debug, Args)]
pub(crate) struct Retries {
    #[command(flatten)]
    house: Where,
    /// Keys
    #[arg(long, default_value_t = 500)]
    keys: usize,
    /// How often each is sent at once
    #[arg(long, default_value_t = 4)]
    copies: usize,
    /// Keys under way at a time
    #[arg(long, default_value_t = 8)]
    workers: usize,
    /// Kills of our own server, spread over the run
    #[arg(long, default_value_t = 5)]
    kills: usize,
}

/// What the clients were told.
#[derive(Default)]
struct Told {
    sent: AtomicU64,
    /// Change ids by key, of every success.
    changes: Mutex<BTreeMap<String, BTreeSet<String>>>,
    odd: Mutex<Vec<String>>,
    done: AtomicU64,
}

pub(crate) async fn run(args: Retries) -> Result<Value, String> {
    let env = [("REIN__LIMITS__WRITES_PER_SECOND", "1000000")];
    let mut house = args.house.open(&env).await?;
    let names = Arc::new(house.declare("retry", 20).await?);
    let told = Arc::new(Told::default());
    let follower = Follower::begin(house.api.clone());
    let workers: Vec<_> = (0..args.workers)
        .map(|worker| {
            let conns = (0..args.copies).map(|_| house.api.conn()).collect();
            let share = (worker..args.keys).step_by(args.workers).count();
            tokio::spawn(send_all(conns, Arc::clone(&names), share, Arc::clone(&told)))
        })
        .collect();
    let kills = if args.house.rein().is_some() { args.kills } else { 0 };
    let killed = kill_meanwhile(&mut house, kills, args.keys as u64, &told).await?;
    for worker in workers {
        worker.await.map_err(|e| e.to_string())?;
    }
    let seen = follower.finish(&house).await?;
    verdict(&house, &told, (killed, &seen)).await
}

/// Kills and restarts the server whenever another share of the keys is through.
async fn kill_meanwhile(house: &mut House, kills: usize, keys: u64, told: &Told) -> Result<usize, String> {
    let give_up = Instant::now() + Duration::from_secs(3600);
    for kill in 1..=kills as u64 {
        let at = keys * kill / (kills as u64 + 1);
        while told.done.load(Ordering::Relaxed) < at {
            if Instant::now() > give_up {
                return Err("the clients do not get through".into());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        house.kill();
        house.start().await?;
    }
    Ok(kills)
}

async fn send_all(mut conns: Vec<Conn>, names: Arc<Vec<String>>, share: usize, told: Arc<Told>) {
    for turn in 0..share {
        let name = &names[turn % names.len()];
        let body = json!({"legs": [{"switch": name, "setting": "off"}], "lasts_seconds": 30 + turn % 30,
            "reason": format!("retry {turn}")});
        let ask = Ask::post("/v1/changes", body.to_string());
        // All copies at once, then the same key once more when it is long done.
        for _ in 0..2 {
            let all = conns.iter_mut().map(|conn| insist(conn, &ask, &told));
            futures::future::join_all(all).await;
        }
        told.done.fetch_add(1, Ordering::Relaxed);
    }
}

/// Sends until there is an answer.
async fn insist(conn: &mut Conn, ask: &Ask, told: &Told) {
    let key = ask.key.clone().unwrap_or_default();
    for _ in 0..400 {
        told.sent.fetch_add(1, Ordering::Relaxed);
        match conn.send(ask).await {
            Ok(answer) if answer.good() => {
                let view = answer.json();
                let id = crate::house::change_id(&view).unwrap_or_default().to_owned();
                told.changes.lock().await.entry(key).or_default().insert(id);
                return;
            }
            // Starting, stopping, or in doubt: what a client is told to send again.
            Ok(answer) if matches!(answer.status, 503 | 504) => {}
            Ok(answer) => {
                let said = String::from_utf8_lossy(&answer.body).into_owned();
                told.odd.lock().await.push(format!("{key}: {} {said}", answer.status));
                return;
            }
            Err(_) => {}
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    told.odd.lock().await.push(format!("{key}: no answer for 8 s"));
}

async fn verdict(
    house: &House,
    told: &Told,
    (killed, seen): (usize, &BTreeSet<String>),
) -> Result<Value, String> {
    let trail = audit::read(&mut house.api.conn()).await?;
    let changes = told.changes.lock().await;
    let odd = told.odd.lock().await;
    let doubles = trail.by_key.iter().filter(|(_, ids)| ids.len() > 1).count()
        + changes.values().filter(|ids| ids.len() > 1).count();
    let lost = changes.iter().filter(|(key, ids)| {
        let recorded = trail.by_key.get(*key).map_or(&[][..], Vec::as_slice);
        ids.iter().any(|id| !recorded.contains(id))
    });
    let lost = lost.count();
    // Nobody may be told of what is not on disk: every event seen is in the trail after the last kill.
    let early = seen.iter().filter(|id| !trail.by_change.contains_key(*id)).count();
    let verified = audit::check(&house.api).await?;
    let broken = verified["violations"].as_u64().unwrap_or(1);
    Ok(json!({
        "what": "retries", "n": told.sent.load(Ordering::Relaxed), "keys": changes.len(), "kills": killed,
        "doubles": doubles, "lost": lost, "events_seen": seen.len(), "seen_before_durable": early,
        "audit": verified, "errors": odd.len(), "first_error": odd.first(),
        "violations": (doubles + lost + early + odd.len()) as u64 + broken,
    }))
}
