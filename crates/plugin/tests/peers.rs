//! A plugin's socket answers its own user only, even where the directory would let others in.
#![allow(clippy::print_stderr, reason = "what is not tested is said")]

#[path = "../templates/rust/src/backend.rs"]
#[allow(missing_docs, unreachable_pub, dead_code)]
mod backend;

use rein_plugin::serve::serve_on;
use rein_plugin::{Adapter, Remote};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

/// What a client gets back for the beginning of HTTP/2.
const CLIENT: &str = r#"
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(10)
s.connect(sys.argv[1])
try:
    s.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
    print(len(s.recv(9)))
except (BrokenPipeError, ConnectionResetError):
    print(0)
"#;

#[tokio::test(flavor = "multi_thread")]
async fn another_user_is_not_answered() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: only root can be two users");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let everybody = |path: &std::path::Path| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).unwrap();
    };
    everybody(directory.path());
    let path = directory.path().join("s");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    everybody(&path);
    tokio::spawn(serve_on(listener, backend::FileSilences::default(), std::future::pending()));

    let answered = |user: u32| {
        let output = Command::new("python3").args(["-c", CLIENT]).arg(&path).uid(user).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(answered(0), "9");
    assert_eq!(answered(65_534), "0");
    Remote::new(&path, Duration::from_secs(5)).describe().await.unwrap();
}
