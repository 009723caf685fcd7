//! Error codes: what went wrong, whose fault it is, and how a script should take it.
//!
//! Every code has a page in `docs/errors/`; a test says so.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Exit codes of the command line. They are API: they speak of the user's intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// Done, or already so.
    Done = 0,
    /// Failed.
    Failed = 1,
    /// The command line or the request is wrong.
    Usage = 2,
    /// Something moved or is in the way: look again.
    Conflict = 3,
    /// The server cannot be reached, or cannot write now.
    Unreachable = 4,
    /// Recorded, not yet in force everywhere.
    NotYet = 5,
    /// Refused by a guard or for want of rights.
    Refused = 6,
    /// Differences were found.
    Differs = 10,
    /// A bug.
    Bug = 70,
    /// Interrupted.
    Interrupted = 130,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $code:literal, $status:literal, $exit:ident;)+) => {
        /// What went wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum ErrorCode { $($(#[doc = $doc])+ $variant,)+ }

        impl ErrorCode {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word on the wire, and the name of its page.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// The HTTP status it travels with.
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status),+ }
            }

            /// How the command line ends.
            pub fn exit(self) -> ExitCode {
                match self { $(Self::$variant => ExitCode::$exit),+ }
            }
        }
    };
}

codes! {
    /// The request cannot be read, or a value in it can never be right.
    Invalid = "invalid", 400, Usage;
    /// No token, an unknown one, or one that has expired.
    Unauthenticated = "unauthenticated", 401, Failed;
    /// The token does not grant this.
    Denied = "denied", 403, Refused;
    /// The server only observes: it writes into no backend.
    Observing = "observing", 403, Refused;
    /// The Host or Origin header is not on the server's list.
    HostRefused = "host_refused", 403, Failed;
    /// No such switch, change, incident, token or path.
    NotFound = "not_found", 404, Failed;
    /// The method does not exist on this path.
    MethodRefused = "method_refused", 405, Failed;
    /// The target moved since it was looked at.
    Moved = "moved", 409, Conflict;
    /// Protecting layers are in the way.
    Held = "held", 409, Conflict;
    /// The change or incident is over.
    Over = "over", 409, Conflict;
    /// The definition is in use, or its name was used before.
    InUse = "in_use", 409, Conflict;
    /// The idempotency key was used for another request.
    KeyReused = "key_reused", 409, Conflict;
    /// The cursor is older than the history kept, or from another epoch.
    Gone = "gone", 410, Conflict;
    /// The body is larger than allowed.
    TooLarge = "too_large", 413, Usage;
    /// The idempotency key is no UUIDv7, or older than such keys are kept.
    KeyExpired = "key_expired", 422, Usage;
    /// The definition of a backend does not fit its plugin, or names what only the server's own
    /// configuration may name.
    Misconfigured = "misconfigured", 422, Usage;
    /// A guard refuses: `needs`, `excludes`, or a limit that policy sets.
    Guarded = "guarded", 422, Refused;
    /// Too many requests from this token.
    RateLimited = "rate_limited", 429, Failed;
    /// Something broke that should not: a bug.
    Internal = "internal", 500, Bug;
    /// A backend, or the plugin that adapts it, did not answer. Nothing was changed.
    BackendUnreachable = "backend_unreachable", 502, Unreachable;
    /// The server cannot write now: store gone, clock set, starting or stopping.
    Unavailable = "unavailable", 503, Unreachable;
    /// The write was sent and no answer came: it may or may not be recorded.
    UnknownOutcome = "unknown_outcome", 504, Unreachable;
    /// The disk is full; nothing was changed.
    Full = "full", 507, Unreachable;
}

/// The body of every answer that is not a success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// What went wrong, for programs.
    pub code: ErrorCode,
    /// What went wrong, for people.
    pub message: String,
    /// What to do about it, as a sentence or a command to type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Changes concerned, by id: those that hold a target, for instance.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
}
