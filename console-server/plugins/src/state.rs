//! How a plugin's process stands, for calls that need it and for people.

use rein_plugin::{Description, Fault, Remote};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How a plugin stands, inside the host.
#[derive(Debug, Clone)]
pub(crate) enum State {
    /// Nobody has needed it yet.
    Idle,
    /// It is being started for the first time; whoever needs it waits.
    Starting,
    /// It serves.
    Running { remote: Remote, pid: u32, since: Instant },
    /// It is down, and started again at `next`.
    BackingOff { why: Arc<str>, next: Instant },
    /// It will not be started: what is wrong does not heal by waiting.
    Refused { why: Arc<str>, invalid: bool },
    /// The host is ending.
    Ended,
}

impl State {
    /// The fault of a call that meets this state; `None`: it may go on or wait.
    pub(crate) fn fault(&self, backend: &str, plugin: &str) -> Option<Fault> {
        match self {
            Self::Idle | Self::Starting | Self::Running { .. } => None,
            Self::BackingOff { why, next } => Some(Fault::Unreachable(format!(
                "backend {backend}: its plugin {plugin} is down: {why}; next try in {}",
                seconds(next.saturating_duration_since(Instant::now()))
            ))),
            Self::Refused { why, invalid: true } => Some(Fault::Invalid(format!("backend {backend}: {why}"))),
            Self::Refused { why, invalid: false } => Some(Fault::Unreachable(format!(
                "backend {backend}: its plugin {plugin} is not started: {why}"
            ))),
            Self::Ended => Some(Fault::Unreachable(format!("backend {backend}: this server is ending"))),
        }
    }

    pub(crate) fn shown(&self) -> PluginState {
        match self {
            Self::Idle => PluginState::Idle,
            Self::Starting => PluginState::Starting,
            Self::Running { pid, since, .. } => PluginState::Running { pid: *pid, uptime: since.elapsed() },
            Self::BackingOff { why, next } => PluginState::BackingOff {
                why: why.to_string(),
                next_try: next.saturating_duration_since(Instant::now()),
            },
            Self::Refused { why, .. } => PluginState::Refused { why: why.to_string() },
            Self::Ended => PluginState::Ended,
        }
    }
}

fn seconds(span: Duration) -> String {
    format!("{:.1} s", span.as_secs_f64())
}

/// How a plugin stands, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PluginState {
    /// Nobody has needed it yet.
    Idle,
    /// It is being started.
    Starting,
    /// It serves.
    Running {
        /// Its process; of a third-party plugin its guard.
        pid: u32,
        /// How long it has been serving.
        uptime: Duration,
    },
    /// It is down, and will be started again.
    BackingOff {
        /// Why it is down.
        why: String,
        /// How long until then.
        next_try: Duration,
    },
    /// It will not be started until its configuration is another.
    Refused {
        /// Why.
        why: String,
    },
    /// The host is ending.
    Ended,
}

impl PluginState {
    /// One word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Starting => "starting",
            Self::Running { .. } => "running",
            Self::BackingOff { .. } => "backing off",
            Self::Refused { .. } => "refused",
            Self::Ended => "ended",
        }
    }
}

/// One backend's plugin, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginStatus {
    /// The backend.
    pub backend: String,
    /// The plugin that adapts it.
    pub plugin: String,
    /// How it stands.
    pub state: PluginState,
    /// How often it was started again after it ended.
    pub restarts: u64,
    /// What it says of itself, once it was started.
    pub description: Option<Description>,
}
