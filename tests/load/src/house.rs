//! What every load does to a server: start one, declare switches, lay and end changes.

use crate::http1::{Api, Ask, Conn};
use clap::Args;
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Which server: one that runs, or one of our own that is started here and ended here.
#[derive(Debug, Clone, Args)]
pub(crate) struct Where {
    /// Address of a running server's API, HOST:PORT on loopback
    #[arg(long, value_name = "ADDR", required_unless_present = "rein")]
    server: Option<SocketAddr>,
    /// Address of its flagd door
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8015")]
    grpc: SocketAddr,
    /// File that holds its token
    #[arg(long, value_name = "FILE", required_unless_present = "rein")]
    token_file: Option<PathBuf>,
    /// Its process, for memory and processor time
    #[arg(long)]
    pid: Option<u32>,
    /// Start a server from this binary instead
    #[arg(long, value_name = "FILE", conflicts_with = "server", requires = "data")]
    rein: Option<PathBuf>,
    /// Its data directory
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// A server to load.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) api: Api,
    pub(crate) grpc: SocketAddr,
    pub(crate) pid: Option<u32>,
    own: Option<Own>,
}

#[derive(Debug)]
struct Own {
    rein: PathBuf,
    data: PathBuf,
    /// Where its first token is to be found.
    token: PathBuf,
    args: Vec<String>,
    env: Vec<(&'static str, String)>,
    child: Option<Child>,
}

impl Where {
    /// The binary, where a server of our own is wanted.
    pub(crate) fn rein(&self) -> Option<PathBuf> {
        self.rein.clone()
    }

    /// Reaches the server; starts it if it is to be our own.
    pub(crate) async fn open(&self, env: &[(&'static str, &str)]) -> Result<House, String> {
        let mut house = match (&self.rein, &self.data, self.server, &self.token_file) {
            (Some(rein), Some(data), _, _) => House::prepared(rein, data.clone(), env),
            (_, _, Some(address), Some(file)) => {
                let token = std::fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
                let api = Api { address, token: token.trim().to_owned() };
                House { api, grpc: self.grpc, pid: self.pid, own: None }
            }
            _ => return Err("give --server and --token-file, or --rein and --data".into()),
        };
        if !house.api.address.ip().is_loopback() || !house.grpc.ip().is_loopback() {
            return Err("only servers on loopback are loaded".into());
        }
        house.start().await?;
        Ok(house)
    }
}

/// An address on loopback for a server of our own.
fn address() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, rein_parts::free_port()))
}

impl House {
    /// A server that somebody else started and ends.
    pub(crate) fn at(api: Api) -> Self {
        Self { grpc: api.address, api, pid: None, own: None }
    }

