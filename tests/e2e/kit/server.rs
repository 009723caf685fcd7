//! A server as a process of its own: started, stopped, killed, started again.

use crate::kit::desk::Desk;
use crate::kit::http;
use crate::kit::room::Room;
use crate::kit::wait::{secs, until};
use rein_parts::free_port;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, OpenOptions};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The program under test.
pub(crate) fn rein() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rein"));
    command.env_clear().env("TZ", noon()).env("NO_COLOR", "1");
    command
}

/// The time zone in which it is noon: a time is shown with its date where that is not today's, so that what a
/// test reads would be set otherwise in the hours before midnight.
fn noon() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
    let hour = now.as_secs() / 3600 % 24;
    // In POSIX's form, where what is west of Greenwich counts as positive.
    format!("NOON{:+}", hour as i64 - 12)
}

/// Sends a signal to a child of ours.
pub(crate) fn signal(child: &Child, signal: Signal) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a child has a pid");
    kill_process(pid, signal).expect("the child is there to be signalled");
}

/// Ends a child for good, whatever state it is in.
pub(crate) fn finish(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// A child that is ended with the test, however that ends.
#[derive(Debug)]
pub(crate) struct Watched(pub(crate) Child);

impl Drop for Watched {
    fn drop(&mut self) {
        finish(&mut self.0);
    }
}

/// How a server is started.
#[derive(Debug, Clone, Default)]
pub(crate) struct Setup {
    /// Environment variables.
    pub(crate) env: Vec<(String, String)>,
    /// Where its data lies; `data` in its room if absent.
    pub(crate) data: Option<PathBuf>,
    /// Further arguments of `rein server`.
    pub(crate) args: Vec<String>,
    /// It will not be ready to write: it is up as soon as it says so in its log.
    pub(crate) held: bool,
    /// Words before the program, such as `prlimit --fsize=1000`.
    pub(crate) under: Vec<String>,
}

impl Setup {
    /// With a certificate of its own, whose file is named too; both files lie in the room.
    pub(crate) fn tls(room: &Room) -> (Self, String) {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let cert = room.write("cert.pem", made.cert.pem()).display().to_string();
        let key = room.write("key.pem", made.signing_key.serialize_pem()).display().to_string();
        let env = vec![("REIN__TLS__CERT".to_owned(), cert.clone()), ("REIN__TLS__KEY".to_owned(), key)];
        (Self { env, ..Self::default() }, cert)
    }
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    child: Option<Child>,
    setup: Setup,
    /// How long the log was when it was started.
    began: usize,
    pub(crate) room: Room,
    pub(crate) http: SocketAddr,
    pub(crate) grpc: SocketAddr,
}

impl Server {
    /// Starts one in a room of its own.
    pub(crate) fn start(test: &str) -> Self {
        Self::start_with(test, Setup::default())
    }

    /// Starts one in a particular way.
    pub(crate) fn start_with(test: &str, setup: Setup) -> Self {
        let address = || SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let room = Room::new(test);
        let mut server = Self { child: None, setup, began: 0, room, http: address(), grpc: address() };
        // Between looking for a port and listening on it, somebody else may have come.
        for _ in 0..5 {
            server.launch();
            if server.comes_up() {
                return server;
            }
            let log = server.log();
            assert!(log.contains("cannot listen"), "the server does not start:\n{log}");
            (server.http, server.grpc) = (address(), address());
        }
        panic!("no free ports were found:\n{}", server.log());
    }

    /// Starts it again at the same addresses, over the same data.
    pub(crate) fn start_again(&mut self) {
        assert!(self.child.is_none(), "it still runs");
        self.launch();
        assert!(self.comes_up(), "the server does not start again:\n{}", self.log());
    }

    fn launch(&mut self) {
        self.began = self.log().len();
        let log = OpenOptions::new().create(true).append(true).open(self.room.path().join("server.log"));
        let log = log.unwrap();
        let mut words = self.setup.under.iter();
        let mut command = match words.next() {
            None => rein(),
            Some(first) => {
                let mut command = Command::new(first);
                command.args(words).arg(env!("CARGO_BIN_EXE_rein"));
                command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
                command.env("TZ", noon()).env("NO_COLOR", "1");
                command
            }
        };
        command
            .args(["server", "--http", &self.http.to_string(), "--grpc", &self.grpc.to_string()])
            .arg("--data-dir")
            .arg(self.data())
            .args(&self.setup.args)
            .env("HOME", self.room.path())
            .envs(self.setup.env.iter().cloned())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        self.child = Some(command.spawn().unwrap());
    }

    /// Waits until it is ready, or gone.
    fn comes_up(&mut self) -> bool {
        let http = self.http;
        let by_log =
            self.setup.held || self.setup.env.iter().any(|(name, _)| name.starts_with("REIN__TLS__"));
        let (log, began) = (self.room.path().join("server.log"), self.began);
        let child = self.child.as_mut().unwrap();
        let up = until("the server to be ready", secs(30), || {
            if child.try_wait().unwrap().is_some() {
                return Some(false);
            }
            let reply = http::get(http, "/readyz").send();
            // One that speaks TLS does not answer such a question, but it says in its log that it is up.
            let ready = if by_log {
                fs::read_to_string(&log).is_ok_and(|text| text[began..].contains(" ready"))
            } else {
                reply.is_ok_and(|reply| reply.status == 200)
            };
            ready.then_some(true)
        });
        if !up {
            self.child = None;
        }
        up
    }

    /// Its data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.setup.data.clone().unwrap_or_else(|| self.room.path().join("data"))
    }

    /// The same directory as this test can see it, whatever the server has mounted there.
    pub(crate) fn files(&self) -> PathBuf {
        match &self.setup.data {
            None => self.data(),
            Some(data) => {
                let inside = data.strip_prefix("/").expect("an absolute path");
                PathBuf::from(format!("/proc/{}/root", self.pid())).join(inside)
            }
        }
    }

    /// The URL of its API.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.http)
    }

    /// The first admin token.
    pub(crate) fn token(&self) -> String {
        fs::read_to_string(self.files().join("admin.token")).unwrap().trim().to_owned()
    }

    /// All it has said so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.room.path().join("server.log")).unwrap_or_default()
    }

    /// A desk at which the first admin types.
    pub(crate) fn desk(&self) -> Desk {
        Desk::new(self, "admin", self.files().join("admin.token"))
    }

    /// The process's id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, what: Signal) {
        signal(self.child.as_ref().expect("it runs"), what);
    }

    /// Waits for its end.
    pub(crate) fn ends_within(&mut self, limit: Duration) -> ExitStatus {
        let mut child = self.child.take().expect("it runs");
        let status = until("the server to end", limit, || child.try_wait().unwrap());
        drop(child);
        status
    }

    /// Kills it as a crash would.
    pub(crate) fn crash(&mut self) {
        finish(&mut self.child.take().expect("it runs"));
    }

    /// Tells it to end, and waits until it has.
    pub(crate) fn stop(&mut self) {
        self.signal(Signal::TERM);
        let status = self.ends_within(secs(10));
        assert!(status.success(), "{status}: {}", self.log());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            finish(&mut child);
        }
    }
}

/// The switches that tests flip.
pub(crate) const SWITCHES: &str = include_str!("../switches.yaml");

/// A server that knows the switches of these tests.
pub(crate) fn declared(test: &str) -> (Server, Desk) {
    let server = Server::start(test);
    let desk = server.desk();
    desk.declare();
    (server, desk)
}

/// Says that something is not tested here, so that nobody takes it for tested. Where
/// `REIN_REQUIRE_CLIENTS=1` says that all of it must be, it fails instead.
pub(crate) fn skipped(what: &str, why: &str) {
    use std::io::Write;
    assert!(std::env::var_os("REIN_REQUIRE_CLIENTS").is_none_or(|v| v != "1"), "{what}: {why}");
    // Straight to standard error: what tests print is not shown when they pass.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}; {what} is not tested");
}
