//! What each client is known to trip over, one test for each; where a server gets one of these
//! wrong, services silently run on the default in their code.

use crate::kit::client::{Client, Kind};
use crate::kit::desk::Desk;
use crate::kit::http::{Reply, post, request};
use crate::kit::server::{Server, declared};
use crate::kit::wait::{secs, until, until_true};
use jiff::Timestamp;
use serde_json::{Value, json};

const FLAG: &str = "order.recommendations";
const SINGLE: &str = "/ofrep/v1/evaluate/flags/order.recommendations";
const BULK: &str = "/ofrep/v1/evaluate/flags";
const FEATURES: &str = "/api/client/features";

/// A server, and a token such as services have.
fn door(test: &str) -> (Server, Desk, String) {
    let (server, desk) = declared(test);
    let token = desk.token("order-svc", "client", "order/*");
    (server, desk, token)
}

fn ofrep(server: &Server, token: &str, path: &str, body: &str) -> Reply {
    post(server.http, path, body).bearer(token).reply()
}

/// What every OFREP answer with a value has.
#[track_caller]
fn complete(reply: &Reply) -> Value {
    assert_eq!(reply.status, 200, "{}", reply.text());
    let kind = reply.header("content-type").unwrap_or_default();
    assert!(kind.starts_with("application/json"), "JavaScript's client takes nothing else: {kind}");
    let said = reply.json();
    for one in said["flags"].as_array().unwrap_or(&vec![said.clone()]) {
        assert!(one["key"].is_string() && one["value"].is_boolean() && one["variant"].is_string(), "{one}");
        assert!(one["metadata"].is_object(), "Java fails without metadata: {one}");
        let reason = one["reason"].as_str().unwrap_or_default();
        let standard = ["STATIC", "TARGETING_MATCH", "SPLIT", "DISABLED", "UNKNOWN"];
        assert!(standard.contains(&reason), "Python fails at a reason of our own: {reason}");
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        assert!(one["key"].as_str().unwrap().chars().all(plain), "Go and Java break at other keys: {one}");
    }
    said
}

/// What every OFREP error has.
#[track_caller]
fn complete_error(reply: &Reply, status: u16, code: &str) -> Value {
    assert_eq!(reply.status, status, "{}", reply.text());
    assert!(reply.header("content-type").unwrap_or_default().starts_with("application/json"));
    let said = reply.json();
    assert_eq!(said["errorCode"], code, "{said}");
    assert!(
        said["errorDetails"].as_str().is_some_and(|text| !text.is_empty()),
        "Python fails without: {said}"
    );
    assert!(said["metadata"].is_object(), "Java reads every body as one with metadata: {said}");
    said
}

#[test]
fn ofrep_a_missing_context_or_targeting_key_is_no_error() {
    let (server, desk, token) = door("ofrep-context");
    let _ = desk.lays("off order/recommendations --percent 20 --for 10m");
    for body in ["", "{}", r#"{"context":{}}"#, r#"{"context":null}"#, r#"{"context":{"targetingKey":""}}"#] {
        let said = complete(&ofrep(&server, &token, SINGLE, body));
        assert_eq!(said["value"], true, "nobody in particular is in no share: {body:?}");
    }
}

#[test]
fn ofrep_every_answer_has_value_reason_variant_and_metadata() {
    let (server, desk, token) = door("ofrep-answer");
    let body = r#"{"context":{"targetingKey":"user-1","zone":"sh"}}"#;
    assert_eq!(complete(&ofrep(&server, &token, SINGLE, body))["value"], true);
    for scope in ["", "--zone sh", "--percent 99"] {
        let change = desk.lays(&format!("off order/recommendations {scope} --for 10m"));
        let said = complete(&ofrep(&server, &token, SINGLE, body));
        assert_eq!(said["key"], FLAG);
        assert_eq!(said["value"], said["variant"] == "on", "{said}");
        assert_eq!(complete(&ofrep(&server, &token, BULK, body))["flags"].as_array().unwrap().len(), 2);
        desk.types(&format!("rein change end {} --yes --no-wait", change["id"].as_str().unwrap())).done();
    }
}

#[test]
fn ofrep_a_trailing_slash_is_taken() {
    let (server, _, token) = door("ofrep-slash");
    assert_eq!(complete(&ofrep(&server, &token, &format!("{SINGLE}/"), "{}"))["key"], FLAG);
    assert!(complete(&ofrep(&server, &token, &format!("{BULK}/"), "{}"))["flags"].is_array());
}

