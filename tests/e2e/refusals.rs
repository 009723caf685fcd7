//! Bad input: a clear error, the right exit code, and nothing changed.

use crate::flows::fresh_key;
use crate::kit::desk::Desk;
use crate::kit::http::{Request, post, request};
use crate::kit::server::{Server, Setup, declared};
use crate::kit::service::Service;
use crate::kit::wait::{secs, until, until_true};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

/// A line that is refused: with this exit code, these words, and without any effect.
#[track_caller]
fn refused(desk: &Desk, line: &str, exit: i32, says: &[&str]) {
    let before = desk.footprint();
    let said = desk.types(line).exit(exit);
    for text in says {
        assert!(said.err.contains(text), "{} does not say {text:?}:\n{}", line, said.err);
    }
    assert_eq!(said.out, "", "{line}: no data comes out of a failure");
    assert_eq!(desk.footprint(), before, "{line}: nothing was changed");
}

#[test]
fn what_is_typed_wrong_is_said_and_changes_nothing() {
    let (_server, desk) = declared("refuse-typed");
    let id = desk.lays("off order/coupons --for 10m")["id"].as_str().unwrap().to_owned();
    let off = |rest: &str| format!("rein switch off order/recommendations {rest} --yes --no-wait");
    for (line, exit, says) in [
        ("rein switch off order/recomendations --yes".to_owned(), 1, &["order/recommendations"][..]),
        ("rein switch show order/recomendations".to_owned(), 1, &["order/recommendations"]),
        ("rein switch off recommendations --yes".to_owned(), 2, &["SERVICE/SWITCH"]),
        ("rein switch of order/recommendations".to_owned(), 2, &["off"]),
        ("rein swich list".to_owned(), 2, &["switch"]),
        (off("--percent 101"), 2, &["1 to 100"]),
        (off("--percent 0"), 2, &["1 to 100"]),
        (off("--percent -5"), 2, &["1 to 100"]),
        (off("--for -5m"), 2, &["cannot be negative"]),
        (off("--for 0s"), 2, &["duration of nothing"]),
        (off("--for 30"), 2, &["has no unit"]),
        (off("--for 30d"), 6, &["7"]),
        (off("--zone shh"), 2, &["shh"]),
        (off("--zone 'a b'"), 2, &["zone"]),
        (off("--incident 'a b'"), 2, &["incident"]),
        (off(&format!("--reason '{}'", "x".repeat(2000))), 2, &["1000"]),
        (off("--idempotency-key 1"), 2, &["UUIDv7"]),
        ("rein switch off payment/card payment/wallet --for 10m --yes".to_owned(), 6, &["payment/card"]),
        ("rein change show zzzzzzzzzz".to_owned(), 1, &["zzzzzzzzzz"]),
        ("rein change show iiii".to_owned(), 2, &["change id"]),
        (format!("rein change extend {id} --for 30d"), 6, &["7"]),
        (format!("rein change extend {id} --for=-1h"), 2, &["cannot be negative"]),
        ("rein incident close INC-0 --yes".to_owned(), 1, &["INC-0"]),
        ("rein token create --actor bob --role boss --pattern '*' --for 1h".to_owned(), 2, &["boss"]),
        (
            "rein token create --actor bob --role viewer --pattern '*' --for 1s".to_owned(),
            2,
            &["1 minute to 365 days"],
        ),
        ("rein token create --actor bob --role viewer --pattern '*' --for 400d".to_owned(), 2, &["365"]),
        ("rein token revoke nobody --yes".to_owned(), 1, &["nobody"]),
        ("rein apply -f nowhere.yaml".to_owned(), 2, &["nowhere.yaml"]),
        ("rein auth can-i switch:explode".to_owned(), 2, &["switch:explode"]),
        ("rein watch --after nonsense".to_owned(), 2, &["EPOCH.REVISION"]),
    ] {
        refused(&desk, &line, exit, says);
    }
}

