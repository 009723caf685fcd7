//! How answers leave: refusals as [`rein_api::ErrorBody`], headers that say how fresh they are.

use crate::App;
use axum::Json;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rein_api::ErrorCode;
use rein_api::paths::{AGE, EPOCH, REPLAYED, REVISION, SEEN};
use rein_core::AppError;
use rein_store::Revision;
use std::any::Any;
use std::time::Instant;

/// What every handler answers.
pub(crate) type Answer<T> = Result<Json<T>, Refusal>;

/// A refusal on its way out.
pub(crate) struct Refusal(pub(crate) AppError);

impl<E: Into<AppError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = self.0.0;
        let status = StatusCode::from_u16(body.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(message = %body.message, "a request failed by a bug");
        }
        let mut response = (status, Json(&*body)).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert("www-authenticate", HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Waits until this server has seen what the caller has (`rein-seen`), or everything there is
/// (`?consistent=true`), and says how fresh the answer is.
pub(crate) async fn freshness(State(app): State<App>, request: Request, next: Next) -> Response {
    let waited = match wanted(&request, app.house.epoch()) {
        Ok(Some(Wanted::Seen(revision))) => app.house.caught_up(revision).await,
        Ok(Some(Wanted::Everything)) => app.house.consistent().await,
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    let (mut response, kept) = match waited {
        Ok(()) => rein_core::noting_kept(next.run(request)).await,
        Err(error) => (Refusal(error).into_response(), false),
    };
    let headers = response.headers_mut();
    let mut say = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    say(EPOCH, app.house.epoch().to_owned());
    say(REVISION, app.house.revision().0.to_string());
    say(AGE, app.house.age().as_millis().to_string());
    if kept {
        say(REPLAYED, "true".to_owned());
    }
    response
}

enum Wanted {
    Seen(Revision),
    Everything,
}

fn wanted(request: &Request, epoch: &str) -> Result<Option<Wanted>, AppError> {
    // What was seen in another epoch compares with nothing here: reads are answered afresh, and a write
    // that was decided on by it is not done.
    if request.headers().get(EPOCH).is_some_and(|seen| seen.as_bytes() != epoch.as_bytes()) {
        if request.method().is_safe() {
            return Ok(None);
        }
        let message = "the store was restored since you looked: what you have seen may not be so any more";
        return Err(AppError::new(ErrorCode::Moved, message).hint("look again, then decide: rein status"));
    }
    let query = request.uri().query().unwrap_or_default();
    if query.split('&').any(|pair| pair == "consistent=true") {
        return Ok(Some(Wanted::Everything));
    }
    let Some(seen) = request.headers().get(SEEN) else { return Ok(None) };
    let revision = seen.to_str().ok().and_then(|text| text.parse().ok());
    let bad = || AppError::new(ErrorCode::Invalid, format!("header {SEEN} is not a revision"));
    Ok(Some(Wanted::Seen(Revision(revision.ok_or_else(bad)?))))
}

/// Counts and times requests by route.
pub(crate) async fn observe(request: Request, next: Next) -> Response {
    let began = Instant::now();
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let response = next.run(request).await;
    let labels =
        [("route", route), ("method", method.to_string()), ("status", response.status().as_str().to_owned())];
    metrics::counter!("rein_http_requests_total", &labels).increment(1);
    metrics::histogram!("rein_http_seconds", "route" => labels[0].1.clone()).record(began.elapsed());
    response
}

/// A panic in a handler is a bug; it costs its own request only.
pub(crate) fn panicked(_: Box<dyn Any + Send + 'static>) -> Response<Body> {
    Refusal(
        AppError::new(ErrorCode::Internal, "a bug: the request was given up")
            .hint("see the server's log, and report it"),
    )
    .into_response()
}
