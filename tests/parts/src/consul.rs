//! Consul: one server, and agents of other nodes that are clients of it.

use crate::{Room, Watched, free_port, request, until};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::fs::{self, OpenOptions};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);

/// A running datacenter.
#[derive(Debug)]
pub struct Consul {
    program: PathBuf,
    room: Room,
    agents: Vec<Agent>,
    more: Value,
    token: String,
}

#[derive(Debug)]
struct Agent {
    http: u16,
    dns: u16,
    serf: u16,
    server: u16,
    process: Option<Watched>,
}

impl Consul {
    /// Starts a server and, of `count`, so many clients less one, and waits until they serve; `None`, with a line
    /// that says so, where the program is not built. `tests/run` builds it. Their nodes are `n0`, which is the
    /// server's, `n1` and so on.
    ///
    /// # Panics
    /// When they do not serve, or when it is not built and `REIN_REQUIRE_CLIENTS=1` says that it should be.
    pub fn start(count: usize) -> Option<Self> {
        Self::with(count, json!({}), "")
    }

    /// The same with ACLs, where nobody may do anything without a token. This one may do everything.
    ///
    /// # Panics
    /// As [`Consul::start`].
    pub fn guarded(token: &str) -> Option<Self> {
        let acl = json!({
            "enabled": true, "default_policy": "deny",
            "tokens": { "initial_management": token, "agent": token },
        });
        Self::with(1, json!({ "acl": acl }), token)
    }

    #[allow(clippy::print_stderr, reason = "a skipped test must be seen")]
    fn with(count: usize, more: Value, token: &str) -> Option<Self> {
        let exe = std::env::current_exe().ok()?;
        let Some(program) = exe.ancestors().map(|dir| dir.join("clients/consul")).find(|file| file.is_file())
        else {
            let required = std::env::var("REIN_REQUIRE_CLIENTS").is_ok_and(|value| value == "1");
            assert!(!required, "consul is not built, and REIN_REQUIRE_CLIENTS=1 says that it should be");
            eprintln!("SKIPPED: consul is not built; tests/run does it");
            return None;
        };
        let agent = |_| Agent {
            http: free_port(),
            dns: free_port(),
            serf: free_port(),
            server: free_port(),
            process: None,
        };
        let agents = (0..count).map(agent).collect();
        let mut consul = Self { program, room: Room::new("consul"), agents, more, token: token.to_owned() };
        for n in 0..count {
            consul.launch(n);
        }
        for n in 0..count {
            consul.serves(n);
        }
        Some(consul)
    }

    fn launch(&mut self, n: usize) {
        let serf = self.agents[0].serf;
        let agent = &self.agents[n];
        let dir = self.room.path().join(format!("n{n}"));
        fs::create_dir_all(&dir).expect("the build directory takes directories");
        let mut config = json!({
            "node_name": format!("n{n}"),
            "data_dir": dir.join("data"),
            "bind_addr": "127.0.0.1",
            "client_addr": "127.0.0.1",
            "server": n == 0,
            "ports": {
                "http": agent.http, "dns": agent.dns, "serf_lan": agent.serf, "server": agent.server,
                "serf_wan": -1, "grpc": -1, "grpc_tls": -1,
            },
            "performance": { "raft_multiplier": 1 },
            "limits": { "http_max_conns_per_client": 1000 },
            "disable_update_check": true,
            "log_level": "warn",
            // As many as there are, and not three of them.
            "dns_config": { "a_record_limit": 0, "udp_answer_limit": 100 },
        });
        if n == 0 {
            config["bootstrap_expect"] = json!(1);
        } else {
            config["retry_join"] = json!([format!("127.0.0.1:{serf}")]);
            config["retry_interval"] = json!("1s");
        }
        for (key, value) in self.more.as_object().into_iter().flatten() {
            config[key] = value.clone();
        }
        let file = dir.join("config.json");
        fs::write(&file, config.to_string()).expect("a file can be written");
        let log = OpenOptions::new().append(true).create(true).open(dir.join("log"));
        let mut command = Command::new(&self.program);
        command
            .arg("-config-file")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(log.expect("a log can be written"))
            .stderr(Stdio::null());
        self.agents[n].process = Some(Watched::start(&mut command));
    }

