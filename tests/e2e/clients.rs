//! Clients nobody here wrote see a flip, a percentage, a scope, an expiry and an undo.
//!
//! One test body, many rigs: what one client sees, all of them see.

use crate::kit::client::{Client, Kind};
use crate::kit::desk::Desk;
use crate::kit::server::{Server, declared};
use crate::kit::wait::{secs, throughout, until_true};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const FLAG: &str = "order.recommendations";
const SWITCH: &str = "order/recommendations";

/// Users asked when a share is measured.
const USERS: usize = 1000;

/// How far a measured share may lie from the one asked for, in users of a thousand.
const SLACK: usize = 50;

/// How late or early a deadline may be seen.
const SKEW: SignedDuration = SignedDuration::from_millis(1500);

#[test]
fn python_flagd_sees_everything() {
    sees_everything(Kind::PythonFlagd, "clients-python-flagd");
}

#[test]
fn go_flagd_sees_everything() {
    sees_everything(Kind::GoFlagd, "clients-go-flagd");
}

#[test]
fn java_flagd_sees_everything() {
    sees_everything(Kind::JavaFlagd, "clients-java-flagd");
}

#[test]
fn python_ofrep_sees_everything() {
    sees_everything(Kind::PythonOfrep, "clients-python-ofrep");
}

#[test]
fn python_unleash_sees_everything() {
    sees_everything(Kind::PythonUnleash, "clients-python-unleash");
}

fn sees_everything(kind: Kind, test: &str) {
    let (mut server, desk) = declared(test);
    let Some(mut client) = Client::start(kind, &server, &desk, "order-1") else { return };
    until_true("the feature to be on", secs(10), || client.on(FLAG));
    sees_a_flip_and_an_undo(&mut client, &desk);
    sees_a_share(&mut client, &desk);
    sees_a_scope(&mut client, &desk);
    sees_an_expiry(&mut client, &desk);
    if kind.is_flagd() {
        outlives_its_server(&mut client, &mut server, &desk);
    }
}

fn sees(client: &mut Client, on: bool) {
    let what = if on { "the client to see it on" } else { "the client to see it off" };
    until_true(what, secs(15), || client.on(FLAG) == on);
}

fn sees_a_flip_and_an_undo(client: &mut Client, desk: &Desk) {
    desk.lays(&format!("off {SWITCH} --for 10m"));
    sees(client, false);
    let decided = client.decides(FLAG, "user-1", json!({}));
    assert_eq!(decided.error, "", "it is a decision, not a default: {decided:?}");
    desk.types("rein undo --yes --no-wait").done();
    sees(client, true);
}

fn sees_a_share(client: &mut Client, desk: &Desk) {
    let small = desk.lays(&format!("off {SWITCH} --percent 20 --for 10m"));
    let at_20 = share(client, 20);
    let large = desk.lays(&format!("off {SWITCH} --percent 50 --for 10m"));
    let at_50 = share(client, 50);
    let regained = at_20.iter().zip(&at_50).filter(|(before, after)| !**before && **after).count();
    assert_eq!(regained, 0, "whoever loses it at 20 % has lost it at 50 % too");
    for change in [small, large] {
        ends(desk, &change);
    }
    sees(client, true);
}

/// Waits for a share, and gives who has the feature.
fn share(client: &mut Client, percent: usize) -> Vec<bool> {
    let mut users = Vec::new();
    let wanted = percent * USERS / 100;
    until_true(&format!("{percent} % to have lost it"), secs(20), || {
        users = client.share(FLAG, USERS);
        users.iter().filter(|on| !**on).count().abs_diff(wanted) <= SLACK
    });
    users
}

fn ends(desk: &Desk, change: &Value) {
    let id = change["id"].as_str().unwrap();
    desk.types(&format!("rein change end {id} --yes --no-wait")).done();
}

fn sees_a_scope(client: &mut Client, desk: &Desk) {
    for (scope, inside, outside) in [
        ("--zone sh", json!({"zone": "sh"}), json!({"zone": "bj"})),
        ("--instance order-1", json!({"instance": "order-1"}), json!({"instance": "order-2"})),
    ] {
        let change = desk.lays(&format!("off {SWITCH} {scope} --for 10m"));
        let mut on = |context: &Value| client.decides(FLAG, "user-1", context.clone()).value;
        until_true(&format!("{scope} to have lost it"), secs(15), || !on(&inside));
        assert!(on(&outside), "{outside} lies outside {scope}");
        assert!(on(&json!({})), "who does not say where it is lies outside {scope}");
        ends(desk, &change);
        until_true(&format!("{scope} to have it again"), secs(15), || on(&inside));
    }
}

fn sees_an_expiry(client: &mut Client, desk: &Desk) {
    let change = desk.lays(&format!("off {SWITCH} --for 3s"));
    sees(client, false);
    sees(client, true);
    on_time(&change);
}

/// The deadline has passed just now, give or take.
fn on_time(change: &Value) {
    let deadline: Timestamp = change["deadline"].as_str().unwrap().parse().unwrap();
    let late = Timestamp::now().duration_since(deadline);
    assert!(late.abs() <= SKEW, "seen {late:?} after its deadline");
}

/// Static stability: without the server the last state holds, and ends when it should.
fn outlives_its_server(client: &mut Client, server: &mut Server, desk: &Desk) {
    let change = desk.lays(&format!("off {SWITCH} --for 5s"));
    sees(client, false);
    server.crash();
    throughout("the last state to be kept", secs(2), || !client.on(FLAG));
    sees(client, true);
    on_time(&change);
    throughout("the base to be kept", secs(1), || client.on(FLAG));
    server.start_again();
    desk.lays(&format!("off {SWITCH} --for 10m"));
    sees(client, false);
    desk.types("rein undo --yes --no-wait").done();
    sees(client, true);
}

/// Where clients of two kinds put a user on the same side of a percentage, and where not.
///
/// flagd's `fractional` has changed twice. Python 0.6.1, and OFREP through Rein's
/// `flagd-evaluation-engine`, hash the CBOR of flag key and targeting key. Go 0.6.0 hashes the two
/// as one text; Java 0.11.15 does too, but makes a bucket of the hash in another way. So only the
/// first two agree user by user; the share is the same at all of them.
#[test]
fn python_and_ofrep_agree_on_every_user() {
    let (server, desk) = declared("clients-agree");
    let _ = desk.lays(&format!("off {SWITCH} --percent 30 --for 10m"));
    let kinds = [Kind::PythonFlagd, Kind::PythonOfrep, Kind::GoFlagd, Kind::JavaFlagd];
    let rigs: Vec<(Kind, Vec<bool>)> = kinds
        .into_iter()
        .filter_map(|kind| {
            let name = format!("order-{kind:?}").to_lowercase();
            let mut client = Client::start(kind, &server, &desk, &name)?;
            Some((kind, share(&mut client, 30)))
        })
        .collect();
    for (at, (one, users)) in rigs.iter().enumerate() {
        for (other, others) in &rigs[at + 1..] {
            let same = users.iter().zip(others).filter(|(a, b)| a == b).count();
            let kin = (*one, *other) == (Kind::PythonFlagd, Kind::PythonOfrep);
            assert!(!kin || same == USERS, "{one:?} and {other:?} agree on {same} of {USERS}");
            // Should they agree one day, what the documentation says of them is out of date.
            assert!(kin || same < USERS, "{one:?} and {other:?} agree by now");
        }
    }
}
