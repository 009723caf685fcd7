//! What a gRPC status says of a call: did it happen, may it have happened, can it ever.

use crate::convert::cut;
use crate::types::Fault;
use tonic::{Code, Status};

/// What is lost with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    /// Nothing: it only looks.
    Read,
    /// Whether it happened.
    Write,
}

/// A fault as the status of a call whose reply has no place for one.
pub(crate) fn to_status(fault: Fault) -> Status {
    match fault {
        Fault::NotDone(message) => Status::failed_precondition(cut(message)),
        Fault::Unknown(message) => Status::unknown(cut(message)),
        Fault::Moved(message) => Status::aborted(cut(message)),
        Fault::Unsupported(message) => Status::unimplemented(cut(message)),
        Fault::Unreachable(message) => Status::unavailable(cut(message)),
        Fault::Invalid(message) => Status::invalid_argument(cut(message)),
    }
}

/// The fault a status stands for. A write is called undone only where that is certain.
pub(crate) fn to_fault(call: Call, rpc: &str, status: &Status) -> Fault {
    let said = match cut(status.message().to_owned()) {
        empty if empty.is_empty() => format!("{:?}", status.code()),
        said => said,
    };
    if caused_by::<tonic::ConnectError>(status) {
        return Fault::Unreachable(format!("the plugin does not accept connections ({rpc}): {said}"));
    }
    match (status.code(), call) {
        (Code::Unimplemented, _) => Fault::Unsupported(format!("the plugin does not serve {rpc}: {said}")),
        (Code::InvalidArgument, _) => Fault::Invalid(said),
        (Code::FailedPrecondition, _) => Fault::NotDone(said),
        (Code::DeadlineExceeded | Code::Cancelled, Call::Read) => {
            Fault::Unreachable(format!("the plugin did not answer {rpc} in time"))
        }
        (Code::DeadlineExceeded | Code::Cancelled, Call::Write) => {
            Fault::Unknown(format!("the plugin did not answer {rpc} in time; it may have happened"))
        }
        (_, Call::Read) if caused_by::<tonic::transport::Error>(status) => {
            Fault::Unreachable(format!("the plugin ended, or closed its connection, in {rpc}"))
        }
        (Code::Unavailable, Call::Read) => Fault::Unreachable(said),
        // The size limit of a reply, in tonic and in grpc-core.
        (Code::OutOfRange | Code::ResourceExhausted, Call::Read) => {
            Fault::NotDone(format!("the plugin's answer to {rpc} was refused: {said}"))
        }
        (_, Call::Read) => Fault::NotDone(format!("the plugin failed in {rpc}: {said}")),
        (_, Call::Write) => Fault::Unknown(format!("{rpc} may have happened: {said}")),
    }
}

/// Whether an error of this kind lies beneath. A [`tonic::ConnectError`] says that no request could be
/// written; a [`tonic::transport::Error`] only that the connection broke.
fn caused_by<E: std::error::Error + 'static>(status: &Status) -> bool {
    let mut source: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(status);
    while let Some(error) = source {
        if error.is::<E>() {
            return true;
        }
        source = error.source();
    }
    false
}
