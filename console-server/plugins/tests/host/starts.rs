//! Plugins that do not come up, and configurations that do not go in.

use crate::kit::{Kit, cell, configuration, options, pinned, rig};
use rein_plugin::{Adapter, Fault};
use rein_plugins::{Host, PluginState};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn each_way_not_to_start_is_told_and_ends_in_time() {
    let kit = Kit::new();
    for (plugin, words) in [
        ("garbage", "it printed \"Listening on port 80\" on standard output instead of"),
        ("chatty", "it printed 4096 bytes without a line's end"),
        ("silent", "it did not say within 5s where its socket is"),
        ("version", "it speaks version 2 of the plugin contract"),
        ("elsewhere", "not in the directory it was given"),
        ("nobody", "its socket"),
        ("early", "exit status: 3; its last words: cannot read my license\\u{1b}[31m"),
    ] {
        let backend = kit.backend(plugin, plugin);
        let began = Instant::now();
        let first = backend.observe(&[cell("c")]).await.unwrap_err();
        assert!(began.elapsed() < Duration::from_millis(2_500), "{plugin}: {:?}", began.elapsed());
        assert!(matches!(first, Fault::Unreachable(_)), "{plugin}: {first:?}");
        kit.until(plugin, "backing off").await;
        let began = Instant::now();
        let fault = backend.observe(&[cell("c")]).await;
        if let Err(Fault::Unreachable(said)) = &fault
            && said.contains("next try in")
        {
            assert!(said.contains(words), "{plugin}: {said}");
            assert!(began.elapsed() < Duration::from_millis(200), "{plugin}: {:?}", began.elapsed());
        } else if let PluginState::BackingOff { why, .. } = kit.until(plugin, "backing off").await {
            assert!(why.contains(words), "{plugin}: {why}");
        }
    }
    kit.host.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_configuration_is_told_by_field_and_not_tried_again() {
    let kit = Kit::new();
    for (name, config, words) in [
        ("missing", "{}".to_owned(), "at its root:"),
        ("typed", "{\"file\":7}".into(), "at /file:"),
        ("relative", "{\"file\":\"x.json\"}".into(), "at /file: the path is not absolute"),
        (
            "metadata",
            "{\"file\":\"http://169.254.169.254/latest\"}".into(),
            "at /file: `169.254.169.254` must not",
        ),
    ] {
        let asked = kit.host.try_out("file", configuration(name, &config)).await.unwrap();
        assert!(!asked.is_empty(), "{name}");
        let backend = kit.host.adapter("file", configuration(name, &config)).unwrap();
        let Err(Fault::Invalid(said)) = backend.describe().await else { panic!("{name}") };
        assert!(said.contains(words), "{name}: {said}");
        assert!(matches!(kit.state(name), PluginState::Refused { .. }));
    }
    assert_eq!(kit.host.try_out("file", configuration("b", &kit.config("b"))).await.unwrap(), []);
    let unknown = kit.host.adapter("nonesuch", configuration("b", "{}")).unwrap_err();
    assert!(unknown.to_string().contains("no plugin is called `nonesuch`"), "{unknown}");
    kit.host.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_not_the_pinned_one_is_not_started() {
    let kit = Kit::with(|options| {
        let mut program = pinned("file");
        program.sha256 = "0".repeat(64);
        options.programs = [("altered".to_owned(), program)].into();
    });
    let backend = kit.backend("b", "altered");
    let said = backend.describe().await.unwrap_err().to_string();
    assert!(said.contains("the SHA-256 of") && said.contains("pins"), "{said}");
    assert!(matches!(kit.state("b"), PluginState::Refused { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_on_disk_never_mixes_versions() {
    let base = tempfile::tempdir().unwrap();
    let mut options = options(base.path());
    options.itself = base.path().join("rein");
    std::fs::copy(rig(), &options.itself).unwrap();
    let host = Host::new(options.clone()).unwrap();
    let configure =
        |name: &str| configuration(name, &format!("{{\"file\":\"{}/f.json\"}}", base.path().display()));
    host.adapter("file", configure("before")).unwrap().describe().await.unwrap();
    // As a package manager does it.
    let new = base.path().join("rein.new");
    std::fs::copy(rig(), &new).unwrap();
    std::fs::rename(&new, &options.itself).unwrap();
    let after = host.adapter("file", configure("after")).unwrap();
    let _ = after.describe().await.unwrap_err();
    let why = format!("{:?}", host.status());
    assert!(why.contains("restart the server so that both are one"), "{why}");
    host.shutdown().await;
}

/// A real server runs the image it is, whatever lies on disk: `/proc/self/exe`.
#[test]
fn a_server_starts_the_image_it_runs() {
    assert_eq!(rein_plugins::Options::new("/x").itself, std::path::Path::new("/proc/self/exe"));
}
