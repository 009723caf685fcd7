//! Asks the OFREP door for evaluations, one flag a request or all at once.

use crate::changes::said;
use crate::figures::{Samples, merge, round};
use crate::house::{Where, lay};
use crate::http1::{Ask, Conn};
use crate::process::cpu_seconds;
use clap::Args;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Evaluations a second, and how much processor time of the server they take
#[derive(Debug, Args)]
pub(crate) struct Ofrep {
    #[command(flatten)]
    house: Where,
    /// Clients, each with a keep-alive connection
    #[arg(long, default_value_t = 16)]
    concurrency: usize,
    /// How long, in seconds
    #[arg(long = "for", value_name = "SECONDS", default_value_t = 10)]
    lasts: u64,
    /// Switches declared
    #[arg(long, default_value_t = 20)]
    switches: usize,
    /// Ask for all flags at once
    #[arg(long)]
    bulk: bool,
}

pub(crate) async fn run(args: Ofrep) -> Result<Value, String> {
    let house = args.house.open(&[]).await?;
    let names = house.declare("ofrep", args.switches.max(2)).await?;
    // One flag in two has a layer over it, half of those a percentage: what a bad day looks like.
    let mut conn = house.api.conn();
    for (n, name) in names.iter().enumerate().filter(|(n, _)| n % 2 == 0) {
        match n % 4 {
            0 => drop(lay(&mut conn, name, 3600).await?),
            _ => drop(conn.send(&share(name)).await?.want(name)?),
        }
    }
    let cpu = house.pid.and_then(cpu_seconds);
    let begun = Instant::now();
    let until = begun + Duration::from_secs(args.lasts);
    let clients: Vec<_> = (0..args.concurrency.max(1))
        .map(|client| tokio::spawn(ask(house.api.conn(), names.clone(), (client, args.bulk), until)))
        .collect();
    let (mut took, mut errors) = (Samples::default(), Vec::new());
    for client in clients {
        let (samples, failed) = client.await.map_err(|e| e.to_string())?;
        took.extend(samples);
        errors.extend(failed);
    }
    let seconds = begun.elapsed().as_secs_f64();
    let each = if args.bulk { names.len() } else { 1 };
    let evaluations = (took.len() * each) as f64;
    let used = cpu.zip(house.pid.and_then(cpu_seconds)).map(|(before, after)| after - before);
    let mut out = took.figures();
    merge(
        &mut out,
        json!({
            "what": "ofrep", "bulk": args.bulk, "evaluations": evaluations,
            "rate": round(evaluations / seconds), "server_cpu_seconds": used.map(round),
            "rate_per_core": used.map(|used| round(evaluations / used.max(0.01))),
            "errors": errors.len(), "first_error": errors.first(),
        }),
    );
    Ok(out)
}

fn share(switch: &str) -> Ask {
    let body = json!({"legs": [{"switch": switch, "setting": "off", "scope": {"percent": 20}}],
        "lasts_seconds": 3600, "reason": "load"});
    Ask::post("/v1/changes", body.to_string())
}

async fn ask(
    mut conn: Conn,
    names: Vec<String>,
    (client, bulk): (usize, bool),
    until: Instant,
) -> (Samples, Vec<String>) {
    let (mut took, mut errors) = (Samples::default(), Vec::new());
    let asks: Vec<Ask> = names
        .iter()
        .enumerate()
        .map(|(n, name)| {
            let body = json!({"context": {"targetingKey": format!("user-{client}-{n}"), "zone": "sh"}});
            let path = match bulk {
                true => "/ofrep/v1/evaluate/flags".to_owned(),
                false => format!("/ofrep/v1/evaluate/flags/{}", name.replace('/', ".")),
            };
            Ask { key: None, ..Ask::post(path, body.to_string()) }
        })
        .collect();
    for ask in asks.iter().cycle() {
        let begun = Instant::now();
        if begun >= until || errors.len() > 100 {
            break;
        }
        match conn.send(ask).await {
            Ok(answer) if answer.status == 200 => took.push(begun.elapsed()),
            other => errors.push(said(&other)),
        }
    }
    (took, errors)
}
