//! What can go wrong between a client and a server.

use rein_api::ErrorBody;

/// Why a call gave no answer that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The server answered: no.
    #[error("{}", .body.message)]
    Refused {
        /// What it said.
        body: ErrorBody,
        /// The HTTP status it came with.
        status: u16,
    },
    /// The server was not reached; nothing was asked of it.
    #[error("cannot reach {server}: {why}")]
    Unreachable {
        /// Which server.
        server: String,
        /// Why.
        why: String,
    },
    /// A write was sent and its answer never came: it may or may not be recorded.
    /// Sending the same request under the same key again is always safe.
    #[error("the request was sent to {server}, but no answer came: {why}")]
    UnknownOutcome {
        /// Which server.
        server: String,
        /// Why.
        why: String,
        /// The idempotency key it was sent under.
        key: String,
    },
    /// The answer is not one that Rein gives.
    #[error("{server} gave an answer that is not Rein's: {why}")]
    Protocol {
        /// Which server.
        server: String,
        /// What was wrong with it.
        why: String,
    },
}

impl ClientError {
    /// The error code, where the server gave one.
    pub fn code(&self) -> Option<rein_api::ErrorCode> {
        match self {
            Self::Refused { body, .. } => Some(body.code),
            _ => None,
        }
    }
}
