//! A TCP proxy that spoils connections at will.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How often a waiting connection looks whether the mode has changed.
const TICK: Duration = Duration::from_millis(20);

/// What the proxy does to connections, open ones included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Everything passes.
    Pass,
    /// Connections are closed at once.
    Cut,
    /// Connections are taken, and nothing passes.
    Hang,
    /// Answers come this much later.
    Delay(Duration),
    /// Requests that write (`POST`, `DELETE`) reach the backend; their answers are lost.
    DropReplies,
}

/// A proxy before one backend. It ends with the value.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    target: String,
    mode: Mutex<Mode>,
    over: AtomicBool,
    accepted: AtomicU32,
}

impl Shared {
    fn mode(&self) -> Mode {
        if self.over.load(Ordering::Relaxed) {
            return Mode::Cut;
        }
        *self.mode.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Proxy {
    /// A proxy on a free port before `target`, such as `127.0.0.1:9093`.
    ///
    /// # Panics
    /// When it cannot listen.
    pub fn before(target: &str) -> Self {
        let listener = crate::listener();
        let port = listener.local_addr().expect("it has an address").port();
        listener.set_nonblocking(true).expect("a listener can be polled");
        let shared = Arc::new(Shared {
            target: target.to_owned(),
            mode: Mutex::new(Mode::Pass),
            over: AtomicBool::new(false),
            accepted: AtomicU32::new(0),
        });
        let of_listener = Arc::clone(&shared);
        std::thread::spawn(move || accept(&listener, &of_listener));
        Self { port, shared }
    }

    /// Where clients connect.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The same as a URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// What happens from now on.
    pub fn set(&self, mode: Mode) {
        *self.shared.mode.lock().unwrap_or_else(PoisonError::into_inner) = mode;
    }

    /// Connections taken so far.
    pub fn accepted(&self) -> u32 {
        self.shared.accepted.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    while !shared.over.load(Ordering::Relaxed) {
        match listener.accept() {
            Ok((client, _)) => {
                shared.accepted.fetch_add(1, Ordering::Relaxed);
                let shared = Arc::clone(shared);
                std::thread::spawn(move || connect(client, &shared));
            }
            Err(_) => std::thread::sleep(Duration::from_millis(2)),
        }
    }
}

/// Carries one connection both ways. Whatever fails closes it: that is what a proxy can say.
fn connect(client: TcpStream, shared: &Arc<Shared>) {
    if shared.mode() == Mode::Cut {
        return;
    }
    let Ok(server) = TcpStream::connect(&shared.target) else { return };
    let (Ok(client_in), Ok(server_in)) = (client.try_clone(), server.try_clone()) else { return };
    // Is the request under way one that writes?
    let writes = Arc::new(AtomicBool::new(false));
    let (of_requests, shared_too) = (Arc::clone(&writes), Arc::clone(shared));
    let requests = std::thread::spawn(move || {
        carry(client_in, server, &shared_too, |data| {
            if [&b"POST "[..], b"DELETE "].iter().any(|verb| data.starts_with(verb)) {
                of_requests.store(true, Ordering::SeqCst);
            } else if data.starts_with(b"GET ") {
                of_requests.store(false, Ordering::SeqCst);
            }
            true
        });
    });
    carry(server_in, client, shared, |_| {
        match shared.mode() {
            Mode::Delay(time) => std::thread::sleep(time),
            Mode::DropReplies => return !writes.load(Ordering::SeqCst),
            _ => {}
        }
        true
    });
    let _ = requests.join();
}

/// Copies until either end closes, the mode says so, or `look` does.
fn carry(mut from: TcpStream, mut to: TcpStream, shared: &Shared, mut look: impl FnMut(&[u8]) -> bool) {
    let mut buffer = [0; 16 * 1024];
    let _ = from.set_nonblocking(false);
    let _ = from.set_read_timeout(Some(TICK));
    loop {
        let read = match from.read(&mut buffer) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if shared.mode() == Mode::Cut {
                    break;
                }
                continue;
            }
            Err(_) | Ok(0) => break,
            Ok(read) => read,
        };
        while shared.mode() == Mode::Hang {
            std::thread::sleep(TICK);
        }
        let passes = shared.mode() != Mode::Cut && look(&buffer[..read]);
        if !passes || to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