#[test]
fn a_wrong_declaration_is_named_by_file_and_field() {
    let (server, desk) = declared("refuse-declared");
    let good = "kind: switch\nname: sms/marketing\nowner: team-sms\nlevel: 4\nlost: news\n";
    for (name, text, says) in [
        ("level", good.replace("level: 4", "level: 9"), "level"),
        ("kind", good.replace("kind: switch", "kind: lever"), "kind"),
        ("field", format!("{good}colour: red\n"), "colour"),
        ("name", good.replace("sms/marketing", "SMS"), "SMS"),
        ("twice", format!("{good}---\n{good}"), "sms/marketing"),
        ("needs", format!("{good}needs: [sms/nothing]\n"), "sms/nothing"),
        ("self", format!("{good}needs: [sms/marketing]\n"), "cannot name itself"),
        ("yaml", "kind: [switch\n".to_owned(), "yaml"),
        ("long", good.replace("news", &"n".repeat(5000)), "lost"),
    ] {
        let file = format!("wrong-{name}.yaml");
        fs::write(desk.home().join(&file), text).unwrap();
        let before = desk.types("rein export").done();
        let said = desk.types(&format!("rein apply -f {file}"));
        assert!(said.exit != 0 && said.exit != 70, "{}", said.whole());
        assert!(said.err.contains(says), "{name}: {}", said.whole());
        assert_eq!(desk.types("rein export").done(), before, "{name}");
    }
    let file = server.room.write("desks/admin/bytes.yaml", b"kind: switch\nname: sms/\xff\xfe\n");
    let said = desk.types(&format!("rein apply -f {}", file.display())).exit(2);
    assert!(said.err.contains("bytes.yaml") && said.err.contains("UTF-8"), "{}", said.err);
}

fn lay(server: &Server, body: &Value) -> Request {
    post(server.http, "/v1/changes", body.to_string()).bearer(&server.token())
}

fn off() -> Value {
    json!({"legs": [{"switch": "order/recommendations", "setting": "off"}], "lasts_seconds": 600})
}

/// Sends what is refused with this status and code, and without any effect.
#[track_caller]
fn refuses(desk: &Desk, request: &Request, status: u16, code: &str) -> Value {
    let before = desk.footprint();
    let reply = request.reply();
    assert_eq!(reply.status, status, "{}", reply.text());
    let said = reply.json();
    assert_eq!(said["code"], code, "{said}");
    assert!(said["message"].as_str().is_some_and(|text| !text.is_empty()), "{said}");
    assert_eq!(desk.footprint(), before, "nothing was changed: {said}");
    said
}

#[test]
fn what_is_sent_wrong_is_said_and_changes_nothing() {
    let (server, desk) = declared("refuse-sent");
    let token = server.token();
    let with = |change: fn(&mut Value)| {
        let mut body = off();
        change(&mut body);
        lay(&server, &body)
    };
    for request in [
        with(|b| b["lasts_seconds"] = json!(-5)),
        with(|b| b["lasts_seconds"] = json!(0)),
        with(|b| b["lasts_seconds"] = json!(1e30)),
        with(|b| b["deadline"] = json!("2020-01-01T00:00:00Z")),
        with(|b| b["legs"][0]["scope"] = json!({"percent": 101})),
        with(|b| b["legs"][0]["scope"] = json!({"percent": 0})),
        with(|b| b["legs"][0]["setting"] = json!("maybe")),
        with(|b| b["legs"] = json!([])),
        with(|b| b["legs"] = json!(vec![b["legs"][0].clone(); 9])),
        with(|b| b["reason"] = json!("x".repeat(1001))),
        with(|b| b["incident"] = json!("../../etc")),
        with(|b| b["supersede"] = json!(["not an id"])),
        post(server.http, "/v1/changes", b"{\"legs\":\"\xff\xfe\"}").bearer(&token),
        post(server.http, "/v1/changes", "{").bearer(&token),
        post(server.http, "/v1/changes", "[".repeat(60_000)).bearer(&token),
        post(server.http, "/v1/changes", "").bearer(&token),
    ] {
        let _ = refuses(&desk, &request, 400, "invalid");
    }
    let large = post(server.http, "/v1/changes", vec![b' '; 64 * 1024 + 1]).bearer(&token);
    let _ = refuses(&desk, &large, 413, "too_large");
    let unknown = with(|b| b["legs"][0]["switch"] = json!("order/recomendations"));
    let said = refuses(&desk, &unknown, 404, "not_found");
    assert!(said.to_string().contains("order/recommendations"), "a suggestion: {said}");
    let method = request(server.http, "DELETE", "/v1/changes").bearer(&token);
    let _ = refuses(&desk, &method, 405, "method_refused");
    let path = request(server.http, "GET", "/v1/nothing").bearer(&token);
    let _ = refuses(&desk, &path, 404, "not_found");
    let rebound = request(server.http, "GET", "/v1/status").header("host", "evil.example").bearer(&token);
    let _ = refuses(&desk, &rebound, 403, "host_refused");
    let page = lay(&server, &off()).header("origin", "http://evil.example");
    let _ = refuses(&desk, &page, 403, "host_refused");
}

