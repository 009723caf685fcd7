//! Completeness: every route names its caller, refuses those without rights, and is described.
#![allow(clippy::print_stdout, reason = "the seed, for whoever looks at a failure")]

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use futures::StreamExt;
use http_body_util::BodyExt;
use metrics_exporter_prometheus::PrometheusBuilder;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rein_api::access::TokenRequest;
use rein_core::clock::Machine;
use rein_core::plugins::NoPlugins;
use rein_core::{House, HouseOptions};
use rein_domain::change::Policy;
use rein_http::{Allowed, App};
use rein_store::sqlite::{SqliteOptions, SqliteStore};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// Answered to anybody, and why. A change here is a change of policy.
const OPEN: [&str; 3] = ["/healthz", "/readyz", "/openapi.json"];

struct Rig {
    router: Router,
    house: Arc<House>,
    admin: String,
    viewer: String,
    client: String,
    _directory: tempfile::TempDir,
    _stop: tokio_util::sync::DropGuard,
}

async fn rig() -> Rig {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path().join("rein.db"), SqliteOptions::default()).unwrap();
    let options = HouseOptions {
        policy: Policy::default(),
        default_lasts: Duration::from_secs(3600),
        writes_per_second: 1000,
        audit_key: directory.path().join("audit.key"),
        accept_new_audit_key: false,
        ship_heads_to: Vec::new(),
        observe: false,
        member: None,
        keep_ended: Duration::from_secs(3600),
    };
    let house = House::open(Arc::new(store), Arc::new(NoPlugins), Box::new(Machine), options).await.unwrap();
    let stop = CancellationToken::new();
    house.run(&stop);
    let admin = house.first_token().await.unwrap().unwrap();
    let root = house.authenticate(&admin).unwrap();
    let make = async |role: &str| {
        let request =
            TokenRequest { actor: role.into(), role: role.into(), pattern: "*".into(), lasts_seconds: 600 };
        house.create_token(&root, None, &request).await.unwrap().token
    };
    let (viewer, client) = (make("viewer").await, make("client").await);
    let app = App {
        house: house.clone(),
        allowed: Arc::new(Allowed::with([], [])),
        metrics: PrometheusBuilder::new().build_recorder().handle(),
        stop: stop.clone(),
    };
    let router = rein_http::router(app, Router::new());
    Rig { router, house, admin, viewer, client, _directory: directory, _stop: stop.drop_guard() }
}

impl Rig {
    async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (StatusCode, String) {
        let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let status = answer.status();
        // An event stream never ends: its beginning is enough.
        let body = tokio::time::timeout(Duration::from_millis(300), answer.into_body().collect()).await;
        let text = body.ok().map(|b| String::from_utf8_lossy(&b.unwrap().to_bytes()).into_owned());
        (status, text.unwrap_or_default())
    }
}

/// Every operation described, with path parameters filled in.
fn operations() -> Vec<(Method, String)> {
    let document = serde_json::to_value(rein_http::document()).unwrap();
    let paths = document["paths"].as_object().unwrap().clone();
    let mut all = Vec::new();
    for (path, methods) in paths {
        let filled = path
            .replace("{service}", "order")
            .replace("{switch}", "recommendations")
            .replace("{id}", "0123456789")
            .replace("{name}", "INC-42")
            .replace("{lane}", "run-1");
        assert!(!filled.contains('{'), "{path} has a parameter that this test does not know");
        for method in methods.as_object().unwrap().keys() {
            if let Ok(method) = method.to_uppercase().parse::<Method>() {
                all.push((method, filled.clone()));
            }
        }
    }
    assert!(all.len() >= 20, "the description is empty");
    all
}

