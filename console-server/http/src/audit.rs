//! The audit trail.

use crate::App;
use crate::answer::Answer;
use crate::caller::{Caller, Path, Query};
use axum::Json;
use axum::extract::State;
use rein_api::ErrorBody;
use rein_api::audit::{AuditHeads, AuditList, AuditQuery, LaneQuery, LaneView};

/// Entries, newest first
#[utoipa::path(get, path = "/v1/audit", tag = "audit", params(AuditQuery), responses(
    (status = 200, body = AuditList), (status = "default", body = ErrorBody)))]
pub(crate) async fn list(
    State(app): State<App>,
    Caller(actor): Caller,
    Query(query): Query<AuditQuery>,
) -> Answer<AuditList> {
    Ok(Json(app.house.audit(&actor, &query).await?))
}

/// Public key, signed checkpoints and lanes
#[utoipa::path(get, path = "/v1/audit/heads", tag = "audit", responses(
    (status = 200, body = AuditHeads), (status = "default", body = ErrorBody)))]
pub(crate) async fn heads(State(app): State<App>, Caller(actor): Caller) -> Answer<AuditHeads> {
    Ok(Json(app.house.audit_heads(&actor).await?))
}

/// Raw entries of one lane, with their hashes
#[utoipa::path(get, path = "/v1/audit/lanes/{lane}", tag = "audit", params(("lane" = String, Path), LaneQuery), responses(
    (status = 200, body = LaneView), (status = "default", body = ErrorBody)))]
pub(crate) async fn lane(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(lane): Path<String>,
    Query(query): Query<LaneQuery>,
) -> Answer<LaneView> {
    Ok(Json(app.house.audit_lane(&actor, &lane, &query).await?))
}
