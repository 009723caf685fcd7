//! Who has heard of a flip, and who has not: counted, named, and never more than was shown.

use crate::kit::client::{Client, Kind};
use crate::kit::server::declared;
use crate::kit::service::Service;
use crate::kit::wait::{secs, throughout, until_true};
use rustix::process::Signal;
use std::time::Instant;

const OFF: &str = "rein switch off order/recommendations --for 10m --yes";

/// Declares that so many instances should hear of it.
fn expects(desk: &crate::kit::desk::Desk, instances: u32) {
    let text =
        crate::kit::server::SWITCHES.replacen("level: 3\n", &format!("level: 3\nexpects: {instances}\n"), 1);
    std::fs::write(desk.home().join("switches.yaml"), text).unwrap();
    desk.types("rein apply -f switches.yaml").done();
}

#[test]
fn a_flip_names_all_who_have_it_and_those_who_have_not() {
    let (server, desk) = declared("proof-stopped");
    expects(&desk, 2);
    let Some(mut one) = Client::start(Kind::PythonFlagd, &server, &desk, "order-sh-1") else { return };
    let Some(two) = Client::start(Kind::PythonFlagd, &server, &desk, "order-sh-2") else { return };
    let _ = desk.types(OFF).exit(0).prints("received 2 of 2");
    until_true("the client to agree", secs(5), || !one.on("order.recommendations"));

    two.signal(Signal::STOP);
    let began = Instant::now();
    let _ = desk
        .types("rein switch off order/recommendations --percent 50 --for 20m --yes --timeout 2s")
        .exit(5)
        .says("not proved everywhere within 2 s")
        .says("received 1 of 2")
        .says("waiting for order/order-sh-2");
    assert!(began.elapsed() < secs(8), "it waits as long as it was told: {:?}", began.elapsed());
    let proof = || desk.types("rein switch show order/recommendations -o json").json()["proof"].clone();
    throughout("a stopped client to prove nothing", secs(1), || proof()["received"] == 1);

    two.signal(Signal::CONT);
    until_true("it to answer once it runs again", secs(15), || proof()["received"] == 2);
    assert_eq!(proof()["complete"], true);
}

#[test]
fn the_denominator_is_who_should_hear() {
    let (server, desk) = declared("proof-expected");
    expects(&desk, 3);
    let _service = Service::start(&server, "order-sh-1");
    let _ = desk
        .types("rein switch off order/recommendations --for 10m --yes --timeout 1s")
        .exit(5)
        .says("received 1 of 3")
        .says("2 of 3 not connected");
}

#[test]
fn nobody_connected_is_said_at_once() {
    let (_server, desk) = declared("proof-nobody");
    let began = Instant::now();
    let _ = desk.types(OFF).exit(5).says("no client is connected: nobody has heard of it yet");
    assert!(began.elapsed() < secs(5), "there is nobody to wait for: {:?}", began.elapsed());
}

#[test]
fn a_flip_is_seen_by_the_client_it_is_proved_for() {
    let (server, desk) = declared("proof-agrees");
    let service = Service::start(&server, "order-sh-1");
    assert!(service.on("order.recommendations"));
    for _ in 0..5 {
        desk.types(OFF).done();
        until_true("the flip", secs(1), || !service.on("order.recommendations"));
        desk.types("rein undo --yes").done();
        until_true("the undo", secs(1), || service.on("order.recommendations"));
    }
}
