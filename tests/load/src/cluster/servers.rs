//! The parts of a run: three members of a real etcd, three servers over it, and between each server and each
//! member a proxy that can be cut. Which of them is stopped, killed or cut off is decided elsewhere.

use crate::http1::{Api, Ask};
use rein_parts::{Etcd, Mode, Proxy, Watched, free_port};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// Servers, and members of etcd.
pub(crate) const SIZE: usize = 3;
const NAMES: [&str; SIZE] = ["a", "b", "c"];
/// How long a server may take to come up while things fail around it.
const UP: Duration = Duration::from_secs(40);

/// Everything that runs.
pub(crate) struct Three {
    pub(crate) etcd: Etcd,
    /// By server, then by member.
    links: Vec<Vec<Proxy>>,
    servers: Vec<Server>,
    pub(crate) token: String,
}

struct Server {
    rein: PathBuf,
    data: PathBuf,
    store: String,
    name: &'static str,
    http: SocketAddr,
    grpc: SocketAddr,
    process: Option<Watched>,
}

fn loopback() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()))
}

impl Server {
    fn start(&mut self) -> Result<(), String> {
        std::fs::create_dir_all(&self.data).map_err(|e| e.to_string())?;
        let log = self.data.join("server.log");
        let log = std::fs::OpenOptions::new().create(true).append(true).open(log);
        let mut command = Command::new(&self.rein);
        command.arg("server").arg("--data-dir").arg(&self.data);
        command.args(["--store", &self.store, "--name", self.name]);
        command.args(["--http", &self.http.to_string(), "--grpc", &self.grpc.to_string()]);
        command.env("REIN__LIMITS__WRITES_PER_SECOND", "1000000");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log.map_err(|e| e.to_string())?);
        self.process = Some(Watched::start(&mut command));
        Ok(())
    }

    /// One that ended by itself, because etcd was not there when it came up, is started again: what a
    /// service manager does.
    fn keep(&mut self) -> Result<(), String> {
        let ended = self.process.as_mut().is_some_and(Watched::has_ended);
        if ended { self.start() } else { Ok(()) }
    }
}

impl Three {
    /// Starts it all; the first server makes the store and its signing key.
    pub(crate) async fn start(rein: &Path, data: &Path) -> Result<Self, String> {
        let etcd = tokio::task::spawn_blocking(|| Etcd::start(SIZE)).await.map_err(|e| e.to_string())?;
        let etcd = etcd.ok_or("etcd is not built; tests/run does it")?;
        let links: Vec<Vec<Proxy>> = (0..SIZE)
            .map(|_| etcd.addresses().iter().map(|address| Proxy::before(address)).collect())
            .collect();
        let server = |(name, links): (&'static str, &Vec<Proxy>)| {
            let members: Vec<String> = links.iter().map(Proxy::address).collect();
            let store = format!("etcd://{}", members.join(","));
            let (data, rein) = (data.join(name), rein.to_owned());
            Server { rein, data, store, name, http: loopback(), grpc: loopback(), process: None }
        };
        let servers = NAMES.into_iter().zip(&links).map(server).collect();
        let mut three = Self { etcd, links, servers, token: String::new() };
        for n in 0..SIZE {
            three.servers[n].start()?;
            three.comes_up(n).await?;
            if n == 0 {
                three.share_the_first()?;
            }
        }
        Ok(three)
    }

    /// The first token, and the key with which all sign.
    fn share_the_first(&mut self) -> Result<(), String> {
        let first = self.servers[0].data.clone();
        let token = std::fs::read_to_string(first.join("admin.token")).map_err(|e| e.to_string())?;
        self.token = token.trim().to_owned();
        for server in &self.servers[1..] {
            std::fs::create_dir_all(&server.data).map_err(|e| e.to_string())?;
            std::fs::copy(first.join("audit.key"), server.data.join("audit.key"))
                .map_err(|e| e.to_string())?;
        }
        Ok(())
    }

    async fn comes_up(&mut self, n: usize) -> Result<(), String> {
        let give_up = Instant::now() + UP;
        while !is_ready(self.api(n)).await {
            self.servers[n].keep()?;
            if Instant::now() > give_up {
                return Err(format!("server {} does not come up; see {:?}", NAMES[n], self.servers[n].data));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// How a client reaches a server.
    pub(crate) fn api(&self, n: usize) -> Api {
        Api { address: self.servers[n].http, token: self.token.clone() }
    }

    /// All of them.
    pub(crate) fn apis(&self) -> Vec<Api> {
        (0..SIZE).map(|n| self.api(n)).collect()
    }

    /// Its process, while it runs.
    pub(crate) fn pid(&self, n: usize) -> Option<u32> {
        self.servers[n].process.as_ref().map(Watched::id)
    }

    /// Kills a server outright.
    pub(crate) fn kill(&mut self, n: usize) {
        self.servers[n].process = None;
    }

    /// Starts one that was killed, or has ended.
    pub(crate) fn revive(&mut self, n: usize) -> Result<(), String> {
        match self.servers[n].process {
            None => self.servers[n].start(),
            Some(_) => self.servers[n].keep(),
        }
    }

    /// Stops a server where it stands.
    pub(crate) fn freeze(&self, n: usize) {
        self.servers[n].process.iter().for_each(Watched::freeze);
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self, n: usize) {
        self.servers[n].process.iter().for_each(Watched::thaw);
    }

    /// What happens between a server and a member; `None`: all of them.
    pub(crate) fn link(&self, server: usize, member: Option<usize>, mode: Mode) {
        let links = self.links[server].iter().enumerate();
        links.filter(|(n, _)| member.is_none_or(|member| *n == member)).for_each(|(_, link)| link.set(mode));
    }

    /// Everything runs again and is reached, and every server is ready.
    pub(crate) async fn heal(&mut self) -> Result<(), String> {
        for n in 0..SIZE {
            self.link(n, None, Mode::Pass);
            self.etcd.thaw(n);
            self.thaw(n);
        }
        for n in 0..SIZE {
            self.revive(n)?;
            self.comes_up(n).await?;
        }
        Ok(())
    }
}

/// Whether a server is ready to write.
pub(crate) async fn is_ready(api: Api) -> bool {
    let answer = timeout(Duration::from_secs(2), async { api.conn().send(&Ask::get("/readyz")).await });
    matches!(answer.await, Ok(Ok(answer)) if answer.good())
}

/// Whether a server says that it reconciles; `None` when it says nothing in time.
pub(crate) async fn reconciles(api: &Api) -> Option<bool> {
    let asked = async { api.conn().send(&Ask::get("/metrics")).await };
    let answer = timeout(Duration::from_millis(400), asked).await.ok()?.ok()?;
    answer.good().then(|| String::from_utf8_lossy(&answer.body).contains("rein_reconciles 1"))
}
