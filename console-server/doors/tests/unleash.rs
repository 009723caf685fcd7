//! The Unleash door: what it serves, and what a poll and a report prove.

mod house;
#[path = "house/web.rs"]
mod web;

use axum::Router;
use house::{House, hold, now};
use http::StatusCode;
use rein_doors::unleash;
use serde_json::{Value, json};
use std::time::Duration;
use web::{Answer, ask};

const HOUR: Duration = Duration::from_secs(3600);
const FEATURES: &str = "/api/client/features";

async fn poll(router: &Router, instance: &str, tag: &str) -> Answer {
    let headers = [
        ("authorization", "order-token"),
        ("unleash-instanceid", instance),
        ("unleash-connection-id", instance),
        ("unleash-interval", "15000"),
        ("if-none-match", tag),
    ];
    ask(router, "GET", FEATURES, &headers, "").await
}

fn iso(millis: i64) -> String {
    jiff::Timestamp::from_millisecond(millis).unwrap().to_string()
}

async fn report(router: &Router, instance: &str, from: i64, to: i64, toggles: Value) -> Answer {
    let body = json!({
        "appName": "order", "instanceId": instance, "connectionId": instance, "platformName": "x",
        "bucket": {"start": iso(from), "stop": iso(to), "toggles": toggles},
    });
    let headers = [("authorization", "order-token")];
    ask(router, "POST", "/api/client/metrics", &headers, &body.to_string()).await
}

#[tokio::test]
async fn features_are_those_the_token_opens() {
    let house = House::open();
    let router = unleash::router(house.doorway.clone());
    for (authorization, status, names) in [
        ("order-token", 200, vec!["order.coupons", "order.recs"]),
        ("Bearer order-token", 200, vec!["order.coupons", "order.recs"]),
        ("recs-token", 200, vec!["order.recs"]),
        ("all-token", 200, vec!["order.coupons", "order.recs", "payment.wallet"]),
        ("wrong", 401, vec![]),
        ("", 401, vec![]),
    ] {
        let path = format!("{FEATURES}?project=default&namePrefix=x");
        let answer = ask(&router, "GET", &path, &[("authorization", authorization)], "").await;
        assert_eq!(answer.status.as_u16(), status, "{authorization}");
        let features = answer.body["features"].as_array().cloned().unwrap_or_default();
        assert_eq!(features.iter().map(|f| f["name"].as_str().unwrap()).collect::<Vec<_>>(), names);
        if status == 200 {
            assert_eq!(answer.body["version"], 2);
            assert_eq!(answer.body["meta"]["etag"], answer.etag());
        }
    }
    for (name, status) in [("order.recs", 200), ("order.nope", 404), ("payment.wallet", 403), ("x", 404)] {
        let path = format!("{FEATURES}/{name}");
        let answer = ask(&router, "GET", &path, &[("authorization", "order-token")], "").await;
        assert_eq!(answer.status.as_u16(), status, "{name}");
    }
}

#[tokio::test]
async fn the_tag_is_of_what_is_served_and_alters_at_a_deadline() {
    let house = House::open();
    let router = unleash::router(house.doorway.clone());
    house.lay("order/recs", vec![hold(1, 100, None, HOUR)]);
    let first = poll(&router, "i-1", "").await;
    let tag = first.etag().to_owned();
    assert!(tag.starts_with('"') && tag.ends_with(":2:v1\""), "{tag}");
    assert_eq!(first.body["features"][1]["strategies"][0]["constraints"][0]["operator"], "DATE_AFTER");
    assert_eq!(poll(&router, "i-1", &tag).await.status, StatusCode::NOT_MODIFIED);
    house.lay("payment/wallet", vec![hold(2, 100, None, HOUR)]);
    assert_eq!(poll(&router, "i-1", &tag).await.status, StatusCode::NOT_MODIFIED, "not this set's flip");
    house.lay("order/recs", vec![]);
    let after = poll(&router, "i-1", &tag).await;
    assert_eq!(after.status, StatusCode::OK);
    assert_eq!(
        after.body["features"][1]["strategies"],
        json!([{"name":"default","parameters":{},"constraints":[]}])
    );
}

