//! The one line a plugin says on standard output. Pure.

use crate::serve::VERSION;
use std::path::PathBuf;

/// Most bytes of standard output in which the line is looked for.
pub const MAX_LINE: usize = 4 * 1024;

/// Why a line is no handshake.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// Something else was printed.
    #[error(
        "it printed {0} on standard output instead of `1|1|unix|PATH|grpc|`; a plugin must not print \
         there before its handshake, and logs belong on standard error"
    )]
    Garbage(String),
    /// Another version of the handshake or the contract.
    #[error(
        "it speaks version {0} of the plugin contract, this server speaks {VERSION}; install one that fits"
    )]
    Version(String),
    /// Not a unix socket.
    #[error("it listens on `{0}`; only unix sockets are spoken to, in the directory PLUGIN_UNIX_SOCKET_DIR")]
    Network(String),
    /// Not gRPC.
    #[error("it speaks `{0}`, not grpc")]
    Protocol(String),
    /// It wants TLS between two processes of one user.
    #[error("it wants AutoMTLS; switch that off in the plugin, the socket's directory is its protection")]
    Tls,
}

/// Takes the socket's path from a handshake line.
pub fn parse(line: &str) -> Result<PathBuf, HandshakeError> {
    let line = line.trim_end_matches(['\r', '\n']);
    let mut fields = line.split('|');
    let mut field = || fields.next();
    let (Some(core), Some(version), Some(network), Some(path), Some(protocol)) =
        (field(), field(), field(), field(), field())
    else {
        return Err(HandshakeError::Garbage(quote(line)));
    };
    let number = |text: &str| !text.is_empty() && text.len() < 6 && text.bytes().all(|b| b.is_ascii_digit());
    if !number(core) || !number(version) {
        return Err(HandshakeError::Garbage(quote(line)));
    }
    if core != "1" || version != VERSION.to_string() {
        return Err(HandshakeError::Version(version.to_owned()));
    }
    if network != "unix" {
        return Err(HandshakeError::Network(quote(network)));
    }
    if protocol != "grpc" {
        return Err(HandshakeError::Protocol(quote(protocol)));
    }
    if field().is_some_and(|certificate| !certificate.is_empty()) {
        return Err(HandshakeError::Tls);
    }
    Ok(PathBuf::from(path))
}

/// The beginning of a text, safe to show.
fn quote(text: &str) -> String {
    let shown: String = text.chars().take(80).flat_map(char::escape_default).collect();
    format!("\"{shown}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_go_plugin_is_understood() {
        assert_eq!(parse("1|1|unix|/run/x/1.sock|grpc|\n").unwrap(), PathBuf::from("/run/x/1.sock"));
        assert_eq!(parse("1|1|unix|/run/x/1.sock|grpc").unwrap(), PathBuf::from("/run/x/1.sock"));
        assert_eq!(parse("1|1|unix|/run/x/1.sock|grpc||false").unwrap(), PathBuf::from("/run/x/1.sock"));
    }

    #[test]
    fn everything_else_is_refused_with_its_reason() {
        assert!(matches!(parse("starting up…"), Err(HandshakeError::Garbage(_))));
        assert!(matches!(parse(""), Err(HandshakeError::Garbage(_))));
        assert!(matches!(parse("a|b|unix|/x|grpc|"), Err(HandshakeError::Garbage(_))));
        assert!(matches!(parse("1|2|unix|/x|grpc|"), Err(HandshakeError::Version(v)) if v == "2"));
        assert!(matches!(parse("1|1|tcp|127.0.0.1:1|grpc|"), Err(HandshakeError::Network(_))));
        assert!(matches!(parse("1|1|unix|/x|netrpc|"), Err(HandshakeError::Protocol(_))));
        assert!(matches!(parse("1|1|unix|/x|grpc|MIIB"), Err(HandshakeError::Tls)));
        assert!(!parse("\x1b[31mred").unwrap_err().to_string().contains('\x1b'));
    }
}