#[test]
fn ofrep_an_unknown_flag_is_404_in_json() {
    let (server, desk, token) = door("ofrep-404");
    for key in ["order.nothing", "nothing", "order"] {
        let said =
            complete_error(&ofrep(&server, &token, &format!("{BULK}/{key}"), "{}"), 404, "FLAG_NOT_FOUND");
        assert_eq!(said["key"], key);
    }
    let Some(mut client) = Client::start(Kind::PythonOfrep, &server, &desk, "order-1") else { return };
    let decided = client.decides("order.nothing", "user-1", json!({}));
    assert!(decided.value, "the default in the code");
    assert!(decided.error.starts_with("FLAG_NOT_FOUND"), "{decided:?}");
}

#[test]
fn ofrep_no_token_is_401_in_json() {
    let (server, desk, token) = door("ofrep-401");
    for path in [SINGLE, BULK, "/ofrep/v1/evaluate/flags/order.nothing"] {
        let _ = complete_error(&post(server.http, path, "{}").reply(), 401, "GENERAL");
        let _ = complete_error(&ofrep(&server, "rein_nonsense", path, "{}"), 401, "GENERAL");
    }
    let foreign = "/ofrep/v1/evaluate/flags/payment.card";
    let _ = complete_error(&ofrep(&server, &token, foreign, "{}"), 403, "GENERAL");
    let key = post(server.http, SINGLE, "{}").header("x-api-key", &token);
    let _ = complete(&key.reply());
    desk.types(&format!("rein token revoke {} --yes", id_of(&desk, "order-svc"))).done();
    until_true("the revoked token to be refused", secs(2), || {
        ofrep(&server, &token, SINGLE, "{}").status == 401
    });
}

fn id_of(desk: &Desk, actor: &str) -> String {
    let list = desk.types("rein token list -o json").json();
    let mut tokens = list["tokens"].as_array().unwrap().iter();
    tokens.find(|token| token["actor"] == actor).unwrap()["id"].as_str().unwrap().to_owned()
}

