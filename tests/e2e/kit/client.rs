//! The foreign clients of `tests/clients`, driven by lines of JSON.

use crate::kit::desk::Desk;
use crate::kit::room::{repository, target};
use crate::kit::server::{Server, finish, signal, skipped};
use crate::kit::wait::secs;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// A client somebody else wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    PythonFlagd,
    GoFlagd,
    JavaFlagd,
    PythonOfrep,
    PythonUnleash,
    /// Services that find each other by gRPC's etcd naming.
    GoEtcd,
    /// Services that find each other by Curator's service discovery.
    JavaCurator,
}

/// A client that runs.
#[derive(Debug)]
pub(crate) struct Client {
    child: Child,
    input: ChildStdin,
    answers: Receiver<String>,
    errors: PathBuf,
    kind: Kind,
    /// What it said when it was ready.
    pub(crate) ready: Value,
}

/// What a client decided, and why.
#[derive(Debug, Clone)]
#[must_use]
pub(crate) struct Decision {
    pub(crate) value: bool,
    pub(crate) reason: String,
    pub(crate) variant: String,
    pub(crate) error: String,
    pub(crate) metadata: Value,
}

fn python() -> PathBuf {
    target().join("clients/venv/bin/python")
}

/// A program of the Python clients' environment, if that is installed.
pub(crate) fn python_program(name: &str) -> Option<PathBuf> {
    let path = target().join("clients/venv/bin").join(name);
    path.exists().then_some(path)
}

impl Kind {
    /// Speaks flagd: evaluates by itself, and needs nobody to go on.
    pub(crate) fn is_flagd(self) -> bool {
        matches!(self, Self::PythonFlagd | Self::GoFlagd | Self::JavaFlagd)
    }

    fn what(self) -> &'static str {
        match self {
            Self::PythonFlagd => "flagd through Python",
            Self::GoFlagd => "flagd through Go",
            Self::JavaFlagd => "flagd through Java",
            Self::PythonOfrep => "OFREP through Python",
            Self::PythonUnleash => "Unleash through Python",
            Self::GoEtcd => "gRPC's etcd naming through Go",
            Self::JavaCurator => "Curator's service discovery through Java",
        }
    }

    /// The program, or what has to be installed first.
    fn program(self) -> Result<Command, String> {
        let need = |path: PathBuf, toolchain: &str| {
            let lacks = format!("{toolchain} or its client is not installed (tests/run installs the client)");
            if path.exists() { Ok(path) } else { Err(lacks) }
        };
        let script = match self {
            Self::GoFlagd => return Ok(Command::new(need(target().join("clients/go-flagd"), "Go")?)),
            Self::JavaFlagd | Self::JavaCurator => {
                let (jar, class) = match self {
                    Self::JavaCurator => ("java-curator/curator-client.jar", "rein.CuratorClient"),
                    _ => ("java/flagd-client.jar", "rein.FlagdClient"),
                };
                let jar = need(target().join("clients").join(jar), "Java")?;
                let lib = jar.with_file_name("lib").join("*");
                let mut command = Command::new("java");
                // Started often, and never for long.
                command.args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-cp"]);
                command.arg(format!("{}:{}", jar.display(), lib.display())).arg(class);
                return Ok(command);
            }
            Self::PythonFlagd => "flagd_client.py",
            Self::PythonOfrep => "ofrep_client.py",
            Self::PythonUnleash => "unleash_client.py",
            Self::GoEtcd => return Ok(Command::new(need(target().join("clients/go-etcd"), "Go")?)),
        };
        let mut command = Command::new(need(python(), "Python")?);
        command.arg(repository().join("tests/clients/python").join(script));
        Ok(command)
    }

    fn settings(self, server: &Server, admin: &Desk, name: &str) -> Value {
        let token = || admin.token(name, "client", "order/*");
        match self {
            Self::GoEtcd | Self::JavaCurator => json!({}),
            Self::PythonFlagd | Self::GoFlagd | Self::JavaFlagd => json!({
                "host": "127.0.0.1",
                "port": server.grpc.port(),
                "selector": "flagSetId=order",
                "provider_id": format!("order/{name}"),
                "default": true,
            }),
            Self::PythonOfrep => json!({"url": server.url(), "token": token(), "default": true}),
            Self::PythonUnleash => json!({
                "url": format!("{}/api", server.url()),
                "token": token(),
                "app": "order",
                "instance": name,
                "cache": server.room.path().join("unleash").join(name),
            }),
        }
    }
}

