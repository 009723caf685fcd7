//! ZooKeeper: one server or three, of the distribution's package.

use crate::{Room, Watched, free_port, program, until};
use rustix::process::Signal;
use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);
/// The server, whose jar names what it needs, and what takes its log.
const JARS: [&str; 2] = ["zookeeper", "slf4j-simple"];

/// A running server.
#[derive(Debug)]
pub struct Zookeeper {
    java: PathBuf,
    room: Room,
    port: u16,
    process: Option<Watched>,
}

impl Zookeeper {
    /// Starts one, and waits until it serves; `None`, with a line that says so, where it is not installed.
    ///
    /// # Panics
    /// When it does not serve, or when it is not installed and `REIN_REQUIRE_CLIENTS=1` says that it should be.
    pub fn start() -> Option<Self> {
        let java = installed()?;
        let mut one = Self::new(java, "zookeeper");
        one.configure(&[]);
        one.run();
        Some(one)
    }

    /// Starts an ensemble of three, as [`Zookeeper::start`] does one.
    ///
    /// # Panics
    /// As that does.
    pub fn ensemble() -> Option<[Self; 3]> {
        let java = installed()?;
        let mut all = [1, 2, 3].map(|n| Self::new(java.clone(), &format!("zookeeper-{n}")));
        let peers = [1, 2, 3].map(|n| {
            let (quorum, election) = (free_port(), free_port());
            (format!("server.{n}"), format!("127.0.0.1:{quorum}:{election}"))
        });
        for (n, one) in (1..).zip(&mut all) {
            let limits =
                [("initLimit", 20), ("syncLimit", 10)].map(|(name, value)| (name, value.to_string()));
            let peers = peers.iter().map(|(name, value)| (name.as_str(), value.clone()));
            one.configure(&limits.into_iter().chain(peers).collect::<Vec<_>>());
            fs::write(one.room.path().join("data/myid"), format!("{n}")).expect("a file can be written");
            one.launch();
        }
        for one in &all {
            one.serves();
        }
        Some(all)
    }

    fn new(java: PathBuf, room: &str) -> Self {
        Self { java, room: Room::new(room), port: free_port(), process: None }
    }

    fn configure(&self, more: &[(&str, String)]) {
        let data = self.room.path().join("data");
        fs::create_dir_all(&data).expect("the build directory takes directories");
        let settings = [
            ("dataDir", data.display().to_string()),
            ("clientPort", self.port.to_string()),
            ("clientPortAddress", "127.0.0.1".to_owned()),
            // Sessions end within a second or two: no test waits for longer.
            ("tickTime", "500".to_owned()),
            ("maxClientCnxns", "0".to_owned()),
            ("admin.enableServer", "false".to_owned()),
            ("4lw.commands.whitelist", "srvr,ruok".to_owned()),
            // A killed process loses nothing so; a machine would.
            ("forceSync", "no".to_owned()),
        ];
        let text: String =
            settings.iter().chain(more).map(|(name, value)| format!("{name}={value}\n")).collect();
        fs::write(self.room.path().join("zoo.cfg"), text).expect("a file can be written");
    }

    /// Starts it over what it kept, and waits until it serves.
    ///
    /// # Panics
    /// When it does not.
    pub fn run(&mut self) {
        self.launch();
        self.serves();
    }

    fn launch(&mut self) {
        let log = OpenOptions::new().create(true).append(true).open(self.room.path().join("log"));
        let path = JARS.map(|name| jar(name).display().to_string()).join(":");
        let mut command = Command::new(&self.java);
        command
            .current_dir(self.room.path())
            // Started often, and never for long.
            .args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-Xmx256m"])
            .args(["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", &path])
            .args(["org.apache.zookeeper.server.quorum.QuorumPeerMain", "zoo.cfg"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.map_or(Stdio::null(), Stdio::from));
        self.process = Some(Watched::start(&mut command));
    }

    fn serves(&self) {
        until("ZooKeeper serves", LIMIT, || self.says("srvr").filter(|said| said.contains("Mode:")));
    }

    /// What it answers to a word of four letters.
    fn says(&self, word: &str) -> Option<String> {
        let mut stream = TcpStream::connect(self.address()).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
        stream.write_all(word.as_bytes()).ok()?;
        let mut said = String::new();
        stream.read_to_string(&mut said).ok().map(|_| said)
    }

    /// Where it is reached, `HOST:PORT`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Kills it.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Stops it where it stands: it lives, its sockets are open, and it does nothing.
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
}

/// Where Java is, if it and the server are installed.
#[allow(clippy::print_stderr, reason = "a skipped test must be seen")]
fn installed() -> Option<PathBuf> {
    let java = program("java")?;
    if jar("zookeeper").is_file() {
        return Some(java);
    }
    let required = std::env::var("REIN_REQUIRE_CLIENTS").is_ok_and(|value| value == "1");
    assert!(!required, "zookeeper is not installed, and REIN_REQUIRE_CLIENTS=1 says that it should be");
    eprintln!("SKIPPED: zookeeper is not installed; tests/run does it");
    None
}

fn jar(name: &str) -> PathBuf {
    Path::new("/usr/share/java").join(format!("{name}.jar"))
}