#[test]
fn ofrep_a_body_that_is_no_json_is_400_with_details() {
    let (server, _, token) = door("ofrep-400");
    for (body, code) in [
        (&b"{\"context\":"[..], "PARSE_ERROR"),
        (b"[]", "PARSE_ERROR"),
        (b"{\"context\":\"\xff\xfe\"}", "PARSE_ERROR"),
        (br#"{"context":7}"#, "INVALID_CONTEXT"),
        (br#"{"context":{"targetingKey":7}}"#, "INVALID_CONTEXT"),
    ] {
        let reply = post(server.http, SINGLE, body).bearer(&token).reply();
        assert_eq!(complete_error(&reply, 400, code)["key"], FLAG);
    }
}

#[test]
fn ofrep_a_context_is_neither_kept_nor_logged() {
    let (mut server, _, token) = door("ofrep-canary");
    let body = r#"{"context":{"targetingKey":"canary-7f3a","email":"canary-7f3a@example.com"}}"#;
    let _ = complete(&ofrep(&server, &token, SINGLE, body));
    let _ = ofrep(&server, &token, SINGLE, r#"{"context":{"targetingKey":{"canary-7f3a":1}}}"#);
    server.stop();
    crate::secrets::nowhere(&server, &["canary-7f3a"]);
}

/// Asks with the ETag held; gives the one held afterwards, and whether it is another.
fn poll(server: &Server, path: &str, token: &str, held: &str) -> (String, bool) {
    let asked = if path == BULK { post(server.http, path, "{}") } else { request(server.http, "GET", path) };
    let token = if path == BULK { format!("Bearer {token}") } else { token.to_owned() };
    let reply = asked.header("authorization", token).header("if-none-match", held).reply();
    let tag = reply.header("etag").expect("an ETag comes with 200 and 304 alike").to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag}");
    match reply.status {
        200 => (tag, true),
        304 => {
            assert!(reply.body.is_empty() && tag == held, "{tag} for {held}");
            (tag, false)
        }
        other => panic!("{other}: {}", reply.text()),
    }
}

/// An ETag stands for what is served: it alters with a flip, and at a deadline without any write.
/// Each expiry is watched from before to after; a 304 more than a second late is stale (I10).
fn etag_follows_what_is_served(test: &str, path: &str) {
    let (server, desk, token) = door(test);
    let (mut held, new) = poll(&server, path, &token, "\"nothing\"");
    assert!(new);
    assert!(!poll(&server, path, &token, &held).1, "the same is not sent again");
    for _ in 0..2 {
        let mut deadlines = Vec::new();
        for (switch, lasts) in [("order/recommendations", "2s"), ("order/coupons", "3s")] {
            let change = desk.lays(&format!("off {switch} --for {lasts}"));
            deadlines.push(change["deadline"].as_str().unwrap().parse::<Timestamp>().unwrap());
            held = alters(&server, path, &token, &held);
        }
        for deadline in deadlines {
            held = alters(&server, path, &token, &held);
            let late = Timestamp::now().duration_since(deadline);
            assert!((0..=1000).contains(&late.as_millis()), "altered {late:?} after the deadline");
        }
    }
}

/// Polls until the ETag held is not the current one any more; gives the one that is.
fn alters(server: &Server, path: &str, token: &str, held: &str) -> String {
    until("the ETag to alter", secs(10), || {
        let (tag, new) = poll(server, path, token, held);
        new.then_some(tag)
    })
}

#[test]
fn ofrep_the_etag_alters_at_a_deadline_without_a_write() {
    etag_follows_what_is_served("ofrep-etag", BULK);
}

#[test]
fn unleash_the_etag_alters_at_a_deadline_without_a_write() {
    etag_follows_what_is_served("unleash-etag", FEATURES);
}

#[test]
fn unleash_an_unknown_flag_is_false() {
    let (server, desk) = declared("unleash-unknown");
    let Some(mut client) = Client::start(Kind::PythonUnleash, &server, &desk, "order-1") else { return };
    until_true("the first set", secs(10), || client.on(FLAG));
    assert!(!client.on("order.nothing"));
    assert!(!client.on("payment.card"), "it is of another flag set than the token's");
}

#[test]
fn unleash_a_switch_that_is_off_is_no_feature_without_strategies() {
    // Enabled without strategies means on; some SDKs ask only for the strategies.
    let (server, desk, token) = door("unleash-off");
    let _ = desk.lays("off order/recommendations --for 10m");
    let reply = request(server.http, "GET", FEATURES).header("authorization", &token).reply();
    let said = reply.json();
    assert_eq!(said["version"], 2);
    let all = said["features"].as_array().unwrap();
    let of = |name: &str| all.iter().find(|f| f["name"] == name).unwrap().clone();
    assert!(all.iter().all(|f| f["strategies"].as_array().is_some_and(|s| !s.is_empty())), "{said}");
    assert_eq!(of("order.coupons")["enabled"], true);
    let names: Vec<&str> = all.iter().map(|f| f["name"].as_str().unwrap()).collect();
    assert!(!names.contains(&"payment.card"), "{names:?}");
}

#[test]
fn unleash_register_and_metrics_are_accepted() {
    let (server, _, token) = door("unleash-202");
    let register = json!({
        "appName": "order", "instanceId": "order-1", "connectionId": "c-1", "sdkVersion": "unleash-test:1",
        "strategies": ["default"], "started": "2026-11-22T03:00:00Z", "interval": 15_000, "unknownField": 1,
    });
    let metrics = json!({
        "appName": "order", "instanceId": "order-1", "connectionId": "c-1",
        "bucket": {
            "start": "2026-11-22T03:00:00.000Z", "stop": "2026-11-22T03:01:00.000Z",
            "toggles": {FLAG: {"yes": 3, "no": 2, "variants": {}}, "not.ours": {"yes": 1, "no": 0}},
        },
    });
    for (path, body) in [("/api/client/register", register), ("/api/client/metrics", metrics)] {
        let post =
            |token: &str| post(server.http, path, body.to_string()).header("authorization", token).reply();
        assert_eq!(post(&token).status, 202, "{path}");
        assert_eq!(post(&format!("Bearer {token}")).status, 202, "{path}: newer SDKs say Bearer");
        assert_eq!(post("rein_nonsense").status, 401, "{path}");
    }
}

#[test]
fn unleash_a_poll_proves_what_a_client_holds_and_its_metrics_what_it_decided() {
    let (server, desk) = declared("unleash-proof");
    let Some(mut client) = Client::start(Kind::PythonUnleash, &server, &desk, "order-1") else { return };
    until_true("the first set", secs(10), || client.on(FLAG));
    let _ = desk.lays("off order/recommendations --for 10m");
    let proof = || desk.types("rein switch show order/recommendations -o json").json()["proof"].clone();
    until_true("its ETag to come back", secs(15), || proof()["held"] == 1);
    until_true("its metrics to show it", secs(20), || {
        assert!(!client.on(FLAG), "it holds the set in which the feature is off");
        proof()["decided"] == 1
    });
}

/// The sync protocol itself, spoken by grpcio.
fn raw(test: &str) -> Option<(Server, Desk, Client)> {
    let (server, desk) = declared(test);
    let settings = json!({"host": "127.0.0.1", "port": server.grpc.port()});
    let errors = server.room.path().join("raw.stderr");
    let client = Client::script("flagd_sync.py", &settings, &errors)?;
    Some((server, desk, client))
}

fn flags(answer: &Value) -> Vec<String> {
    assert_eq!(answer["code"], "OK", "{answer}");
    answer["set"]["flags"].as_object().expect("flags are an object").keys().cloned().collect()
}

#[test]
fn flagd_fetch_all_flags_and_get_metadata_answer() {
    let Some((_server, _, mut raw)) = raw("flagd-fetch") else { return };
    assert_eq!(raw.ask(&json!({"metadata": true}))["code"], "OK");
    let set = raw.ask(&json!({"fetch": ""}));
    assert_eq!(flags(&set), ["order.coupons", "order.recommendations", "payment.card", "payment.wallet"]);
    let flag = &set["set"]["flags"][FLAG];
    assert_eq!(flag["state"], "ENABLED");
    assert_eq!(flag["variants"], json!({"on": true, "off": false}));
    assert_eq!(flag["defaultVariant"], "on", "absent or null costs some clients the whole set");
}

#[test]
fn flagd_the_selector_is_taken_from_header_and_body() {
    let Some((_server, _, mut raw)) = raw("flagd-selector") else { return };
    let order = ["order.coupons", "order.recommendations"];
    for asked in [
        json!({"fetch": "flagSetId=order"}),
        json!({"fetch": "order"}),
        json!({"fetch": "", "header": "flagSetId=order"}),
        json!({"fetch": "flagSetId=payment", "header": "flagSetId=order"}),
    ] {
        assert_eq!(flags(&raw.ask(&asked)), order, "{asked}");
    }
    let refused = raw.ask(&json!({"fetch": "source=file.json"}));
    assert_eq!(refused["code"], "INVALID_ARGUMENT", "{refused}");
    assert!(refused["details"].as_str().unwrap().contains("flagSetId=SERVICE"), "{refused}");
}

#[test]
fn flagd_a_stream_survives_the_keepalive_of_its_client() {
    let Some((_server, _, mut raw)) = raw("flagd-keepalive") else { return };
    let said = raw.ask(&json!({"stream": 3, "keepalive_ms": 100}));
    assert_eq!(said["code"], "DEADLINE_EXCEEDED", "the client's own deadline ended it: {said}");
    assert_eq!(said["messages"], 1, "what has not altered is not sent again");
}

#[test]
fn flagd_metadata_reach_the_caller() {
    for (kind, test) in [(Kind::PythonFlagd, "flagd-rev-python"), (Kind::GoFlagd, "flagd-rev-go")] {
        let (server, desk) = declared(test);
        let Some(mut client) = Client::start(kind, &server, &desk, "order-1") else { continue };
        until_true("the first set", secs(10), || client.decides(FLAG, "user-1", json!({})).error.is_empty());
        let before = client.decides(FLAG, "user-1", json!({}));
        assert_eq!((before.reason.as_str(), before.variant.as_str()), ("STATIC", "on"), "{before:?}");
        let _ = desk.lays("off order/recommendations --for 10m");
        until_true("the flip", secs(10), || !client.on(FLAG));
        let after = client.decides(FLAG, "user-1", json!({}));
        assert_eq!((after.reason.as_str(), after.variant.as_str()), ("TARGETING_MATCH", "off"), "{after:?}");
        let rev = |metadata: &Value| metadata["rev"].as_f64().expect("a number");
        assert!(rev(&before.metadata) < rev(&after.metadata), "{before:?} {after:?}");
        assert_eq!(after.metadata["owner"], "team-order");
    }
}
