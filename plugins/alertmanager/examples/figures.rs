//! How long one silence takes until all of three peers show it: through the plugin, written and read back,
//! beside `amtool silence add` and then `amtool silence query` on each peer until it shows. Prints one line
//! of JSON a round, in milliseconds.
//!
//! `cargo run --release -p rein-plugin-alertmanager --example figures -- 20`

#![allow(clippy::print_stdout, reason = "its output is what it is for")]

use rein_parts::{Alertmanager, Cluster};
use rein_plugin::{Adapter, CellKey, Configuration, Write};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(10);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), String> {
    let rounds: u32 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(10);
    let Some(cluster) = Alertmanager::cluster(3) else { return Ok(()) };
    let peers: Vec<String> = cluster.0.iter().map(Alertmanager::url).collect();
    let plugin = rein_plugin_alertmanager::adapter();
    let config = serde_json::json!({"peers": peers, "timeout_ms": 2000}).to_string();
    let configuration = Configuration { backend: "bench".into(), config, secrets: BTreeMap::new() };
    plugin.configure(configuration).await.map_err(|fault| fault.to_string())?;
    for round in 0..rounds {
        let ours = through_plugin(&plugin, round).await?;
        let theirs = through_amtool(&cluster, round)?;
        let (ours, theirs) = (ours.as_secs_f64() * 1000.0, theirs.as_secs_f64() * 1000.0);
        println!("{{\"plugin_ms\":{ours:.1},\"amtool_ms\":{theirs:.1},\"ratio\":{:.3}}}", ours / theirs);
    }
    Ok(())
}

async fn through_plugin(plugin: &impl Adapter, round: u32) -> Result<Duration, String> {
    let cell = CellKey(format!("bench{round}"));
    let want = format!(
        r#"{{"matchers":[["alertname","=","P{round}"]],"ends":"2099-01-01T00:00:00Z","author":"a","comment":"b"}}"#
    );
    let write = Write {
        cell: cell.clone(),
        want: Some(want.clone()),
        expected_version: String::new(),
        change: cell.0.clone(),
        object: String::new(),
    };
    let begun = Instant::now();
    plugin.apply(write).await.map_err(|fault| fault.to_string())?;
    loop {
        let seen = plugin.observe(std::slice::from_ref(&cell)).await.map_err(|fault| fault.to_string())?;
        if seen.iter().all(|seen| seen.value.as_ref() == Some(&want) && seen.missing_peers.is_empty()) {
            return Ok(begun.elapsed());
        }
        if begun.elapsed() > LIMIT {
            return Err(format!("not on all peers after {LIMIT:?}: {seen:?}"));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn through_amtool(cluster: &Cluster, round: u32) -> Result<Duration, String> {
    let matcher = format!("alertname=T{round}");
    let first = cluster.0.first().ok_or("there is no peer")?;
    let begun = Instant::now();
    let added = first.amtool(&["silence", "add", "--author=a", "--comment=b", "--duration=9h", &matcher]);
    let id = String::from_utf8_lossy(&added.stdout).trim().to_owned();
    if id.is_empty() {
        return Err(format!("amtool says {added:?}"));
    }
    for one in &cluster.0 {
        loop {
            let shown = one.amtool(&["silence", "query", "-q", &matcher]);
            if String::from_utf8_lossy(&shown.stdout).contains(&id) {
                break;
            }
            if begun.elapsed() > LIMIT {
                return Err(format!("not on all peers after {LIMIT:?}"));
            }
        }
    }
    Ok(begun.elapsed())
}
