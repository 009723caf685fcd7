//! A plugin that does what is right, unless a cell's key says what to do wrong.

use crate::backend::FileSilences;
use async_trait::async_trait;
use rein_plugin::{
    Adapter, CellKey, Configuration, Description, Fault, FieldError, Finding, Grade, Seen, Silences,
    TargetName, Write,
};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

#[derive(Default)]
pub(crate) struct Faulty {
    inner: FileSilences,
    secrets: OnceLock<Vec<String>>,
}

#[async_trait]
impl Adapter for Faulty {
    async fn describe(&self) -> Result<Description, Fault> {
        let inner = self.inner.describe().await?;
        Ok(Description { name: "faulty".into(), secrets: vec!["token".into()], ..inner })
    }

    async fn configure(&self, configuration: Configuration) -> Result<Vec<FieldError>, Fault> {
        let secrets = configuration.secrets.iter().map(|(name, value)| format!("{name}={value}"));
        let _ = self.secrets.set(secrets.collect());
        self.inner.configure(configuration).await
    }

    /// Shows what the process was given.
    async fn check(&self) -> Result<Vec<Finding>, Fault> {
        let finding =
            |subject: &str, message: String| Finding { grade: Grade::Ok, subject: subject.into(), message };
        let environment: Vec<_> = std::env::vars().map(|(name, value)| format!("{name}={value}")).collect();
        Ok(vec![
            finding("environment", environment.join("\n")),
            finding("secrets", self.secrets.get().cloned().unwrap_or_default().join("\n")),
            finding("limits", std::fs::read_to_string("/proc/self/limits").unwrap_or_default()),
            finding("session", session()),
        ])
    }

    async fn resolve(&self, targets: &[TargetName]) -> Result<Vec<CellKey>, Fault> {
        self.inner.resolve(targets).await
    }

    async fn observe(&self, cells: &[CellKey]) -> Result<Vec<Seen>, Fault> {
        match cells.first().map(|cell| cell.0.as_str()) {
            Some("hang") => std::future::pending().await,
            Some("slow") => tokio::time::sleep(Duration::from_millis(300)).await,
            Some("abort") => std::process::abort(),
            Some("panic") => panic!("on purpose"),
            Some("flood") => flood(),
            Some("fork") => fork(400),
            Some("escape") => escape(),
            Some("memory") => memory(),
            Some("few") => return Ok(Vec::new()),
            Some("big") => {
                let mut seen = self.inner.observe(cells).await?;
                seen[0].value = Some("x".repeat(5 << 20));
                return Ok(seen);
            }
            _ => {}
        }
        self.inner.observe(cells).await
    }

    /// Does what the key says up to its first dash: nothing and says yes, the half of it and falls, all and never says so.
    async fn apply(&self, write: Write) -> Result<(), Fault> {
        match write.cell.0.split('-').next().unwrap_or_default() {
            "lie" => Ok(()),
            "refused" => Err(Fault::NotDone("on purpose".into())),
            "moved" => Err(Fault::Moved("on purpose".into())),
            "panic" => panic!("on purpose"),
            "abort" => std::process::abort(),
            "hang" => std::future::pending().await,
            "late" => {
                self.inner.apply(write).await?;
                std::future::pending().await
            }
            "dies" => {
                self.inner.apply(write).await?;
                std::process::abort()
            }
            "half" => {
                self.inner.apply(Write { want: Some("{}".into()), ..write }).await?;
                std::process::abort()
            }
            _ => self.inner.apply(write).await,
        }
    }

    fn silences(&self) -> Option<&dyn Silences> {
        self.inner.silences()
    }
}

/// What a child hears that begins a session.
fn session() -> String {
    let heard = Command::new("setsid").arg("true").output();
    heard.map_or_else(|e| e.to_string(), |heard| String::from_utf8_lossy(&heard.stderr).into_owned())
}

fn flood() {
    use std::io::Write;
    std::thread::spawn(|| {
        let line = format!("{}\n", "flood ".repeat(100));
        let mut err = std::io::stderr();
        while err.write_all(line.as_bytes()).is_ok() {}
    });
}

/// Processes that each begin a session of their own where they may, and stay in any case.
fn fork(count: usize) {
    std::thread::spawn(move || {
        let line = "setsid sleep 3600 2>/dev/null || exec sleep 3600";
        for _ in 0..count {
            let _ = Command::new("sh").args(["-c", line]).stdin(Stdio::null()).spawn();
        }
    });
}

/// A grandchild in a session of its own where it may have one, else in a group of its own, whose parent is gone.
fn escape() {
    let dir = std::env::var("PLUGIN_UNIX_SOCKET_DIR").unwrap_or_default();
    let stay = format!("sleep 3600; : {dir}");
    let line = format!("(setsid sh -c '{stay}' || (set -m; sh -c '{stay}' &)) </dev/null >/dev/null 2>&1 &");
    let _ = Command::new("sh").args(["-c", &line]).status();
}

fn memory() {
    let mut kept: Vec<Vec<u8>> = Vec::new();
    while kept.len() < 20_000 {
        kept.push(vec![1; 1 << 20]);
    }
}
