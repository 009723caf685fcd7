//! Paths and headers.

/// Prefix of the versioned API.
pub const V1: &str = "/v1";
/// Idempotency key: a UUIDv7, kept for 24 hours with its answer.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// On a request: the highest revision the client has seen; the server catches up first.
pub const SEEN: &str = "rein-seen";
/// On an answer: the revision it was made at.
pub const REVISION: &str = "rein-revision";
/// On an answer: the store's epoch. Revisions of different epochs do not compare. On a request: the epoch
/// of what the client has seen; a write that was decided on in another one is refused.
pub const EPOCH: &str = "rein-epoch";
/// On an answer: how old the data is, in milliseconds.
pub const AGE: &str = "rein-age-ms";
/// On an answer: `true` if it is the kept answer to an idempotency key.
pub const REPLAYED: &str = "rein-replayed";
