//! What goes well: starting when needed, calling, ending, starting again.

use crate::kit::{Kit, PATIENCE, cell, configuration, gone, pinned, rig, sha256, write};
use async_trait::async_trait;
use rein_plugin::conformance::{Rig, Sample, Subject};
use rein_plugin::skeleton::Lang;
use rein_plugin::{Adapter, CellKey, Configuration, Description, Fault, FieldError, Finding, Seen, Silences};
use rein_plugin::{TargetName, Write};
use rein_plugins::{Backend, PluginState, Program};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_is_started_when_first_needed_and_ends_with_its_host() {
    let kit = Kit::new();
    let backend = kit.backend("b", "file");
    assert_eq!(kit.state("b"), PluginState::Idle);
    assert!(backend.silences().is_none() && backend.described().is_none());

    assert_eq!(backend.describe().await.unwrap().name, "file-silences");
    assert!(backend.silences().is_some());
    backend.apply(write("c", "{\"a\":1}")).await.unwrap();
    let seen = backend.observe(&[cell("c")]).await.unwrap();
    assert_eq!(seen[0].value.as_deref(), Some("{\"a\":1}"));
    let PluginState::Running { pid, .. } = kit.state("b") else { panic!("{:?}", kit.state("b")) };
    assert!(std::path::Path::new(&format!("/proc/{pid}")).exists());
    assert_eq!(kit.host.status()[0].description.as_ref().unwrap().name, "file-silences");

    kit.host.shutdown().await;
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    assert_eq!(kit.state("b"), PluginState::Ended);
    assert!(matches!(backend.observe(&[cell("c")]).await, Err(Fault::Unreachable(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_knows_its_own_and_nothing_else() {
    let kit = Kit::new();
    let secrets = [("token", "canary-mine"), ("other", "canary-not-mine")];
    let secrets = secrets.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let configuration =
        Configuration { secrets: BTreeMap::from(secrets), ..configuration("b", &kit.config("b")) };
    let backend = kit.host.adapter("faulty", configuration).unwrap();
    let findings = backend.check().await.unwrap();
    let shown = |subject: &str| findings.iter().find(|f| f.subject == subject).unwrap().message.clone();
    let names: Vec<_> =
        shown("environment").lines().map(|line| line.split('=').next().unwrap().to_owned()).collect();
    let mut names: Vec<_> = names.iter().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "HOME",
            "LANG",
            "PATH",
            "PLUGIN_PROTOCOL_VERSIONS",
            "PLUGIN_UNIX_SOCKET_DIR",
            "REIN_PLUGIN",
            "REIN_PLUGIN_IMAGE",
            "REIN_PLUGIN_PARENT",
            "TMPDIR"
        ]
    );
    assert!(!shown("environment").contains("canary"));
    assert_eq!(shown("secrets"), "token=canary-mine");
    kit.host.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_fell_is_started_again_and_meanwhile_answers_at_once() {
    let kit = Kit::new();
    let backend = kit.backend("b", "faulty");
    backend.apply(write("c", "{}")).await.unwrap();
    let fault = backend.apply(write("abort", "{}")).await.unwrap_err();
    assert!(matches!(fault, Fault::Unknown(_)), "{fault:?}");
    let PluginState::BackingOff { why, .. } = kit.until("b", "backing off").await else { panic!() };
    assert!(why.contains("signal: 6"), "{why}");
    let began = std::time::Instant::now();
    match backend.observe(&[cell("c")]).await {
        Err(Fault::Unreachable(said)) => {
            assert!(said.contains("signal: 6") && said.contains("next try in"), "{said}");
            assert!(began.elapsed() < Duration::from_millis(100), "{:?}", began.elapsed());
        }
        // It was quick to come back.
        Ok(_) => {}
        Err(other) => panic!("{other:?}"),
    }
    kit.until("b", "running").await;
    assert_eq!(backend.observe(&[cell("c")]).await.unwrap()[0].value.as_deref(), Some("{}"));
    assert_eq!(kit.host.status()[0].restarts, 1);
    kit.host.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundled_plugin_that_takes_memory_without_end_is_its_own_end() {
    Kit::new().falls_over("faulty", "memory").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_configuration_makes_another_process() {
    let kit = Kit::new();
    let first = kit.backend("b", "file");
    first.describe().await.unwrap();
    let PluginState::Running { pid, .. } = kit.state("b") else { panic!() };
    let same = kit.backend("b", "file");
    assert_eq!(same.describe().await.unwrap(), first.describe().await.unwrap());
    let other = kit.host.adapter("file", configuration("b", &kit.config("other"))).unwrap();
    other.observe(&[cell("c")]).await.unwrap();
    let PluginState::Running { pid: other, .. } = kit.state("b") else { panic!() };
    assert_ne!(pid, other);
    gone_pid(pid).await;
    assert!(matches!(first.observe(&[cell("c")]).await, Err(Fault::Unreachable(_))));
    kit.host.forget("b");
    gone_pid(other).await;
    assert!(kit.host.status().is_empty());
}

async fn gone_pid(pid: u32) {
    let until = std::time::Instant::now() + PATIENCE;
    while std::path::Path::new(&format!("/proc/{pid}")).exists() {
        assert!(std::time::Instant::now() < until, "{pid} is still there");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_does_not_end_is_killed() {
    let kit = Kit::with(|options| options.programs = [("pinned".to_owned(), pinned("stuck"))].into());
    for plugin in ["stuck", "pinned"] {
        let backend = kit.backend(plugin, plugin);
        backend.describe().await.unwrap();
        if plugin == "pinned" {
            // A grandchild in a session of its own; bundled plugins start none.
            backend.observe(&[cell("escape")]).await.unwrap();
        }
    }
    let began = std::time::Instant::now();
    kit.host.shutdown().await;
    println!("two plugins that do not end were gone after {:?}", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    gone(&format!("{}/x/p", kit.base.path().display())).await;
}

/// Each plugin of the suite is a backend of one host: started by it, configured by it.
struct Hosted {
    kit: Arc<Kit>,
    plugin: &'static str,
    sample: Sample,
    next: AtomicU64,
}

impl Hosted {
    fn new(plugin: &'static str, program: Program) -> Self {
        let mut sample: Sample =
            serde_json::from_str(include_str!("../../../../crates/plugin/templates/rust/conformance.json"))
                .unwrap();
        // Before it is configured there is no such thing as a backend.
        sample.secrets.clear();
        let kit = Kit::with(|options| {
            options.programs = [("pinned".to_owned(), program)].into();
            options.deadline = Duration::from_secs(10);
        });
        Self { kit: Arc::new(kit), plugin, sample, next: AtomicU64::new(0) }
    }
}

/// A backend that is made when it is configured, as the host wants it.
struct Late {
    kit: Arc<Kit>,
    plugin: &'static str,
    name: String,
    backend: OnceLock<Backend>,
}

impl Late {
    fn backend(&self) -> Result<&Backend, Fault> {
        self.backend.get().ok_or_else(|| Fault::NotDone("no backend was configured yet".into()))
    }
}

impl Drop for Late {
    fn drop(&mut self) {
        self.kit.host.forget(&self.name);
    }
}

#[async_trait]
impl Adapter for Late {
    async fn describe(&self) -> Result<Description, Fault> {
        match self.backend.get() {
            Some(backend) => backend.describe().await,
            None => {
                let config = self.kit.config("describing");
                let backend = self.kit.host.adapter(self.plugin, configuration(&self.name, &config))?;
                backend.describe().await
            }
        }
    }

    async fn configure(&self, configuration: Configuration) -> Result<Vec<FieldError>, Fault> {
        let configuration = Configuration { backend: self.name.clone(), ..configuration };
        let errors = self.kit.host.try_out(self.plugin, configuration.clone()).await?;
        if errors.is_empty() {
            let backend = self.kit.host.adapter(self.plugin, configuration)?;
            backend.describe().await?;
            let _ = self.backend.set(backend);
        }
        Ok(errors)
    }

    async fn check(&self) -> Result<Vec<Finding>, Fault> {
        self.backend()?.check().await
    }

    async fn resolve(&self, targets: &[TargetName]) -> Result<Vec<CellKey>, Fault> {
        self.backend()?.resolve(targets).await
    }

    async fn observe(&self, cells: &[CellKey]) -> Result<Vec<Seen>, Fault> {
        self.backend()?.observe(cells).await
    }

    async fn apply(&self, write: Write) -> Result<(), Fault> {
        self.backend()?.apply(write).await
    }

    fn silences(&self) -> Option<&dyn Silences> {
        self.backend.get()?.silences()
    }
}

#[async_trait]
impl Rig for Hosted {
    async fn plugin(&self) -> Result<Arc<dyn Adapter>, String> {
        let name = format!("b{}", self.next.fetch_add(1, Ordering::Relaxed));
        Ok(Arc::new(Late { kit: Arc::clone(&self.kit), plugin: self.plugin, name, backend: OnceLock::new() }))
    }

    async fn backend(&self) -> Result<Subject, String> {
        self.sample.subject()
    }
}

async fn conforms(plugin: &'static str, program: Program) {
    let rig = Hosted::new(plugin, program);
    let outcomes = rein_plugin::conformance::run(&rig).await;
    let broken: Vec<_> = outcomes.iter().filter(|outcome| outcome.verdict.is_err()).collect();
    assert!(broken.is_empty(), "{broken:#?}");
    rig.kit.host.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundled_plugin_keeps_its_promises_behind_the_host() {
    conforms("file", pinned("file")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pinned_plugin_keeps_its_promises_behind_guard_and_host() {
    conforms("pinned", pinned("file")).await;
}

/// The Python that `tests/run` makes, with grpcio-tools; else it is said that this is not tested.
fn python() -> Option<PathBuf> {
    let python = rig().ancestors().nth(3)?.join("clients/venv/bin/python");
    let asked = Command::new(&python).args(["-c", "import grpc_tools"]).output();
    if asked.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    assert!(
        std::env::var_os("REIN_REQUIRE_CLIENTS").is_none(),
        "grpcio-tools is not there; tests/run installs it"
    );
    println!("SKIPPED: there is no Python with grpcio-tools");
    None
}

#[tokio::test(flavor = "multi_thread")]
async fn a_python_plugin_keeps_its_promises_behind_guard_and_host() {
    let Some(python) = python() else { return };
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python-plugin");
    let _ = std::fs::remove_dir_all(&directory);
    rein_plugin::skeleton::write(Lang::Python, &directory).unwrap();
    let built = Command::new(directory.join("build")).arg(python).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let path = directory.join("file-silences.pyz");
    conforms("pinned", Program { sha256: sha256(&path), path, args: vec![] }).await;
}
