//! What the demo starts beside itself when it is asked to, where that is installed: a Prometheus that scrapes the
//! company, and an Alertmanager that hears what its rules find. Rein adapts both as it would anywhere.

use super::Outcome;
use rein_api::backends::BackendDocument;
use rein_cli::handover::Companion;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// How long one may take until it listens.
const OPENS: Duration = Duration::from_secs(30);
/// How long one may take to end.
const ENDS: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);
/// Ports tried: one that is free may be taken before the program is there.
const TRIES: usize = 3;

/// Runs a program until it ends or nobody holds the other side of standard input any more, however the demo died.
const TIED: &str = r#"exec 3<&0; "$@" 3<&- </dev/null & program=$!; { read -r _ <&3; kill "$program" 2>/dev/null; } & wait "$program""#;

/// Slow pages, where the demo has them from the beginning: recommendations is slow, and with it whoever waits for it.
const RULES: &str = r#"groups:
  - name: demo
    interval: 1s
    rules:
      - alert: SlowPages
        expr: histogram_quantile(0.99, sum by (service_name, le) (rate(http_server_request_duration_seconds_bucket[15s]))) > 0.4
        for: 5s
        labels: {severity: critical, service: "{{ $labels.service_name }}"}
        annotations: {summary: "one page in a hundred takes {{ $value | humanizeDuration }}"}
"#;

/// Programs that run beside the demo and end with it.
#[derive(Default)]
pub(super) struct Beside {
    running: Vec<Child>,
    /// As backends.
    pub(super) backends: Vec<BackendDocument>,
}

impl Beside {
    /// Starts those that are asked for; `targets` is where Prometheus finds the company.
    pub(super) async fn start(asked: &[Companion], dir: &Path, targets: &str) -> Outcome<Self> {
        let mut all = Self::default();
        let alertmanager = match asked.contains(&Companion::Alertmanager) {
            true => Some(all.alertmanager(&room(dir, "alertmanager")?).await?),
            false => None,
        };
        if asked.contains(&Companion::Prometheus) {
            all.prometheus(&room(dir, "prometheus")?, targets, alertmanager).await?;
        }
        Ok(all)
    }

    async fn alertmanager(&mut self, dir: &Path) -> Outcome<SocketAddr> {
        let program = installed(Companion::Alertmanager)?;
        let config =
            "route: {receiver: nobody, group_wait: 1s, group_interval: 1s}\nreceivers: [{name: nobody}]\n";
        fs::write(dir.join("config.yml"), config)?;
        let words = ["--config.file=config.yml", "--storage.path=data", "--cluster.listen-address="];
        let address = self.run(&program, &words, dir).await?;
        self.declare("alerts", "alertmanager", json!({"peers": [format!("http://{address}")]}))?;
        Ok(address)
    }

    async fn prometheus(&mut self, dir: &Path, targets: &str, tells: Option<SocketAddr>) -> Outcome<()> {
        let program = installed(Companion::Prometheus)?;
        fs::write(dir.join("targets.json"), targets)?;
        let tells: Vec<String> = tells.iter().map(SocketAddr::to_string).collect();
        // JSON is YAML as well.
        let config = json!({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "scrape_configs": [{"job_name": "demo", "file_sd_configs": [{"files": ["targets.json"]}]}],
            "rule_files": ["rules.yml"],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": tells}]}]},
        });
        fs::write(dir.join("config.yml"), config.to_string())?;
        fs::write(dir.join("rules.yml"), RULES)?;
        let words = ["--config.file=config.yml", "--storage.tsdb.path=data"];
        let address = self.run(&program, &words, dir).await?;
        let saturation = json!({
            "figure": "saturation", "of": "service",
            "query": "max by ($by) (demo_workers_busy{$match} / demo_workers{$match})",
            "labels": {"service": "service_name", "instance": "service_instance_id"},
        });
        let config = json!({
            "peers": [format!("http://{address}")], "window_seconds": 10, "templates": [saturation],
        });
        self.declare("metrics", "prometheus", config)
    }

    /// Starts a program and waits until it listens. Answers where.
    async fn run(&mut self, program: &Path, words: &[&str], dir: &Path) -> Outcome<SocketAddr> {
        for _ in 0..TRIES {
            let address = free()?;
            let log = File::create(dir.join("log"))?;
            let mut child = Command::new("sh")
                .args(["-c", TIED, "sh"])
                .arg(program)
                .args(words)
                .arg(format!("--web.listen-address={address}"))
                .current_dir(dir)
                .stdin(Stdio::piped())
                .stdout(log.try_clone()?)
                .stderr(log)
                // Ctrl-C is the demo's: it ends the others in its time.
                .process_group(0)
                .spawn()?;
            if listens(&mut child, address).await? {
                self.running.push(child);
                return Ok(address);
            }
        }
        let said = fs::read_to_string(dir.join("log")).unwrap_or_default();
        let last = said.lines().last().unwrap_or("it said nothing");
        Err(format!("{} does not start: {last}", program.display()).into())
    }

    fn declare(&mut self, name: &str, plugin: &str, config: Value) -> Outcome<()> {
        let document =
            json!({"kind": "backend", "name": name, "plugin": plugin, "owner": "sre", "config": config});
        self.backends.push(serde_json::from_value(document)?);
        Ok(())
    }

    /// Ends them all, and waits for that: their data goes with the demo's.
    pub(super) async fn stop(mut self) {
        for child in &mut self.running {
            drop(child.stdin.take());
        }
        let begun = Instant::now();
        while self.running.iter_mut().any(|child| matches!(child.try_wait(), Ok(None)))
            && begun.elapsed() < ENDS
        {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Waits until a program listens; `false` where it ends before, or takes too long.
async fn listens(child: &mut Child, at: SocketAddr) -> std::io::Result<bool> {
    let begun = Instant::now();
    while child.try_wait()?.is_none() && begun.elapsed() < OPENS {
        if TcpStream::connect(at).await.is_ok() {
            return Ok(true);
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(false)
}

fn room(dir: &Path, name: &str) -> std::io::Result<PathBuf> {
    let room = dir.join(name);
    fs::create_dir(&room).map(|()| room)
}

/// A port nobody listens on.
fn free() -> std::io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// Where a program is, by one of the names it has.
fn installed(companion: Companion) -> Result<PathBuf, Missing> {
    let names = names(companion);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let find = |name: &&str| std::env::split_paths(&path).map(|dir| dir.join(name)).find(|p| p.is_file());
    names.iter().find_map(find).ok_or(Missing(companion))
}

/// Debian has a name of its own for one of them.
fn names(companion: Companion) -> &'static [&'static str] {
    match companion {
        Companion::Prometheus => &["prometheus"],
        Companion::Alertmanager => &["alertmanager", "prometheus-alertmanager"],
    }
}

/// A program that is not installed.
#[derive(Debug)]
pub(super) struct Missing(Companion);

impl std::error::Error for Missing {}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "there is no {} in PATH", names(self.0).join(", and no "))
    }
}

impl Missing {
    /// What to type next.
    pub(super) fn hint(&self) -> String {
        let package = names(self.0).last().copied().unwrap_or_default();
        format!("apt-get install {package}   # or leave it out of --with")
    }
}