#[test]
fn a_key_does_one_thing_once() {
    let (server, desk) = declared("refuse-key");
    let key = fresh_key("01234567-89ab-7def-8123-456789abcdef");
    let send = |body: &Value, key: &str| lay(&server, body).header("idempotency-key", key);
    let first = send(&off(), &key).reply();
    assert_eq!(first.status, 201, "{}", first.text());
    let before = desk.footprint();
    let again = send(&off(), &key).reply();
    assert_eq!((again.status, again.header("rein-replayed")), (201, Some("true")), "{}", again.text());
    assert_eq!(again.json()["change"]["id"], first.json()["change"]["id"]);
    assert_eq!(desk.footprint(), before, "it was done once");
    let mut other = off();
    other["lasts_seconds"] = json!(601);
    let _ = refuses(&desk, &send(&other, &key), 409, "key_reused");
    for (key, why) in [
        ("nonsense", "no UUID"),
        ("01234567-89ab-4def-8123-456789abcdef", "of another version"),
        ("01234567-89ab-7def-8123-456789abcdef", "older than keys are kept"),
        ("ffffffff-ffff-7def-8123-456789abcdef", "of a far future"),
    ] {
        let reply = refuses(&desk, &send(&off(), key), 422, "key_expired");
        assert!(!reply["message"].as_str().unwrap().is_empty(), "{why}");
    }
    let said = desk.types(&format!(
        "rein switch off order/recommendations --for 5m --idempotency-key {key} --yes --no-wait"
    ));
    let _ = said.exit(3).says("key");
}

#[test]
fn a_stale_revision_never_writes() {
    let (server, desk) = declared("refuse-stale");
    let look = || desk.types("rein switch show order/recommendations -o json").json()["revision"].clone();
    let stale = look();
    let held = desk.lays("off order/recommendations --for 10m");
    let mut body = off();
    body["seen"] = json!({"order/recommendations": stale});
    let _ = refuses(&desk, &lay(&server, &body), 409, "moved");
    body["seen"] = json!({"order/recommendations": look()});
    assert_eq!(lay(&server, &body).reply().status, 201, "as it is now it may");
    let path = format!("/v1/changes/{}/end", held["id"].as_str().unwrap());
    let end = post(server.http, &path, json!({"seen": 1}).to_string()).bearer(&server.token());
    let _ = refuses(&desk, &end, 409, "moved");
}

#[test]
fn without_a_good_token_nothing_opens() {
    let (server, desk) = declared("refuse-token");
    for token in ["", "rein_", "rein_nonsense", "nonsense", &"x".repeat(4000)] {
        let request = post(server.http, "/v1/changes", off().to_string()).bearer(token);
        let _ = refuses(&desk, &request, 401, "unauthenticated");
    }
    let _ = refuses(&desk, &post(server.http, "/v1/changes", off().to_string()), 401, "unauthenticated");
    let basic = post(server.http, "/v1/changes", off().to_string())
        .header("authorization", format!("Basic {}", server.token()));
    let _ = refuses(&desk, &basic, 401, "unauthenticated");
    let file = server.room.write("desks/nobody.token", "rein_nonsense");
    let nobody = desk.with("REIN_TOKEN_FILE", &file.display().to_string());
    let _ = nobody.types("rein status").exit(1).says("token");
    let _ = desk.with("REIN_TOKEN_FILE", "").types("rein status").exit(1).says("REIN_TOKEN_FILE");
}

