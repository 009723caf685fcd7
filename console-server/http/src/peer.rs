//! What servers over one store ask each other.

use crate::App;
use crate::answer::Answer;
use crate::caller::{Body, Peer};
use axum::Json;
use axum::extract::State;
use rein_api::ErrorBody;
use rein_api::cluster::{PeerAnswer, PeerQuestion};

/// Soft state of this server, for another one over the same store
#[utoipa::path(post, path = "/v1/peer", tag = "cluster", request_body = PeerQuestion, responses(
    (status = 200, body = PeerAnswer), (status = "default", body = ErrorBody)))]
pub(crate) async fn answer(
    State(app): State<App>,
    _: Peer,
    Body(question): Body<PeerQuestion>,
) -> Answer<PeerAnswer> {
    Ok(Json(app.house.answer_peer(&question)))
}
