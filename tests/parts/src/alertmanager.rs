//! Alertmanagers: one, or several that gossip.

use crate::{Room, Watched, free_port, program, request, until};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// The name Debian gives the program, and the one it has elsewhere.
const NAMES: [&str; 2] = ["prometheus-alertmanager", "alertmanager"];
const LIMIT: Duration = Duration::from_secs(20);

/// A running Alertmanager.
#[derive(Debug)]
pub struct Alertmanager {
    program: PathBuf,
    room: Room,
    port: u16,
    gossip: Option<(u16, Vec<u16>)>,
    process: Option<Watched>,
}

/// Alertmanagers that gossip with each other.
#[derive(Debug)]
pub struct Cluster(pub Vec<Alertmanager>);

impl Alertmanager {
    /// One without peers; `None`, with a line that says so, where the program is not installed.
    pub fn one() -> Option<Self> {
        let mut one = Self::prepared(None)?;
        one.start();
        Some(one)
    }

    /// Several that know each other.
    pub fn cluster(size: usize) -> Option<Cluster> {
        let ports: Vec<u16> = (0..size).map(|_| free_port()).collect();
        let mut all = Vec::new();
        for port in &ports {
            let others = ports.iter().copied().filter(|other| other != port).collect();
            let mut one = Self::prepared(Some((*port, others)))?;
            one.start();
            all.push(one);
        }
        let cluster = Cluster(all);
        cluster.meet();
        Some(cluster)
    }

    /// Can one be started here? If not, that is said.
    pub fn is_installed() -> bool {
        Self::program().is_some()
    }

    fn program() -> Option<PathBuf> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let there = |name: &&&str| std::env::split_paths(&path).any(|dir| dir.join(name).is_file());
        program(NAMES.iter().find(there).unwrap_or(&NAMES[0]))
    }

    fn prepared(gossip: Option<(u16, Vec<u16>)>) -> Option<Self> {
        let program = Self::program()?;
        let room = Room::new("alertmanager");
        // An alert ClusterDown inhibits those that say so themselves.
        let config = "route: {receiver: nobody, group_wait: 1s, group_interval: 1s}\n\
                      receivers: [{name: nobody}]\n\
                      inhibit_rules: [{source_matchers: [alertname=ClusterDown], target_matchers: [yields=yes]}]\n";
        std::fs::write(room.path().join("config.yml"), config).expect("the room takes files");
        Some(Self { program, room, port: free_port(), gossip, process: None })
    }

    /// Starts it, and waits until it answers.
    ///
    /// # Panics
    /// When it does not.
    pub fn start(&mut self) {
        let log = OpenOptions::new().create(true).append(true).open(self.room.path().join("log"));
        let mut command = Command::new(&self.program);
        command
            .env_clear()
            .current_dir(self.room.path())
            .args(["--config.file=config.yml", "--storage.path=data", "--cluster.reconnect-interval=1s"])
            .arg(format!("--web.listen-address=127.0.0.1:{}", self.port))
            .arg(match &self.gossip {
                None => "--cluster.listen-address=".to_owned(),
                Some((port, _)) => format!("--cluster.listen-address=127.0.0.1:{port}"),
            })
            .args(
                self.gossip
                    .iter()
                    .flat_map(|(_, others)| others)
                    .map(|o| format!("--cluster.peer=127.0.0.1:{o}")),
            )
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.map_or(Stdio::null(), Stdio::from));
        self.process = Some(Watched::start(&mut command));
        until("Alertmanager answers", LIMIT, || {
            request(&self.address(), "GET", "/-/ready", "").ok().filter(|(status, _)| *status == 200)
        });
    }

    /// Ends it as a person would: what it knows is on disk.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.ask_to_end(LIMIT);
        }
    }

    /// Ends it like a power cut: what it learned since its last snapshot is lost.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Stops it where it stands, as a machine that hangs: neither Rein nor its peers get an answer.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        if let Some(process) = &self.process {
            process.signal(signal);
        }
    }

    /// Stops it and starts it again.
    pub fn restart(&mut self) {
        self.stop();
        self.start();
    }

    /// Starts it again with all it knows, and from here on it gossips with nobody.
    pub fn part(&mut self) {
        self.stop();
        self.gossip = None;
        self.start();
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The same as a URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Calls its API.
    ///
    /// # Panics
    /// When it does not answer with 2xx.
    pub fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, answer) = request(&self.address(), method, &format!("/api/v2{path}"), &body)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        serde_json::from_str(&answer).unwrap_or_default()
    }

    /// Makes an alert fire for the next hour.
    pub fn fire(&self, labels: &[(&str, &str)]) {
        let labels: serde_json::Map<String, Value> =
            labels.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let alert = json!([{"labels": labels, "annotations": {"summary": "fired by a test"}}]);
        self.call("POST", "/alerts", &alert);
    }

    /// Makes alerts fire since so many seconds, for the next hour.
    pub fn fire_since(&self, seconds: u64, labels: &[(&str, &str)]) {
        let labels: serde_json::Map<String, Value> =
            labels.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let (begins, ends) = (moment(-i64::try_from(seconds).unwrap_or(0)), moment(3600));
        let alert = json!([{"labels": labels, "annotations": {"summary": "fired by a test"},
                            "startsAt": begins, "endsAt": ends}]);
        self.call("POST", "/alerts", &alert);
    }

    /// All its silences, those that are over included.
    pub fn silences(&self) -> Vec<Value> {
        self.call("GET", "/silences", &Value::Null).as_array().cloned().unwrap_or_default()
    }

    /// Runs amtool against it.
    ///
    /// # Panics
    /// When it is not installed.
    pub fn amtool(&self, arguments: &[&str]) -> Output {
        Command::new("amtool")
            .arg(format!("--alertmanager.url={}", self.url()))
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("amtool comes with Alertmanager")
    }
}

/// So many seconds from now, as RFC 3339.
fn moment(seconds: i64) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let at = i64::try_from(now.as_secs()).unwrap_or(0) + seconds;
    jiff::Timestamp::from_second(at).map(|at| at.to_string()).unwrap_or_default()
}

impl Cluster {
    /// Ends every silence, and waits until everyone knows.
    ///
    /// # Panics
    /// When somebody does not.
    pub fn empty(&self) {
        let live = |one: &Alertmanager| -> Vec<String> {
            let live = one.silences().into_iter().filter(|silence| silence["status"]["state"] != "expired");
            live.filter_map(|silence| silence["id"].as_str().map(str::to_owned)).collect()
        };
        for one in &self.0 {
            for id in live(one) {
                // Gossip may have been faster, and ending what has ended fails.
                let _ = request(&one.address(), "DELETE", &format!("/api/v2/silence/{id}"), "");
            }
        }
        until("nobody shows a silence", LIMIT, || {
            self.0.iter().all(|one| live(one).is_empty()).then_some(())
        });
    }

    /// Waits until everyone sees everyone.
    ///
    /// # Panics
    /// When they do not meet.
    pub fn meet(&self) {
        for one in &self.0 {
            until("the peers meet", LIMIT, || {
                let status = one.call("GET", "/status", &Value::Null);
                (status["cluster"]["peers"].as_array().map(Vec::len) == Some(self.0.len())).then_some(())
            });
        }
    }
}