/// I23 in short: no route answers beyond its identity.
#[tokio::test(flavor = "multi_thread")]
async fn no_route_answers_without_a_token_or_with_a_bad_one() {
    let rig = rig().await;
    for (method, path) in operations() {
        for token in [None, Some("Bearer rein_nonsense"), Some("Basic YTpi"), Some("Bearer ")] {
            let headers: Vec<_> = token.map(|t| ("authorization", t)).into_iter().collect();
            let (status, body) = rig.send(method.as_str(), &path, &headers, "{}").await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path} {token:?}: {body}");
            assert!(body.contains("unauthenticated") && body.contains("hint"), "{body}");
        }
    }
    for path in OPEN {
        let (status, _) = rig.send("GET", path, &[], "").await;
        assert_eq!(status, StatusCode::OK, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_role_does_more_than_it_says() {
    let rig = rig().await;
    let viewer = format!("Bearer {}", rig.viewer);
    let client = format!("Bearer {}", rig.client);
    let free = ["/v1/whoami", "/v1/can-i"];
    // Services register and find each other.
    let for_services = ["/v1/services", "/v1/sd/", "/v1/registry/instances"];
    for (method, path) in operations() {
        let path = if path == "/v1/can-i" { format!("{path}?verb=read&target=*") } else { path };
        if !free.iter().chain(&for_services).any(|f| path.starts_with(f)) {
            let (status, body) = rig.send(method.as_str(), &path, &[("authorization", &client)], BODY).await;
            assert!(status.is_client_error(), "client: {method} {path}: {status} {body}");
        }
        if method != Method::GET {
            let (status, body) = rig.send(method.as_str(), &path, &[("authorization", &viewer)], BODY).await;
            assert!(status.is_client_error(), "viewer: {method} {path}: {status} {body}");
        }
    }
}

/// Right in no schema, so that a refusal comes from rights or from reading, never from luck.
const BODY: &str = r#"{"legs":[{"switch":"order/recommendations","setting":"off"}]}"#;

/// I23 at length: whoever shows nothing, something that is no token, or one that was revoked is told that and nothing else;
/// whoever may less than is asked for is refused. And nothing of it alters anything.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_answered_beyond_their_identity() {
    let requests: usize = std::env::var("REIN_REQUESTS").ok().and_then(|n| n.parse().ok()).unwrap_or(3_000);
    let seed: u64 = std::env::var("REIN_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or_else(rand::random);
    println!("{requests} requests, REIN_SEED={seed}");
    let rig = rig().await;
    let admin = format!("Bearer {}", rig.admin);
    let declared =
        r#"{"kind":"switch","name":"order/recommendations","owner":"o","level":3,"lost":"l","default":"on"}"#;
    let (status, text) = rig
        .send("PUT", "/v1/definitions/switch/order/recommendations", &[("authorization", &admin)], declared)
        .await;
    assert!(status.is_success(), "{text}");
    let root = rig.house.authenticate(&rig.admin).unwrap();
    let make = async |role: &str, pattern: &str| {
        let (actor, role, pattern, lasts_seconds) = (role.into(), role.into(), pattern.into(), 600);
        rig.house
            .create_token(&root, None, &TokenRequest { actor, role, pattern, lasts_seconds })
            .await
            .unwrap()
    };
    let revoked = make("admin", "*").await;
    rig.house.revoke_token(&root, None, &revoked.view.id).await.unwrap();
    let elsewhere = make("operator", "payment/*").await.token;
    let allowed = make("operator", "order/*").await.token;

    let strangers = [revoked.token, String::new(), "rein_".into(), rig.admin[5..].into()];
    let before = rig.send("GET", "/v1/audit", &[("authorization", &admin)], "").await;
    let operations = operations();
    // What those may do who only read, or who rule elsewhere, is for other tests.
    let refused = |(method, path): &&(Method, String)| method != Method::GET && !path.ends_with("/preview");
    let beyond: Vec<&(Method, String)> = operations.iter().filter(refused).collect();
    let ask = async |n: usize| {
        let mut dice = StdRng::seed_from_u64(seed ^ (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let body = ["{}", BODY, LAID, ""][dice.random_range(0..4)];
        let (token, unknown) = match dice.random_range(0..6) {
            0 => (None, true),
            1 => (Some(format!("Bearer {}", strangers[dice.random_range(0..strangers.len())])), true),
            2 => (Some(format!("Bearer {}", altered(&rig.admin, &mut dice))), true),
            3 => (Some(format!("{} {}", ["Basic", "Token", ""][dice.random_range(0..3)], rig.admin)), true),
            4 => (Some(format!("Bearer {}", rig.viewer)), false),
            _ => (Some(format!("Bearer {elsewhere}")), false),
        };
        let (method, path) = match unknown {
            true => &operations[dice.random_range(0..operations.len())],
            false => beyond[dice.random_range(0..beyond.len())],
        };
        let headers: Vec<_> = token.iter().map(|token| ("authorization", token.as_str())).collect();
        let (status, text) = rig.send(method.as_str(), path, &headers, body).await;
        let request = format!("{n}: {method} {path} {token:?} {body}: {status} {text}");
        if unknown {
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{request}");
        }
        assert!(status.is_client_error(), "{request}");
    };
    futures::stream::iter(0..requests).for_each_concurrent(16, ask).await;
    let after = rig.send("GET", "/v1/audit", &[("authorization", &admin)], "").await;
    assert_eq!(after, before, "and nothing was altered");
    // Only what they showed was wrong with them.
    let (status, text) =
        rig.send("POST", "/v1/changes", &[("authorization", &format!("Bearer {allowed}"))], LAID).await;
    assert!(status.is_success(), "{text}");
}

/// A token with one letter altered.
fn altered(token: &str, dice: &mut StdRng) -> String {
    let at = dice.random_range(0..token.len());
    let other = if token.as_bytes()[at] == b'x' { "y" } else { "x" };
    format!("{}{other}{}", &token[..at], &token[at + 1..])
}

/// Right, for whoever may.
const LAID: &str = r#"{"legs":[{"switch":"order/recommendations","setting":"off"}],"lasts_seconds":60}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_web_page_or_a_rebound_name_gets_no_answer() {
    let rig = rig().await;
    let admin = format!("Bearer {}", rig.admin);
    for (headers, code) in [
        (vec![("host", "evil.example"), ("authorization", admin.as_str())], "host_refused"),
        (vec![("origin", "https://evil.example"), ("authorization", admin.as_str())], "host_refused"),
    ] {
        let mut request = Request::builder().uri("/v1/status");
        for (name, value) in &headers {
            request = request.header(*name, *value);
        }
        if headers[0].0 != "host" {
            request = request.header("host", "127.0.0.1:7070");
        }
        let answer = rig.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(String::from_utf8_lossy(&body).contains(code));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_heartbeats_as_are_promised_fit_into_a_request() {
    let rig = rig().await;
    let admin = format!("Bearer {}", rig.admin);
    let auth = [("authorization", admin.as_str())];
    let beats = |count: usize| {
        let beat = |n| serde_json::json!({"service": "s".repeat(63), "id": format!("{n:0>63}"), "incarnation": "0".repeat(32)});
        serde_json::json!({"beats": (0..count).map(beat).collect::<Vec<_>>()}).to_string()
    };
    let (status, text) = rig.send("POST", "/v1/registry/heartbeats", &auth, &beats(1000)).await;
    assert_eq!(status, StatusCode::OK, "{text}");
    let said: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(said["unknown"].as_array().map(Vec::len), Some(1000));
    let (status, text) = rig.send("POST", "/v1/registry/heartbeats", &auth, &beats(1001)).await;
    assert!(status == StatusCode::PAYLOAD_TOO_LARGE && text.contains("at most 1000"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_are_told_what_is_wrong() {
    let rig = rig().await;
    let admin = format!("Bearer {}", rig.admin);
    let auth = ("authorization", admin.as_str());
    let big = format!("{{\"reason\":\"{}\"}}", "x".repeat(70_000));
    for (method, path, extra, body, status, says) in [
        ("POST", "/v1/changes", None, "{", 400, "JSON"),
        ("POST", "/v1/changes", None, r#"{"legs":[],"nonsense":1}"#, 400, "nonsense"),
        ("POST", "/v1/changes", None, big.as_str(), 413, "larger"),
        ("POST", "/v1/changes", Some(("idempotency-key", "abc")), BODY, 422, "UUIDv7"),
        ("GET", "/v1/changes?limit=0", None, "", 400, "limit"),
        ("GET", "/v1/changes?limit=x", None, "", 400, "limit"),
        ("GET", "/v1/switches/Order/x", None, "", 400, "position 1"),
        ("GET", "/v1/switches/order/x", None, "", 404, "no switch"),
        ("GET", "/v1/nothing", None, "", 404, "no such path"),
        ("PATCH", "/v1/changes", None, "", 405, "method"),
        ("GET", "/v1/status", Some(("rein-seen", "x")), "", 400, "rein-seen"),
        ("GET", "/v1/events?after=elsewhere.1", None, "", 410, "epoch"),
    ] {
        let headers: Vec<_> = [Some(auth), extra].into_iter().flatten().collect();
        let (got, text) = rig.send(method, path, &headers, body).await;
        assert_eq!(got.as_u16(), status, "{method} {path}: {text}");
        assert!(text.contains(says), "{method} {path}: {text}");
    }
}
