//! The switches as one instance sees them: an OpenFeature client over the public crate
//! `open-feature-flagd`, resolving in this process.
//!
//! What that crate (0.3.0) does, read in its source and tried, and what follows from it here:
//!
//! - The sync request carries `provider_id` and `selector` in its body; no header is sent.
//! - `FlagdProvider::new` waits up to 5 s for the first set and fails without it. Until then, and
//!   for a flag that is not in the set, evaluation is an error: [`Flags::runs`] then says yes,
//!   because a company that has lost its control plane must go on selling.
//! - Once it has a set it keeps that set whatever happens to the door, and reconnects for ever
//!   (`retry_grace_period` bounds one round of attempts, not the rounds). Its back-off grows up
//!   to two minutes by default; [`BACKOFF_MAX_MS`] keeps "picks up again" within seconds.
//! - Targeting is evaluated at each call, `$flagd.timestamp` in whole seconds included: a deadline
//!   written into the set is kept with nobody serving.
//! - HTTP/2 keep-alive is off by default: a door that hangs without closing is never noticed.
//!   [`KEEP_ALIVE_MS`] turns it on; the ping's own timeout is fixed at 20 s. A door stopped for
//!   40 s was left and joined again.
//! - A set it cannot parse is dropped whole and the one before stays. Every flag must have a
//!   `defaultVariant` that is a string: absent or null, which flagd's schema allows, costs the set.
//! - Each set it receives is announced on a channel of 1000 that only an evaluation with a cache
//!   configured ever drains. Without a cache, which is its default in this mode, the thousand and
//!   first set blocks the store while it is locked for writing, and every later evaluation hangs.
//!   A cache of the type "disabled" drains the channel and remembers nothing, so that is set.
//! - Nothing ends its background task, neither dropping a provider nor a failed `new`. So the door
//!   is probed with a plain connection before each attempt; or a door that is away for long would
//!   leave behind one task, later one stream, for every attempt.

use crate::meter::Meter;
use crate::plan::{Service, Zone};
use open_feature::{Client, EvaluationContext, OpenFeature};
use open_feature_flagd::{CacheSettings, CacheType, FlagdOptions, FlagdProvider, ResolverType};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// First wait before an attempt to reach the door again.
const BACKOFF_MS: u32 = 250;
/// Longest wait before an attempt to reach the door again.
const BACKOFF_MAX_MS: u32 = 1_000;
/// How often an idle stream is checked.
const KEEP_ALIVE_MS: u64 = 10_000;

/// Where the services get their switches from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlagSource {
    /// A flagd sync server, such as Rein's door.
    Door(SocketAddr),
    /// A flag file in flagd's format, read again whenever it changes: the company without Rein.
    File(PathBuf),
}

/// Who asks: the identity by which Rein counts the instance as a witness.
#[derive(Debug, Clone)]
pub(crate) struct Who {
    pub(crate) service: Service,
    pub(crate) zone: Zone,
    /// Such as `order-sh-1`.
    pub(crate) instance: String,
}

/// One instance's view of the switches.
pub(crate) struct Flags {
    client: Client,
    meter: Arc<Meter>,
    heard: Arc<AtomicBool>,
}

impl Flags {
    /// Starts listening in the background; the instance serves with defaults meanwhile.
    pub(crate) fn listen(who: &Who, source: &FlagSource, meter: Arc<Meter>, stop: CancellationToken) -> Self {
        // An API object of its own, not the global one: two companies in one process must not
        // share providers.
        let api = OpenFeature::default();
        let mut client = api.create_client();
        client.set_evaluation_context(
            EvaluationContext::default()
                .with_custom_field("zone", who.zone.name())
                .with_custom_field("instance", who.instance.clone()),
        );
        let heard = Arc::new(AtomicBool::new(false));
        let listening = listen(api, options(who, source), source.clone(), heard.clone());
        tokio::spawn(async move { stop.run_until_cancelled(listening).await });
        Self { client, meter, heard }
    }

    /// Whether the feature behind `flag` runs for this user. What nobody can answer runs.
    pub(crate) async fn runs(&self, flag: &'static str, user: &str) -> bool {
        let context = EvaluationContext::default().with_targeting_key(user);
        let runs = self.client.get_bool_value(flag, Some(&context), None).await.unwrap_or(true);
        self.meter.decided(flag, runs);
        runs
    }

    /// Whether a set of flags has arrived at least once.
    pub(crate) fn heard(&self) -> bool {
        self.heard.load(Ordering::Relaxed)
    }
}

fn options(who: &Who, source: &FlagSource) -> FlagdOptions {
    let drained = CacheSettings { cache_type: CacheType::Disabled, max_size: 1, ttl: None };
    let options = FlagdOptions {
        provider_id: Some(format!("{}/{}", who.service, who.instance)),
        selector: Some(format!("flagSetId={}", who.service)),
        retry_backoff_ms: BACKOFF_MS,
        retry_backoff_max_ms: BACKOFF_MAX_MS,
        keep_alive_time_ms: KEEP_ALIVE_MS,
        cache_settings: Some(drained),
        // The environment is for services that configure themselves; ours are told.
        target_uri: None,
        socket_path: None,
        tls: false,
        ..FlagdOptions::default()
    };
    match source {
        FlagSource::Door(address) => FlagdOptions {
            resolver_type: ResolverType::InProcess,
            host: address.ip().to_string(),
            port: address.port(),
            // The crate splits `host:port` at the first colon, so an IPv6 address needs the URI.
            target_uri: Some(format!("http://{address}")),
            ..options
        },
        FlagSource::File(path) => FlagdOptions {
            resolver_type: ResolverType::File,
            source_configuration: Some(path.display().to_string()),
            ..options
        },
    }
}

/// Tries until a provider has its first set, then hands it to the client and is done: from there
/// on the provider looks after itself.
async fn listen(mut api: OpenFeature, options: FlagdOptions, source: FlagSource, heard: Arc<AtomicBool>) {
    let mut wait = Duration::from_millis(BACKOFF_MS.into());
    loop {
        match attempt(&options, &source).await {
            Ok(provider) => {
                api.set_provider(provider).await;
                heard.store(true, Ordering::Relaxed);
                return;
            }
            Err(error) => tracing::debug!(%error, id = ?options.provider_id, "no switches yet"),
        }
        sleep(wait).await;
        wait = (wait * 2).min(Duration::from_millis(BACKOFF_MAX_MS.into()));
    }
}

#[derive(Debug, thiserror::Error)]
enum AttemptError {
    #[error("nobody listens there: {0}")]
    Away(std::io::Error),
    #[error("no first set: {0}")]
    Silent(open_feature_flagd::error::FlagdError),
}

async fn attempt(options: &FlagdOptions, source: &FlagSource) -> Result<FlagdProvider, AttemptError> {
    if let FlagSource::Door(address) = source {
        TcpStream::connect(address).await.map_err(AttemptError::Away)?;
    }
    FlagdProvider::new(options.clone()).await.map_err(AttemptError::Silent)
}
