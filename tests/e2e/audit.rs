//! The audit trail against somebody who can write to the database.

use crate::kit::desk::Desk;
use crate::kit::server::{Server, declared};
use crate::kit::wait::{secs, until_true};
use rusqlite::Connection;
use std::fs;

/// A trail with some entries whose heads were kept outside; the server is stopped.
fn kept(test: &str) -> (Server, Desk, String) {
    let (mut server, desk) = declared(test);
    for n in 1..=5 {
        let _ = desk.lays(&format!("off order/recommendations --for 10m --reason 'number {n}'"));
    }
    until_true("all of it to be signed", secs(10), || {
        let said = desk.types("rein audit verify -o json").json();
        said["lanes"].as_array().unwrap().iter().all(|lane| lane["unproved"] == 0)
    });
    let heads = desk.types("rein audit heads -o json").done();
    fs::write(desk.home().join("heads.json"), &heads).unwrap();
    let heads: serde_json::Value = serde_json::from_str(&heads).unwrap();
    let key = heads["key"].as_str().unwrap().to_owned();
    server.stop();
    (server, desk, key)
}

#[test]
fn what_was_altered_is_found() {
    let (mut server, desk, key) = kept("audit-tampered");
    let file = server.data().join("rein.db");
    let whole = fs::read(&file).unwrap();
    let verify = format!("rein audit verify --heads heads.json --key {key}");
    // Untouched it holds, so that what fails below fails for what was done to it.
    server.start_again();
    let said = desk.types(&verify).exit(0);
    assert!(said.out.contains("proved by heads kept outside"), "{}", said.out);
    server.stop();
    let last = "(SELECT max(seq) FROM lane_item WHERE lane = 1)";
    for (what, statement) in [
        (
            "one byte of an entry",
            "UPDATE lane_item SET body = CAST(replace(CAST(body AS TEXT), 'number 3', 'number 8') AS BLOB) WHERE lane = 1"
                .to_owned(),
        ),
        ("one byte of a hash", "UPDATE lane_item SET hash = zeroblob(32) WHERE lane = 1 AND seq = 3".to_owned()),
        ("the last entry", format!("DELETE FROM lane_item WHERE lane = 1 AND seq = {last}")),
        ("an entry within", "DELETE FROM lane_item WHERE lane = 1 AND seq = 3".to_owned()),
        ("the whole lane", "DELETE FROM lane_item WHERE lane = 1".to_owned()),
        (
            "the order of two",
            "UPDATE lane_item SET (hash, body) = (SELECT o.hash, o.body FROM lane_item o \
             WHERE o.lane = 1 AND o.seq = 7 - lane_item.seq) WHERE lane = 1 AND seq IN (3, 4)"
                .to_owned(),
        ),
    ] {
        fs::write(&file, &whole).unwrap();
        let database = Connection::open(&file).unwrap();
        let altered = database.execute(&statement, []).unwrap();
        assert!(altered > 0, "{what}: nothing was altered");
        database.pragma_update(None, "wal_checkpoint", "TRUNCATE").unwrap();
        drop(database);
        server.start_again();
        let said = desk.types(&verify);
        assert_eq!(said.exit, 1, "{what} was not missed: {}", said.whole());
        assert!(said.err.contains("the audit trail does not hold"), "{what}: {}", said.err);
        server.stop();
    }
}

#[test]
fn another_key_than_the_one_pinned_is_found() {
    let (mut server, desk, key) = kept("audit-key");
    server.start_again();
    let other = key.chars().rev().collect::<String>();
    let _ = desk.types(&format!("rein audit verify --key {other}")).exit(1).says("not with the key pinned");
    let _ = desk.types("rein audit verify --key nonsense").exit(2).says("neither a key");
    let _ = desk.types("rein audit verify --heads nowhere.json").exit(2).says("nowhere.json");
}
