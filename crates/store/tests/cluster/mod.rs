//! etcd for tests and benches: one member or three, on free ports, with data under the build directory, ended
//! with the value.
#![allow(dead_code, reason = "each test binary uses its part")]

pub(crate) mod load;

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rein_parts::{Room, free_port};
use rein_store::{EtcdOptions, EtcdStore, StoreError};

/// Longest wait for a member to serve.
const START: Duration = Duration::from_secs(20);

/// The etcd that `tests/run` builds, under the build directory; `None`, and a line that says so, when it is
/// not there.
///
/// # Panics
/// When it is not there and `REIN_REQUIRE_CLIENTS=1` says that it should be.
#[allow(clippy::print_stderr, reason = "a skipped test must be seen")]
pub(crate) fn program() -> Option<PathBuf> {
    let exe = std::env::current_exe().expect("a test knows its own file");
    let found = exe.ancestors().map(|dir| dir.join("clients/etcd")).find(|file| file.is_file());
    if found.is_none() {
        let required = std::env::var("REIN_REQUIRE_CLIENTS").is_ok_and(|value| value == "1");
        assert!(!required, "etcd is not built, and REIN_REQUIRE_CLIENTS=1 says that it should be");
        eprintln!("SKIPPED: etcd is not built; tests/run does it");
    }
    found
}

/// Whether members wait for the disk. A killed process loses nothing without; a machine would.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sync {
    Yes,
    No,
}

struct Member {
    name: String,
    client: u16,
    peer: u16,
    child: Option<Child>,
}

/// A cluster.
pub(crate) struct Etcd {
    program: PathBuf,
    members: Vec<Member>,
    room: Room,
    sync: Sync,
    /// Further arguments for each member.
    more: Vec<String>,
}

impl Etcd {
    /// Starts `count` members, and does not wait for them.
    pub(crate) fn start(program: PathBuf, count: usize, sync: Sync, more: &[&str]) -> Self {
        let members = (0..count).map(|n| Member {
            name: format!("n{n}"),
            client: free_port(),
            peer: free_port(),
            child: None,
        });
        let more = more.iter().map(|text| (*text).to_owned()).collect();
        let mut etcd = Self { program, members: members.collect(), room: Room::new("etcd"), sync, more };
        (0..count).for_each(|index| etcd.run(index));
        etcd
    }

    /// Starts a member that was killed.
    pub(crate) fn run(&mut self, index: usize) {
        let all: Vec<_> =
            self.members.iter().map(|m| format!("{}=http://127.0.0.1:{}", m.name, m.peer)).collect();
        let member = &mut self.members[index];
        let home = self.room.path().join(&member.name);
        let log = self.room.path().join(format!("{}.log", member.name));
        let log = std::fs::OpenOptions::new().create(true).append(true).open(log).expect("a log");
        let scheme =
            if self.more.iter().any(|arg| arg.starts_with("--cert-file")) { "https" } else { "http" };
        let client = format!("{scheme}://127.0.0.1:{}", member.client);
        let peer = format!("http://127.0.0.1:{}", member.peer);
        let mut command = Command::new(&self.program);
        command.arg("--name").arg(&member.name).arg("--data-dir").arg(home);
        command.args(["--listen-client-urls", &client, "--advertise-client-urls", &client]);
        command.args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer]);
        command.args(["--initial-cluster", &all.join(",")]);
        command.args(["--heartbeat-interval", "50", "--election-timeout", "500", "--log-level", "error"]);
        if self.sync == Sync::No {
            command.arg("--unsafe-no-fsync");
        }
        command.args(&self.more).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        member.child = Some(command.spawn().expect("etcd starts"));
    }

    /// The address of all members.
    pub(crate) fn options(&self) -> EtcdOptions {
        let members: Vec<_> = self.members.iter().map(|m| format!("127.0.0.1:{}", m.client)).collect();
        EtcdOptions::parse(&format!("etcd://{}", members.join(","))).expect("an address")
    }

    /// Where the member listens.
    pub(crate) fn address(&self, index: usize) -> String {
        format!("127.0.0.1:{}", self.members[index].client)
    }

    pub(crate) fn kill(&mut self, index: usize) {
        if let Some(mut child) = self.members[index].child.take() {
            child.kill().expect("a kill");
            child.wait().expect("an end");
        }
    }

    /// SIGSTOP: it lives, its sockets are open, and it does nothing.
    pub(crate) fn stop(&self, index: usize) {
        self.signal(index, rustix::process::Signal::STOP);
    }

    pub(crate) fn go_on(&self, index: usize) {
        self.signal(index, rustix::process::Signal::CONT);
    }

    fn signal(&self, index: usize, signal: rustix::process::Signal) {
        let child = self.members[index].child.as_ref().expect("a running member");
        rustix::process::kill_process(rustix::process::Pid::from_child(child), signal).expect("a signal");
    }

    /// The member that leads now.
    pub(crate) async fn leader(&self) -> usize {
        let end = Instant::now() + START;
        while Instant::now() < end {
            for (index, member) in self.members.iter().enumerate().filter(|(_, m)| m.child.is_some()) {
                let address = format!("http://127.0.0.1:{}", member.client);
                let status = async { etcd_client::Client::connect([address], None).await?.status().await };
                if let Ok(Ok(status)) = tokio::time::timeout(Duration::from_millis(500), status).await
                    && status.header().is_some_and(|header| header.member_id() == status.leader())
                {
                    return index;
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("no member leads")
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        for child in self.members.iter_mut().filter_map(|member| member.child.as_mut()) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Opens the store as soon as the cluster serves.
pub(crate) async fn open(options: EtcdOptions) -> EtcdStore {
    let end = Instant::now() + START;
    loop {
        match EtcdStore::open(options.clone()).await {
            Ok(store) => return store,
            Err(StoreError::Unavailable(_)) if Instant::now() < end => {}
            Err(error) => panic!("{error}"),
        }
    }
}
