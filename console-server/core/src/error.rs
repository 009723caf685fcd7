//! What the verbs answer when they cannot: one error for all nouns, one place where each noun's
//! error becomes a code, a sentence and a hint.

use rein_api::{ErrorBody, ErrorCode};
use rein_domain::access::AccessError;
use rein_domain::alert::{PriorityError, RulesError};
use rein_domain::backend::BackendError;
use rein_domain::change::ChangeError;
use rein_domain::incident::IncidentError;
use rein_domain::instance::InstanceError;
use rein_domain::marker::MarkerError;
use rein_domain::matchers::MatcherError;
use rein_domain::name::{ChangeId, NameError};
use rein_domain::scope::PercentError;
use rein_domain::service::ServiceError;
use rein_domain::source::SourceError;
use rein_domain::switch::{LevelError, SwitchError};
use rein_plugin::Fault;
use rein_store::StoreError;

/// A refusal, fit for the wire. Boxed, because the good path should be small.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.message)]
pub struct AppError(pub Box<ErrorBody>);

impl AppError {
    /// A refusal without a hint.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self(Box::new(ErrorBody { code, message: message.into(), hint: None, changes: Vec::new() }))
    }

    /// The same, with what to do about it.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    fn changes<'a>(mut self, ids: impl IntoIterator<Item = &'a ChangeId>) -> Self {
        self.0.changes = ids.into_iter().map(ToString::to_string).collect();
        self
    }

    /// The code.
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }
}

macro_rules! invalid {
    ($($error:ty),+) => {
        $(impl From<$error> for AppError {
            fn from(error: $error) -> Self {
                Self::new(ErrorCode::Invalid, error.to_string())
            }
        })+
    };
}

invalid!(NameError, PercentError, LevelError, MatcherError, PriorityError);

impl From<RulesError> for AppError {
    fn from(error: RulesError) -> Self {
        Self::new(ErrorCode::Invalid, format!("alert-rules: {error}"))
            .hint("docs/alerts.md says what each field takes")
    }
}

impl From<AccessError> for AppError {
    fn from(error: AccessError) -> Self {
        let message = error.to_string();
        match error {
            AccessError::Denied { verb, target, .. } => Self::new(ErrorCode::Denied, message)
                .hint(format!("rein auth can-i {verb} '{target}' says what your token grants")),
            AccessError::Word { .. } | AccessError::Pattern(_) => Self::new(ErrorCode::Invalid, message),
        }
    }
}

impl From<InstanceError> for AppError {
    fn from(error: InstanceError) -> Self {
        let hint = match &error {
            InstanceError::Name(_) => "nothing was registered; give a name that reads the same everywhere",
            InstanceError::Address { .. } => "nothing was registered; give HOST:PORT, such as 10.0.0.7:8080",
            _ => "nothing was registered; docs/services.md says what each field takes",
        };
        Self::new(ErrorCode::Invalid, error.to_string()).hint(hint)
    }
}

impl From<ServiceError> for AppError {
    fn from(error: ServiceError) -> Self {
        let message = error.to_string();
        match error {
            ServiceError::Unknown { near, .. } => {
                Self::new(ErrorCode::NotFound, message).hint(nearest(&near, "rein service list"))
            }
            ServiceError::Field { .. } => Self::new(ErrorCode::Invalid, message),
        }
    }
}

impl From<MarkerError> for AppError {
    fn from(error: MarkerError) -> Self {
        Self::new(ErrorCode::Invalid, error.to_string()).hint("nothing was recorded; rein mark --help")
    }
}

impl From<SourceError> for AppError {
    fn from(error: SourceError) -> Self {
        let message = error.to_string();
        match error {
            SourceError::Unknown(_) => Self::new(ErrorCode::NotFound, message).hint("rein export -o name"),
            SourceError::Field { .. } => Self::new(ErrorCode::Invalid, message),
        }
    }
}

fn nearest<T: ToString>(near: &[T], otherwise: &str) -> String {
    near.first().map_or_else(|| otherwise.to_owned(), |name| format!("did you mean {}?", name.to_string()))
}

impl From<IncidentError> for AppError {
    fn from(error: IncidentError) -> Self {
        let message = error.to_string();
        match error {
            IncidentError::Closed { .. } => {
                Self::new(ErrorCode::Over, message).hint("name another incident: --incident NAME")
            }
            IncidentError::Unknown(_) => Self::new(ErrorCode::NotFound, message).hint("rein incident list"),
        }
    }
}

impl From<SwitchError> for AppError {
    fn from(error: SwitchError) -> Self {
        let message = error.to_string();
        match error {
            SwitchError::Field { .. } => Self::new(ErrorCode::Invalid, message),
            SwitchError::NameUsed(_) => {
                Self::new(ErrorCode::InUse, message).hint("choose a name that was never used")
            }
            SwitchError::PolarityHeld { name, .. } => Self::new(ErrorCode::InUse, message)
                .hint(format!("end the layers first: rein switch show {name}")),
            SwitchError::UnknownPartner { missing, .. } => {
                Self::new(ErrorCode::NotFound, message).hint(format!("declare {missing} first"))
            }
            SwitchError::InUse { .. } => Self::new(ErrorCode::InUse, message),
        }
    }
}

