//! Three servers over an etcd of three members that wait for their disk: changes through all of them, beside
//! plain etcd transactions of the same shape, in turns.

use crate::changes::{Took, cycle};
use crate::figures::{Samples, merge, round};
use crate::house::House;
use crate::http1::Ask;
use crate::plain::{Plain, Shape};
use crate::process::cpu_seconds;
use clap::Args;
use rein_parts::Etcd;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Longest wait for servers to know what was declared at one of them.
const PATIENCE: Duration = Duration::from_secs(15);
/// No server slows a load down.
const NO_LIMIT: [(&str, &str); 1] = [("REIN__LIMITS__WRITES_PER_SECOND", "1000000")];

/// Lays and ends changes through three servers on a three-node etcd, beside plain etcd transactions
#[derive(Debug, Args)]
pub(crate) struct Changes {
    #[command(flatten)]
    place: Place,
    /// Clients, spread evenly over the servers, and over the members of etcd
    #[arg(long, default_value_t = 64)]
    clients: usize,
    /// How long each of the two takes, in seconds
    #[arg(long = "for", value_name = "SECONDS", default_value_t = 8)]
    lasts: u64,
    /// Turns that time is cut into: a busy moment of the machine falls on both
    #[arg(long, default_value_t = 2)]
    turns: u64,
}

/// The binary, and where its servers keep their data.
#[derive(Debug, Clone, Args)]
pub(crate) struct Place {
    /// The binary whose servers are measured
    #[arg(long, value_name = "FILE")]
    pub(crate) rein: PathBuf,
    /// Directory for their data
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
}

/// Three servers over one etcd.
pub(crate) struct Three {
    pub(crate) houses: Vec<House>,
    // After the servers: they end first.
    etcd: Etcd,
}

impl Three {
    /// Starts all of it.
    pub(crate) async fn start(place: &Place) -> Result<Self, String> {
        std::fs::create_dir_all(&place.data).map_err(|e| format!("{}: {e}", place.data.display()))?;
        let (rein, data) = (absolute(&place.rein)?, absolute(&place.data)?);
        let etcd = tokio::task::spawn_blocking(|| Etcd::durable(3));
        let etcd = etcd.await.map_err(|e| e.to_string())?.ok_or("there is no etcd to be started")?;
        let mut houses: Vec<House> = Vec::new();
        for name in ["a", "b", "c"] {
            let server = (&*etcd.url(), name);
            houses.push(House::member(&rein, &data, server, houses.first(), &NO_LIMIT).await?);
        }
        Ok(Self { houses, etcd })
    }

    /// Declares switches at the first server, and waits until every server knows them.
    pub(crate) async fn declare(&self, service: &str, count: usize) -> Result<Vec<String>, String> {
        let first = self.houses.first().ok_or("no server")?;
        let names = first.declare(service, count).await?;
        let last = names.last().ok_or("nothing was declared")?;
        for house in &self.houses {
            let give_up = Instant::now() + PATIENCE;
            let ask = Ask::get(format!("/v1/switches/{last}"));
            while !house.api.conn().send(&ask).await.is_ok_and(|answer| answer.good()) {
                if Instant::now() > give_up {
                    return Err(format!("{} does not know {last}", house.api.address));
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        Ok(names)
    }
}

/// The path from the root: servers run elsewhere.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf, String> {
    path.canonicalize().map_err(|e| format!("{}: {e}", path.display()))
}

pub(crate) async fn run(args: Changes) -> Result<Value, String> {
    let three = Three::start(&args.place).await?;
    let names = three.declare("load", 3 * args.clients.max(1)).await?;
    let first = three.houses.first().ok_or("no server")?;
    let plain = Plain::connect(&three.etcd.addresses()).await?;
    let shape = Shape::of_a_change(first, names.first().ok_or("no switch")?, &plain).await?;
    let turn = Duration::from_millis(args.lasts * 1000 / args.turns.max(1));
    let (mut ours, mut theirs) = (Took::default(), Samples::default());
    let (mut our_time, mut their_time, mut cpu) = (Duration::ZERO, Duration::ZERO, 0.0);
    for number in 0..args.turns.max(1) {
        let begun = Instant::now();
        theirs.extend(plain.turn(&shape, (args.clients, number), begun + turn).await?);
        their_time += begun.elapsed();
        let (begun, before) = (Instant::now(), used(&three));
        ours.extend(through(&three, &names, args.clients, begun + turn).await?);
        our_time += begun.elapsed();
        cpu += used(&three) - before;
    }
    let commits = ours.laid.len() + ours.ended.len();
    let (rate, plain_rate) =
        (commits as f64 / our_time.as_secs_f64(), theirs.len() as f64 / their_time.as_secs_f64());
    let mut out = ours.laid.figures();
    merge(
        &mut out,
        json!({
            "what": "three-changes", "clients": args.clients, "ended": ours.ended.figures(),
            "rate": round(rate), "plain": theirs.figures(), "plain_rate": round(plain_rate),
            "ratio": round(rate / plain_rate), "shape": shape.figures(),
            "server_cpu_ms_each": round(cpu * 1e3 / commits.max(1) as f64),
            "errors": ours.errors.len(), "first_error": ours.errors.first(),
        }),
    );
    Ok(out)
}

/// Processor time of all three servers.
fn used(three: &Three) -> f64 {
    three.houses.iter().filter_map(|house| house.pid.and_then(cpu_seconds)).sum()
}

async fn through(three: &Three, names: &[String], clients: usize, until: Instant) -> Result<Took, String> {
    let running: Vec<_> = (0..clients)
        .zip(three.houses.iter().cycle())
        .map(|(client, house)| {
            // Each client has switches of its own, so that layers do not pile up.
            let own = names.iter().skip(client).step_by(clients).cloned().collect();
            tokio::spawn(cycle(house.api.conn(), own, until))
        })
        .collect();
    let mut all = Took::default();
    for client in running {
        all.extend(client.await.map_err(|e| e.to_string())?);
    }
    Ok(all)
}