impl Client {
    /// Starts a service `order` that is called `name`; nothing if it cannot run here, which is said.
    pub(crate) fn start(kind: Kind, server: &Server, admin: &Desk, name: &str) -> Option<Self> {
        match kind.program() {
            Ok(program) => {
                let settings = kind.settings(server, admin, name);
                Some(Self::run(kind, program, &settings, &server.room.path().join(format!("{name}.stderr"))))
            }
            Err(why) => {
                skipped(kind.what(), &why);
                None
            }
        }
    }

    /// A service that registers itself in etcd, or calls those that did.
    pub(crate) fn in_etcd(settings: &Value, errors: &Path) -> Option<Self> {
        Self::with(Kind::GoEtcd, settings, errors)
    }

    /// Services that register themselves in ZooKeeper, and one that calls them.
    pub(crate) fn in_curator(settings: &Value, errors: &Path) -> Option<Self> {
        Self::with(Kind::JavaCurator, settings, errors)
    }

    fn with(kind: Kind, settings: &Value, errors: &Path) -> Option<Self> {
        match kind.program() {
            Ok(program) => Some(Self::run(kind, program, settings, errors)),
            Err(why) => {
                skipped(kind.what(), &why);
                None
            }
        }
    }

    /// Runs another script of `tests/clients/python`.
    pub(crate) fn script(script: &str, settings: &Value, errors: &Path) -> Option<Self> {
        let kind = Kind::PythonFlagd;
        match kind.program() {
            Ok(_) => {
                let mut command = Command::new(python());
                command.arg(repository().join("tests/clients/python").join(script));
                Some(Self::run(kind, command, settings, errors))
            }
            Err(why) => {
                skipped(script, &why);
                None
            }
        }
    }

    fn run(kind: Kind, mut command: Command, settings: &Value, errors: &Path) -> Self {
        command
            .arg(settings.to_string())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            // How long providers wait before they try to connect again; else up to two minutes.
            .env("FLAGD_RETRY_BACKOFF_MS", "200")
            .env("FLAGD_RETRY_BACKOFF_MAX_MS", "1000")
            .env("FLAGD_DEADLINE_MS", "10000")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(errors).unwrap());
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (say, answers) = channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if say.send(line).is_err() {
                    return;
                }
            }
        });
        let (errors, ready) = (errors.to_owned(), Value::Null);
        let mut client = Self { child, input, answers, errors, kind, ready };
        client.ready = client.answer();
        assert_eq!(client.ready["ready"], true, "{kind:?}");
        client
    }

    fn answer(&mut self) -> Value {
        loop {
            let line = self.answers.recv_timeout(secs(60)).unwrap_or_else(|_| {
                let said = fs::read_to_string(&self.errors).unwrap_or_default();
                panic!("{:?} does not answer:\n{said}", self.kind)
            });
            // Libraries print what they like; only objects are ours.
            if line.starts_with('{') {
                return serde_json::from_str(&line).unwrap();
            }
        }
    }

    /// Sends a command and waits for its answer.
    pub(crate) fn ask(&mut self, command: &Value) -> Value {
        writeln!(self.input, "{command}").unwrap();
        self.input.flush().unwrap();
        self.answer()
    }

    /// Evaluates a flag for a user.
    pub(crate) fn decides(&mut self, flag: &str, key: &str, context: Value) -> Decision {
        let said = self.ask(&json!({"eval": flag, "key": key, "context": context}));
        let text = |name: &str| said[name].as_str().unwrap_or_default().to_owned();
        Decision {
            value: said["value"].as_bool().unwrap(),
            reason: text("reason"),
            variant: text("variant"),
            error: text("error"),
            metadata: said["metadata"].clone(),
        }
    }

    /// Is the feature on for a user?
    pub(crate) fn on(&mut self, flag: &str) -> bool {
        self.decides(flag, "user-1", json!({})).value
    }

    /// Who of so many users has the feature: `1` for yes, by number.
    pub(crate) fn share(&mut self, flag: &str, keys: usize) -> Vec<bool> {
        let said = self.ask(&json!({"share": flag, "keys": keys, "context": {}}));
        said["bits"].as_str().unwrap().chars().map(|bit| bit == '1').collect()
    }

    /// Freezes or thaws it.
    pub(crate) fn signal(&self, what: Signal) {
        signal(&self.child, what);
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        finish(&mut self.child);
    }
}
