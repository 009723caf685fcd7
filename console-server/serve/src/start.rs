//! Starts one server and stops it.

use crate::config::{Config, Problem};
use crate::hosted::Hosted;
use crate::state::{self, State};
use crate::{listen, tls};
use futures::future::BoxFuture;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use rein_api::ExitCode;
use rein_core::backup::RestoreError;
use rein_core::clock::Machine;
use rein_core::{AppError, House, HouseOptions};
use rein_domain::change::Policy;
use rein_doors::flagd::{FlagdDoor, FlagdOptions, Limits};
use rein_http::{Allowed, App};
use rein_plugins::HostError;
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The configuration does not hold up.
    #[error("{}", problems.iter().map(|p| format!("{}: {}", p.field, p.what)).collect::<Vec<_>>().join("\n"))]
    Config {
        /// Everything found.
        problems: Vec<Problem>,
    },
    /// An address cannot be listened on.
    #[error("{what} cannot listen on {address}: {source}")]
    Listen {
        /// Who.
        what: &'static str,
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The data directory cannot be used.
    #[error("data directory {}: {what}", path.display())]
    Data {
        /// Which.
        path: PathBuf,
        /// Why.
        what: String,
    },
    /// A backup was not restored.
    #[error("{}: {source}", file.display())]
    Restore {
        /// The backup.
        file: PathBuf,
        /// Why.
        source: RestoreError,
    },
    /// Plugins cannot be run.
    #[error(transparent)]
    Plugins(#[from] HostError),
    /// The house does not open.
    #[error(transparent)]
    House(#[from] AppError),
}

impl ServeError {
    pub(crate) fn cluster(field: &str, what: String) -> Self {
        Self::Config { problems: vec![Problem { field: field.to_owned(), what }] }
    }

    /// How the process ends.
    pub fn exit(&self) -> ExitCode {
        match self {
            Self::Config { .. } => ExitCode::Usage,
            Self::Restore { source: RestoreError::NotEmpty, .. } => ExitCode::Conflict,
            _ => ExitCode::Failed,
        }
    }

    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Config { .. } => Some("rein server check-config --config FILE".into()),
            Self::Listen { source, what, .. } if source.kind() == std::io::ErrorKind::AddrInUse => {
                let option = if *what == "http" { "--http" } else { "--grpc" };
                Some(format!("another program listens there; choose another with {option} 127.0.0.1:PORT"))
            }
            Self::House(error) => error.0.hint.clone(),
            Self::Restore { source: RestoreError::NotEmpty, .. } => {
                Some("restore into an empty one: --data-dir DIR, or --store etcd://HOST:PORT/PREFIX".into())
            }
            Self::Restore { source: RestoreError::TooOld { .. }, .. } => {
                Some("restore it with the version that wrote it, or a newer one".into())
            }
            Self::Restore { source: RestoreError::Store(error), .. } => error.0.hint.clone(),
            Self::Restore { source: RestoreError::Backup(_), .. } => {
                Some("take another backup; nothing was changed".into())
            }
            _ => None,
        }
    }
}

/// A server that runs.
pub struct Running {
    /// Where the HTTP API listens.
    pub http: SocketAddr,
    /// Where the flagd door listens.
    pub grpc: SocketAddr,
    /// Where the admin token lies.
    pub token_file: PathBuf,
    /// The house, for whoever runs in this process.
    pub house: Arc<House>,
    stop: CancellationToken,
    tasks: TaskTracker,
    state: State,
    hosted: Arc<Hosted>,
}

impl Running {
    /// Stops it: listeners close, open requests end, the store is closed.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.wait().await;
        self.hosted.shutdown().await;
        self.house.leave().await;
        drop(self.house);
        self.state.close().await;
    }

    /// Ends when a listener has failed; a healthy server does not come back from this.
    pub async fn failed(&self) {
        self.stop.cancelled().await;
    }
}

