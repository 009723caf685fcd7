//! The Unleash door: switches for Unleash's own SDKs, which poll.
//!
//! Source: Unleash client API v2 (`/api/client/register`, `features`, `metrics`), unleash-types.
//! An SDK is given `http://HOST:PORT/api` and a token; the flag set is what the token opens.
//!
//! Proof without any help of the SDK: each poll echoes the ETag of the set it holds, and the
//! metrics say how often each flag was asked for since when. The ETag carries a digest of the
//! features as served, so it alters at a deadline without a commit.

mod press;

use crate::http::{actor, echoed, service};
use crate::seats::{Listing, Seats};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use press::{Press, Sheet};
use rein_core::doorway::{DoorFacts, Doorway};
use rein_domain::access::{Actor, Pattern, Verb};
use rein_domain::name::SwitchName;
use rein_domain::proof::{Identity, Serial};
use rein_domain::text::clean;
use serde::Deserialize;
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Most bytes of a request.
const MAX_BODY: usize = 256 * 1024;

/// The routes of the door.
pub fn router(doorway: Doorway) -> Router {
    let seats = Seats::new("unleash", Arc::clone(&doorway.witnesses));
    let door = Door { doorway, seats, press: Press::default() };
    Router::new()
        .route("/api/client/register", post(register))
        .route("/api/client/features", get(features))
        .route("/api/client/features/{name}", get(feature))
        .route("/api/client/metrics", post(metrics))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(Arc::new(door))
}

/// What holds at this door when things fail.
pub fn facts(address: impl Into<String>) -> DoorFacts {
    DoorFacts {
        name: "unleash",
        address: address.into(),
        keeps_deadline: "client",
        when_rein_dies: "clients keep the last set they got and still revert at its deadlines; \
                         a flag they never got is false",
        best_proof: "decided",
    }
}

struct Door {
    doorway: Doorway,
    seats: Arc<Seats<Notes>>,
    press: Press,
}

/// What is remembered of one SDK.
#[derive(Debug, Default)]
struct Notes {
    /// The set it holds, and when it was first seen to.
    held: Option<(Serial, SystemTime)>,
    /// The ETag by which it said so.
    tag: String,
}

/// An Unleash error: `name` and `message`, as SDKs log them.
struct Failure(StatusCode, &'static str, String);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Self(status, name, message) = self;
        let body = json!({"name": name, "message": message, "details": [{"message": message}]});
        (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
    }
}

fn known(door: &Door, headers: &HeaderMap) -> Result<Actor, Failure> {
    let actor = actor(&door.doorway, headers, None).ok_or_else(|| {
        let message = "a good token is wanted in the header Authorization".to_owned();
        Failure(StatusCode::UNAUTHORIZED, "AuthenticationRequired", message)
    })?;
    match actor.can(Verb::ReadFlags, &actor.pattern) {
        Ok(()) => Ok(actor),
        Err(denied) => Err(forbidden(&denied)),
    }
}

fn forbidden(denied: &rein_domain::access::AccessError) -> Failure {
    Failure(StatusCode::FORBIDDEN, "NoAccessError", denied.to_string())
}

fn read<'a, T: Deserialize<'a>>(body: &'a Bytes) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| {
        let message = format!("the request is not what this call takes: {error}");
        Failure(StatusCode::BAD_REQUEST, "BadDataError", message)
    })
}

/// How an SDK names itself: in headers when it polls, in bodies otherwise.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Sdk {
    app_name: Option<String>,
    instance_id: Option<String>,
    connection_id: Option<String>,
}

/// The least silence after which an SDK is forgotten; polls are 15 s apart by default.
const LEAST_PATIENCE: Duration = Duration::from_secs(60);

/// The longest, whatever interval a client declares.
const MOST_PATIENCE: Duration = Duration::from_secs(3600);

