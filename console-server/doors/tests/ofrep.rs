//! The OFREP door, and what each known client needs of it.

mod house;
#[path = "house/web.rs"]
mod web;

use house::{House, hold};
use http::StatusCode;
use rein_doors::ofrep;
use serde_json::json;
use std::time::Duration;
use web::{Answer, ask};

const HOUR: Duration = Duration::from_secs(3600);
const ORDER: (&str, &str) = ("authorization", "Bearer order-token");
const ALL: &str = "/ofrep/v1/evaluate/flags";

async fn one(router: &axum::Router, key: &str, body: &str) -> Answer {
    ask(router, "POST", &format!("{ALL}/{key}"), &[ORDER], body).await
}

#[tokio::test]
async fn an_answer_has_every_field_that_any_client_needs() {
    let house = House::open();
    let router = ofrep::router(house.doorway.clone());
    house.lay("order/recs", vec![hold(1, 100, Some("sh"), HOUR)]);
    for (body, value, variant) in [
        (r#"{"context":{"targetingKey":"u","zone":"sh"}}"#, false, "off"),
        (r#"{"context":{"targetingKey":"u","zone":"bj","deep":{"a":[1,2.5,null]}}}"#, true, "on"),
        (r#"{"context":{"zone":7}}"#, true, "on"),
        ("{}", true, "on"),
        ("", true, "on"),
        (r#"{"context":null,"unknown":1}"#, true, "on"),
    ] {
        let answer = one(&router, "order.recs", body).await;
        assert_eq!(answer.status, StatusCode::OK, "{body}");
        assert_eq!(answer.headers["content-type"], "application/json");
        let expected = json!({
            "key": "order.recs", "value": value, "reason": "TARGETING_MATCH", "variant": variant,
            "metadata": {"rev": 2},
        });
        assert_eq!(answer.body, expected, "{body}");
    }
    let quiet = one(&router, "order.coupons/", "{}").await;
    assert_eq!(quiet.body["reason"], "STATIC", "a trailing slash is no error");
}

#[tokio::test]
async fn a_share_splits_by_key_and_covers_nobody_without_one() {
    let house = House::open();
    let router = ofrep::router(house.doorway.clone());
    house.lay("order/recs", vec![hold(1, 30, None, HOUR), hold(2, 20, None, HOUR)]);
    let mut off = 0;
    for user in 0..1000 {
        let body = json!({"context": {"targetingKey": format!("u{user}")}}).to_string();
        let answer = one(&router, "order.recs", &body).await;
        assert_eq!(answer.body["reason"], "SPLIT");
        off += u32::from(answer.body["value"] == false);
    }
    assert!((250..350).contains(&off), "{off} of 1000: 20 and 30 make 30");
    for body in ["{}", r#"{"context":{"targetingKey":""}}"#] {
        let answer = one(&router, "order.recs", body).await;
        assert_eq!(
            (&answer.body["value"], &answer.body["reason"]),
            (&json!(true), &json!("TARGETING_MATCH"))
        );
    }
    // A context cannot stand in for the engine's own part of it.
    let plain = one(&router, "order.recs", r#"{"context":{"targetingKey":"u1"}}"#).await;
    let forged = r#"{"context":{"targetingKey":"u1","$flagd":{"flagKey":"other","timestamp":0}}}"#;
    assert_eq!(one(&router, "order.recs", forged).await.body, plain.body);
}

#[tokio::test]
async fn every_error_is_json_with_details_and_metadata() {
    let house = House::open();
    let router = ofrep::router(house.doorway.clone());
    let big = format!(r#"{{"context":{{"a":"{}"}}}}"#, "x".repeat(70_000));
    for (path, token, body, status, code) in [
        ("/order.nope", "order-token", "{}", 404, "FLAG_NOT_FOUND"),
        ("/nonsense", "order-token", "{}", 404, "FLAG_NOT_FOUND"),
        ("/order.recs", "order-token", "{", 400, "PARSE_ERROR"),
        ("/order.recs", "order-token", "[]", 400, "PARSE_ERROR"),
        ("/order.recs", "order-token", r#"{"context":[]}"#, 400, "INVALID_CONTEXT"),
        ("/order.recs", "order-token", r#"{"context":{"targetingKey":7}}"#, 400, "INVALID_CONTEXT"),
        ("/order.recs", "order-token", big.as_str(), 413, "PARSE_ERROR"),
        ("/order.recs", "", "{}", 401, "GENERAL"),
        ("/order.recs", "wrong", "{}", 401, "GENERAL"),
        ("/payment.wallet", "order-token", "{}", 403, "GENERAL"),
        ("/payment.nope", "order-token", "{}", 403, "GENERAL"),
        ("", "", "{}", 401, "GENERAL"),
        ("", "order-token", "{", 400, "PARSE_ERROR"),
    ] {
        let answer = ask(&router, "POST", &format!("{ALL}{path}"), &[("x-api-key", token)], body).await;
        assert_eq!(answer.status.as_u16(), status, "{path} {token}");
        assert_eq!(answer.body["errorCode"], code, "{path} {token}");
        assert!(answer.body["errorDetails"].is_string() && answer.body["metadata"].is_object());
        assert_eq!(answer.body.get("key").is_some(), !path.is_empty(), "{path}");
    }
}

#[tokio::test]
async fn an_error_does_not_repeat_the_context() {
    let house = House::open();
    let router = ofrep::router(house.doorway.clone());
    for body in [r#"{"context":{"targetingKey":["canary"]}}"#, r#"{"context":"canary"}"#, r#"{"canary"}"#] {
        let answer = one(&router, "order.recs", body).await;
        assert!(!answer.body.to_string().contains("canary"), "{}", answer.body);
    }
}

#[tokio::test]
async fn bulk_answers_what_the_token_opens_and_its_tag_alters_at_a_deadline() {
    let house = House::open();
    let router = ofrep::router(house.doorway.clone());
    let bulk = async |headers: &[(&str, &str)], body: &str| ask(&router, "POST", ALL, headers, body).await;
    let keys = |answer: &Answer| -> Vec<String> {
        let flags = answer.body["flags"].as_array().unwrap();
        flags.iter().map(|flag| flag["key"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(keys(&bulk(&[("x-api-key", "all-token")], "").await).len(), 3);
    assert_eq!(keys(&bulk(&[("x-api-key", "recs-token")], "").await), ["order.recs"]);

    house.lay("order/recs", vec![hold(1, 100, Some("sh"), HOUR)]);
    let in_sh = r#"{"context":{"zone":"sh"}}"#;
    let first = bulk(&[ORDER], in_sh).await;
    assert_eq!(keys(&first), ["order.coupons", "order.recs"]);
    assert_eq!(first.body["flags"][1]["value"], false);
    let tag = first.etag().to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"'));
    let again = bulk(&[ORDER, ("if-none-match", &tag)], in_sh).await;
    assert_eq!((again.status, again.etag()), (StatusCode::NOT_MODIFIED, tag.as_str()));
    let elsewhere = bulk(&[ORDER, ("if-none-match", &tag)], "{}").await;
    assert_eq!(elsewhere.status, StatusCode::OK, "another context is another answer");

    // Somebody else's flip alters nothing here.
    house.lay("payment/wallet", vec![hold(2, 100, None, HOUR)]);
    let same = bulk(&[ORDER, ("if-none-match", &tag)], in_sh).await;
    assert_eq!(same.status, StatusCode::NOT_MODIFIED);

    // The deadline: nothing is written, the house serves the set without the layer.
    house.lay("order/recs", vec![]);
    let after = bulk(&[ORDER, ("if-none-match", &tag)], in_sh).await;
    assert_eq!((after.status, &after.body["flags"][1]["value"]), (StatusCode::OK, &json!(true)));
}

#[tokio::test]
async fn an_evaluation_is_proof_of_the_set_it_was_made_by() {
    let house = House::open();
    let router = ofrep::router(house.doorway.clone());
    let serial = house.lay("order/recs", vec![hold(1, 100, None, HOUR)]);
    assert_eq!(one(&router, "order.nope", "{}").await.status, StatusCode::NOT_FOUND);
    assert!(house.witnesses().is_empty(), "a refusal is no proof");
    one(&router, "order.recs", "{}").await;
    let witness = house.witness("order");
    assert_eq!(house.decided("order", "order/recs"), serial);
    assert_eq!((witness.held, witness.received), (0, 0));
    assert_eq!(witness.service.as_deref(), Some("order"));
    let later = house.lay("order/recs", vec![]);
    assert_eq!(house.decided("order", "order/recs"), serial);
    one(&router, "order.recs", "{}").await;
    assert_eq!(house.decided("order", "order/recs"), later);
}
