//! Keeping one backend's plugin alive: start, configure, look after, start again, later each time.

use crate::logs::Logs;
use crate::options::Trust;
use crate::process::{Ended, Failure, Ground, Process};
use crate::state::State;
use crate::vet::vet;
use rein_plugin::{Adapter, Configuration, Description, FieldError};
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// First and longest pause before a plugin is started again.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(30));
/// A plugin that outgrew its limits counts as so many failures: the pause begins at 3.2 s, and at half a minute the next
/// time, since everything on the machine feels it.
const OUTGREW: u32 = 6;
/// How long it has to serve until its earlier ends are forgotten.
const HEALTHY: Duration = Duration::from_secs(60);
/// How often it is asked whether it serves, and how often it may fail to say so.
const ASKED: Duration = Duration::from_secs(10);
const UNANSWERED: u32 = 3;

/// What one backend's plugin is started with, and how it stands.
pub(crate) struct Kept {
    pub(crate) ground: Arc<Ground>,
    pub(crate) plugin: String,
    pub(crate) trust: Trust,
    pub(crate) configuration: Configuration,
    pub(crate) logs: Arc<Logs>,
    pub(crate) state: watch::Sender<State>,
    pub(crate) description: OnceLock<Description>,
    pub(crate) restarts: AtomicU64,
    pub(crate) end: CancellationToken,
}

impl Kept {
    fn backend(&self) -> &str {
        &self.configuration.backend
    }

    /// Runs until the end is called for. Started when the plugin is first needed.
    pub(crate) async fn keep(self: Arc<Self>) {
        let up = metrics::gauge!("rein_plugin_up", "backend" => self.backend().to_owned());
        let mut failures = 0;
        loop {
            let started = tokio::select! {
                biased;
                () = self.end.cancelled() => break,
                started = start(&self.ground, &self.trust, &self.plugin, &self.configuration, &self.logs) => started,
            };
            let Ended { why, outgrew } = match started {
                Ok((process, description)) => {
                    let since = Instant::now();
                    let _ = self.description.set(description);
                    let (remote, pid) = (process.remote.clone(), process.pid);
                    self.state.send_replace(State::Running { remote, pid, since });
                    up.set(1.0);
                    tracing::info!(backend = self.backend(), plugin = self.plugin, pid, "the plugin serves");
                    let ended = self.look_after(process).await;
                    up.set(0.0);
                    let Some(ended) = ended else { break };
                    if since.elapsed() >= HEALTHY {
                        failures = 0;
                    }
                    ended
                }
                Err(Failure::Passing(why)) => Ended { why, outgrew: false },
                Err(Failure::Lasting(why)) => return self.refuse(why, false),
                Err(Failure::Invalid(why)) => return self.refuse(why, true),
            };
            failures += if outgrew { OUTGREW } else { 1 };
            let pause = pause(failures, rand::random_range(0.8..1.2));
            tracing::warn!(
                backend = self.backend(),
                plugin = self.plugin,
                ?pause,
                "the plugin is down: {why}"
            );
            self.state.send_replace(State::BackingOff { why: why.into(), next: Instant::now() + pause });
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.end.cancelled() => break,
            }
            self.restarts.fetch_add(1, Ordering::Relaxed);
            metrics::counter!("rein_plugin_restarts_total", "backend" => self.backend().to_owned())
                .increment(1);
        }
        self.state.send_replace(State::Ended);
    }

    fn refuse(&self, why: String, invalid: bool) {
        tracing::error!(backend = self.backend(), plugin = self.plugin, "the plugin is not started: {why}");
        self.state.send_replace(State::Refused { why: why.into(), invalid });
    }

    /// Waits until the process ends or no longer answers, and says why; `None`: the host is ending.
    async fn look_after(&self, mut process: Process) -> Option<Ended> {
        let unanswered = async |remote: rein_plugin::Remote| {
            let mut missed = 0;
            while missed < UNANSWERED {
                tokio::time::sleep(ASKED).await;
                missed = if remote.healthy().await.is_ok() { 0 } else { missed + 1 };
            }
        };
        let remote = process.remote.clone();
        let why = tokio::select! {
            ended = process.ended() => return Some(ended),
            () = unanswered(remote) => {
                let why = format!("it did not say that it serves, {UNANSWERED} times in a row; it was killed");
                Some(Ended { why, outgrew: false })
            }
            () = self.end.cancelled() => None,
        };
        process.end().await;
        why
    }
}

