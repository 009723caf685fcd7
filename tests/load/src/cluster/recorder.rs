//! A backend's witness: a proxy before a real Alertmanager that notes when each write came, from which server
//! and when it was passed on, and that can keep one call from going on. What that means is judged elsewhere.
//!
//! Every connection carries one request: it is passed on with `Connection: close`.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

/// Longest request.
const MOST: usize = 1 << 20;
/// How often a connection's other end is looked for.
const LOOKS: usize = 5;

/// Where in a call the one who makes it is caught.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It has asked what is there, and is not answered: nothing is written yet.
    Observe,
    /// Its write has been sent, and has not arrived.
    Send,
    /// Its write is done, and it is not told.
    Answer,
    /// It has just been told.
    Told,
}

/// A write that came.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    /// The server whose plugin sent it.
    pub(crate) server: Option<usize>,
    /// When the backend got it.
    pub(crate) landed: Instant,
}

struct Shared {
    target: SocketAddr,
    /// The servers' processes, by number.
    pids: Vec<u32>,
    armed: Mutex<Option<(Phase, usize)>>,
    written: Mutex<Vec<Written>>,
    caught: mpsc::UnboundedSender<()>,
    /// Kept calls go on while this is true.
    open: watch::Sender<bool>,
}

/// The proxy.
pub(crate) struct Recorder {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    caught: mpsc::UnboundedReceiver<()>,
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Recorder {
    pub(crate) async fn before(target: SocketAddr, pids: Vec<u32>) -> Result<Self, String> {
        let listener = rein_parts::listener();
        let address = listener.local_addr().map_err(|e| e.to_string())?;
        listener.set_nonblocking(true).map_err(|e| e.to_string())?;
        let listener = TcpListener::from_std(listener).map_err(|e| e.to_string())?;
        let (tell, caught) = mpsc::unbounded_channel();
        let (armed, written, open) = (Mutex::default(), Mutex::default(), watch::Sender::new(true));
        let shared = Arc::new(Shared { target, pids, armed, written, caught: tell, open });
        let of_listener = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((client, from)) = listener.accept().await {
                let shared = Arc::clone(&of_listener);
                // A connection that breaks is the plugin's trouble, as with any backend.
                tokio::spawn(async move { carry(client, from, &shared).await.ok() });
            }
        });
        Ok(Self { address, shared, caught })
    }

    /// The next call of this server that comes as far as that is kept.
    pub(crate) fn arm(&self, phase: Phase, server: usize) {
        self.shared.open.send_replace(false);
        *lock(&self.shared.armed) = Some((phase, server));
    }

    /// Waits until one is kept.
    pub(crate) async fn caught(&mut self) {
        self.caught.recv().await;
    }

    /// Nothing is kept any more.
    pub(crate) fn release(&self) {
        *lock(&self.shared.armed) = None;
        self.shared.open.send_replace(true);
    }

    /// Writes by one server since then.
    pub(crate) fn written_since(&self, server: usize, since: Instant) -> usize {
        let ours = |written: &&Written| written.server == Some(server) && written.landed >= since;
        lock(&self.shared.written).iter().filter(ours).count()
    }

    /// All writes, and those whose sender was not found.
    pub(crate) fn writes(&self) -> (usize, usize) {
        let written = lock(&self.shared.written);
        (written.len(), written.iter().filter(|written| written.server.is_none()).count())
    }
}

impl Shared {
    /// Keeps the call here if it is the one that is wanted.
    async fn pass(&self, phase: Phase, server: Option<usize>) {
        let wanted = {
            let mut armed = lock(&self.armed);
            let wanted = armed.is_some_and(|(at, who)| at == phase && Some(who) == server);
            if wanted {
                *armed = None;
            }
            wanted
        };
        if wanted {
            // The one who waits may have given up; then nobody is caught.
            let _ = self.caught.send(());
            if phase != Phase::Told {
                let _ = self.open.subscribe().wait_for(|open| *open).await;
            }
        }
    }
}