impl Sdk {
    /// Fills from headers what the body does not say.
    fn with(self, headers: &HeaderMap) -> Self {
        let text = |own: Option<String>, names: [&str; 2]| {
            own.filter(|own| !own.is_empty()).or_else(|| {
                let found = names.iter().find_map(|name| headers.get(*name))?;
                found.to_str().ok().map(str::to_owned)
            })
        };
        Self {
            app_name: text(self.app_name, ["unleash-appname", "x-unleash-appname"]),
            instance_id: text(self.instance_id, ["unleash-instanceid", "unleash-instance-id"]),
            connection_id: text(self.connection_id, ["unleash-connection-id", "x-unleash-connection-id"]),
        }
    }

    /// What tells it from others of the same token.
    fn key(&self, actor: &Actor) -> String {
        let own = self.connection_id.as_ref().or(self.instance_id.as_ref()).or(self.app_name.as_ref());
        let own: String = own.map_or("", String::as_str).chars().take(128).collect();
        format!("{}/{own}", actor.name)
    }

    /// The token vouches for the actor; what comes after the slash is the SDK's word.
    fn listing(&self, actor: &Actor) -> Listing {
        let own = self.instance_id.as_ref().or(self.connection_id.as_ref()).or(self.app_name.as_ref());
        let name = match own {
            Some(own) => {
                let own: String = clean(own).chars().take(128).collect();
                format!("{}/{own}", actor.name)
            }
            None => actor.name.to_string(),
        };
        Listing { name, service: service(&actor.pattern), identity: Identity::Authenticated }
    }
}

/// Three times the interval that it declares, in milliseconds.
fn patience(headers: &HeaderMap) -> Option<Duration> {
    let interval = headers.get("unleash-interval")?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_millis(interval).saturating_mul(3).clamp(LEAST_PATIENCE, MOST_PATIENCE))
}

async fn register(
    State(door): State<Arc<Door>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let actor = known(&door, &headers)?;
    let sdk = read::<Sdk>(&body)?.with(&headers);
    let patience = patience(&headers).unwrap_or(LEAST_PATIENCE);
    door.seats.seen(&sdk.key(&actor), || sdk.listing(&actor), Some(patience), |_, _| {});
    Ok(StatusCode::ACCEPTED.into_response())
}

fn sheet(door: &Door, pattern: &Pattern) -> Result<Sheet, Failure> {
    let served = door.doorway.served.borrow().clone();
    if served.serial == 0 {
        // An empty set would switch everything off at the SDK; an error leaves it as it is.
        let message = "the server has not read its switches yet".to_owned();
        return Err(Failure(StatusCode::SERVICE_UNAVAILABLE, "NotReady", message));
    }
    Ok(door.press.sheet(pattern, &served))
}

