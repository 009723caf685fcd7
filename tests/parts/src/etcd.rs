//! etcd: one member, or three that elect a leader.

use crate::{Room, Watched, free_port, request, until};
use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(20);

/// A running cluster.
#[derive(Debug)]
pub struct Etcd {
    program: PathBuf,
    disk: Disk,
    room: Room,
    members: Vec<Member>,
}

/// Whether members wait for their disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Disk {
    /// As in earnest.
    Waited,
    /// A killed process loses nothing so; a machine would.
    Trusted,
}

#[derive(Debug)]
struct Member {
    client: u16,
    peer: u16,
    process: Option<Watched>,
}

impl Etcd {
    /// Starts `count` members, and waits until they serve; `None`, with a line that says so, where the
    /// program is not built. `tests/run` builds it: a release without the stale-read fault.
    ///
    /// # Panics
    /// When they do not serve, or when it is not built and `REIN_REQUIRE_CLIENTS=1` says that it should be.
    pub fn start(count: usize) -> Option<Self> {
        Self::over(count, Disk::Trusted)
    }

    /// The same for what is measured: members wait for their disk, as in earnest.
    ///
    /// # Panics
    /// As [`Etcd::start`].
    pub fn durable(count: usize) -> Option<Self> {
        Self::over(count, Disk::Waited)
    }

    #[allow(clippy::print_stderr, reason = "a skipped test must be seen")]
    fn over(count: usize, disk: Disk) -> Option<Self> {
        let exe = std::env::current_exe().ok()?;
        let Some(program) = exe.ancestors().map(|dir| dir.join("clients/etcd")).find(|file| file.is_file())
        else {
            let required = std::env::var("REIN_REQUIRE_CLIENTS").is_ok_and(|value| value == "1");
            assert!(!required, "etcd is not built, and REIN_REQUIRE_CLIENTS=1 says that it should be");
            eprintln!("SKIPPED: etcd is not built; tests/run does it");
            return None;
        };
        let members = (0..count).map(|_| Member { client: free_port(), peer: free_port(), process: None });
        let mut etcd = Self { program, disk, room: Room::new("etcd"), members: members.collect() };
        (0..count).for_each(|n| etcd.run(n));
        etcd.serves();
        Some(etcd)
    }

    /// Starts a member that was killed, over the same data.
    pub fn run(&mut self, n: usize) {
        let all: Vec<_> = (0..)
            .zip(&self.members)
            .map(|(n, m): (usize, _)| format!("n{n}=http://127.0.0.1:{}", m.peer))
            .collect();
        let member = &mut self.members[n];
        let client = format!("http://127.0.0.1:{}", member.client);
        let peer = format!("http://127.0.0.1:{}", member.peer);
        let mut command = Command::new(&self.program);
        command
            .args(["--name", &format!("n{n}"), "--initial-cluster", &all.join(",")])
            .arg("--data-dir")
            .arg(self.room.path().join(format!("n{n}")))
            .args(["--listen-client-urls", &client, "--advertise-client-urls", &client])
            .args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer])
            .args(["--heartbeat-interval", "50", "--election-timeout", "500", "--log-level", "error"])
            .args((self.disk == Disk::Trusted).then_some("--unsafe-no-fsync"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        member.process = Some(Watched::start(&mut command));
    }

    /// Waits until writes are taken.
    ///
    /// # Panics
    /// When they are not.
    pub fn serves(&self) {
        until("etcd serves", LIMIT, || {
            let mut up = self.members.iter().filter(|member| member.process.is_some());
            let healthy = |member: &Member| {
                let answer = request(&format!("127.0.0.1:{}", member.client), "GET", "/health", "");
                answer.is_ok_and(|(status, body)| status == 200 && body.contains("\"true\""))
            };
            up.all(healthy).then_some(())
        });
    }

    /// Where each member is reached, `HOST:PORT`.
    pub fn addresses(&self) -> Vec<String> {
        self.members.iter().map(|m| format!("127.0.0.1:{}", m.client)).collect()
    }

    /// `etcd://…` with all members.
    pub fn url(&self) -> String {
        format!("etcd://{}", self.addresses().join(","))
    }

    /// Puts a key, under a lease or none (0), as somebody else would.
    ///
    /// # Panics
    /// When etcd does not take it.
    pub fn put(&self, key: &str, value: &str, lease: i64) {
        let ask = json!({ "key": encoded(key), "value": encoded(value), "lease": lease.to_string() });
        self.call("/v3/kv/put", &ask);
    }

    /// Deletes a key.
    ///
    /// # Panics
    /// When etcd does not take it.
    pub fn delete(&self, key: &str) {
        self.call("/v3/kv/deleterange", &json!({ "key": encoded(key) }));
    }

    /// What lies under a key, and its lease.
    ///
    /// # Panics
    /// When etcd does not answer.
    pub fn get(&self, key: &str) -> Option<(String, i64)> {
        let answer = self.call("/v3/kv/range", &json!({ "key": encoded(key) }));
        let found = answer["kvs"].get(0)?;
        let value = BASE64.decode(found["value"].as_str().unwrap_or_default()).expect("etcd answers base64");
        let lease = found["lease"].as_str().and_then(|lease| lease.parse().ok()).unwrap_or_default();
        Some((String::from_utf8_lossy(&value).into_owned(), lease))
    }

    /// A lease that lives for so many seconds, unless somebody keeps it alive.
    ///
    /// # Panics
    /// When etcd does not give one.
    pub fn grant(&self, seconds: u32) -> i64 {
        let answer = self.call("/v3/lease/grant", &json!({ "TTL": seconds.to_string() }));
        answer["ID"].as_str().and_then(|id| id.parse().ok()).expect("a lease has an id")
    }

    /// Ends a lease, and with it every key that hangs on it.
    ///
    /// # Panics
    /// When etcd does not take it.
    pub fn revoke(&self, lease: i64) {
        self.call("/v3/lease/revoke", &json!({ "ID": lease.to_string() }));
    }

    fn call(&self, path: &str, body: &Value) -> Value {
        let address = &self.addresses()[0];
        let (status, text) = request(address, "POST", path, &body.to_string()).expect("etcd answers");
        assert_eq!(status, 200, "{path} {body}: {text}");
        serde_json::from_str(&text).expect("etcd answers JSON")
    }

    /// Kills a member.
    pub fn kill(&mut self, n: usize) {
        self.members[n].process = None;
    }

    /// Stops a member where it stands: it lives, its sockets are open, and it does nothing.
    pub fn freeze(&self, n: usize) {
        self.signal(n, Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self, n: usize) {
        self.signal(n, Signal::CONT);
    }

    fn signal(&self, n: usize, signal: Signal) {
        if let Some(process) = &self.members[n].process {
            process.signal(signal);
        }
    }
}

fn encoded(text: &str) -> String {
    BASE64.encode(text)
}
