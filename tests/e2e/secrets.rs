//! What must not be seen is not seen, and what is hostile is seen for what it is.

use crate::kit::http::get;
use crate::kit::server::{Server, declared};
use crate::kit::service::Service;
use std::fs;
use std::path::Path;

/// None of these words stands in any file of the server's room, its log and database included.
/// Desks, where people keep their own tokens, are left out, and so is the first admin's file.
#[track_caller]
pub(crate) fn nowhere(server: &Server, words: &[&str]) {
    let mut seen = 0;
    search(server.room.path(), words, &mut seen);
    assert!(seen >= 2, "there is at least a database and a log to look at");
}

fn search(dir: &Path, words: &[&str], seen: &mut u32) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "desks" {
                search(&path, words, seen);
            }
        } else if name != "admin.token" {
            *seen += 1;
            let bytes = fs::read(&path).unwrap();
            for word in words {
                let found = bytes.windows(word.len()).any(|window| window == word.as_bytes());
                assert!(!found, "{word} stands in {}", path.display());
            }
        }
    }
}

#[test]
fn a_tokens_secret_is_shown_once_and_never_again() {
    let (mut server, desk) = declared("secrets-tokens");
    let admin = server.token();
    let made =
        desk.types("rein token create --actor bob --role operator --pattern 'order/*' --for 1h").exit(0);
    let secret = made.out.trim().to_owned();
    assert!(
        secret.starts_with("rein_") && secret.lines().count() == 1,
        "{secret:?}: data is the secret alone"
    );
    assert!(!made.err.contains(&secret), "{}", made.err);
    let file = server.room.write("desks/bob.token", &secret);
    let bob = desk.with("REIN_TOKEN_FILE", &file.display().to_string());
    let _service = Service::start(&server, "order-1");
    let mut outputs = Vec::new();
    for line in [
        "rein switch off order/recommendations --for 10m --yes -v",
        "rein undo --yes -v",
        "rein auth whoami",
        "rein auth whoami -o json",
        "rein status -o json",
    ] {
        outputs.push(bob.types(line).exit(0));
    }
    for line in [
        "rein token list",
        "rein token list -o json",
        "rein audit list -o json",
        "rein audit heads -o json",
        "rein audit verify",
        "rein change list -o json",
        "rein status -o yaml",
        "rein export",
        "rein context list",
    ] {
        outputs.push(desk.types(line).exit(0));
    }
    // Also where a token is wrong, too old, or in the wrong place.
    outputs.push(bob.types("rein token list").exit(6));
    outputs.push(bob.with("REIN_SERVER", "http://127.0.0.1:1").types("rein status -v").exit(4));
    for said in &outputs {
        let whole = said.whole();
        for word in [&secret, &admin] {
            assert!(!whole.contains(word.as_str()), "{whole}");
        }
    }
    let metrics = get(server.http, "/metrics").bearer(&admin).reply().text();
    let _ = get(server.http, &format!("/v1/switches?token={secret}")).reply();
    let _ = get(server.http, "/v1/status").header("authorization", format!("Basic {secret}")).reply();
    assert!(!metrics.contains(&secret) && !metrics.contains(&admin));
    server.stop();
    nowhere(&server, &[&secret, &admin]);
}

#[test]
fn files_with_secrets_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (server, _) = declared("secrets-modes");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&server.data()), 0o700);
    for name in ["admin.token", "audit.key"] {
        assert_eq!(mode(&server.data().join(name)), 0o600, "{name}");
    }
}

/// Escape codes that colour, move, retitle; marks that turn text around; a forged second line.
const HOSTILE: &str =
    "db\u{1b}[31m slow\u{1b}]0;title\u{7} \u{202e}txet\u{202c} \u{9b}2J\r\nrevoked: all\u{200b}";

#[test]
fn a_hostile_reason_is_spelled_out_wherever_it_is_shown() {
    let (_server, desk) = declared("secrets-hostile");
    let off = ["switch", "off", "order/recommendations", "--for", "10m", "--incident", "INC-42"];
    let laid = desk.runs(&[&off[..], &["--reason", HOSTILE, "--yes", "--no-wait"]].concat()).exit(0);
    let id = desk.types("rein change list -o name").done().trim().to_owned();
    let mut outputs = vec![laid];
    for line in [
        "rein status",
        "rein status -o wide",
        "rein switch list -o wide",
        "rein switch show order/recommendations",
        "rein switch on order/recommendations --dry-run",
        "rein change list",
        "rein change list -o wide",
        &format!("rein change show {id}"),
        "rein incident show INC-42",
        "rein audit list",
        "rein audit list -o wide",
        "rein undo --dry-run",
    ] {
        outputs.push(desk.types(line));
    }
    let harmless = |c: char| c == '\n' || !is_hidden(c);
    for said in &outputs {
        let shown = format!("{}{}", said.out, said.err);
        assert!(shown.chars().all(harmless), "{}", shown.escape_debug());
        assert!(!shown.lines().any(|line| line.starts_with("revoked")), "{shown}");
    }
    assert!(outputs.iter().any(|said| said.out.contains("\\u{1b}[31m slow")), "it is seen for what it is");
    // For programs it is what it was, in whatever way their format spells it.
    let change = desk.types(&format!("rein change show {id} -o json")).exit(0);
    assert!(change.out.chars().all(harmless), "{}", change.out.escape_debug());
    assert_eq!(change.json()["reason"], HOSTILE);
}

/// Control characters, marks of direction, characters without width.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
