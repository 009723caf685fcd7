//! One error for all commands: how the command line ends, what it says, what to type next.

use rein_api::{ErrorCode, ExitCode};
use rein_client::ClientError;
use rein_domain::text::clean;
use std::io;

/// Why a command did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CliError {
    /// How the process ends.
    pub exit: ExitCode,
    /// What went wrong; one line, fit for a terminal. Empty: nothing is said.
    pub message: String,
    /// More about it, one line each.
    pub details: Vec<String>,
    /// What to do about it, one line each.
    pub hints: Vec<String>,
    /// The error code, where a server gave one.
    pub code: Option<ErrorCode>,
    /// Changes concerned, by id, where a server named them.
    pub changes: Vec<String>,
}

impl CliError {
    /// An error that ends the process with `exit`. What it says is made fit for a terminal.
    pub fn new(exit: ExitCode, message: impl AsRef<str>) -> Self {
        let message = clean(message.as_ref()).into_owned();
        Self { exit, message, details: Vec::new(), hints: Vec::new(), code: None, changes: Vec::new() }
    }

    /// The command line is wrong.
    pub fn usage(message: impl AsRef<str>) -> Self {
        Self::new(ExitCode::Usage, message)
    }

    /// It did not work.
    pub fn failed(message: impl AsRef<str>) -> Self {
        Self::new(ExitCode::Failed, message)
    }

    /// Ends the process without a word.
    pub fn silent(exit: ExitCode) -> Self {
        Self::new(exit, "")
    }

    /// Adds a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl AsRef<str>) -> Self {
        self.hints.push(clean(hint.as_ref()).into_owned());
        self
    }

    /// Adds a line that says more.
    #[must_use]
    pub fn detail(mut self, line: impl AsRef<str>) -> Self {
        self.details.push(clean(line.as_ref()).into_owned());
        self
    }

    /// If nobody knows whether it was done: this command tells.
    #[must_use]
    pub fn recheck(mut self, command: &str) -> Self {
        if self.code != Some(ErrorCode::UnknownOutcome) {
            return self;
        }
        self.hints.clear();
        self.hint(format!("{command}   # what came of it"))
    }

    /// The same, put into the words of a larger whole: `what: message`.
    #[must_use]
    pub fn about(mut self, what: &str) -> Self {
        self.message = format!("{}: {}", clean(what), self.message);
        self
    }
}

impl From<ClientError> for CliError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Refused { body, .. } => {
                let mut said = Self::new(body.code.exit(), &body.message);
                said.code = Some(body.code);
                said.changes = body.changes.iter().map(|id| clean(id).into_owned()).collect();
                if let Some(hint) = &body.hint {
                    return said.hint(hint);
                }
                match body.code {
                    ErrorCode::Unauthenticated => said
                        .hint("name a file with a token: --token-file FILE, or REIN_TOKEN_FILE")
                        .hint("a server writes its first token to DATA-DIR/admin.token"),
                    ErrorCode::Denied => said.hint("rein auth whoami   # what this token grants"),
                    ErrorCode::Moved => said.hint("look again, then repeat the command"),
                    _ => said,
                }
            }
            ClientError::Unreachable { server, why } => {
                Self::new(ExitCode::Unreachable, format!("cannot reach {server}: {why}"))
                    .hint("rein server   # start one here, or `rein demo` for a whole company")
                    .hint("rein context list   # or choose another with --server URL, REIN_SERVER")
            }
            ClientError::UnknownOutcome { key, .. } => {
                let mut said =
                    Self::new(ExitCode::Unreachable, "no answer came: it may or may not be recorded");
                said.code = Some(ErrorCode::UnknownOutcome);
                said.hint(format!("rein change show --key {key}   # what came of it"))
                    .hint(format!("repeating the command with --idempotency-key {key} cannot do it twice"))
            }
            ClientError::Protocol { .. } => Self::failed(error.to_string())
                .hint("is this the address of a Rein server, and of this version? rein context list"),
        }
    }
}

impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // Whoever reads has enough.
            io::ErrorKind::BrokenPipe => Self::silent(ExitCode::Done),
            io::ErrorKind::Interrupted => Self::silent(ExitCode::Interrupted),
            _ => Self::failed(error.to_string()),
        }
    }
}
