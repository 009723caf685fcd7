//! A full-screen command in a terminal, as somebody sits before it.

use crate::kit::desk::Desk;
use crate::kit::server::Watched;
use crate::kit::wait::until_true;
use std::io::{Read, Write};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A terminal of 120 columns and 30 lines (by `script` of util-linux) with a command in it.
pub(crate) struct Screen {
    _running: Watched,
    keys: ChildStdin,
    seen: Arc<Mutex<String>>,
}

impl Screen {
    /// Types a line and leaves it running.
    pub(crate) fn open(desk: &Desk, line: &str) -> Self {
        let words = line.strip_prefix("rein ").expect("a line that begins with rein");
        let program = shlex::try_quote(env!("CARGO_BIN_EXE_rein")).unwrap();
        let inner = format!("stty rows 30 cols 120; exec {program} {words}");
        let mut command = Command::new("script");
        command.args(["-qfec", &inner, "/dev/null"]).env("TERM", "xterm-256color");
        desk.sits_at(&mut command);
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut running = Watched(piped.spawn().expect("script, of util-linux"));
        let keys = running.0.stdin.take().unwrap();
        let mut out = running.0.stdout.take().unwrap();
        let seen = Arc::new(Mutex::new(String::new()));
        let noted = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n @ 1..) = out.read(&mut bytes) {
                noted.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..n]));
            }
        });
        Self { _running: running, keys, seen }
    }

    /// Presses keys.
    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// From now on only what is drawn from now on counts.
    pub(crate) fn blink(&self) {
        self.seen.lock().unwrap().clear();
    }

    /// Waits until this is drawn.
    #[track_caller]
    pub(crate) fn shows(&self, text: &str, limit: Duration) {
        until_true(&format!("`{text}` on the screen"), limit, || self.seen.lock().unwrap().contains(text));
    }
}
