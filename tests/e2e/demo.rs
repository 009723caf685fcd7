//! The first line a stranger types: `rein demo`, here unattended.

use crate::kit::desk::piped;
use crate::kit::room::Room;
use crate::kit::server::{Watched, rein, signal};
use crate::kit::wait::{secs, until, until_true};
use rein_parts::{Alertmanager, Prometheus};
use rustix::process::Signal;
use serde_json::Value;
use std::io::Read;
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::thread;

const SCRIPT: &str = "\
note Order is slow: every order page waits for recommendations.
at 2s rein switch off order/recommendations --for 30m --incident INC-42 --reason 'order is slow' --yes
at 2s expect recommendations-calls = 0 within 5s
at 2s rein status
at 2s exits 2 rein switch off order/recommendations --percent 101 --yes
at 7s rein undo --yes
at 7s expect recommendations-calls > 0 within 5s
at 7s rein audit verify
";

/// Runs the demo with a script: its exit code, and all it printed, errors last.
fn plays(test: &str, lasts: &str, script: &str) -> (i32, String) {
    let room = Room::new(test);
    let script = room.write("script.txt", script);
    let mut command = rein();
    command.args(["demo", "--for", lasts, "--script"]).arg(script);
    command.env("HOME", room.path()).env("TMPDIR", room.path()).env("USER", "alice");
    let mut child = piped(&mut command);
    let mut out = child.stdout.take().unwrap();
    let printed = thread::spawn(move || {
        let mut text = String::new();
        out.read_to_string(&mut text).map(|_| text)
    });
    let mut errors = child.stderr.take().unwrap();
    let mut child = Watched(child);
    let status = until("the demo to end", secs(60), || child.0.try_wait().unwrap());
    let mut text = printed.join().unwrap().unwrap();
    errors.read_to_string(&mut text).unwrap();
    (status.code().unwrap_or(-1), text)
}

#[test]
fn a_script_plays_and_all_it_expects_is_seen() {
    let (exit, printed) = plays("demo-script", "12s", SCRIPT);
    assert_eq!(exit, 0, "{printed}");
    for text in ["alice", "order/recommendations", "INC-42", "nothing was altered, cut or reordered"] {
        assert!(printed.contains(text), "it does not show {text:?}:\n{printed}");
    }
}

#[test]
fn several_begin_in_one_moment() {
    let begins = |n| thread::spawn(move || plays(&format!("demo-{n}"), "2s", "at 1s rein switch list\n"));
    let all: Vec<_> = (0..4).map(begins).collect();
    for demo in all {
        let (exit, printed) = demo.join().unwrap();
        assert_eq!(exit, 0, "{printed}");
    }
}

/// Recommendations is slow, and with it whoever waits for it: one matter, two symptoms under it.
#[test]
fn beside_a_prometheus_and_an_alertmanager_it_has_figures_and_alerts() {
    if !Prometheus::is_installed() || !Alertmanager::is_installed() {
        return;
    }
    let room = Room::new("demo-beside");
    let types = |line: &str| -> Command {
        let mut command = rein();
        command.args(line.split(' ')).env("HOME", room.path()).env("TMPDIR", room.path());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
    };
    let mut demo = types("demo --with prometheus,alertmanager");
    let mut demo = Watched(demo.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap());
    let said = |line: &str| {
        let output = types(line).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    until_true("the call graph has figures", secs(60), || {
        let (good, graph) = said("service graph");
        good && graph.contains("recommendations") && !graph.contains("no data")
    });
    let line = until("the alert fires", secs(60), || {
        let view: Value = serde_json::from_str(&said("alert list -o json").1).ok()?;
        view["lines"].as_array()?.iter().find(|one| one["service"] == "recommendations").cloned()
    });
    assert_eq!(line["name"], "SlowPages", "{line}");
    let (_, shown) = said("backend list -o json");
    let backends: Value = serde_json::from_str(&shown).unwrap();
    let peers: Vec<String> = backends["backends"]
        .as_array()
        .unwrap_or_else(|| panic!("{shown}"))
        .iter()
        .filter_map(|one| one["definition"]["config"]["peers"][0].as_str())
        .map(|url| url.trim_start_matches("http://").to_owned())
        .collect();
    assert_eq!(peers.len(), 2, "{shown}");
    signal(&demo.0, Signal::INT);
    let status = until("the demo to end", secs(20), || demo.0.try_wait().unwrap());
    assert!(status.success(), "{status}");
    assert!(peers.iter().all(|peer| TcpStream::connect(peer).is_err()), "they outlive the demo");
    let left = std::fs::read_dir(room.path()).unwrap().flatten();
    let left: Vec<_> = left
        .map(|entry| entry.file_name())
        .filter(|n| n.to_string_lossy().starts_with("rein-demo"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_companion_that_is_not_installed_is_named() {
    let room = Room::new("demo-alone");
    let mut demo = rein();
    demo.args(["demo", "--with", "prometheus", "--for", "1s"])
        .env("HOME", room.path())
        .env("PATH", room.path());
    let output = demo.env("TMPDIR", room.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("no prometheus in PATH") && said.contains("apt-get install prometheus"), "{said}");
}

#[test]
fn a_script_that_expects_what_does_not_happen_fails() {
    let (exit, printed) = plays("demo-fails", "3s", "at 1s expect recommendations-calls = 0 within 1s\n");
    assert_eq!(exit, 1, "{printed}");
}
