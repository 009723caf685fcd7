//! Being a plugin's process: the handshake, the socket, the end.
//!
//! What is said on standard output is one line, so nothing else may print there.

use crate::Adapter;
use crate::service::Served;
use futures::future::BoxFuture;
use futures::{FutureExt, Stream, StreamExt};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::oneshot;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::transport::Server;

/// The variable by which a plugin knows that Rein started it.
pub const COOKIE: &str = "REIN_PLUGIN";
/// What [`COOKIE`] holds. No secret: it tells a person from a server, and keeps nobody out.
pub const COOKIE_VALUE: &str = "9d3f6c1e5b0a4b7f8e2d7c4a1f6b3e58";
/// The variable that names the directory for the socket.
pub const SOCKET_DIR: &str = "PLUGIN_UNIX_SOCKET_DIR";
/// The variable that lists the versions of the contract that the server speaks.
pub const VERSIONS: &str = "PLUGIN_PROTOCOL_VERSIONS";
/// The version of the contract, as the handshake line carries it.
pub const VERSION: u32 = 1;
/// Longest path that a unix socket can have, in bytes.
pub const MAX_SOCKET_PATH: usize = 107;
/// The service name whose health is asked for.
pub const HEALTH: &str = "plugin";

/// How long calls in flight may go on once standard input is closed.
const PARTING: Duration = Duration::from_secs(1);

/// Why a plugin does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Somebody typed its name.
    #[error(
        "this program is a plugin of Rein: a server starts it when a backend needs it, and talks to it \
         over a socket. It does nothing by itself. Name it in the server's configuration, under [plugins]"
    )]
    NotStartedByRein,
    /// The server speaks other versions of the contract only.
    #[error("the server speaks version {0} of the plugin contract, this plugin speaks {VERSION}")]
    Version(String),
    /// There is no directory for the socket.
    #[error("{SOCKET_DIR} is not set, so there is no place for the socket; Rein sets it")]
    NoDirectory,
    /// The socket's path would not fit.
    #[error("the socket's path {path} has {length} bytes; a unix socket takes {MAX_SOCKET_PATH}")]
    LongPath {
        /// The path.
        path: PathBuf,
        /// Its length.
        length: usize,
    },
    /// The socket could not be made.
    #[error("cannot listen on {path}: {source}")]
    Listen {
        /// The path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The server's end of standard output is closed.
    #[error("cannot say on standard output where the socket is: {0}")]
    Handshake(std::io::Error),
    /// Serving failed.
    #[error("serving failed: {0}")]
    Serving(#[from] tonic::transport::Error),
    /// No runtime, no thread.
    #[error("cannot start: {0}")]
    Start(std::io::Error),
}

impl ServeError {
    /// 2 where a person started the program by hand, else 1.
    pub fn exit(&self) -> u8 {
        match self {
            Self::NotStartedByRein => 2,
            _ => 1,
        }
    }
}

/// A plugin's whole `main`: serves until standard input is closed, says on standard error what fails.
pub fn main(adapter: impl Adapter) -> ExitCode {
    run(Served::new(adapter))
}

fn run(served: Served) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&ServeError::Start(error)),
    };
    let served = runtime.block_on(until_stdin_closes(served));
    // What is still running is of no use to anybody any more.
    runtime.shutdown_background();
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&error),
    }
}

fn complain(error: &ServeError) -> ExitCode {
    // Nobody is left to tell that telling failed.
    let _ = writeln!(std::io::stderr(), "{error}");
    ExitCode::from(error.exit())
}

/// Serves an adapter on a socket of its own, says where on standard output, and returns when standard
/// input is closed.
pub async fn serve(adapter: impl Adapter) -> Result<(), ServeError> {
    until_stdin_closes(Served::new(adapter)).await
}