impl From<ChangeError> for AppError {
    fn from(error: ChangeError) -> Self {
        let message = error.to_string();
        let of = |code| Self::new(code, message.clone());
        match error {
            ChangeError::UnknownSwitch { near, .. } => of(ErrorCode::NotFound).hint(match near.first() {
                Some(nearest) => format!("did you mean {nearest}?"),
                None => "rein switch list".to_owned(),
            }),
            ChangeError::UnknownBackend(_) => of(ErrorCode::NotFound).hint("rein backend list"),
            ChangeError::UnknownService { near, .. } => {
                of(ErrorCode::NotFound).hint(nearest(&near, "rein service list"))
            }
            ChangeError::UnknownInstance { service, near, .. } => {
                of(ErrorCode::NotFound).hint(nearest(&near, &format!("rein service show {service}")))
            }
            ChangeError::AnotherLife { service, .. } => {
                of(ErrorCode::Moved).hint(format!("rein service show {service}"))
            }
            ChangeError::NobodyThere { .. } => of(ErrorCode::Invalid),
            ChangeError::NotLower { service, .. } => {
                of(ErrorCode::Invalid).hint(format!("rein service show {service}; what a layer took comes back when it ends"))
            }
            ChangeError::BelowFloor { service, .. } => of(ErrorCode::Guarded)
                .hint(format!("rein service show {service}; --force passes with the right service:force")),
            ChangeError::AllOrNothing(_) => of(ErrorCode::Invalid).hint("take all of it: rein service drain SERVICE/ID"),
            ChangeError::TooManyOver(service) => {
                of(ErrorCode::Guarded).hint(format!("rein service show {service}"))
            }
            ChangeError::SilencesAll(_) => of(ErrorCode::Guarded)
                .hint("name what is to be hushed; --force passes with the right silence:force"),
            ChangeError::NeverSilenced { .. } => of(ErrorCode::Guarded)
                .hint("add a matcher that leaves them out; --force passes with the right silence:force"),
            ChangeError::UnknownZone { .. } => of(ErrorCode::Invalid),
            ChangeError::UnknownChange(_) => of(ErrorCode::NotFound).hint("rein change list"),
            ChangeError::Legs(_)
            | ChangeError::TwiceNamed(_)
            | ChangeError::ReasonTooLong(_)
            | ChangeError::DeadlinePast => of(ErrorCode::Invalid),
            ChangeError::RelaxingPercent(name, protects) => of(ErrorCode::Invalid).hint(format!(
                "to give back gradually, lay a smaller share and end the larger: rein switch {protects} {name} --percent 20"
            )),
            ChangeError::TooLong { .. } => of(ErrorCode::Guarded).hint("ask for less, and extend later"),
            ChangeError::Held { switch, holding, .. } => of(ErrorCode::Held)
                .hint(format!("rein switch show {switch}; end a layer: rein change end ID"))
                .changes(&holding),
            ChangeError::NotHolding { id } => of(ErrorCode::Over)
                .hint("look again: rein switch show NAME")
                .changes([&id]),
            ChangeError::Needs { needs, .. } => {
                of(ErrorCode::Guarded).hint(format!("rein switch show {needs}; --force passes with the right switch:force"))
            }
            ChangeError::NeededBy { other, .. } | ChangeError::Excluded { other, .. } => {
                of(ErrorCode::Guarded).hint(format!("rein switch show {other}; --force passes with the right switch:force"))
            }
            ChangeError::TooManyLayers(name) => of(ErrorCode::Guarded).hint(format!("rein switch show {name}")),
            ChangeError::Over { id, .. } => of(ErrorCode::Over).hint(format!("rein change show {id}")),
            ChangeError::NothingToUndo(_) => {
                of(ErrorCode::NotFound).hint("older changes by id: rein change list --active, then rein change end ID")
            }
            ChangeError::Incident(error) => error.into(),
        }
    }
}

impl From<BackendError> for AppError {
    fn from(error: BackendError) -> Self {
        let message = error.to_string();
        match error {
            BackendError::Unknown(_) => Self::new(ErrorCode::NotFound, message).hint("rein backend list"),
            BackendError::TooLong { .. } => Self::new(ErrorCode::Invalid, message),
            BackendError::InUse { .. } => Self::new(ErrorCode::InUse, message),
        }
    }
}

impl From<Fault> for AppError {
    fn from(fault: Fault) -> Self {
        let message = fault.to_string();
        match fault {
            Fault::Unsupported(_) | Fault::Invalid(_) => Self::new(ErrorCode::Invalid, message),
            Fault::Moved(_) => Self::new(ErrorCode::Moved, message),
            Fault::NotDone(_) | Fault::Unknown(_) | Fault::Unreachable(_) => {
                Self::new(ErrorCode::BackendUnreachable, message)
                    .hint("rein backend list; rein plugin logs NAME")
            }
        }
    }
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        match error {
            StoreError::Full(_) => Self::new(ErrorCode::Full, "the disk is full; nothing was changed")
                .hint("free space where the server keeps its data, then try again"),
            StoreError::Unknown => Self::new(ErrorCode::UnknownOutcome, message),
            StoreError::Compacted { .. } => {
                Self::new(ErrorCode::Gone, "the history asked for is no longer kept")
                    .hint("list again, then watch from there")
            }
            StoreError::TooLarge(_) => Self::new(ErrorCode::TooLarge, message),
            StoreError::Invalid(_) | StoreError::LeaseGone(_) => Self::new(ErrorCode::Internal, message),
            StoreError::Unavailable(_) | StoreError::Damaged(_) => Self::new(ErrorCode::Unavailable, message)
                .hint("services keep the switches they have; see the server's log"),
        }
    }
}