async fn carry(mut client: TcpStream, from: SocketAddr, shared: &Shared) -> std::io::Result<()> {
    let server = sender((from, client.local_addr()?), &shared.pids);
    let request = request(&mut client).await?;
    let writes =
        [&b"POST /api/v2/silences"[..], b"DELETE /api/v2/silence/"].iter().any(|w| request.starts_with(w));
    let looks = request.starts_with(b"GET /api/v2/silence");
    if writes {
        shared.pass(Phase::Send, server).await;
        lock(&shared.written).push(Written { server, landed: Instant::now() });
    }
    let mut backend = TcpStream::connect(shared.target).await?;
    backend.write_all(&request).await?;
    let mut answer = Vec::new();
    backend.read_to_end(&mut answer).await?;
    match (writes, looks) {
        (true, _) => shared.pass(Phase::Answer, server).await,
        (_, true) => shared.pass(Phase::Observe, server).await,
        _ => {}
    }
    client.write_all(&answer).await?;
    client.shutdown().await?;
    if writes {
        shared.pass(Phase::Told, server).await;
    }
    Ok(())
}

/// One request, told to be the connection's last.
async fn request(client: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut read = Vec::new();
    let mut whole = None;
    while whole.is_none_or(|length| read.len() < length) {
        if client.read_buf(&mut read).await? == 0 || read.len() > MOST {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if whole.is_none()
            && let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n")
        {
            let head = String::from_utf8_lossy(&read[..end]).to_ascii_lowercase();
            let length =
                head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            whole = Some(end + 4 + length.unwrap_or(0));
        }
    }
    let line = read.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let close = b"Connection: close\r\n";
    read.splice(line..line, close.iter().copied());
    Ok(read)
}

/// The server whose plugin holds the other end of a connection.
fn sender((from, to): (SocketAddr, SocketAddr), pids: &[u32]) -> Option<usize> {
    // The kernel's table is read in pieces: what is moved meanwhile may be in none of them.
    (0..LOOKS).find_map(|_| {
        let socket = format!("socket:[{}]", inode(from, to)?);
        pids.iter().position(|pid| plugins(*pid).iter().any(|plugin| holds(*plugin, &socket)))
    })
}

/// The inode of the socket that is connected from here to there (proc(5), `/proc/net/tcp`).
///
/// The local port alone does not say which: one that waits after a connection to elsewhere was closed has it, too.
fn inode(from: SocketAddr, to: SocketAddr) -> Option<String> {
    let table = std::fs::read_to_string("/proc/net/tcp").ok()?;
    let ends = [from, to].map(|end| format!(":{:04X}", end.port()));
    let row = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).find(|row| {
        row.len() > 9 && row[1].ends_with(&ends[0]) && row[2].ends_with(&ends[1]) && row[9] != "0"
    })?;
    Some(row[9].to_owned())
}

/// The children of a server: its plugins.
pub(crate) fn plugins(server: u32) -> Vec<u32> {
    let numbers = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = numbers.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| parent(*pid) == Some(server)).collect()
}

fn parent(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

fn holds(pid: u32, socket: &str) -> bool {
    let open = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    open.filter_map(|entry| std::fs::read_link(entry.path()).ok()).any(|link| link == Path::new(socket))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpSocket;

    async fn connected(from: SocketAddr, to: SocketAddr) -> TcpStream {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_reuseaddr(true).expect("to take a port that waits");
        socket.bind(from).expect("a port");
        socket.connect(to).await.expect("a connection")
    }

    #[tokio::test]
    async fn a_connection_is_told_from_one_that_waits_at_the_same_port() {
        let listeners = [rein_parts::listener(), rein_parts::listener()];
        let [old, new] = listeners.each_ref().map(|listener| listener.local_addr().expect("an address"));
        let first = connected("127.0.0.1:0".parse().expect("an address"), old).await;
        let from = first.local_addr().expect("an address");
        // Who closes first waits.
        drop(first);
        drop(listeners[0].accept().expect("the first"));
        let row = format!(":{:04X}", from.port());
        let waits = || std::fs::read_to_string("/proc/net/tcp").expect("a table").contains(&row);
        assert!(waits(), "nothing waits at {from}");

        let second = connected(from, new).await;
        let inode = inode(from, new).expect("its inode");
        assert!(holds(std::process::id(), &format!("socket:[{inode}]")), "{inode} is none of ours");
        drop(second);
    }
}
