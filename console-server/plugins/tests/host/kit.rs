//! A host with the rig's plugins, and how to look at what it does.

use rein_plugin::{Adapter, CellKey, Configuration, Write};
use rein_plugins::{Backend, Host, Options, PluginState, Program};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
const BUNDLED: [&str; 12] = [
    "file",
    "faulty",
    "stuck",
    "raw",
    "garbage",
    "chatty",
    "silent",
    "version",
    "elsewhere",
    "nobody",
    "early",
    "missing",
];

/// The example `plugin-rig`, which `cargo test -p rein-plugins` builds beside this test.
pub(crate) fn rig() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let path = own.parent().and_then(Path::parent).unwrap().join("examples/plugin-rig");
    assert!(path.is_file(), "{} is not there: cargo build -p rein-plugins --examples", path.display());
    path
}

pub(crate) fn sha256(path: &Path) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, &std::fs::read(path).unwrap());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn options(base: &Path) -> Options {
    let mut options = Options::new(base.join("x"));
    options.itself = rig();
    options.bundled = BUNDLED.map(str::to_owned).into();
    options
}

/// A host and the directory it lies in.
pub(crate) struct Kit {
    pub(crate) host: Host,
    pub(crate) base: tempfile::TempDir,
}

impl Kit {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// With the rig pinned as the third-party plugins `pinned` (faulty) and `altered` (wrong checksum).
    pub(crate) fn with(alter: impl FnOnce(&mut Options)) -> Self {
        let base = tempfile::tempdir().unwrap();
        let mut options = options(base.path());
        alter(&mut options);
        Self { host: Host::new(options).unwrap(), base }
    }

    pub(crate) fn config(&self, name: &str) -> String {
        format!("{{\"file\":\"{}/{name}.json\"}}", self.base.path().display())
    }

    pub(crate) fn backend(&self, name: &str, plugin: &str) -> Backend {
        self.host.adapter(plugin, configuration(name, &self.config(name))).unwrap()
    }

    pub(crate) fn state(&self, backend: &str) -> PluginState {
        self.host.status().into_iter().find(|status| status.backend == backend).unwrap().state
    }

    /// What lies under this key is the end of the plugin's process, and of nothing else: another takes its place.
    pub(crate) async fn falls_over(&self, plugin: &str, key: &str) {
        let backend = self.backend("b", plugin);
        backend.describe().await.unwrap();
        let _ = backend.observe(&[cell(key)]).await.unwrap_err();
        self.until("b", "backing off").await;
        self.until("b", "running").await;
        backend.observe(&[cell("c")]).await.unwrap();
        self.host.shutdown().await;
    }

    pub(crate) async fn until(&self, backend: &str, word: &str) -> PluginState {
        let until = Instant::now() + PATIENCE;
        loop {
            let state = self.state(backend);
            if state.word() == word {
                return state;
            }
            assert!(Instant::now() < until, "{backend} was to be {word}, and is {state:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

pub(crate) fn pinned(plugin: &str) -> Program {
    let path = rig();
    Program { sha256: sha256(&path), path, args: ["plugin", "serve", plugin].map(Into::into).to_vec() }
}

pub(crate) fn configuration(backend: &str, config: &str) -> Configuration {
    Configuration { backend: backend.into(), config: config.into(), secrets: BTreeMap::new() }
}

pub(crate) fn cell(key: &str) -> CellKey {
    CellKey(key.into())
}

pub(crate) fn write(key: &str, want: &str) -> Write {
    Write {
        cell: cell(key),
        want: Some(want.into()),
        expected_version: String::new(),
        change: "change".into(),
        object: String::new(),
    }
}

/// Resident memory of this process, in MiB.
pub(crate) fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() / 1024
}

/// Processes whose command line or environment holds this text.
pub(crate) fn processes(text: &str) -> Vec<(u32, String)> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|process| {
        let pid = process.file_name().to_str()?.parse().ok()?;
        let words = |file| std::fs::read(process.path().join(file)).ok();
        let shown = |words: Vec<u8>| String::from_utf8_lossy(&words).replace('\0', " ");
        let (line, environment) = (shown(words("cmdline")?), shown(words("environ")?));
        (line.contains(text) || environment.contains(text)).then_some((pid, line))
    });
    processes.collect()
}

pub(crate) async fn gone(text: &str) {
    let until = Instant::now() + PATIENCE;
    loop {
        let left = processes(text);
        if left.is_empty() {
            return;
        }
        assert!(Instant::now() < until, "still there: {left:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
