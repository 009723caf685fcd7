//! Tokens and rights.

use crate::time::At;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Makes a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// Who will hold it; the name that audit entries show.
    pub actor: String,
    /// `viewer`, `operator`, `admin` or `client`.
    pub role: String,
    /// `*`, `SERVICE/*` or `SERVICE/SWITCH`.
    pub pattern: String,
    /// How long it is good for, in seconds: 60 to one year.
    #[schema(minimum = 60, maximum = 31536000)]
    pub lasts_seconds: u64,
}

/// A token as listed; the secret itself is never shown again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokenView {
    /// Its id, for `revoke`.
    pub id: String,
    /// Who holds it.
    pub actor: String,
    /// The role.
    pub role: String,
    /// The pattern.
    pub pattern: String,
    /// Who made it.
    pub by: String,
    /// When.
    pub created: At,
    /// Until when it is good.
    pub expires: At,
}

/// A new token: the only time its secret is shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokenCreated {
    /// The secret.
    pub token: String,
    /// The rest.
    pub view: TokenView,
}

impl std::fmt::Debug for TokenCreated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenCreated").field("view", &self.view).finish_non_exhaustive()
    }
}

/// All tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokenList {
    /// By actor.
    pub tokens: Vec<TokenView>,
}

/// Who the caller is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WhoAmI {
    /// The actor.
    pub actor: String,
    /// The role.
    pub role: String,
    /// The pattern.
    pub pattern: String,
    /// Until when the token is good.
    pub expires: At,
}

/// May the caller?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct CanIQuery {
    /// Such as `switch:off`.
    pub verb: String,
    /// A pattern.
    pub target: String,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CanIView {
    /// Yes or no.
    pub allowed: bool,
    /// Why.
    pub why: String,
}
