//! The OFREP door: one HTTP call an evaluation, or all flags at once.
//!
//! Source: open-feature/protocol, `service/openapi.yaml`, OFREP 0.3. Beyond it, what clients need,
//! each known to serve its code default otherwise: every answer has `key`, `value`, `reason` (of
//! the standard words), `variant` and `metadata`; every error is JSON with `errorDetails` and
//! `metadata`, also 401 and 404; a missing context, targeting key or body is no error; a trailing
//! slash is none either.
//!
//! A context is used for one answer. It is neither kept nor logged.

use crate::compile::flagd::variant;
use crate::compile::ofrep::{Asker, Question};
use crate::http::{actor, echoed, print, service};
use crate::seats::{Listing, Seats};
use axum::Router;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use parking_lot::Mutex;
use rein_core::doorway::{DoorFacts, Doorway, Flag};
use rein_domain::access::{Actor, Pattern, Verb};
use rein_domain::name::SwitchName;
use rein_domain::proof::{Identity, Serial};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most bytes of a request.
const MAX_BODY: usize = 64 * 1024;

/// The routes of the door.
pub fn router(doorway: Doorway) -> Router {
    let seats = Seats::new("ofrep", Arc::clone(&doorway.witnesses));
    let door = Door { doorway, seats, book: Mutex::default() };
    Router::new()
        .route("/ofrep/v1/evaluate/flags", post(bulk))
        .route("/ofrep/v1/evaluate/flags/", post(bulk))
        .route("/ofrep/v1/evaluate/flags/{key}", post(single))
        .route("/ofrep/v1/evaluate/flags/{key}/", post(single))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(Arc::new(door))
}

/// What holds at this door when things fail.
pub fn facts(address: impl Into<String>) -> DoorFacts {
    DoorFacts {
        name: "ofrep",
        address: address.into(),
        keeps_deadline: "rein",
        when_rein_dies: "clients fall back to the default in their code",
        best_proof: "decided",
    }
}

struct Door {
    doorway: Doorway,
    seats: Arc<Seats<()>>,
    book: Mutex<Arc<Book>>,
}

/// A served set, ready to be asked.
#[derive(Debug, Default)]
struct Book {
    serial: Serial,
    flags: BTreeMap<SwitchName, (Arc<Flag>, Arc<Question>)>,
}

impl Door {
    /// The newest set. Flags that stand as before are not made ready again.
    fn book(&self) -> Result<Arc<Book>, Failure> {
        let served = self.doorway.served.borrow().clone();
        if served.serial == 0 {
            // Not "no such flag": nothing is known yet.
            let details = "the server has not read its switches yet";
            return Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, "PROVIDER_NOT_READY", details));
        }
        let mut book = self.book.lock();
        if book.serial < served.serial {
            let question = |name: &SwitchName, flag: &Arc<Flag>| match book.flags.get(name) {
                Some((of, question)) if Arc::ptr_eq(of, flag) || of == flag => Arc::clone(question),
                _ => Arc::new(Question::new(flag)),
            };
            let flags = served.flags.iter();
            let flags = flags.map(|(name, flag)| (name.clone(), (Arc::clone(flag), question(name, flag))));
            *book = Arc::new(Book { serial: served.serial, flags: flags.collect() });
        }
        Ok(Arc::clone(&book))
    }

    /// Notes who decided what, by which set; `held` when they named the very answer they hold.
    fn answered(&self, actor: &Actor, serial: Serial, decided: &[&SwitchName], held: bool) {
        let evaluations = decided.len() as u64;
        metrics::counter!("rein_door_evaluations_total", "door" => "ofrep").increment(evaluations);
        let listing = || Listing {
            name: actor.name.to_string(),
            service: service(&actor.pattern),
            identity: Identity::Authenticated,
        };
        self.seats.seen(actor.name.as_str(), listing, None, |present, ()| {
            present.decided(decided.iter().copied(), serial);
            if held {
                present.held(serial);
            }
        });
    }
}

/// An OFREP error. The words are those of the protocol.
struct Failure {
    status: StatusCode,
    code: &'static str,
    details: String,
    key: Option<String>,
}

impl Failure {
    fn new(status: StatusCode, code: &'static str, details: impl Into<String>) -> Self {
        Self { status, code, details: details.into(), key: None }
    }

    fn of(self, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..self }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut body = json!({"errorCode": self.code, "errorDetails": self.details, "metadata": {}});
        if let Some(key) = self.key {
            body["key"] = key.into();
        }
        answer(self.status, body.to_string())
    }
}

