//! What happens and what has happened: watching, the audit trail.

use crate::flows::{FILTERS, OFF, company, shows};
use crate::kit::server::Watched;
use crate::kit::wait::{secs, until};
use std::io::{BufRead, BufReader};
use std::sync::mpsc::channel;
use std::thread;

#[test]
fn a_watcher_sees_each_thing_once_and_in_order() {
    let (mut server, desk, _service) = company("flow-watch");
    let mut child = Watched(desk.spawn(&["watch", "-o", "json"]));
    let (say, lines) = channel();
    let (out, err) = (child.0.stdout.take().unwrap(), child.0.stderr.take().unwrap());
    thread::spawn(move || {
        BufReader::new(out).lines().map_while(Result::ok).try_for_each(|line| say.send(line))
    });
    let (note, notes) = channel();
    thread::spawn(move || {
        BufReader::new(err).lines().map_while(Result::ok).try_for_each(|line| note.send(line))
    });
    let said = |what: &str| {
        until(what, secs(15), || notes.try_iter().find(|line| line.contains(what)));
    };
    said("watching; Ctrl-C stops");
    let change = desk.lays("off order/recommendations --for 10m");
    let id = change["id"].as_str().unwrap();
    let next = || -> serde_json::Value {
        serde_json::from_str(&lines.recv_timeout(secs(10)).expect("a line comes")).unwrap()
    };
    let laid = until("the change's line", secs(10), || Some(next()).filter(|event| event["name"] == id));
    assert!(laid["text"].as_str().unwrap().contains("order/recommendations"), "{laid}");
    // A lost connection is got back, and what happened meanwhile is told.
    server.crash();
    said("connection lost");
    server.start_again();
    desk.types(&format!("rein change end {id} --yes --no-wait")).done();
    let ended = until("the end's line", secs(15), || Some(next()).filter(|event| event["name"] == id));
    assert!(ended["revision"].as_i64() > laid["revision"].as_i64(), "{laid} {ended}");
}

#[test]
fn the_audit_trail_says_who_did_what_and_verifies() {
    let (_server, desk, _service) = company("flow-audit");
    let bob = desk.colleague("bob", "operator", "order/*");
    bob.types(&format!("{OFF} --for 30m --reason 'db slow' --incident INC-42 --yes")).done();
    bob.types("rein undo --yes").done();
    let _ = bob.types("rein switch off payment/card --for 10m --yes").exit(6);
    let list = desk.types("rein audit list --since 1h -o json").json();
    let all = list["entries"].as_array().unwrap();
    let bobs: Vec<_> = all.iter().filter(|entry| entry["actor"] == "bob").collect();
    assert_eq!(bobs.len(), 2, "each act once, and what was refused is none: {bobs:?}");
    shows!(desk.types("rein audit list --since 1h --limit 3").exit(0), @"
    $ rein audit list --since 1h --limit 3
    WHEN  WHO  WHAT  ON  INCIDENT  REASON  DETAIL
    [time]  bob  change:undo  order/recommendations  INC-42  -  end [change]
      (order/recommendations
      off)
    [time]  bob  switch:off  order/recommendations  INC-42  db slow  order/recommendations off
      until [time]
    [time]  admin  token:create  token [token]  -  -  operator of order/* for
      bob until [time]
    ");
    let proved = until("a checkpoint to be signed", secs(10), || {
        let said = desk.types("rein audit verify -o json").json();
        (said["lanes"].as_array()?.iter().all(|lane| lane["unproved"] == 0)).then_some(said)
    });
    assert_eq!(proved["key_pinned"], false);
    let verified = desk.types("rein audit verify").exit(0);
    assert!(verified.out.contains("nothing was altered, cut or reordered"), "{}", verified.out);
}
