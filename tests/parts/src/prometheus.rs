//! A Prometheus that scrapes what a test gives it, every second.

use crate::{Room, Watched, free_port, program, request, until};
use rustix::process::Signal;
use serde_json::Value;
use std::fmt::Write;
use std::fs::OpenOptions;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);

/// Something to scrape: a job, its addresses, and labels put on whatever is read there.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its name.
    pub name: String,
    /// `127.0.0.1:PORT`, each with `/metrics`.
    pub addresses: Vec<String>,
    /// Labels of all that is read there.
    pub labels: Vec<(String, String)>,
}

impl Job {
    /// A job of these addresses.
    pub fn new(name: &str, addresses: impl IntoIterator<Item = String>) -> Self {
        Self { name: name.to_owned(), addresses: addresses.into_iter().collect(), labels: Vec::new() }
    }

    /// The same with a label on everything.
    #[must_use]
    pub fn labelled(mut self, name: &str, value: &str) -> Self {
        self.labels.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// A running Prometheus.
#[derive(Debug)]
pub struct Prometheus {
    program: PathBuf,
    room: Room,
    port: u16,
    process: Option<Watched>,
}

impl Prometheus {
    /// One that scrapes these jobs; `None`, with a line that says so, where the program is not installed.
    pub fn scraping(jobs: &[Job]) -> Option<Self> {
        let program = program("prometheus")?;
        let mut one = Self { program, room: Room::new("prometheus"), port: free_port(), process: None };
        std::fs::write(one.room.path().join("config.yml"), configuration(jobs))
            .expect("a file can be written");
        one.start();
        Some(one)
    }

    /// Can one be started here? If not, that is said.
    pub fn is_installed() -> bool {
        program("prometheus").is_some()
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
            .args(["--config.file=config.yml", "--storage.tsdb.path=data", "--log.level=warn"])
            .arg("--enable-feature=native-histograms")
            .arg(format!("--web.listen-address=127.0.0.1:{}", self.port))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.map_or(Stdio::null(), Stdio::from));
        self.process = Some(Watched::start(&mut command));
        until("Prometheus answers", LIMIT, || {
            request(&self.address(), "GET", "/-/ready", "").ok().filter(|(status, _)| *status == 200)
        });
    }

    /// Ends it as a person would.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.ask_to_end(LIMIT);
        }
    }

    /// Stops it where it stands, as a machine that hangs.
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

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The same as a URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// How many rows a query gives.
    ///
    /// # Panics
    /// When it does not answer.
    pub fn rows(&self, query: &str) -> usize {
        let escaped: String = query.bytes().fold(String::new(), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "%{byte:02X}");
            text
        });
        let path = format!("/api/v1/query?query={escaped}");
        let (status, answer) = request(&self.address(), "GET", &path, "").expect("Prometheus answers");
        assert_eq!(status, 200, "{query}: {answer}");
        let answer: Value = serde_json::from_str(&answer).expect("it answers in JSON");
        answer["data"]["result"].as_array().map_or(0, Vec::len)
    }

    /// Waits until a query gives at least so many rows.
    ///
    /// # Panics
    /// When it does not.
    pub fn shows(&self, query: &str, least: usize) {
        until(&format!("{query} gives {least} rows"), LIMIT, || (self.rows(query) >= least).then_some(()));
    }
}

fn configuration(jobs: &[Job]) -> String {
    let mut text = String::from("global:\n  scrape_interval: 1s\n  scrape_timeout: 1s\nscrape_configs:\n");
    for job in jobs {
        let addresses: Vec<String> = job.addresses.iter().map(|address| format!("{address:?}")).collect();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  - job_name: {:?}\n    honor_labels: true\n    static_configs:", job.name);
        let _ = writeln!(text, "      - targets: [{}]", addresses.join(", "));
        if !job.labels.is_empty() {
            let _ = writeln!(text, "        labels:");
        }
        for (name, value) in &job.labels {
            let _ = writeln!(text, "          {name}: {value:?}");
        }
    }
    text
}
