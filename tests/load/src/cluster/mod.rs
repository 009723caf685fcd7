//! The cluster test: three servers over a real etcd of three members, clients that write and read through
//! whichever server, and faults. What clients were told is written down and judged: linearizability of each
//! target (I11), sessions across servers (I12), one key one change (I3), nothing acknowledged lost and one
//! entry a transition (I1, I15), fields of a newer version (I18).

mod client;
mod faults;
mod history;
mod lies;
mod model;
mod newer;
pub(crate) mod paused;
mod recorder;
mod servers;
mod session;
pub(crate) mod takeover;
mod verdict;

use crate::figures::merge;
use crate::house::House;
use crate::http1::{Api, Ask};
use clap::Args;
use client::{Client, Room};
use faults::{Lead, Stage, plan};
use lies::{Bug, Liar};
use newer::Newer;
use serde_json::{Value, json};
use servers::Three;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use verdict::Findings;

/// Switches that all clients fight over.
const SWITCHES: usize = 4;

/// Runs three servers over three etcd members with faults, and judges what clients were told
#[derive(Debug, Args)]
pub(crate) struct Cluster {
    /// The server's program
    #[arg(long, value_name = "FILE")]
    rein: PathBuf,
    /// A directory for the servers' data
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// How long clients act, in seconds
    #[arg(long = "for", value_name = "SECONDS", default_value_t = 15)]
    lasts: u64,
    /// Clients
    #[arg(long, default_value_t = 10)]
    clients: usize,
    /// What the faults are drawn from; drawn itself if absent
    #[arg(long)]
    seed: Option<u64>,
    /// The longest a process is stopped, in seconds; a third of the run if absent, 30 at most
    #[arg(long, value_name = "SECONDS")]
    longest_stop: Option<u64>,
    /// Whether a newer version writes beside; two runs in five if absent
    #[arg(long)]
    newer: Option<bool>,
    /// Make clients' answers those of a server with this fault
    #[arg(long)]
    bug: Option<Bug>,
}

pub(crate) async fn run(args: Cluster) -> Result<Value, String> {
    let seed = args.seed.unwrap_or_else(rand::random);
    let mixed = args.newer.unwrap_or(seed % 5 < 2);
    let three = Three::start(&args.rein, &args.data).await?;
    let (apis, url) = (three.apis(), three.etcd.url());
    // A lie about what was ten revisions ago needs so many, soon: all fight over one switch then.
    let switches = if args.bug.is_some() { 1 } else { SWITCHES };
    let names = House::at(apis[0].clone()).declare("night", switches).await?;
    all_know(&apis, &format!("/v1/switches/{}", names[switches - 1])).await?;
    let newer = if mixed { Some(Newer::open(&url).await?) } else { None };

    let until = Instant::now() + Duration::from_secs(args.lasts);
    let room = Arc::new(Room::new(names, until, Liar::new(args.bug)));
    let lead = Arc::new(Mutex::new(Lead::default()));
    let three = Arc::new(Mutex::new(three));
    let stage = Stage { three, lead, counts: Arc::default(), until };
    let looks = tokio::spawn(stage.clone().look(apis.clone()));
    let longest = Duration::from_secs(args.longest_stop.unwrap_or((args.lasts / 3).clamp(2, 30)));
    let strikes: Vec<_> =
        plan(seed, longest).into_iter().map(|row| tokio::spawn(stage.clone().strike(row))).collect();
    let clients: Vec<_> = (0..args.clients.max(1))
        .map(|n| tokio::spawn(Client::new(n, seed, apis.clone(), Arc::clone(&room)).run()))
        .collect();
    let planting = newer.map(|newer| tokio::spawn(newer.run(until)));
    for strike in strikes {
        strike.await.map_err(|e| e.to_string())??;
    }
    stage.three.lock().await.heal().await?;
    for client in clients {
        client.await.map_err(|e| e.to_string())?;
    }
    looks.await.map_err(|e| e.to_string())?;

    let mut findings = Findings::default();
    all_know(&apis, &format!("/v1/switches/{}", room.names[0])).await?;
    let mut figures = verdict::judge(&room, &apis[0], &mut findings).await?;
    if let Some(planting) = planting {
        let newer = planting.await.map_err(|e| e.to_string())?;
        merge(&mut figures, judge_newer(&newer, (&apis, &room.names[0]), &mut findings).await?);
    }
    tell(&mut figures, &stage, findings).await;
    merge(&mut figures, json!({"what": "cluster", "seed": seed, "mixed": mixed, "lies": room.liar.told()}));
    Ok(figures)
}

/// Waits until every server answers from all there is.
async fn all_know(apis: &[Api], path: &str) -> Result<(), String> {
    for api in apis {
        let give_up = Instant::now() + Duration::from_secs(20);
        let ask = Ask::get(format!("{path}?consistent=true"));
        while !api.conn().send(&ask).await.is_ok_and(|answer| answer.good()) {
            if Instant::now() > give_up {
                return Err(format!("the server at {} does not answer {path}", api.address));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    Ok(())
}

async fn judge_newer(
    newer: &Newer,
    (apis, switch): (&[Api], &str),
    findings: &mut Findings,
) -> Result<Value, String> {
    let (planted, rewritten, lost) = newer.check().await?;
    let takes = newer.outdates(apis, switch).await?;
    Ok(json!({
        "planted": planted, "rewritten": rewritten, "fields_lost": findings.add("fields of a newer version", &lost),
        "old_writers": findings.add("a writer that is too old", &takes),
    }))
}

async fn tell(figures: &mut Value, stage: &Stage, mut findings: Findings) {
    let lead = stage.lead.lock().await;
    let counts = stage.counts.lock().await;
    let late = findings.add("take-over", &lead.late);
    merge(
        figures,
        json!({"faults": *counts, "faults_all": counts.values().sum::<u32>(), "takeovers": lead.takeovers,
            "slowest_takeover_ms": lead.slowest.as_millis() as u64, "late_takeovers": late}),
    );
    findings.into_figures(figures);
}
