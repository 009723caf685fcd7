//! Lays and ends real changes, each under a key of its own, from one client or many.

use crate::figures::{Samples, merge, round};
use crate::house::{House, Where, end, off};
use crate::http1::{Answer, Conn};
use crate::process::cpu_seconds;
use clap::Args;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Lays changes and ends them again; every request is one durable commit with its audit entry
#[derive(Debug, Args)]
pub(crate) struct Changes {
    #[command(flatten)]
    house: Where,
    /// Clients, each with a keep-alive connection
    #[arg(long, default_value_t = 1)]
    clients: usize,
    /// How long, in seconds
    #[arg(long = "for", value_name = "SECONDS", default_value_t = 10)]
    lasts: u64,
    /// Switches to lay them over
    #[arg(long, default_value_t = 200)]
    switches: usize,
}

/// What laying and ending took.
#[derive(Default)]
pub(crate) struct Took {
    pub(crate) laid: Samples,
    pub(crate) ended: Samples,
    pub(crate) errors: Vec<String>,
}

impl Took {
    /// Takes in another's.
    pub(crate) fn extend(&mut self, other: Self) {
        self.laid.extend(other.laid);
        self.ended.extend(other.ended);
        self.errors.extend(other.errors);
    }
}

pub(crate) async fn run(args: Changes) -> Result<Value, String> {
    let house = args.house.open(&[("REIN__LIMITS__WRITES_PER_SECOND", "1000000")]).await?;
    let names = house.declare("load", args.switches.max(1)).await?;
    let cpu = house.pid.and_then(cpu_seconds);
    let begun = Instant::now();
    let until = begun + Duration::from_secs(args.lasts);
    let clients: Vec<_> = (0..args.clients.max(1))
        .map(|client| {
            // Few clients share a switch, so that layers do not pile up.
            let own: Vec<_> =
                names.iter().skip(client % names.len()).step_by(args.clients).cloned().collect();
            tokio::spawn(cycle(house.api.conn(), own, until))
        })
        .collect();
    let mut all = Took::default();
    for client in clients {
        all.extend(client.await.map_err(|e| e.to_string())?);
    }
    Ok(figures(&house, begun.elapsed(), cpu, all, args.clients))
}

fn figures(house: &House, took: Duration, cpu: Option<f64>, mut all: Took, clients: usize) -> Value {
    let seconds = took.as_secs_f64();
    let commits = all.laid.len() + all.ended.len();
    let (ended, mut out) = (all.ended.figures(), all.laid.figures());
    let used = cpu.zip(house.pid.and_then(cpu_seconds)).map(|(before, after)| round(after - before));
    merge(
        &mut out,
        json!({
            "what": "changes", "clients": clients, "ended": ended,
            "rate": round(commits as f64 / seconds), "laid_rate": round(all.laid.len() as f64 / seconds),
            "server_cpu_seconds": used,
            "server_cpu_ms_each": used.map(|used| round(used * 1e3 / commits.max(1) as f64)), "errors": all.errors.len(), "first_error": all.errors.first(),
        }),
    );
    out
}

/// One client: lays a change, ends it, and goes on with the next switch, until then.
pub(crate) async fn cycle(mut conn: Conn, switches: Vec<String>, until: Instant) -> Took {
    let mut took = Took::default();
    for switch in switches.iter().cycle() {
        let begun = Instant::now();
        if begun >= until || took.errors.len() > 100 {
            break;
        }
        let laid = conn.send(&off(switch, 3600)).await;
        let then = Instant::now();
        match laid.as_ref().ok().filter(|answer| answer.good()).and_then(id) {
            Some(id) => {
                took.laid.push(then - begun);
                match conn.send(&end(&id)).await {
                    Ok(answer) if answer.good() => took.ended.push(then.elapsed()),
                    other => took.errors.push(said(&other)),
                }
            }
            None => took.errors.push(said(&laid)),
        }
    }
    took
}

/// The change's id without reading all of the answer.
fn id(answer: &Answer) -> Option<String> {
    let text = std::str::from_utf8(&answer.body).ok()?;
    let (_, rest) = text.split_once(r#"{"change":{"id":""#)?;
    Some(rest.split_once('"')?.0.to_owned())
}

/// What went wrong, in words.
pub(crate) fn said(answer: &Result<Answer, String>) -> String {
    match answer {
        Ok(answer) => format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body)),
        Err(why) => why.clone(),
    }
}
