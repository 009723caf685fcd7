//! The API by its own description: nothing breaks it, and nothing opens it without a token.

use crate::kit::client::python_program;
use crate::kit::http::{get, request};
use crate::kit::server::{Server, Watched, declared, skipped};
use crate::kit::wait::{secs, until};
use serde_json::{Value, json};
use std::fs::File;
use std::process::{Command, Stdio};

const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

/// Every operation of the document, as method and path.
fn operations(document: &Value) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let methods = METHODS.iter().filter(|method| item.get(**method).is_some());
        all.extend(methods.map(|method| (method.to_uppercase(), path.clone())));
    }
    all
}

fn document(server: &Server) -> Value {
    get(server.http, "/openapi.json").bearer(&server.token()).reply().json()
}

#[test]
fn without_a_token_no_operation_answers() {
    let (server, desk) = declared("api-anonymous");
    let document = document(&server);
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
    let all = operations(&document);
    assert!(all.len() >= 25, "{all:?}");
    let before = desk.footprint();
    for (method, path) in &all {
        let filled =
            path.replace("{service}", "order").replace("{switch}", "coupons").replace("{id}", "k7q2m9x4tf");
        let filled = filled.replace("{name}", "INC-1").replace("{lane}", "run-1");
        assert!(!filled.contains('{'), "{filled}");
        for authorization in ["", "Bearer ", "Bearer rein_nonsense", "Basic YWRtaW46YWRtaW4="] {
            let asked = request(server.http, method, &filled).header("content-type", "application/json");
            let asked =
                if authorization.is_empty() { asked } else { asked.header("authorization", authorization) };
            let reply = asked.body("{}").reply();
            assert_eq!(reply.status, 401, "{method} {path} with {authorization:?}: {}", reply.text());
            assert_eq!(reply.json()["code"], "unauthenticated");
        }
    }
    assert_eq!(desk.footprint(), before);
}

/// Runs schemathesis for a bounded time over a document; its own checks decide.
fn fuzz(server: &Server, document: &Value) {
    let Some(program) = python_program("schemathesis") else {
        skipped("the API against made-up requests", "schemathesis is not installed (tests/run installs it)");
        return;
    };
    let said = server.room.path().join("schemathesis.txt");
    let child = Command::new(program)
        .arg("run")
        .arg(server.room.write("openapi.json", document.to_string()))
        .args(["--url", &server.url(), "--header", &format!("Authorization: Bearer {}", server.token())])
        .args(["--checks", "not_a_server_error", "--phases", "coverage,fuzzing"])
        // One thread: Python 3.11 and 3.12 may fail where two parse at once (python/cpython, issue 106905).
        .args(["--seed", "1", "--max-examples", "5", "--workers", "1", "--max-time", "25"])
        .args(["--generation-database", "none", "--no-color", "--request-timeout", "10"])
        .current_dir(server.room.path())
        .stdin(Stdio::null())
        .stdout(File::create(&said).unwrap())
        .stderr(File::create(server.room.path().join("schemathesis.err")).unwrap())
        .spawn()
        .unwrap();
    let mut child = Watched(child);
    let status = until("schemathesis to end", secs(120), || child.0.try_wait().unwrap());
    let text = std::fs::read_to_string(said).unwrap();
    assert!(status.success(), "{status}\n{text}\n{}", server.log());
    assert!(text.contains(" passed"), "it has asked something: {text}");
}

/// The document with names of things that exist, so that requests get past looking them up.
fn with_names(mut document: Value, names: &[(&str, &str)]) -> Value {
    let items = document["paths"].as_object_mut().unwrap();
    for operation in items.values_mut().flat_map(|item| item.as_object_mut().unwrap().values_mut()) {
        let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
        for parameter in parameters.into_iter().flatten() {
            let real: Vec<&str> =
                names.iter().filter(|(name, _)| parameter["name"] == *name).map(|(_, real)| *real).collect();
            if !real.is_empty() {
                parameter["schema"] = json!({"type": "string", "enum": real});
            }
        }
    }
    document
}

#[test]
fn no_request_breaks_it() {
    let (server, desk) = declared("api-fuzz");
    let change = desk.lays("off order/recommendations --for 10m --incident INC-1");
    let lanes = desk.types("rein audit heads -o json").json();
    let lane = lanes["lanes"].as_object().unwrap().keys().next().unwrap().clone();
    let whole = document(&server);
    let (mut most, mut revoke) = (whole.clone(), whole);
    // A stream does not end by itself; and whoever revokes tokens may meet their own.
    let (events, token) = ("/v1/events", "/v1/tokens/{id}");
    most["paths"].as_object_mut().unwrap().retain(|path, _| path != events && path != token);
    revoke["paths"].as_object_mut().unwrap().retain(|path, _| path == token);
    let id = change["id"].as_str().unwrap();
    let names =
        [("id", id), ("service", "order"), ("switch", "coupons"), ("name", "INC-1"), ("lane", lane.as_str())];
    fuzz(&server, &with_names(most, &names));
    fuzz(&server, &revoke);
    let refused = desk.types("rein status");
    assert_eq!(refused.exit, 0, "nothing was asked if the token was lost on the way: {}", refused.whole());
    desk.types("rein audit verify").done();
    assert!(!server.log().contains("panicked"), "{}", server.log());
}