/// Starts a server. `bundled`: plugins that are part of this program. Boxed, so that it is compiled here,
/// once, and not anew into each program that awaits it.
pub fn start<'a>(config: Config, bundled: &'a [&'a str]) -> BoxFuture<'a, Result<Running, ServeError>> {
    Box::pin(starting(config, bundled))
}

async fn starting(config: Config, bundled: &[&str]) -> Result<Running, ServeError> {
    let problems = config.problems();
    if !problems.is_empty() {
        return Err(ServeError::Config { problems });
    }
    let http = listen::bind(config.http, "http")?;
    let grpc = listen::bind(config.grpc, "the flagd door")?;
    prepare(&config.data_dir)?;
    let data = |what: String| ServeError::Data { path: config.data_dir.clone(), what };
    let (http, grpc) = (Bound::new(http, "http")?, Bound::new(grpc, "the flagd door")?);
    let state = State::open(&config).await?;
    let hosted = Arc::new(Hosted::new(&config, bundled.iter().map(|name| (*name).to_owned()).collect())?);
    let mut options = options(&config);
    options.member = state::member(&config, http.address)?;
    let house = House::open(state.store(), hosted.clone(), Box::new(Machine), options).await?;
    house.look_by(Arc::new(crate::probes::Looks));
    house.join().await?;
    let stop = CancellationToken::new();
    let tasks = house.run(&stop);
    let token_file = config.data_dir.join("admin.token");
    if let Some(token) = house.first_token().await? {
        keep_token(&token_file, &token).map_err(|e| data(e.to_string()))?;
        tracing::info!(file = %token_file.display(), "wrote a first admin token");
    }
    let running = Running {
        http: http.address,
        grpc: grpc.address,
        token_file,
        house: Arc::clone(&house),
        stop: stop.clone(),
        tasks: TaskTracker::new(),
        state,
        hosted,
    };
    let house_tasks = tasks;
    running.tasks.spawn(async move { house_tasks.wait().await });
    open_doors(&running, &config, grpc)?;
    open_api(&running, &config, http)?;
    running.tasks.close();
    if let Some(why) = running.house.trouble() {
        tracing::warn!(why, "it does not write");
    }
    tracing::info!(http = %running.http, grpc = %running.grpc, "ready");
    Ok(running)
}

struct Bound {
    listener: TcpListener,
    address: SocketAddr,
}

impl Bound {
    fn new(listener: TcpListener, what: &'static str) -> Result<Self, ServeError> {
        let any = SocketAddr::from(([0, 0, 0, 0], 0));
        let address =
            listener.local_addr().map_err(|source| ServeError::Listen { what, address: any, source })?;
        Ok(Self { listener, address })
    }
}

fn open_doors(running: &Running, config: &Config, bound: Bound) -> Result<(), ServeError> {
    let tls = match &config.doors.flagd.tls {
        Some(files) => Some(tls::with_alpn(server_tls(files, "doors.flagd.tls")?, &["h2"])),
        None => None,
    };
    let options = FlagdOptions { tls, access: config.flagd_access(), limits: Limits::default() };
    running.house.open_door(FlagdDoor::facts(bound.address));
    let doorway = running.house.doorway();
    let failed = |source| ServeError::Listen { what: "the flagd door", address: bound.address, source };
    let listener = tokio::net::TcpListener::from_std(bound.listener).map_err(failed)?;
    let stop = running.stop.clone();
    running.tasks.spawn(async move {
        if let Err(error) = FlagdDoor::serve(listener, doorway, options, stop.clone()).await {
            tracing::error!(%error, "the flagd door failed");
            stop.cancel();
        }
    });
    Ok(())
}

fn open_api(running: &Running, config: &Config, bound: Bound) -> Result<(), ServeError> {
    let app = App {
        house: Arc::clone(&running.house),
        allowed: Arc::new(Allowed::with(config.allowed_hosts.clone(), config.allowed_origins.clone())),
        metrics: recorder(),
        stop: running.stop.clone(),
    };
    let at = format!("http{}://{}", if config.tls.is_some() { "s" } else { "" }, bound.address);
    running.house.open_door(rein_doors::ofrep::facts(at.clone()));
    running.house.open_door(rein_doors::unleash::facts(at));
    let doors = rein_doors::ofrep::router(running.house.doorway())
        .merge(rein_doors::unleash::router(running.house.doorway()));
    let router = rein_http::router(app, doors);
    let tls = match &config.tls {
        Some(files) => Some(tls::with_alpn(server_tls(files, "tls")?, &["h2", "http/1.1"])),
        None => None,
    };
    let stop = running.stop.clone();
    running.tasks.spawn(async move {
        if let Err(error) = listen::serve(bound.listener, router, tls, stop.clone()).await {
            tracing::error!(%error, "the HTTP API failed");
            stop.cancel();
        }
    });
    Ok(())
}

fn server_tls(files: &crate::config::Tls, field: &str) -> Result<rustls::ServerConfig, ServeError> {
    tls::server(files).map_err(|error| ServeError::Config {
        problems: vec![Problem { field: field.to_owned(), what: error.to_string() }],
    })
}

fn options(config: &Config) -> HouseOptions {
    HouseOptions {
        policy: Policy { max_lasts: Duration::from_secs(config.changes.max_seconds) },
        default_lasts: Duration::from_secs(config.changes.default_seconds),
        writes_per_second: config.limits.writes_per_second,
        audit_key: config.data_dir.join("audit.key"),
        accept_new_audit_key: config.audit.accept_new_key,
        ship_heads_to: config.audit.ship_heads_to.clone(),
        observe: config.observe,
        member: None,
        keep_ended: Duration::from_secs(config.changes.keep_ended_days.saturating_mul(24 * 3600)),
    }
}

/// Makes the data directory for its owner alone.
pub(crate) fn prepare(path: &Path) -> Result<(), ServeError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|e| ServeError::Data { path: path.to_owned(), what: e.to_string() })
}

/// Writes the first token (mode 0600), in place of an older one that is no longer good.
fn keep_token(path: &Path, token: &str) -> std::io::Result<()> {
    let fresh = path.with_extension("token.new");
    let _ = std::fs::remove_file(&fresh);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
    file.write_all(token.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    std::fs::rename(fresh, path)
}

/// The process's metrics recorder; a second server in the same process shares it.
fn recorder() -> PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER
        .get_or_init(|| {
            let recorder = PrometheusBuilder::new().build_recorder();
            let handle = recorder.handle();
            // Refused only if somebody else in this process records already; theirs goes on.
            let _ = metrics::set_global_recorder(recorder);
            handle
        })
        .clone()
}