    /// A server of our own that was not started yet.
    fn prepared(rein: &Path, data: PathBuf, env: &[(&'static str, &str)]) -> Self {
        let env = env.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let token = data.join("store/admin.token");
        let own = Own { rein: rein.to_owned(), data, token, args: Vec::new(), env, child: None };
        let api = Api { address: address(), token: String::new() };
        Self { api, grpc: address(), pid: None, own: Some(own) }
    }

    /// A server of our own, alone over a file.
    pub(crate) async fn alone(
        rein: &Path,
        data: &Path,
        env: &[(&'static str, &str)],
    ) -> Result<Self, String> {
        let mut house = Self::prepared(rein, data.to_owned(), env);
        house.start().await?;
        Ok(house)
    }

    /// One of several servers over one etcd. The first begins the store; the others sign with its key and
    /// know its token.
    pub(crate) async fn member(
        rein: &Path,
        data: &Path,
        (etcd, name): (&str, &str),
        first: Option<&Self>,
        env: &[(&'static str, &str)],
    ) -> Result<Self, String> {
        let mut house = Self::prepared(rein, data.join(name), env);
        if let Some(own) = &mut house.own {
            own.args = ["--store", etcd, "--name", name].map(str::to_owned).to_vec();
            if let Some(first) = first.and_then(|first| first.own.as_ref()) {
                own.token.clone_from(&first.token);
                let (from, to) = (first.data.join("store/audit.key"), own.data.join("store"));
                std::fs::create_dir_all(&to).map_err(|e| e.to_string())?;
                std::fs::copy(&from, to.join("audit.key")).map_err(|e| format!("{}: {e}", from.display()))?;
            }
        }
        house.start().await?;
        Ok(house)
    }

    /// The command line, as the first admin at this server.
    pub(crate) fn cli(&self) -> Result<Command, String> {
        let own = self.own.as_ref().ok_or("the command line is for a server of our own")?;
        let mut command = Command::new(&own.rein);
        command.env("REIN_SERVER", format!("http://{}", self.api.address)).env("REIN_TOKEN_FILE", &own.token);
        command.env("HOME", &own.data).current_dir(&own.data).stdin(Stdio::null());
        Ok(command)
    }

    /// Starts our own server, if it is to be one, and waits until it answers.
    pub(crate) async fn start(&mut self) -> Result<(), String> {
        if let Some(own) = &mut self.own {
            std::fs::create_dir_all(&own.data).map_err(|e| e.to_string())?;
            let log = own.data.join("server.log");
            let log = std::fs::OpenOptions::new().create(true).append(true).open(log);
            let log = log.map_err(|e| e.to_string())?;
            let mut command = Command::new(&own.rein);
            command.arg("server").arg("--data-dir").arg(own.data.join("store"));
            command.args(["--http", &self.api.address.to_string(), "--grpc", &self.grpc.to_string()]);
            command.args(&own.args);
            command.envs(own.env.iter().map(|(name, value)| (name, value)));
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
            let child = command.spawn().map_err(|e| format!("{}: {e}", own.rein.display()))?;
            self.pid = Some(child.id());
            own.child = Some(child);
        }
        self.ready().await
    }

    async fn ready(&mut self) -> Result<(), String> {
        let give_up = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(own) = &mut self.own {
                if let Some(Ok(Some(status))) = own.child.as_mut().map(Child::try_wait) {
                    return Err(format!("the server ended at once: {status}; see {}", own.data.display()));
                }
                let token = std::fs::read_to_string(&own.token);
                self.api.token = token.unwrap_or_default().trim().to_owned();
            }
            let answer = self.api.conn().send(&Ask::get("/v1/status")).await;
            let why = match answer {
                Ok(answer) if answer.good() => return Ok(()),
                Ok(answer) => format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body)),
                Err(why) => why,
            };
            if Instant::now() >= give_up {
                return Err(format!("the server does not answer: {why}"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Kills our own server outright (SIGKILL).
    pub(crate) fn kill(&mut self) {
        if let Some(child) = self.own.as_mut().and_then(|own| own.child.as_mut()) {
            // It may have ended by itself, which is all that is wanted.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// The log of our own server.
    pub(crate) fn log(&self) -> Option<PathBuf> {
        self.own.as_ref().map(|own| own.data.join("server.log"))
    }

    /// Declares switches `SERVICE/s0000` and so on; those that stand already are left alone.
    pub(crate) async fn declare(&self, service: &str, count: usize) -> Result<Vec<String>, String> {
        let mut conn = self.api.conn();
        let mut names = Vec::with_capacity(count);
        for n in 0..count {
            let name = format!("{service}/s{n:04}");
            let body = json!({"kind": "switch", "name": name, "owner": "team-load", "level": 3,
                "lost": "something that can be shed", "zones": ["sh", "bj"]});
            let put = Ask::put(format!("/v1/definitions/switch/{name}"), body.to_string());
            conn.send(&put).await?.want(&name)?;
            names.push(name);
        }
        Ok(names)
    }

    /// A token of its own.
    pub(crate) async fn token(&self, actor: &str, role: &str, pattern: &str) -> Result<String, String> {
        let body = json!({"actor": actor, "role": role, "pattern": pattern, "lasts_seconds": 86_400});
        let made = self.api.conn().send(&Ask::post("/v1/tokens", body.to_string())).await?;
        let made = made.want("a token")?;
        made["token"].as_str().map(str::to_owned).ok_or_else(|| format!("no token in {made}"))
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The request that switches something off.
pub(crate) fn off(switch: &str, lasts_seconds: u64) -> Ask {
    let body = json!({"legs": [{"switch": switch, "setting": "off"}], "lasts_seconds": lasts_seconds,
        "reason": "load"});
    Ask::post("/v1/changes", body.to_string())
}

/// The request that ends a change.
pub(crate) fn end(id: &str) -> Ask {
    Ask::post(format!("/v1/changes/{id}/end"), "{}")
}

/// The id of the change in an answer.
pub(crate) fn change_id(answer: &Value) -> Option<&str> {
    answer["change"]["id"].as_str()
}

/// The change's deadline in milliseconds since the Unix epoch.
pub(crate) fn deadline(answer: &Value) -> Option<i64> {
    let at: jiff::Timestamp = answer["change"]["deadline"].as_str()?.parse().ok()?;
    Some(at.as_millisecond())
}

/// Milliseconds since the Unix epoch by this machine's wall clock.
pub(crate) fn wall() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// Lays a change and gives the whole answer back.
pub(crate) async fn lay(conn: &mut Conn, switch: &str, lasts_seconds: u64) -> Result<Value, String> {
    conn.send(&off(switch, lasts_seconds)).await?.want(switch)
}
