//! Many cells of one backend at once: how long the reconciler takes until all of them are proved, and until
//! all of them are gone again, beside raw requests to the same Alertmanagers.

use crate::figures::{merge, round};
use crate::http1::{Api, Ask};
use crate::process::cpu_seconds;
use crate::silences::Hushed;
use crate::three::Place;
use clap::Args;
use rein_parts::Alertmanager;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How often is looked: often enough for the figure, seldom enough not to be part of it.
const LOOK: Duration = Duration::from_millis(100);
/// Gossip alone takes a minute and a half for a thousand silences.
const PATIENCE: Duration = Duration::from_secs(240);
const INCIDENT: &str = "LOAD-1";

/// Lays many silences at once and measures until the reconciler has settled all of their cells
#[derive(Debug, Args)]
pub(crate) struct Settle {
    #[command(flatten)]
    place: Place,
    /// Silences, each a cell
    #[arg(long, default_value_t = 1000)]
    cells: usize,
    /// Alertmanagers of the backend; more than one gossip
    #[arg(long, default_value_t = 1)]
    peers: usize,
    /// Clients that lay them
    #[arg(long, default_value_t = 64)]
    clients: usize,
}

pub(crate) async fn run(args: Settle) -> Result<Value, String> {
    let hushed = Hushed::start(&args.place, args.peers).await?;
    let house = &hushed.house;
    // Starts the plugin.
    lay(&house.api, 0..1, "WARM-1").await?;
    wait(&hushed, |seen| seen.proved == 1).await?;
    let cpu = house.pid.and_then(cpu_seconds);
    let begun = Instant::now();
    lay_all(&house.api, &args).await?;
    let laid = begun.elapsed();
    let held = wait(&hushed, |seen| seen.held == args.cells + 1).await? - begun;
    let proved = wait(&hushed, |seen| seen.proved == args.cells + 1).await? - begun;
    let used = cpu.zip(house.pid.and_then(cpu_seconds)).map(|(before, after)| round(after - before));
    // The server's word is not taken for it.
    let short: usize = live(&hushed).iter().map(|count| (args.cells + 1).abs_diff(*count)).sum();
    let closed = Instant::now();
    let close = Ask::post(format!("/v1/incidents/{INCIDENT}/close"), "{}");
    house.api.conn().send(&close).await?.want("close")?;
    let gone = wait(&hushed, |seen| seen.all == 1).await? - closed;
    let left: usize = live(&hushed).iter().map(|count| count.abs_diff(1)).sum();
    let raw = raw(&hushed, args.cells).await?;
    let mut out = json!({"what": "settle", "cells": args.cells, "peers": args.peers, "n": args.cells});
    merge(
        &mut out,
        json!({
            "laid_seconds": seconds(laid), "held_seconds": seconds(held), "settled_seconds": seconds(proved),
            "ended_seconds": seconds(gone), "raw_seconds": seconds(raw),
            "ratio": round(proved.as_secs_f64() / raw.as_secs_f64()), "server_cpu_seconds": used,
            "errors": 0, "violations": short + left,
        }),
    );
    Ok(out)
}

fn seconds(took: Duration) -> f64 {
    round(took.as_secs_f64())
}

/// Lays the silences with these numbers, one after the other.
async fn lay(api: &Api, numbers: impl Iterator<Item = usize>, incident: &str) -> Result<(), String> {
    let mut conn = api.conn();
    for number in numbers {
        let matchers = json!([
            {"name": "alertname", "value": format!("{incident}-{number:05}")}, {"name": "service", "value": "order"},
        ]);
        // What a silence would hush is judged before it is laid, and that is no part of settling.
        let body = json!({"legs": [{"silence": {"backend": "alerts", "matchers": matchers}}],
            "lasts_seconds": 7200, "incident": incident, "guards": "pass"});
        conn.send(&Ask::post("/v1/changes", body.to_string())).await?.want("a silence")?;
    }
    Ok(())
}

async fn lay_all(api: &Api, args: &Settle) -> Result<(), String> {
    let clients = args.clients.max(1);
    let running: Vec<_> = (0..clients)
        .map(|client| {
            let (api, numbers) = (api.clone(), (client..args.cells).step_by(clients));
            tokio::spawn(async move { lay(&api, numbers, INCIDENT).await })
        })
        .collect();
    for client in running {
        client.await.map_err(|e| e.to_string())??;
    }
    Ok(())
}

/// What the server says of the backend's cells.
struct Cells {
    all: usize,
    /// The backend was seen to hold what is wanted.
    held: usize,
    /// And every peer of it.
    proved: usize,
}

/// Looks until it is so; when that was.
async fn wait(hushed: &Hushed, so: impl Fn(&Cells) -> bool) -> Result<Instant, String> {
    let give_up = Instant::now() + PATIENCE;
    let mut conn = hushed.house.api.conn();
    loop {
        let view = conn.send(&Ask::get("/v1/backends/alerts")).await?.want("the backend")?;
        let none = Vec::new();
        let cells = view["cells"].as_array().unwrap_or(&none);
        let held = cells.iter().filter(|cell| cell["state"] == "held" && cell["found"].is_string());
        let everywhere = |cell: &&Value| cell["missing_peers"].as_array().is_none_or(Vec::is_empty);
        let proved = held.clone().filter(everywhere).count();
        let seen = Cells { all: cells.len(), held: held.count(), proved };
        if so(&seen) {
            return Ok(Instant::now());
        }
        if Instant::now() > give_up {
            let (all, held) = (seen.all, seen.held);
            return Err(format!("after {PATIENCE:?}: {all} cells, {held} held, {proved} on all peers"));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Live silences on each peer.
fn live(hushed: &Hushed) -> Vec<usize> {
    let of = |one: &Alertmanager| one.silences().iter().filter(|s| s["status"]["state"] == "active").count();
    hushed.cluster.0.iter().map(of).collect()
}

/// As many silences by plain requests, until every peer shows them.
async fn raw(hushed: &Hushed, cells: usize) -> Result<Duration, String> {
    let before = live(hushed);
    let first = hushed.cluster.0.first().ok_or("no peer")?;
    let api = Api { address: first.address().parse().map_err(|_| "no address")?, token: String::new() };
    let now = jiff::Timestamp::now();
    let ends = now.checked_add(jiff::SignedDuration::from_hours(2)).map_err(|e| e.to_string())?;
    let begun = Instant::now();
    let running: Vec<_> = (0..16)
        .map(|client| {
            let mut conn = api.conn();
            tokio::spawn(async move {
                for number in (client..cells).step_by(16) {
                    let matcher = |name: &str, value: String| json!({"name": name, "value": value, "isRegex": false, "isEqual": true});
                    let body = json!({"matchers": [matcher("alertname", format!("RAW-1-{number:05}")), matcher("service", "order".into())],
                        "startsAt": now.to_string(), "endsAt": ends.to_string(), "createdBy": "admin", "comment": INCIDENT});
                    conn.send(&Ask::post("/api/v2/silences", body.to_string())).await?.want("a silence")?;
                }
                Ok::<_, String>(())
            })
        })
        .collect();
    for client in running {
        client.await.map_err(|e| e.to_string())??;
    }
    while live(hushed).iter().zip(&before).any(|(now, before)| *now < before + cells) {
        if begun.elapsed() > PATIENCE {
            return Err(format!("{cells} raw silences are not on all peers after {PATIENCE:?}"));
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(begun.elapsed())
}
