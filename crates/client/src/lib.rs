//! The typed HTTP client: one method for each endpoint, over any [`Transport`].
//!
//! What lives here: addressing, headers, idempotency keys, retries of writes whose answer was
//! lost, monotonic reads, the event stream. What does not: anything a person reads; the command
//! line and the demo decide what to say about a [`ClientError`].

mod calls;
mod client;
mod error;
mod events;
mod inprocess;
mod tcp;
mod transport;

pub use calls::{Answer, Put};
pub use client::{Client, Key};
pub use error::ClientError;
pub use events::{Event, Events};
pub use inprocess::InProcess;
pub use tcp::{Tcp, TcpError, Trust};
pub use transport::{BodyStream, SendError, Transport};
