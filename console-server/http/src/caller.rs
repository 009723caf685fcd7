//! Who calls, and what they send. Every refusal here is an [`rein_api::ErrorBody`].

use crate::answer::Refusal;
use crate::{App, MAX_BODY};
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Request};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use rein_api::ErrorCode;
use rein_api::paths::IDEMPOTENCY_KEY;
use rein_core::{AppError, IdempotencyKey};
use rein_domain::access::Actor;
use serde::de::DeserializeOwned;

/// The caller, known by their token. A handler without this answers nobody in particular,
/// and a test lists those that may.
pub(crate) struct Caller(pub(crate) Actor);

/// The secret in a request, if there is one.
pub(crate) fn token(parts: &Parts) -> Option<&str> {
    bearer(parts.headers.get(AUTHORIZATION)?.to_str().ok()?)
}

/// The secret in the value of `authorization`, if it is of that kind.
pub(crate) fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

impl FromRequestParts<App> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let Some(token) = token(parts) else {
            return Err(AppError::new(ErrorCode::Unauthenticated, "no token")
                .hint("send Authorization: Bearer TOKEN; the command line reads REIN_TOKEN_FILE")
                .into());
        };
        Ok(Self(app.house.authenticate(token)?))
    }
}

/// Another server over the same store. Who is none is told so before anything that was sent is read.
pub(crate) struct Peer;

impl FromRequestParts<App> for Peer {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let missing = || {
            AppError::new(ErrorCode::Unauthenticated, "no token")
                .hint("this is for servers over the same store: GET /openapi.json lists what is for people")
        };
        app.house.knows_peer(token(parts).ok_or_else(missing)?)?;
        Ok(Self)
    }
}

/// The idempotency key of a write, if the caller gave one.
pub(crate) struct Key(pub(crate) Option<IdempotencyKey>);

impl FromRequestParts<App> for Key {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refusal> {
        let Some(header) = parts.headers.get(IDEMPOTENCY_KEY) else { return Ok(Self(None)) };
        let text = header.to_str().unwrap_or_default();
        Ok(Self(Some(IdempotencyKey::parse(text)?)))
    }
}

/// A JSON body of at most `MOST` bytes.
pub(crate) struct Body<T, const MOST: usize = MAX_BODY>(pub(crate) T);

impl<T: DeserializeOwned, const MOST: usize> FromRequest<App> for Body<T, MOST> {
    type Rejection = Refusal;

    async fn from_request(mut request: Request, app: &App) -> Result<Self, Refusal> {
        DefaultBodyLimit::max(MOST).apply(&mut request);
        let bytes = bytes::Bytes::from_request(request, app).await.map_err(|rejection| {
            if rejection.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
                return AppError::new(ErrorCode::TooLarge, format!("the body is larger than {MOST} bytes"));
            }
            AppError::new(ErrorCode::Invalid, "the body could not be read")
        })?;
        let bytes: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        let read = serde_json::from_slice(bytes);
        Ok(Self(read.map_err(|error| {
            let error = error.to_string();
            let what = rein_domain::text::clean(&error);
            AppError::new(ErrorCode::Invalid, format!("the body is not the JSON expected: {what}"))
        })?))
    }
}

/// Query parameters.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<App> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        match axum::extract::Query::<T>::from_request_parts(parts, app).await {
            Ok(query) => Ok(Self(query.0)),
            Err(rejection) => {
                let text = rejection.body_text();
                Err(AppError::new(ErrorCode::Invalid, rein_domain::text::clean(&text)).into())
            }
        }
    }
}

/// Path parameters.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Path<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        match axum::extract::Path::<T>::from_request_parts(parts, app).await {
            Ok(path) => Ok(Self(path.0)),
            Err(rejection) => {
                let text = rejection.body_text();
                Err(AppError::new(ErrorCode::Invalid, rein_domain::text::clean(&text)).into())
            }
        }
    }
}