    /// Starts an agent that was killed or has left, over what it kept, and waits until it serves.
    ///
    /// # Panics
    /// When it does not.
    pub fn run(&mut self, n: usize) {
        self.launch(n);
        self.serves(n);
    }

    /// Waits until an agent serves, and the catalog knows that it does.
    fn serves(&self, n: usize) {
        until("consul serves", LIMIT, || {
            let path = format!("/v1/health/node/n{n}");
            let (status, text) = self.try_call(n, "GET", &path, "").ok()?;
            let checks: Vec<Value> = serde_json::from_str(&text).ok()?;
            let alive = checks.iter().any(|c| c["CheckID"] == "serfHealth" && c["Status"] == "passing");
            (status == 200 && alive).then_some(())
        });
    }

    /// Where an agent speaks HTTP, `HOST:PORT`.
    pub fn address(&self, n: usize) -> String {
        format!("127.0.0.1:{}", self.agents[n].http)
    }

    /// The same as a URL.
    pub fn url(&self, n: usize) -> String {
        format!("http://{}", self.address(n))
    }

    /// The port at which an agent speaks DNS.
    pub fn dns(&self, n: usize) -> u16 {
        self.agents[n].dns
    }

    /// What an agent answers to one request; a JSON that is none is `null`.
    ///
    /// # Panics
    /// When it does not answer, or refuses.
    pub fn call(&self, n: usize, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, text) = self.try_call(n, method, path, &body).expect("consul answers");
        assert_eq!(status, 200, "{method} {path} {body}: {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    fn try_call(&self, n: usize, method: &str, path: &str, body: &str) -> std::io::Result<(u16, String)> {
        let mark = if path.contains('?') { '&' } else { '?' };
        let token = if self.token.is_empty() { String::new() } else { format!("{mark}token={}", self.token) };
        request(&self.address(n), method, &format!("{path}{token}"), body)
    }

    /// Registers a service at an agent, as its owner would, and waits until the catalog has it.
    ///
    /// # Panics
    /// When it is not taken.
    pub fn register(&self, n: usize, service: &Value) {
        self.call(n, "PUT", "/v1/agent/service/register", service);
        let (name, id) = (service["Name"].as_str().unwrap_or_default(), &service["ID"]);
        until("the catalog has it", LIMIT, || {
            let all = self.service(name);
            all.iter()
                .any(|one| one["Node"]["Node"] == format!("n{n}") && one["Service"]["ID"] == *id)
                .then_some(())
        });
    }

    /// What the catalog has of a service of a plain name, with checks.
    ///
    /// # Panics
    /// When it does not answer.
    pub fn service(&self, name: &str) -> Vec<Value> {
        let said = self.call(0, "GET", &format!("/v1/health/service/{name}"), &Value::Null);
        said.as_array().cloned().unwrap_or_default()
    }

    /// Begins or ends the maintenance of a service, as `consul maint` does.
    ///
    /// # Panics
    /// When it is not taken.
    pub fn maintain(&self, n: usize, id: &str, reason: Option<&str>) {
        let (enable, reason) = (reason.is_some(), reason.unwrap_or_default());
        let path = format!("/v1/agent/service/maintenance/{id}?enable={enable}&reason={reason}");
        self.call(n, "PUT", &path, &Value::Null);
    }

    /// Lets an agent leave as `consul leave` does: the catalog forgets its node.
    ///
    /// # Panics
    /// When it does not end.
    pub fn leave(&mut self, n: usize) {
        self.call(n, "PUT", "/v1/agent/leave", &Value::Null);
        until("the agent ends", LIMIT, || {
            self.agents[n].process.as_mut().is_none_or(Watched::has_ended).then_some(())
        });
        self.agents[n].process = None;
        // One that was started just before tells its services once more while it leaves.
        let node = json!({ "Node": format!("n{n}") });
        self.call(0, "PUT", "/v1/catalog/deregister", &node);
    }

    /// Kills an agent.
    pub fn kill(&mut self, n: usize) {
        self.agents[n].process = None;
    }

    /// Stops an agent where it stands: it lives, its sockets are open, and it does nothing.
    pub fn freeze(&self, n: usize) {
        self.signal(n, Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self, n: usize) {
        self.signal(n, Signal::CONT);
    }

    fn signal(&self, n: usize, signal: Signal) {
        if let Some(process) = &self.agents[n].process {
            process.signal(signal);
        }
    }
}