#[tokio::test]
async fn a_poll_that_echoes_the_tag_holds_the_set() {
    let house = House::open();
    let router = unleash::router(house.doorway.clone());
    let first = house.lay("order/recs", vec![hold(1, 100, None, HOUR)]);
    let tag = poll(&router, "i-1", "").await.etag().to_owned();
    let witness = house.witness("order/i-1");
    assert_eq!((witness.sent, witness.held), (first, 0), "asking is not holding");
    poll(&router, "i-1", &tag).await;
    assert_eq!(house.witness("order/i-1").held, first);
    assert_eq!(house.witness("order/i-1").service.as_deref(), Some("order"));

    let others = house.lay("payment/wallet", vec![hold(2, 100, None, HOUR)]);
    poll(&router, "i-1", &tag).await;
    assert_eq!(house.witness("order/i-1").held, others, "the same features");

    let second = house.lay("order/recs", vec![]);
    let newer = poll(&router, "i-1", &tag).await.etag().to_owned();
    assert_eq!(house.witness("order/i-1").held, others, "it still says the old tag");
    for lie in ["\"0:3:v1\"", "*", ""] {
        poll(&router, "i-1", lie).await;
        assert_eq!(house.witness("order/i-1").held, others, "{lie}");
    }
    poll(&router, "i-2", &tag).await;
    assert_eq!(house.witness("order/i-2").held, others, "an old tag proves the old set");
    poll(&router, "i-1", &newer).await;
    assert_eq!(house.witness("order/i-1").held, second);
}

#[tokio::test]
async fn a_report_counts_when_all_of_it_came_after_the_set_was_held() {
    let house = House::open();
    let router = unleash::router(house.doorway.clone());
    let serial = house.lay("order/recs", vec![hold(1, 100, None, HOUR)]);
    let tag = poll(&router, "i-1", "").await.etag().to_owned();
    let asked = json!({"order.recs": {"yes": 0, "no": 6, "variants": {}}});
    let before = now().0 - 30_000;
    report(&router, "i-1", now().0, now().0, asked.clone()).await;
    assert_eq!(house.decided("order/i-1", "order/recs"), 0, "it does not hold it yet");
    poll(&router, "i-1", &tag).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    let held = now().0;
    tokio::time::sleep(Duration::from_millis(20)).await;
    for (from, to, toggles) in [
        (before, now().0, asked.clone()),
        (held, now().0, json!({})),
        (held, now().0, json!({"payment.wallet": {"yes": 3, "no": 0}})),
        (held, now().0, json!({"order.recs": {"yes": 0, "no": 0}})),
    ] {
        let answer = report(&router, "i-1", from, to, toggles).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
        assert_eq!(house.decided("order/i-1", "order/recs"), 0);
    }
    report(&router, "i-2", held, now().0, asked.clone()).await;
    assert_eq!(house.decided("order/i-2", "order/recs"), 0, "somebody else held it");
    report(&router, "i-1", held, now().0, asked).await;
    assert_eq!(house.decided("order/i-1", "order/recs"), serial);
}

#[tokio::test]
async fn registering_is_accepted_and_nonsense_is_refused() {
    let house = House::open();
    let router = unleash::router(house.doorway.clone());
    let register = async |token: &str, body: &str| {
        ask(&router, "POST", "/api/client/register", &[("authorization", token)], body).await.status.as_u16()
    };
    let sdk =
        r#"{"appName":"a","instanceId":"i\u001b[1m","strategies":["default"],"interval":15000,"new":{}}"#;
    assert_eq!(register("order-token", sdk).await, 202);
    assert_eq!(house.witnesses()[0].name, "order/i\\u{1b}[1m");
    assert_eq!(register("order-token", "{").await, 400);
    assert_eq!(register("", sdk).await, 401);
    assert_eq!(register("order-token", &"x".repeat(300_000)).await, 413);
}
