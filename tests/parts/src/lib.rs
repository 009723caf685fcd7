//! Real backends for tests.
//!
//! Here lives what starts a backend on free ports, with its data under the build directory, and ends it
//! with the test, also when that panics; and a proxy that spoils connections to it. What may not live
//! here: anything of Rein. Where a program is not installed, a test says so and is skipped; under
//! `REIN_REQUIRE_CLIENTS=1` it fails.

mod alertmanager;
mod consul;
mod discovery;
mod etcd;
mod http;
mod page;
mod prometheus;
mod proxy;
mod zookeeper;

pub use alertmanager::{Alertmanager, Cluster};
pub use consul::Consul;
pub use discovery::Discovery;
pub use etcd::Etcd;
pub use http::request;
pub use page::Page;
pub use prometheus::{Job, Prometheus};
pub use proxy::{Mode, Proxy};
pub use zookeeper::Zookeeper;

use rustix::process::{Pid, Signal, kill_process};
use socket2::{Domain, Socket, Type};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A port nobody listens on, below those that the system gives to outgoing connections, for a program that is
/// started next. A test that listens itself takes [`listener`].
///
/// # Panics
/// When there is none.
pub fn free_port() -> u16 {
    candidates().find(|port| is_free(*port)).expect("no port is free between 10000 and 32000")
}

/// A listener of this test's own on loopback, on a port like those of [`free_port`]: asked for in one step, so
/// that nobody comes in between.
///
/// # Panics
/// When no port is free.
pub fn listener() -> TcpListener {
    candidates()
        .find_map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok())
        .expect("no port is free between 10000 and 32000")
}

/// Each process begins elsewhere, and no port comes twice in one before two thousand others did.
fn candidates() -> impl Iterator<Item = u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let base = 10_000 + u16::try_from(std::process::id() % 100).unwrap_or(0) * 200;
    (0..2_000).map(move |_| base + NEXT.fetch_add(1, Ordering::Relaxed) % 2_000)
}

/// Binds and does not listen: a process that another thread starts at this moment has every socket of ours
/// until it becomes its program, and one that listens would keep the port from whoever asks for it next.
fn is_free(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let bind = || {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())
    };
    bind().is_ok()
}

/// Looks until there is something to see.
///
/// # Panics
/// When `limit` has passed without.
#[track_caller]
pub fn until<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + limit;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < end, "waited {limit:?} in vain: {what}");
        std::thread::sleep(Duration::from_millis(15));
    }
}

/// Where an installed program is; `None`, with a line that says so, when it is not there.
///
/// # Panics
/// When it is not there and `REIN_REQUIRE_CLIENTS=1` says that it should be.
#[allow(clippy::print_stderr, reason = "a skipped test must be seen")]
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file());
    if found.is_none() {
        let required = std::env::var("REIN_REQUIRE_CLIENTS").is_ok_and(|value| value == "1");
        assert!(!required, "{name} is not installed, and REIN_REQUIRE_CLIENTS=1 says that it should be");
        eprintln!("SKIPPED: {name} is not installed");
    }
    found
}

/// A new directory under the build directory, gone with the value unless the test panics.
#[derive(Debug)]
pub struct Room(PathBuf);

impl Room {
    /// # Panics
    /// When it cannot be made.
    pub fn new(name: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let exe = std::env::current_exe().expect("a test knows its own file");
        let profile = exe.ancestors().find(|dir| dir.join("deps").is_dir()).unwrap_or(Path::new("/tmp"));
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = profile.join("parts").join(format!("{name}-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("the build directory takes directories");
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

/// A child that ends with the test, also when the test itself is killed: a shell waits for the end of its
/// standard input, which is the end of this process, and then ends the child by its id.
#[derive(Debug)]
pub struct Watched {
    child: Child,
    guard: Child,
}

impl Watched {
    /// Starts it.
    ///
    /// # Panics
    /// When the program does not start.
    pub fn start(command: &mut Command) -> Self {
        let child = command.spawn().expect("an installed program starts");
        let guard = Command::new("sh")
            .args(["-c", "read -r _; kill -9 \"$0\"", &child.id().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("there is a shell");
        Self { child, guard }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
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
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // It fails only for a child that is gone already.
            let _ = kill_process(pid, signal);
        }
    }

    /// Asks it to end, and waits until it has.
    fn ask_to_end(&mut self, limit: Duration) {
        self.signal(Signal::TERM);
        until("the backend ends", limit, || self.child.try_wait().ok().flatten());
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // The guard first: its id would be another's once the child is gone.
        for child in [&mut self.guard, &mut self.child] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Ipv4Addr, TcpListener, free_port};
    use std::process::Command;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn a_port_said_to_be_free_is_free_also_while_programs_are_started() {
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while !over.load(Ordering::Relaxed) {
                        assert!(Command::new("true").status().unwrap().success());
                    }
                });
            }
            let taken: Vec<_> =
                (0..3_000).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, free_port())).err()).collect();
            over.store(true, Ordering::Relaxed);
            assert_eq!(taken.into_iter().flatten().map(|e| e.to_string()).collect::<Vec<_>>(), [""; 0]);
        });
    }
}
