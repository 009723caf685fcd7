//! The event stream: what altered, in order, resumable.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// One alteration. Its `id` on the stream is `EPOCH.REVISION`; resume with the last one seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EventView {
    /// The revision it belongs to; all events of one revision come together.
    pub revision: i64,
    /// `switch`, `backend`, `service`, `instance`, `cell`, `change` or `incident`.
    pub noun: String,
    /// Its name or id.
    pub name: String,
    /// `put` or `deleted`; of an instance also `health`: how it is has altered. That is recorded nowhere, so the
    /// event has no `id`, and a stream that was cut off does not bring it again.
    pub what: String,
    /// In words, for a person who watches: `alice laid k7q2…: order/recommendations off 100 %`.
    pub text: String,
}

/// Where to start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct EventQuery {
    /// `EPOCH.REVISION` of the last event seen; absent: from now on. `Last-Event-ID` does the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}
