//! A Prometheus that is told its targets over HTTP: what a registry serves, as a stranger's program reads it.

use crate::{Room, Watched, free_port, program, request, until};
use serde_json::Value;
use std::fs::OpenOptions;
use std::process::{Command, Stdio};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);

/// A running Prometheus.
#[derive(Debug)]
pub struct Discovery {
    room: Room,
    port: u16,
    _process: Watched,
}

impl Discovery {
    /// One that asks `url` with a token, every second; `None`, with a line that says so, where the program
    /// is not installed.
    ///
    /// # Panics
    /// When it does not start.
    pub fn of(url: &str, token: &str) -> Option<Self> {
        let program = program("prometheus")?;
        let room = Room::new("discovery");
        let write = |name: &str, text: &str| std::fs::write(room.path().join(name), text).expect("a file");
        write("token", token);
        write(
            "prometheus.yml",
            &format!(
                "global: {{scrape_interval: 1s}}\nscrape_configs:\n- job_name: rein\n  http_sd_configs:\n  \
                 - url: {url}\n    refresh_interval: 1s\n    authorization: {{type: Bearer, credentials_file: token}}\n"
            ),
        );
        let port = free_port();
        let log = OpenOptions::new().create(true).append(true).open(room.path().join("log"));
        let mut command = Command::new(program);
        command
            .env_clear()
            .current_dir(room.path())
            .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data"])
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.map_or(Stdio::null(), Stdio::from));
        let one = Self { room, port, _process: Watched::start(&mut command) };
        until("Prometheus answers", LIMIT, || {
            request(&one.address(), "GET", "/-/ready", "").ok().filter(|(status, _)| *status == 200)
        });
        Some(one)
    }

    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The labels of all targets that it found.
    pub fn found(&self) -> Vec<Value> {
        let answer = request(&self.address(), "GET", "/api/v1/targets?state=active", "");
        let text = answer.map(|(_, text)| text).unwrap_or_default();
        let view: Value = serde_json::from_str(&text).unwrap_or_default();
        let targets = view["data"]["activeTargets"].as_array().cloned().unwrap_or_default();
        targets.into_iter().map(|target| target["labels"].clone()).collect()
    }

    /// What it says of itself, for a test that failed.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.room.path().join("log")).unwrap_or_default()
    }
}
