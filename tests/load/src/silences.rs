//! One silence from the command line until it is proved on three peers that gossip, beside what people did
//! before: `amtool silence add`, and asking each peer until it is there.

use crate::figures::{Samples, merge, round};
use crate::house::House;
use crate::three::{Place, absolute};
use clap::Args;
use rein_parts::{Alertmanager, Cluster};
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Longest wait for one silence.
const PATIENCE: Duration = Duration::from_secs(20);

/// Lays silences through the command line on three Alertmanagers, beside amtool, in turns
#[derive(Debug, Args)]
pub(crate) struct Silences {
    #[command(flatten)]
    place: Place,
    /// Silences of each
    #[arg(long, default_value_t = 20)]
    rounds: usize,
    /// Peers that gossip
    #[arg(long, default_value_t = 3)]
    peers: usize,
}

/// A server of our own with one backend: Alertmanagers that gossip.
pub(crate) struct Hushed {
    pub(crate) house: House,
    // After the server: it ends first.
    pub(crate) cluster: Cluster,
}

impl Hushed {
    /// Starts all of it; the backend is declared as people do, by `rein apply`.
    pub(crate) async fn start(place: &Place, peers: usize) -> Result<Self, String> {
        std::fs::create_dir_all(&place.data).map_err(|e| format!("{}: {e}", place.data.display()))?;
        let (rein, data) = (absolute(&place.rein)?, absolute(&place.data)?);
        let cluster = tokio::task::spawn_blocking(move || Alertmanager::cluster(peers));
        let cluster = cluster.await.map_err(|e| e.to_string())?.ok_or("there is no Alertmanager")?;
        let env = [("REIN__LIMITS__WRITES_PER_SECOND", "1000000")];
        let house = House::alone(&rein, &data, &env).await?;
        let urls: Vec<String> = cluster.0.iter().map(Alertmanager::url).collect();
        let declared = json!({"kind": "backend", "name": "alerts", "plugin": "alertmanager", "owner": "team-load",
            "config": {"peers": urls, "timeout_ms": 2000}});
        std::fs::write(data.join("alerts.yaml"), declared.to_string()).map_err(|e| e.to_string())?;
        ran(house.cli()?.args(["apply", "-f", "alerts.yaml"]))?;
        Ok(Self { house, cluster })
    }
}

/// Runs a program to its end; what it said, if it ended well.
fn ran(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().map_err(|e| format!("{command:?}: {e}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        false => Err(format!("{command:?}: {} {}", output.status, String::from_utf8_lossy(&output.stderr))),
    }
}

pub(crate) async fn run(args: Silences) -> Result<Value, String> {
    let hushed = Hushed::start(&args.place, args.peers).await?;
    let (mut ours, mut theirs, mut ratios) = (Samples::default(), Samples::default(), Vec::new());
    let mut unproved = 0;
    for round in 0..=args.rounds {
        let (rein, amtool) = (format!("Rein{round}"), format!("Amtool{round}"));
        // Who goes first alternates.
        let (mine, other) = match round % 2 {
            0 => (through_rein(&hushed, &rein)?, through_amtool(&hushed.cluster, &amtool)?),
            _ => {
                let other = through_amtool(&hushed.cluster, &amtool)?;
                (through_rein(&hushed, &rein)?, other)
            }
        };
        unproved += hushed.cluster.0.iter().filter(|one| !shows(one, &rein)).count();
        // The first starts the plugin and opens connections.
        if round > 0 {
            ours.push(mine);
            theirs.push(other);
            ratios.push(mine.as_secs_f64() / other.as_secs_f64());
        }
    }
    ratios.sort_by(f64::total_cmp);
    let at = |share: f64| ratios.get((ratios.len().saturating_sub(1) as f64 * share) as usize).copied();
    let mut out = ours.figures();
    merge(
        &mut out,
        json!({
            "what": "silences", "peers": args.peers, "amtool": theirs.figures(),
            "ratio": at(0.5).map(round), "ratio_least": at(0.0).map(round), "ratio_most": at(1.0).map(round),
            "errors": 0, "violations": unproved,
        }),
    );
    Ok(out)
}

/// The command ends once all peers have shown the silence.
fn through_rein(hushed: &Hushed, name: &str) -> Result<Duration, String> {
    let mut command = hushed.house.cli()?;
    command.args(["silence", "add", &format!("alertname={name}"), "service=order", "--for", "1h", "--yes"]);
    let begun = Instant::now();
    ran(&mut command)?;
    Ok(begun.elapsed())
}

fn through_amtool(cluster: &Cluster, name: &str) -> Result<Duration, String> {
    let first = cluster.0.first().ok_or("there is no peer")?;
    let matchers = [format!("alertname={name}"), "service=order".to_owned()];
    let begun = Instant::now();
    let mut add = amtool(first);
    add.args(["silence", "add", "--author=admin", "--comment=bench", "--duration=1h"]).args(&matchers);
    let id = ran(&mut add)?;
    for one in &cluster.0 {
        while !ran(amtool(one).args(["silence", "query", "-q"]).args(&matchers))?.contains(&id) {
            if begun.elapsed() > PATIENCE {
                return Err(format!("{name} is not on all peers after {PATIENCE:?}"));
            }
        }
    }
    Ok(begun.elapsed())
}

fn amtool(one: &Alertmanager) -> Command {
    let mut command = Command::new("amtool");
    command.arg(format!("--alertmanager.url={}", one.url()));
    command
}

/// Does this peer hold a live silence of this name?
fn shows(one: &Alertmanager, name: &str) -> bool {
    let wanted = json!(name);
    one.silences().iter().any(|silence| {
        let of_it =
            silence["matchers"].as_array().is_some_and(|all| all.iter().any(|m| m["value"] == wanted));
        of_it && silence["status"]["state"] == "active"
    })
}