/// The pause before the n-th try to start again. `jitter` is around 1.
fn pause(failures: u32, jitter: f64) -> Duration {
    let doubled = PAUSE.0.saturating_mul(1_u32 << failures.saturating_sub(1).min(16));
    doubled.min(PAUSE.1).mul_f64(jitter)
}

/// Starts a plugin and gives it its backend.
pub(crate) async fn start(
    ground: &Arc<Ground>,
    trust: &Trust,
    plugin: &str,
    configuration: &Configuration,
    logs: &Arc<Logs>,
) -> Result<(Process, Description), Failure> {
    let process = Process::start(ground, &configuration.backend, trust, plugin, logs).await?;
    match introduce(&process, plugin, configuration).await {
        Ok(description) => Ok((process, description)),
        Err(failure) => {
            process.end().await;
            Err(failure)
        }
    }
}

async fn introduce(
    process: &Process,
    plugin: &str,
    configuration: &Configuration,
) -> Result<Description, Failure> {
    let passing = |fault: rein_plugin::Fault| Failure::Passing(fault.to_string());
    let description = process.remote.describe().await.map_err(passing)?;
    let errors = vet(&description.config_schema, &configuration.config).map_err(|why| {
        Failure::Lasting(format!("the JSON Schema that {plugin} gives for its configuration is wrong: {why}"))
    })?;
    if !errors.is_empty() {
        return Err(Failure::Invalid(told(&errors)));
    }
    match process.remote.configure(wanted(&description, configuration)).await {
        Ok(errors) if errors.is_empty() => Ok(description),
        Ok(errors) => Err(Failure::Invalid(told(&errors))),
        Err(rein_plugin::Fault::Invalid(why)) => Err(Failure::Invalid(why)),
        Err(fault) => Err(passing(fault)),
    }
}

/// The configuration with those secrets that the plugin asks for, and no others.
fn wanted(description: &Description, configuration: &Configuration) -> Configuration {
    let secrets = configuration.secrets.iter().filter(|(name, _)| description.secrets.contains(name));
    let secrets = secrets.map(|(name, value)| (name.clone(), value.clone())).collect();
    Configuration { secrets, ..configuration.clone() }
}

/// Errors of fields as one line: `the configuration is wrong: at /peers/1: …; at /user: …`.
fn told(errors: &[FieldError]) -> String {
    let mut text = "the configuration is wrong".to_owned();
    for (n, error) in errors.iter().enumerate() {
        let field = if error.field.is_empty() { "its root" } else { &error.field };
        // Writing to a string cannot fail.
        let _ = write!(text, "{} at {field}: {}", if n == 0 { ":" } else { ";" }, error.message);
    }
    rein_plugin::cut(text)
}

/// What is wrong with a configuration, found out with a process of its own.
pub(crate) async fn try_out(
    ground: &Arc<Ground>,
    trust: &Trust,
    plugin: &str,
    configuration: Configuration,
) -> Result<Vec<FieldError>, Failure> {
    let logs = Arc::new(Logs::default());
    let process = Process::start(ground, &configuration.backend, trust, plugin, &logs).await?;
    let passing = |fault: rein_plugin::Fault| Failure::Passing(fault.to_string());
    let tried = async {
        let description = process.remote.describe().await.map_err(passing)?;
        let errors = vet(&description.config_schema, &configuration.config).map_err(Failure::Lasting)?;
        if !errors.is_empty() {
            return Ok(errors);
        }
        process.remote.configure(wanted(&description, &configuration)).await.map_err(passing)
    }
    .await;
    process.end().await;
    tried
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_half_a_minute() {
        let pauses: Vec<_> = (1..=11).map(|n| pause(n, 1.0).as_millis()).collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000]);
        assert_eq!(pause(u32::MAX, 1.0), PAUSE.1);
    }

    #[test]
    fn every_wrong_field_is_told() {
        let error = |field: &str, message: &str| FieldError { field: field.into(), message: message.into() };
        let text = told(&[error("/peers/1", "no URL"), error("", "\"user\" is missing")]);
        assert_eq!(text, "the configuration is wrong: at /peers/1: no URL; at its root: \"user\" is missing");
    }
}
