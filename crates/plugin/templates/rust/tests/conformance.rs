//! The promises of every plugin, kept by this one.

use rein_plugin::conformance::{Program, run};

#[tokio::test]
async fn it_keeps_what_every_plugin_promises() {
    let sample = serde_json::from_str(include_str!("../conformance.json")).expect("conformance.json");
    let path = env!("CARGO_BIN_EXE_rein-file-silences").into();
    let outcomes = run(&Program { path, args: Vec::new(), sample }).await;
    let broken: Vec<_> = outcomes.iter().filter(|outcome| outcome.verdict.is_err()).collect();
    assert!(broken.is_empty(), "{broken:#?}");
}
