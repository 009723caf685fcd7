//! The first line a stranger types: `rein demo`, here unattended.

use crate::kit::desk::piped;
use crate::kit::room::Room;
use crate::kit::server::{Watched, rein};
use crate::kit::wait::{secs, until};
use std::io::Read;
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

#[test]
fn a_script_that_expects_what_does_not_happen_fails() {
    let (exit, printed) = plays("demo-fails", "3s", "at 1s expect recommendations-calls = 0 within 1s\n");
    assert_eq!(exit, 1, "{printed}");
}
