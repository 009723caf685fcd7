//! Where somebody types: a home directory of its own, a server and a token.

use crate::kit::server::{SWITCHES, Server, Watched, rein};
use crate::kit::wait::{secs, until};
use serde_json::Value;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

/// One person's desk.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    home: PathBuf,
    env: Vec<(String, String)>,
}

/// What a command said, and how it ended.
#[derive(Debug, Clone)]
#[must_use]
pub(crate) struct Said {
    line: String,
    pub(crate) exit: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Desk {
    /// A desk for the holder of a token.
    pub(crate) fn new(server: &Server, name: &str, token_file: PathBuf) -> Self {
        let home = server.room.path().join("desks").join(name);
        fs::create_dir_all(&home).unwrap();
        let env = vec![
            ("REIN_SERVER".to_owned(), server.url()),
            ("REIN_TOKEN_FILE".to_owned(), token_file.display().to_string()),
        ];
        Self { home, env }
    }

    /// The same desk with another environment variable; an empty value unsets it.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut desk = self.clone();
        desk.env.retain(|(own, _)| own != name);
        desk.env.push((name.to_owned(), value.to_owned()));
        desk
    }

    /// Its home directory.
    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// Types a line as in a shell: `rein switch off order/recommendations`.
    pub(crate) fn types(&self, line: &str) -> Said {
        let words = shlex::split(line).expect("a line that a shell would take");
        assert_eq!(words[0], "rein", "{line}");
        self.runs(&words[1..])
    }

    /// Runs it with these arguments, whatever they hold.
    pub(crate) fn runs(&self, arguments: &[impl AsRef<std::ffi::OsStr>]) -> Said {
        let mut child = self.spawn(arguments);
        let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let read = |stream: &mut dyn Read| {
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).map(|_| String::from_utf8(bytes).expect("output is UTF-8"))
        };
        let out = thread::spawn(move || read(&mut out).unwrap());
        let err = thread::spawn(move || read(&mut err).unwrap());
        let words: Vec<_> = arguments.iter().map(|word| word.as_ref().to_string_lossy()).collect();
        let line = format!("rein {}", words.join(" "));
        let mut running = Watched(child);
        let status = until(&line, secs(60), || running.0.try_wait().unwrap());
        Said { line, exit: status.code().unwrap_or(-1), out: out.join().unwrap(), err: err.join().unwrap() }
    }

    /// Starts it, and leaves it to the caller.
    pub(crate) fn spawn(&self, arguments: &[impl AsRef<std::ffi::OsStr>]) -> Child {
        let mut command = rein();
        command.args(arguments).env("COLUMNS", "100");
        self.sits_at(&mut command);
        piped(&mut command)
    }

    /// Gives a command this desk's surroundings.
    pub(crate) fn sits_at(&self, command: &mut Command) {
        command
            .env("HOME", &self.home)
            .envs(self.env.iter().filter(|(_, value)| !value.is_empty()).cloned())
            .current_dir(&self.home);
    }

    /// Declares the switches of these tests.
    pub(crate) fn declare(&self) {
        let file = self.home.join("switches.yaml");
        fs::write(&file, SWITCHES).unwrap();
        self.types("rein apply -f switches.yaml").done();
    }

    /// A token's secret.
    pub(crate) fn token(&self, actor: &str, role: &str, pattern: &str) -> String {
        let line =
            format!("rein token create --actor {actor} --role {role} --pattern '{pattern}' --for 1h -o json");
        self.types(&line).json()["token"].as_str().expect("a secret").to_owned()
    }

    /// Another person's desk.
    pub(crate) fn colleague(&self, actor: &str, role: &str, pattern: &str) -> Self {
        let home = self.home.parent().unwrap().join(actor);
        fs::create_dir_all(&home).unwrap();
        let file = home.join("token");
        fs::write(&file, self.token(actor, role, pattern)).unwrap();
        let desk = Self { home, env: self.env.clone() };
        desk.with("REIN_TOKEN_FILE", &file.display().to_string())
    }

    /// Lays a change without waiting for anybody, and gives it back.
    pub(crate) fn lays(&self, what: &str) -> Value {
        self.types(&format!("rein switch {what} --yes --no-wait -o json")).json()["change"].clone()
    }

    /// All that anybody has ever changed: the same as before means that nothing was changed.
    pub(crate) fn footprint(&self) -> String {
        ["rein audit list --limit 1000 -o json", "rein export", "rein change list --limit 1000 -o name"]
            .map(|line| self.types(line).done())
            .concat()
    }
}

/// Starts a program without input, its output to be read.
pub(crate) fn piped(command: &mut Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

impl Said {
    /// It has ended with this code.
    #[track_caller]
    pub(crate) fn exit(self, code: i32) -> Self {
        assert_eq!(self.exit, code, "{}\n--- stdout\n{}--- stderr\n{}", self.line, self.out, self.err);
        self
    }

    /// It has worked. Gives what it printed.
    #[track_caller]
    pub(crate) fn done(self) -> String {
        self.exit(0).out
    }

    /// It has worked, and printed JSON.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        let line = self.line.clone();
        serde_json::from_str(&self.done()).unwrap_or_else(|e| panic!("{line}: {e}"))
    }

    /// It has said this on standard error.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.err.contains(text), "{} does not say {text:?}:\n{}", self.line, self.err);
        self
    }

    /// It has printed this.
    #[track_caller]
    pub(crate) fn prints(self, text: &str) -> Self {
        assert!(self.out.contains(text), "{} does not print {text:?}:\n{}", self.line, self.out);
        self
    }

    /// All of it, for a snapshot.
    pub(crate) fn whole(&self) -> String {
        let mut text = format!("$ {}\n{}", self.line, self.out);
        if !self.err.is_empty() {
            text += &format!("--- stderr\n{}", self.err);
        }
        if self.exit != 0 {
            text += &format!("--- exit {}\n", self.exit);
        }
        text
    }
}