fn answer(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

#[derive(Deserialize, Default)]
struct Body {
    context: Option<Value>,
}

/// Takes from a request what rules use.
fn asker(body: Result<Bytes, BytesRejection>) -> Result<Asker, Failure> {
    let bad = |code, details: &str| Failure::new(StatusCode::BAD_REQUEST, code, details);
    let body = body.map_err(|rejection| {
        let details = format!("the request is not taken; it may have {MAX_BODY} bytes");
        Failure::new(rejection.status(), "PARSE_ERROR", details)
    })?;
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Asker::default());
    }
    // The parser's own words may quote the context, which belongs in no log.
    let body: Body = serde_json::from_slice(&body).map_err(|error| {
        let at = format!(
            "the request is not an object in JSON (line {}, column {})",
            error.line(),
            error.column()
        );
        bad("PARSE_ERROR", &at)
    })?;
    let mut context = match body.context {
        None | Some(Value::Null) => return Ok(Asker::default()),
        Some(Value::Object(context)) => context,
        Some(_) => return Err(bad("INVALID_CONTEXT", "`context` is not an object")),
    };
    let mut text = |name: &str| match context.remove(name) {
        Some(Value::String(text)) => Ok(Some(text)),
        None | Some(Value::Null) => Ok(None),
        Some(_) => Err(name.to_owned()),
    };
    let key = text("targetingKey")
        .map_err(|_| bad("INVALID_CONTEXT", "`targetingKey` is not a string"))?
        // An empty key is none, as in flagd.
        .filter(|key| !key.is_empty());
    // A zone or instance of another type is in no scope, as at other doors.
    Ok(Asker { zone: text("zone").unwrap_or(None), instance: text("instance").unwrap_or(None), key })
}

fn known(door: &Door, headers: &HeaderMap) -> Result<Actor, Failure> {
    actor(&door.doorway, headers, Some("x-api-key")).ok_or_else(|| {
        let details = "a good token is wanted, as `Authorization: Bearer TOKEN` or `X-API-Key: TOKEN`";
        Failure::new(StatusCode::UNAUTHORIZED, "GENERAL", details)
    })
}

async fn single(
    State(door): State<Arc<Door>>,
    Path(key): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    evaluate(&door, &key, &headers, body).unwrap_or_else(|failure| failure.of(&key).into_response())
}

fn evaluate(
    door: &Door,
    key: &str,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    let actor = known(door, headers)?;
    let unknown = || Failure::new(StatusCode::NOT_FOUND, "FLAG_NOT_FOUND", "there is no such flag");
    let name = SwitchName::from_flag_key(key).map_err(|_| unknown())?;
    // Before looking: whoever may not read a flag shall not learn that it exists.
    actor
        .can(Verb::ReadFlags, &Pattern::Switch(name.clone()))
        .map_err(|denied| Failure::new(StatusCode::FORBIDDEN, "GENERAL", denied.to_string()))?;
    let asker = asker(body)?;
    let book = door.book()?;
    let (flag, question) = book.flags.get(&name).ok_or_else(unknown)?;
    let mut out = String::with_capacity(160);
    write(&mut out, (flag, question), &asker);
    door.answered(&actor, book.serial, &[&name], false);
    Ok(answer(StatusCode::OK, out))
}

/// Writes one evaluation. Keys and words need no escaping: the grammar of names sees to it.
fn write(out: &mut String, (flag, question): (&Flag, &Question), asker: &Asker) {
    use std::fmt::Write;
    let (setting, reason) = question.answer(asker);
    let _ = write!(
        out,
        r#"{{"key":"{}","value":{},"reason":"{}","variant":"{}","metadata":{{"rev":{}}}}}"#,
        question.key(),
        setting.flag(),
        reason.as_str(),
        variant(setting),
        flag.since,
    );
}

async fn bulk(
    State(door): State<Arc<Door>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    all(&door, &headers, body).unwrap_or_else(IntoResponse::into_response)
}

fn all(door: &Door, headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Response, Failure> {
    let actor = known(door, headers)?;
    if !actor.role.allows(Verb::ReadFlags) {
        let details = format!("{} may not read flags", actor.name);
        return Err(Failure::new(StatusCode::FORBIDDEN, "GENERAL", details));
    }
    let asker = asker(body)?;
    let book = door.book()?;
    let mut out = String::from(r#"{"flags":["#);
    let mut decided: Vec<&SwitchName> = Vec::new();
    for (name, (flag, question)) in &book.flags {
        if !covers(&actor.pattern, name) {
            continue;
        }
        if !decided.is_empty() {
            out.push(',');
        }
        write(&mut out, (flag, question), &asker);
        decided.push(name);
    }
    out.push_str(r#"],"metadata":{}}"#);
    let tag = format!("\"{}\"", print(out.as_bytes()));
    let held = echoed(headers).any(|echo| echo == tag);
    door.answered(&actor, book.serial, &decided, held);
    let mut response = match held {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => answer(StatusCode::OK, out),
    };
    if let Ok(tag) = tag.parse() {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

/// [`Pattern::covers`] without making a pattern of every flag.
fn covers(pattern: &Pattern, name: &SwitchName) -> bool {
    match pattern {
        Pattern::All => true,
        Pattern::Service(service) => service == name.service(),
        Pattern::Switch(switch) => switch == name,
    }
}
