//! The live screen, in a terminal: it shows a death at once, and does nothing unasked.

use crate::kit::http;
use crate::kit::screen::Screen;
use crate::kit::server::Server;
use crate::kit::wait::{secs, until_true};
use serde_json::json;

#[test]
fn a_death_is_on_the_screen_at_once() {
    let registry = Server::start("top-death");
    let desk = registry.desk();
    let token = desk.token("order", "client", "order/*");
    let mut process = Server::start("top-death-i");
    let body = json!({
        "service": "order", "id": "i-1", "zone": "sh", "version": "v1", "address": process.http.to_string(),
        "check": { "kind": "http", "path": "/healthz", "every_seconds": 1, "fall": 2 },
    });
    let reply = http::post(registry.http, "/v1/registry/instances", body.to_string()).bearer(&token).reply();
    assert_eq!(reply.status, 201, "{}", reply.text());
    let _ = desk.types("rein top --once").exit(0).prints("order");
    let mut screen = Screen::open(&desk, "rein top");
    screen.shows("1/1", secs(20));
    screen.blink();
    process.crash();
    screen.shows("down", secs(10));
    screen.press("q");
    // Whoever watches is told the same, in words.
    let _ = desk.types("rein service list").exit(0).prints("down");
}

#[test]
fn a_switch_is_flipped_after_a_question_and_undone_by_a_key() {
    let server = Server::start("top-flip");
    let desk = server.desk();
    desk.declare();
    let mut screen = Screen::open(&desk, "rein top switches");
    screen.shows("order/recommendations", secs(20));
    screen.press("/recommendations\r");
    screen.shows("only rows with", secs(10));
    screen.press("f");
    screen.shows("Set order/recommendations off for 30 min?", secs(10));
    screen.press("n");
    screen.shows("nothing was changed", secs(10));
    assert_eq!(desk.types("rein change list --active -o name").done(), "");
    screen.press("f");
    screen.blink();
    screen.press("y");
    screen.shows("take it back", secs(10));
    until_true("it is laid", secs(10), || {
        desk.types("rein switch show order/recommendations -o json").json()["setting"] == "off"
    });
    screen.press("u");
    screen.shows("Undo this", secs(10));
    screen.press("y");
    until_true("it is undone", secs(10), || {
        desk.types("rein switch show order/recommendations -o json").json()["setting"] == "on"
    });
    screen.press("q");
}

#[test]
fn without_a_terminal_there_is_one_picture_or_none() {
    let server = Server::start("top-pipe");
    let desk = server.desk();
    let said = desk.types("rein top").exit(2);
    assert!(said.err.contains("rein top --once"), "{}", said.err);
    let said = desk.types("rein top --once").exit(0);
    assert!(said.out.contains("no service has registered"), "{}", said.out);
    assert!(!said.out.contains('\x1b'), "{:?}", said.out);
}
