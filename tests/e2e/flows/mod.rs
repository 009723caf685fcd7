//! What a user types, in the order in which the project promises it, and what the terminal shows.
//!
//! Ids, times and addresses are redacted and runs of blanks drawn together; how tables are laid out
//! is tested beside the command line itself.

use crate::kit::desk::{Desk, Said};
use crate::kit::server::{Server, declared};
use crate::kit::service::Service;
use crate::kit::wait::{secs, until_true};

mod access;
mod changes;
mod files;
mod history;
mod switches;

/// Compares all that a command has said.
macro_rules! shows {
    ($said:expr, @$expected:literal) => {
        insta::with_settings!({filters => FILTERS.to_vec(), omit_expression => true}, {
            insta::assert_snapshot!($said.whole(), @$expected);
        })
    };
}
use shows;

const FILTERS: [(&str, &str); 9] = [
    (r"\btoken [0-9a-z]{11}\b", "token [token]"),
    (r"\b(\d{1,2} [A-Z][a-z][a-z] |\d{4}-\d\d-\d\d )?\d\d:\d\d(:\d\d)?\b", "[time]"),
    (r"\b[0-9a-hjkmnp-tv-z]{10}\b", "[change]"),
    (r"\bin \d+ (min|h|s)( \d+ (min|s))?", "in [span]"),
    (r"127\.0\.0\.1:\d+", "[address]"),
    (r"\b0[0-9a-f]{7}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b", "[key]"),
    (r"\brun-\S+", "[lane]"),
    (r" {2,}", "  "),
    (r" +\n", "\n"),
];

/// A server, a desk, and one instance that hears of everything.
fn company(test: &str) -> (Server, Desk, Service) {
    let (server, desk) = declared(test);
    let service = Service::start(&server, "order-sh-1");
    until_true("the instance to be counted", secs(5), || {
        desk.types("rein switch show order/recommendations -o json").json()["proof"]["complete"] == true
    });
    (server, desk, service)
}

fn id(said: &Said) -> String {
    let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    json["change"]["id"].as_str().unwrap().to_owned()
}

const OFF: &str = "rein switch off order/recommendations";

/// A UUIDv7 of now.
pub(crate) fn fresh_key(like: &str) -> String {
    let ms = jiff::Timestamp::now().as_millisecond();
    let hex = format!("{ms:012x}");
    format!("{}-{}{}", &hex[..8], &hex[8..], &like[13..])
}
