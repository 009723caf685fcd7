//! The skeletons, written, built and run as an author does it: each keeps what every plugin promises.
//!
//! What a machine lacks for one is said, and not tested; with REIN_REQUIRE_CLIENTS it has to be there.
#![allow(clippy::print_stderr, reason = "what is not tested is said")]

use rein_plugin::conformance::{Program, run};
use rein_plugin::skeleton::{Lang, write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A fresh skeleton below the build directory.
fn fresh(name: &str, lang: Lang) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("skeleton-{name}"));
    let _ = std::fs::remove_dir_all(&directory);
    write(lang, &directory).unwrap();
    directory
}

/// The Python that `tests/run` makes, with grpcio-tools.
fn python() -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let python = target.join("clients/venv/bin/python");
    let ready =
        Command::new(&python).args(["-c", "import grpc_tools"]).output().is_ok_and(|o| o.status.success());
    ready.then_some(python)
}

fn skipped(what: &str) {
    assert!(std::env::var_os("REIN_REQUIRE_CLIENTS").is_none(), "{what}; tests/run installs it");
    eprintln!("SKIPPED: {what}");
}

fn built(mut command: Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

async fn conforms(directory: &Path, program: &str) {
    let sample = std::fs::read_to_string(directory.join("conformance.json")).unwrap();
    let sample = serde_json::from_str(&sample).unwrap();
    let outcomes = run(&Program { path: directory.join(program), args: Vec::new(), sample }).await;
    let broken: Vec<_> = outcomes.iter().filter(|outcome| outcome.verdict.is_err()).collect();
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(outcomes.len() > 20);
    let by_hand = Command::new(directory.join(program)).output().unwrap();
    assert_eq!(by_hand.status.code(), Some(2), "{by_hand:?}");
    assert!(by_hand.stdout.is_empty() && String::from_utf8_lossy(&by_hand.stderr).contains("plugin of Rein"));
}

#[tokio::test]
async fn python_keeps_every_promise() {
    let Some(python) = python() else { return skipped("there is no Python with grpcio-tools") };
    let directory = fresh("python", Lang::Python);
    let mut build = Command::new(directory.join("build"));
    build.arg(python);
    built(build);
    conforms(&directory, "file-silences.pyz").await;
}

#[tokio::test]
async fn go_keeps_every_promise() {
    let Some(python) = python() else { return skipped("there is no protobuf compiler (grpcio-tools)") };
    if Command::new("go").arg("version").output().is_err() {
        return skipped("go is not installed");
    }
    let directory = fresh("go", Lang::Go);
    let mut build = Command::new(directory.join("build"));
    build.env("PROTOC", format!("{} -m grpc_tools.protoc", python.display()));
    built(build);
    conforms(&directory, "file-silences").await;
}
