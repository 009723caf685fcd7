//! Backups as people take and restore them, and what a held server does meanwhile.

use crate::kit::desk::{Desk, piped};
use crate::kit::http::{get, post};
use crate::kit::room::Room;
use crate::kit::server::{Server, Setup, Watched, declared, rein};
use crate::kit::wait::{secs, until, until_true};
use serde_json::Value;
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// How a command without a server ended, and what it said.
fn types(home: &Path, words: &[&str]) -> (i32, String) {
    let mut command = rein();
    let mut child = Watched(piped(command.args(words).env("HOME", home)));
    let status = until(&format!("rein {}", words.join(" ")), secs(30), || child.0.try_wait().unwrap());
    let mut said = String::new();
    child.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    (status.code().unwrap_or(-1), said)
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// Restores into a new directory and starts a server there, with the key of another.
fn restored(test: &str, file: &Path, from: &Server) -> (Server, Desk) {
    let data = from.room.path().join("again");
    let (exit, said) =
        types(from.room.path(), &["server", "restore", &text(file), "--data-dir", &text(&data)]);
    assert_eq!(exit, 0, "{said}");
    assert!(said.contains("rein server accept"), "{said}");
    fs::copy(from.data().join("audit.key"), data.join("audit.key")).unwrap();
    let server = Server::start_with(test, Setup { data: Some(data), held: true, ..Setup::default() });
    let desk = Desk::new(&server, "admin", from.data().join("admin.token"));
    (server, desk)
}

fn value(server: &Server, token: &str) -> (u16, Option<bool>) {
    let path = "/ofrep/v1/evaluate/flags/order.recommendations";
    let ask = post(server.http, path, r#"{"context":{"targetingKey":"u"}}"#);
    let reply = ask.bearer(token).send().unwrap();
    let read = serde_json::from_slice::<Value>(&reply.body).ok();
    (reply.status, read.and_then(|v| v["value"].as_bool()))
}

#[test]
fn what_was_restored_comes_back_when_somebody_accepts_it() {
    let (server, desk) = declared("backup-restore");
    let stays = desk.lays("off order/recommendations --for 2h --incident INC-42");
    let ended = desk.lays("off order/coupons --for 2h");
    let (stays, ended) = (stays["id"].as_str().unwrap().to_owned(), ended["id"].as_str().unwrap().to_owned());
    let file = server.room.path().join("today.backup");
    let said = desk.types(&format!("rein server backup {}", text(&file))).exit(0);
    assert!(said.out.is_empty() && said.err.contains("audit entries"), "{}{}", said.out, said.err);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!server.room.path().join("today.backup.new").exists());
    // It was ended afterwards; nobody may find it in force again unasked.
    desk.types(&format!("rein change end {ended} --yes --no-wait")).done();

    let (other, held) = restored("backup-restored", &file, &server);
    let token = server.token();
    assert_eq!(get(other.http, "/readyz").send().unwrap().status, 503);
    assert_eq!(value(&other, &token), (503, None), "doors tell nobody what is not accepted");
    drop(held.types("rein status").exit(0).prints("SERVER TROUBLE").prints("rein server accept"));
    drop(held.types("rein server status").exit(4).prints("restored from a backup"));
    drop(
        held.types("rein switch off order/recommendations --for 5m --yes --no-wait")
            .exit(4)
            .says("rein server accept"),
    );
    let shown = held.types("rein server accept --dry-run").done();
    assert!(shown.contains(&stays) && shown.contains(&ended) && shown.contains("order/coupons"), "{shown}");
    drop(held.types("rein server accept").exit(2).says("--yes"));
    let bob = held.colleague("bob", "operator", "*");
    drop(bob.types("rein server accept --yes").exit(6));
    drop(bob.types("rein server backup stolen").exit(6));
    assert!(!bob.home().join("stolen").exists() && !bob.home().join("stolen.new").exists());
    drop(
        held.types(&format!("rein server accept --end {ended} --reason tidied --yes")).exit(0).prints(&stays),
    );
    until_true("it is ready", secs(10), || get(other.http, "/readyz").send().is_ok_and(|r| r.status == 200));
    until_true("doors serve", secs(10), || value(&other, &token) == (200, Some(false)));
    assert_eq!(held.types("rein change list --active -o name").done().trim(), stays);
    drop(held.types("rein server accept --yes").exit(0).says("nothing to accept"));
    drop(
        held.types("rein audit list")
            .exit(0)
            .prints("server:accept")
            .prints("server:restore")
            .prints("server:backup"),
    );
    drop(held.types("rein audit verify").exit(0));
}

#[test]
fn a_store_that_nobody_holds_is_backed_up_from_its_directory() {
    let (mut server, desk) = declared("backup-offline");
    desk.lays("off order/recommendations --for 2h");
    let room = server.room.path().to_owned();
    let file = room.join("off.backup");
    let offline = ["server", "backup", &text(&file), "--data-dir", &text(&server.data())].map(str::to_owned);
    let offline: Vec<&str> = offline.iter().map(String::as_str).collect();
    let (exit, said) = types(&room, &offline);
    assert_eq!(exit, 1, "a running server holds it: {said}");
    assert!(!file.exists());
    server.stop();
    let (exit, said) = types(&room, &offline);
    assert_eq!(exit, 0, "{said}");
    let (exit, said) = types(&room, &["server", "backup", "x", "--data-dir", &text(&room.join("nowhere"))]);
    assert_eq!(exit, 1, "{said}");
    assert!(!room.join("nowhere").exists() && said.contains("no store"), "{said}");
    let (_other, held) = restored("backup-offline-restored", &file, &server);
    assert!(held.types("rein server accept --dry-run").done().contains("order/recommendations"));
}

#[test]
fn a_file_that_is_no_good_changes_nothing() {
    let (server, desk) = declared("backup-damaged");
    let room: PathBuf = server.room.path().to_owned();
    drop(desk.types(&format!("rein server backup {}", text(&room.join("good")))).exit(0));
    let good = fs::read(room.join("good")).unwrap();
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 4;
    let later = String::from_utf8(good.clone()).unwrap().replacen("\"format\":1", "\"format\":9", 1);
    for (name, bytes, says) in [
        ("cut", &good[..good.len() / 2], "line "),
        ("flipped", &flipped, "altered"),
        ("later", later.as_bytes(), "line 1"),
        ("empty", b"", "line 1"),
        ("else", b"{\"kind\":\"switch\"}\n", "line 1 is not a line of a backup"),
    ] {
        let file = server.room.write(name, bytes);
        let data = room.join(format!("into-{name}"));
        let (exit, said) = types(&room, &["server", "restore", &text(&file), "--data-dir", &text(&data)]);
        assert_eq!(exit, 1, "{name}: {said}");
        assert!(said.contains(says) && said.contains("nothing was changed"), "{name}: {said}");
        assert!(!data.exists(), "{name} left a trace");
    }
    let before = fs::read(server.data().join("rein.db")).unwrap();
    let (exit, said) =
        types(&room, &["server", "restore", &text(&room.join("good")), "--data-dir", &text(&server.data())]);
    assert_eq!(exit, 3, "{said}");
    assert!(said.contains("not empty"), "{said}");
    assert_eq!(fs::read(server.data().join("rein.db")).unwrap(), before);
    drop(desk.types("rein status").exit(0));
}

/// No token, no key, no backend's secret, no word that was planted.
#[test]
fn a_backup_holds_no_secret() {
    let room = Room::new("backup-canary-files");
    let secret = room.write("secret", "canary-of-a-backend-4711");
    let env = vec![(
        "REIN__BACKENDS".to_owned(),
        format!("{{ alerts = {{ secret_files = {{ password = \"{}\" }} }} }}", secret.display()),
    )];
    let server = Server::start_with("backup-canary", Setup { env, ..Setup::default() });
    let desk = server.desk();
    desk.declare();
    let alice = desk.token("alice", "operator", "*");
    let file = server.room.path().join("all");
    drop(desk.types(&format!("rein server backup {}", text(&file))).exit(0));
    let bytes = fs::read(&file).unwrap();
    let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    assert!(holds(b"alice"), "it holds what it should");
    for canary in [server.token().trim(), alice.as_str(), "canary-of-a-backend-4711"] {
        assert!(!holds(canary.as_bytes()), "{canary}");
    }
    let key = fs::read(server.data().join("audit.key")).unwrap();
    assert!(!key[16..48].windows(12).any(holds), "bytes of the signing key");
    let piped = desk.types("rein server backup -").exit(0);
    assert!(piped.out.lines().last().unwrap().starts_with("{\"sha256\""), "{}", piped.out);
}