async fn until_stdin_closes(served: Served) -> Result<(), ServeError> {
    let env = |name: &str| std::env::var(name).ok();
    if env(COOKIE).as_deref() != Some(COOKIE_VALUE) {
        return Err(ServeError::NotStartedByRein);
    }
    if let Some(versions) = env(VERSIONS)
        && !versions.split(',').any(|version| version.trim() == VERSION.to_string())
    {
        return Err(ServeError::Version(versions));
    }
    let directory = std::env::var_os(SOCKET_DIR).ok_or(ServeError::NoDirectory)?;
    let path = Path::new(&directory).join(format!("{}.sock", std::process::id()));
    let listener = listen(&path)?;
    let closed = stdin_closed().map_err(ServeError::Start)?;
    announce(&path).map_err(ServeError::Handshake)?;
    let gone = async {
        // An error means that the thread is gone, which is no less an end.
        let _ = closed.await;
    };
    let ended = until(listener, served, gone.boxed()).await;
    // The server removes the directory anyway.
    let _ = std::fs::remove_file(&path);
    ended
}

fn listen(path: &Path) -> Result<UnixListener, ServeError> {
    let length = path.as_os_str().len();
    if length > MAX_SOCKET_PATH {
        return Err(ServeError::LongPath { path: path.to_owned(), length });
    }
    let listen = || {
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        Ok(listener)
    };
    listen().map_err(|source| ServeError::Listen { path: path.to_owned(), source })
}

fn announce(path: &Path) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "1|{VERSION}|unix|{}|grpc|", path.display())?;
    out.flush()
}

/// Resolves when standard input ends. A thread of its own, since a read of standard input cannot be
/// given up and would hold a runtime open.
fn stdin_closed() -> std::io::Result<oneshot::Receiver<()>> {
    let (tell, told) = oneshot::channel();
    std::thread::Builder::new().name("stdin".into()).spawn(move || {
        // What comes in is of no interest; an error is an end too.
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = tell.send(());
    })?;
    Ok(told)
}

/// Serves an adapter on a listener until `end`, and a moment longer for calls in flight. For plugins in
/// the same process as their caller: tests.
pub async fn serve_on(
    listener: UnixListener,
    adapter: impl Adapter,
    end: impl Future<Output = ()> + Send,
) -> Result<(), ServeError> {
    until(listener, Served::new(adapter), end.boxed()).await
}

/// Boxed: what a caller awaits unboxed is compiled into the caller, and this is a whole gRPC server.
fn until<'a>(
    listener: UnixListener,
    served: Served,
    end: BoxFuture<'a, ()>,
) -> BoxFuture<'a, Result<(), ServeError>> {
    Box::pin(async move {
        let (reporter, health) = tonic_health::server::health_reporter();
        reporter.set_service_status(HEALTH, tonic_health::ServingStatus::Serving).await;
        let (tell, told) = oneshot::channel::<()>();
        let serving = Server::builder()
            .add_service(health)
            .add_service(served.plugin())
            .add_service(served.cells())
            .add_service(served.silences())
            .add_service(served.telemetry())
            .add_service(served.registry())
            .serve_with_incoming_shutdown(Box::pin(own(listener)), async {
                let _ = told.await;
            });
        let parting = async {
            end.await;
            let _ = tell.send(());
            tokio::time::sleep(PARTING).await;
        };
        tokio::select! {
            served = serving => served.map_err(ServeError::Serving),
            // Streams have no end of their own.
            () = parting => Ok(()),
        }
    })
}

/// Connections of this process's own user; others are closed.
fn own(listener: UnixListener) -> impl Stream<Item = std::io::Result<UnixStream>> + Send {
    UnixListenerStream::new(listener).filter_map(|connection| async move {
        match connection {
            Ok(stream) => match check_peer(&stream) {
                Ok(()) => Some(Ok(stream)),
                Err(error) => {
                    tracing::warn!(%error, "a connection was refused");
                    None
                }
            },
            // Too many open files, for one: this connection is lost, the next may succeed.
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                None
            }
        }
    })
}

/// Whether the process at the other end is of this process's own user.
pub(crate) fn check_peer(stream: &UnixStream) -> std::io::Result<()> {
    let peer = stream.peer_cred()?.uid();
    let own = rustix::process::geteuid().as_raw();
    if peer == own {
        return Ok(());
    }
    let said = format!("the process at the other end is of user {peer}, not {own}");
    Err(std::io::Error::new(std::io::ErrorKind::PermissionDenied, said))
}