async fn features(State(door): State<Arc<Door>>, headers: HeaderMap) -> Result<Response, Failure> {
    let actor = known(&door, &headers)?;
    let sheet = sheet(&door, &actor.pattern)?;
    let current = echoed(&headers).any(|echo| echo == &*sheet.tag);
    let older = || echoed(&headers).find_map(|echo| sheet.before(echo).map(|serial| (serial, echo)));
    let held = if current { Some((sheet.serial, &*sheet.tag)) } else { older() };
    let sdk = Sdk::default().with(&headers);
    let patience = patience(&headers).unwrap_or(LEAST_PATIENCE);
    door.seats.seen(
        &sdk.key(&actor),
        || sdk.listing(&actor),
        Some(patience),
        |present, notes| {
            present.sent(sheet.serial);
            let Some((serial, tag)) = held else { return };
            present.held(serial);
            match &mut notes.held {
                // The same features since then, whatever else was flipped.
                Some((upto, _)) if notes.tag == tag => *upto = serial.max(*upto),
                held => {
                    *held = Some((serial, SystemTime::now()));
                    tag.clone_into(&mut notes.tag);
                }
            }
        },
    );
    let mut response = match current {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => ([(header::CONTENT_TYPE, "application/json")], sheet.body.clone()).into_response(),
    };
    if let Ok(tag) = sheet.tag.parse() {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

async fn feature(
    State(door): State<Arc<Door>>,
    Path(key): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let actor = known(&door, &headers)?;
    let unknown = || Failure(StatusCode::NOT_FOUND, "NotFoundError", "there is no such flag".into());
    let name = SwitchName::from_flag_key(&key).map_err(|_| unknown())?;
    actor.can(Verb::ReadFlags, &Pattern::Switch(name.clone())).map_err(|denied| forbidden(&denied))?;
    let served = door.doorway.served.borrow().clone();
    let flag = served.flags.get(&name).ok_or_else(unknown)?;
    let body = door.press.feature(&name, flag);
    Ok(([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response())
}

/// What an SDK reports.
#[derive(Deserialize)]
struct Report {
    #[serde(flatten)]
    sdk: Sdk,
    bucket: Bucket,
}

#[derive(Deserialize)]
struct Bucket {
    start: String,
    stop: String,
    #[serde(default)]
    toggles: HashMap<String, Count>,
}

#[derive(Deserialize)]
struct Count {
    #[serde(default)]
    yes: u64,
    #[serde(default)]
    no: u64,
}

impl Bucket {
    /// Was all of it counted after `since`? By the SDK's own word, and also by the length of the
    /// bucket back from now, so that an SDK whose clock is ahead proves nothing too early.
    fn is_after(&self, since: SystemTime, now: SystemTime) -> bool {
        let at = |text: &str| text.parse::<jiff::Timestamp>().ok().map(SystemTime::from);
        let (Some(start), Some(stop)) = (at(&self.start), at(&self.stop)) else { return false };
        let length = stop.duration_since(start).unwrap_or_default();
        start >= since && now.checked_sub(length).is_some_and(|began| began >= since)
    }
}

async fn metrics(
    State(door): State<Arc<Door>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let actor = known(&door, &headers)?;
    let Report { sdk, bucket } = read(&body)?;
    let sdk = sdk.with(&headers);
    let served = door.doorway.served.borrow().clone();
    // Only flags that the token opens count: an SDK may report names of its own.
    let own = |(key, count): (&String, &Count)| {
        let name = SwitchName::from_flag_key(key).ok()?;
        let known = served.flags.contains_key(&name) && actor.pattern.covers(&Pattern::Switch(name.clone()));
        let asked = count.yes.saturating_add(count.no);
        (known && asked > 0).then_some((name, asked))
    };
    let (decided, counts): (Vec<SwitchName>, Vec<u64>) = bucket.toggles.iter().filter_map(own).unzip();
    let evaluations = counts.into_iter().fold(0, u64::saturating_add);
    ::metrics::counter!("rein_door_evaluations_total", "door" => "unleash").increment(evaluations);
    door.seats.seen(
        &sdk.key(&actor),
        || sdk.listing(&actor),
        None,
        |present, notes| {
            if let Some((serial, since)) = notes.held
                && bucket.is_after(since, SystemTime::now())
            {
                present.decided(&decided, serial);
            }
        },
    );
    Ok(StatusCode::ACCEPTED.into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_counts_only_when_all_of_it_came_after() {
        let at = |text: &str| SystemTime::from(text.parse::<jiff::Timestamp>().unwrap());
        let bucket = |start: &str, stop: &str| Bucket {
            start: format!("2026-11-22T03:{start}Z"),
            stop: format!("2026-11-22T03:{stop}Z"),
            toggles: HashMap::new(),
        };
        let since = at("2026-11-22T03:10:00Z");
        for (start, stop, now, proves) in [
            ("10:01", "11:01", "11:01", true),
            ("10:01.5", "11:01", "11:02", true),
            ("09:30", "10:30", "10:30", false),
            // The SDK's clock is an hour ahead: its word alone would do.
            ("50:30", "51:30", "10:30", false),
            ("50:30", "51:30", "11:00", true),
            ("nonsense", "11:01", "11:01", false),
        ] {
            let now = at(&format!("2026-11-22T03:{now}Z"));
            assert_eq!(bucket(start, stop).is_after(since, now), proves, "{start} to {stop}");
        }
    }
}
