//! The verbs against a server that gives prepared answers: what is sent, what is shown, how it ends.

use crate::io::{Env, Io};
use crate::render::sample::{alert, foreign_silence, silence, silence_preview, silenced};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use rein_api::ExitCode;
use rein_api::changes::{ChangedView, PreviewView};
use rein_api::silences::{AlertList, SilenceList, SilencePreview};
use rein_client::{BodyStream, SendError, Transport};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::{Arc, Mutex};

/// Answers by method and path; everything else is not found. What was sent is kept.
#[derive(Default)]
struct Fake {
    answers: BTreeMap<String, String>,
    sent: Mutex<Vec<(String, Value)>>,
}

impl Fake {
    fn with(mut self, call: &str, answer: &impl Serialize) -> Self {
        self.answers.insert(call.to_owned(), serde_json::to_string(answer).unwrap());
        self
    }

    fn sent(&self, call: &str) -> Vec<Value> {
        let sent = self.sent.lock().unwrap();
        sent.iter().filter(|(to, _)| to == call).map(|(_, body)| body.clone()).collect()
    }
}

impl Transport for Fake {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<BodyStream>, SendError>> {
        let call = format!("{} {}", request.method(), request.uri().path());
        let body = serde_json::from_slice(request.body()).unwrap_or_default();
        let (status, text) = match self.answers.get(&call) {
            Some(text) => (200, text.clone()),
            None => (404, r#"{"code":"not_found","message":"there is no such thing"}"#.to_owned()),
        };
        self.sent.lock().unwrap().push((call, body));
        let answer =
            http::Response::builder().status(status).body(stream::iter([Ok(Bytes::from(text))]).boxed());
        async move { Ok(answer.unwrap()) }.boxed()
    }

    fn server(&self) -> &str {
        "http://test"
    }
}

fn typed(server: &Arc<Fake>, line: &str) -> (ExitCode, String, String) {
    let (mut io, capture) = Io::capture(Env::of([("HOME", "/nonexistent")]));
    io.transport = Some(server.clone());
    let now = crate::render::sample::look().now;
    io.clock = Box::new(move || now);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let exit = runtime.block_on(crate::run(line.split(' ').map(OsString::from), io));
    (exit, capture.out(), capture.err())
}

fn server(preview: SilencePreview) -> Fake {
    let deadline = silenced().deadline;
    let preview =
        PreviewView { legs: vec![], silences: vec![preview], instances: vec![], deadline, doors: vec![] };
    let alerts = vec![alert("order-1", "sh"), alert("order-2", "bj")];
    let silences = vec![silence(), foreign_silence()];
    Fake::default()
        .with("POST /v1/changes/preview", &preview)
        .with("POST /v1/changes", &ChangedView { change: silenced(), effects: vec![] })
        .with("GET /v1/changes/3v9k2m7c1x", &silenced())
        .with("GET /v1/alerts", &AlertList { alerts, unreachable: Default::default() })
        .with("GET /v1/silences", &SilenceList { silences, unreachable: Default::default() })
}

#[test]
fn what_was_laid_but_is_not_shown_by_every_peer_ends_with_5_and_names_it() {
    let fake = Arc::new(server(silence_preview()));
    let line = "rein silence add HighLatency service=order --for 2h --incident INC-42 --yes --timeout 1s";
    let (exit, out, err) = typed(&fake, line);
    assert_eq!(exit, ExitCode::NotYet, "{err}");
    assert!(err.contains("hushes   2 of 14 alerts that fire now"), "{err}");
    assert!(err.contains("alerts-sh: held on 2/3 peers; not yet: http://am-2:9093"), "{err}");
    assert!(out.contains("alerts-sh: held on 2/3 peers · not yet: http://am-2:9093"), "{out}");
    let sent = fake.sent("POST /v1/changes");
    insta::assert_snapshot!(serde_json::to_string(&sent).unwrap(), @r#"[{"guards":"check","incident":"INC-42","lasts_seconds":7200,"legs":[{"silence":{"matchers":[{"name":"alertname","op":"=","value":"HighLatency"},{"name":"service","op":"=","value":"order"}]}}]}]"#);
}

#[test]
fn nothing_is_laid_when_nobody_can_be_asked_and_a_typing_error_is_pointed_at() {
    let nothing = SilencePreview { firing: 0, lately: None, alerts: vec![], ..silence_preview() };
    let fake = Arc::new(server(nothing));
    let (exit, _, err) = typed(&fake, "rein silence add HighLatency service=ordr --backend alerts-sh");
    assert_eq!(exit, ExitCode::Usage);
    assert!(err.contains("MATCHES NOTHING NOW"), "{err}");
    assert!(err.contains("did you mean service=order?"), "{err}");
    assert!(fake.sent("POST /v1/changes").is_empty());
    let asked = fake.sent("POST /v1/changes/preview");
    assert_eq!(asked[0]["legs"][0]["silence"]["backend"], "alerts-sh");
}

#[test]
fn an_alert_gives_its_labels_but_not_its_place() {
    let fake = Arc::new(server(silence_preview()));
    let (exit, ..) = typed(&fake, "rein silence add --alert f1order-1 --yes --no-wait");
    // Both alerts answer to the beginning of the id: neither is guessed.
    assert_eq!(exit, ExitCode::Usage);
    let one = AlertList { alerts: vec![alert("order-1", "sh")], unreachable: Default::default() };
    let fake = Arc::new(server(silence_preview()).with("GET /v1/alerts", &one));
    let (exit, _, err) = typed(&fake, "rein silence add --alert f1order-1 --yes --no-wait");
    assert_eq!(exit, ExitCode::Done, "{err}");
    assert!(err.contains("alertname=HighLatency service=order zone=sh"), "{err}");
}

#[test]
fn somebody_elses_is_taken_away_by_a_change_and_not_extended() {
    let fake = Arc::new(server(silence_preview()));
    let (exit, _, err) = typed(&fake, "rein silence extend 5cffcecd --for 1h");
    assert_eq!(exit, ExitCode::Refused);
    assert!(err.contains("rein silence add alertname=HighLatency"), "{err}");
    let (exit, _, err) = typed(&fake, "rein silence expire 5cffcecd --yes --no-wait");
    assert_eq!(exit, ExitCode::Done, "{err}");
    let sent = fake.sent("POST /v1/changes");
    assert_eq!(
        sent[0]["legs"][0]["lift"],
        serde_json::json!({"backend": "alerts-sh", "id": "5cffcecd-3c84-46ae-9663-0fa48d8b0439"})
    );
}

#[test]
fn a_list_from_which_a_backend_is_missing_says_so() {
    let mut list = SilenceList { silences: vec![silence()], unreachable: Default::default() };
    list.unreachable.insert("alerts-bj".into(), "refused".into());
    let fake = Arc::new(Fake::default().with("GET /v1/silences", &list));
    let (exit, out, err) = typed(&fake, "rein silence list");
    assert_eq!(exit, ExitCode::Unreachable);
    assert!(out.contains("3v9k2m7c1x"), "{out}");
    assert!(err.contains("alerts-bj: refused"), "{err}");
}