#[test]
fn an_expired_token_opens_nothing() {
    let (mut server, desk) = declared("refuse-expired");
    let bob = desk.colleague("bob", "operator", "*");
    bob.types("rein status").done();
    server.stop();
    // Tokens last longer than tests do: this one's end is set back in the store.
    let database = rusqlite::Connection::open(server.data().join("rein.db")).unwrap();
    let rows: Vec<(Vec<u8>, String)> = database
        .prepare("SELECT key, CAST(value AS TEXT) FROM kv WHERE CAST(key AS TEXT) LIKE 'token/%'")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let mut altered = 0;
    for (key, value) in rows {
        let mut record: Value = serde_json::from_str(&value).unwrap();
        if record["actor"] == "bob" {
            record["expires"] = (jiff::Timestamp::now().as_millisecond() - 1).into();
            let value = record.to_string().into_bytes();
            altered += database.execute("UPDATE kv SET value = ?2 WHERE key = ?1", (key, value)).unwrap();
        }
    }
    assert_eq!(altered, 1);
    drop(database);
    server.start_again();
    let before = desk.footprint();
    let _ = bob.types("rein status").exit(1).says("expired");
    let _ = bob.types("rein switch off order/recommendations --for 10m --yes").exit(1).says("expired");
    assert_eq!(desk.footprint(), before);
}

/// A file system of its own for the server, so small that a test can fill it.
fn tiny(test: &str) -> Option<Server> {
    let works = |how: &[&str]| {
        let mount = "mount -t tmpfs -o size=64k tmpfs /mnt";
        let tried = Command::new("unshare").args(how).args(["sh", "-c", mount]).output();
        tried.is_ok_and(|output| output.status.success())
    };
    let how = [&["-m"][..], &["-r", "-m"]].into_iter().find(|how| works(how));
    let Some(how) = how else {
        crate::kit::server::skipped("a full disk", "mount namespaces are not allowed here");
        return None;
    };
    let mount = "mkdir -p \"$REIN_TINY\" && mount -t tmpfs -o size=6m,mode=700 tmpfs \"$REIN_TINY\" && exec \"$0\" \"$@\"";
    let under =
        ["unshare"].iter().chain(how).chain(&["sh", "-c", mount]).map(|word| (*word).to_owned()).collect();
    let data = crate::kit::room::target().join("e2e").join(test).join("tiny");
    let env = vec![("REIN_TINY".to_owned(), data.display().to_string())];
    Some(Server::start_with(test, Setup { env, data: Some(data), under, ..Setup::default() }))
}

/// Fills a file system to the last byte.
fn fill(path: &Path) {
    let mut file = fs::File::create(path).unwrap();
    let mut size = 64 * 1024;
    while size > 0 {
        if file.write_all(&vec![b'x'; size]).is_err() {
            size /= 2;
        }
    }
}

#[test]
fn a_full_disk_refuses_writes_and_nothing_else() {
    let Some(server) = tiny("refuse-full") else { return };
    let desk = server.desk();
    desk.declare();
    let service = Service::start(&server, "order-1");
    let short = desk.lays("off order/coupons --for 6s");
    until_true("the first flip to arrive", secs(5), || !service.on("order.coupons"));
    let filler = server.files().join("filler");
    fill(&filler);
    let before = desk.types("rein change list -o json").done();
    // Space that the store has in hand already may still take some.
    let refused = until("the disk to be full", secs(20), || {
        let said = desk.types("rein switch off order/recommendations --for 10m --yes --no-wait");
        if said.exit == 0 {
            fill(&filler);
        }
        (said.exit != 0).then_some(said)
    });
    let refused = refused.exit(4).says("full");
    assert!(refused.err.contains("nothing was changed"), "{}", refused.err);
    let change = |list: &str| -> usize {
        serde_json::from_str::<Value>(list).unwrap()["changes"].as_array().unwrap().len()
    };
    let after = desk.types("rein change list -o json").done();
    let reply = lay(&server, &off()).reply();
    assert_eq!((reply.status, &reply.json()["code"]), (507, &json!("full")), "{}", reply.text());
    let again = desk.types("rein change list -o json").done();
    assert_eq!(change(&after), change(&again), "what was refused is not there: before it all {before}");
    // Reading goes on, doors too, and so do deadlines.
    desk.types("rein status").done();
    desk.types("rein switch show order/coupons").done();
    until_true("the deadline to be kept", secs(10), || service.on("order.coupons"));
    assert!(!short["deadline"].is_null());
    // With space it goes on by itself.
    fs::remove_file(&filler).unwrap();
    until_true("writes to be taken again", secs(15), || {
        desk.types("rein switch off order/coupons --for 10m --yes --no-wait").exit == 0
    });
    until_true("them to arrive", secs(5), || !service.on("order.coupons"));
    desk.types("rein audit verify").done();
}
