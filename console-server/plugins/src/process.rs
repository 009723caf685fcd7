//! One plugin process: from its start to its last descendant's end.

use crate::bundled::{IMAGE, PARENT};
use crate::directory::{Directory, Own};
use crate::guard::{CROWDED, Step, args};
use crate::logs::{Logs, discard};
use crate::options::{Options, Trust};
use crate::pin::{Copied, Copies};
use rein_plugin::Remote;
use rein_plugin::handshake::{self, MAX_LINE};
use rein_plugin::serve::{COOKIE, COOKIE_VALUE, SOCKET_DIR, VERSION, VERSIONS};
use rustix::process::{Pid, Signal, kill_process_group};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

/// How long a plugin may take to say where its socket is.
pub(crate) const HANDSHAKE: Duration = Duration::from_secs(5);
/// How long it may take to end once standard input is closed.
pub(crate) const PARTING: Duration = Duration::from_secs(2);
/// How much longer its guard may take to kill what does not.
const GUARDED_PARTING: Duration = Duration::from_secs(6);

/// Why a plugin was not started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It may go better next time.
    Passing(String),
    /// It goes no better by waiting.
    Lasting(String),
    /// The configuration is wrong.
    Invalid(String),
}

/// Starts processes, all from one thread that lives as long as the host: a process that dies with its
/// parent dies, in truth, with the thread that made it.
#[derive(Debug, Clone)]
pub(crate) struct Starter(mpsc::UnboundedSender<(Command, oneshot::Sender<std::io::Result<Child>>)>);

impl Starter {
    pub(crate) fn new() -> std::io::Result<Self> {
        let (send, mut receive) = mpsc::unbounded_channel::<(Command, oneshot::Sender<_>)>();
        let runtime = tokio::runtime::Handle::current();
        std::thread::Builder::new().name("plugin-starter".into()).spawn(move || {
            let _inside = runtime.enter();
            while let Some((mut command, tell)) = receive.blocking_recv() {
                // Dropped, and thereby killed, if nobody waits any more.
                let _ = tell.send(command.spawn());
            }
        })?;
        Ok(Self(send))
    }

    async fn start(&self, command: Command) -> std::io::Result<Child> {
        let (tell, told) = oneshot::channel();
        let gone = || std::io::Error::other("the host of plugins is ending");
        self.0.send((command, tell)).map_err(|_| gone())?;
        told.await.map_err(|_| gone())?
    }
}

/// What processes are started with, the same for all of them.
#[derive(Debug)]
pub(crate) struct Ground {
    pub(crate) options: Options,
    pub(crate) directory: Directory,
    pub(crate) copies: Copies,
    pub(crate) starter: Starter,
    /// Which build `options.itself` was when the host began.
    pub(crate) image: String,
    /// What looks after processes; empty when all are gone.
    pub(crate) tasks: TaskTracker,
}

/// A process that serves the contract.
pub(crate) struct Process {
    pub(crate) remote: Remote,
    pub(crate) pid: u32,
    began: SystemTime,
    child: Child,
    stdin: Option<ChildStdin>,
    guarded: bool,
    logs: Arc<Logs>,
    // Ended with the process; a descendant that keeps the pipe open must not keep a task.
    stderr: AbortOnDropHandle<()>,
    _stdout: AbortOnDropHandle<()>,
    _own: Own,
    _program: Option<Arc<Copied>>,
}

impl Process {
    /// Starts a plugin and waits for its handshake and its health.
    pub(crate) async fn start(
        ground: &Arc<Ground>,
        backend: &str,
        trust: &Trust,
        plugin: &str,
        logs: &Arc<Logs>,
    ) -> Result<Self, Failure> {
        let passing = |e: std::io::Error| Failure::Passing(format!("it cannot be started: {e}"));
        let own = ground.directory.own().map_err(passing)?;
        let program = match trust {
            Trust::Bundled => None,
            Trust::Pinned(program) => {
                let (program, ground) = (program.clone(), Arc::clone(ground));
                let copy = move || ground.copies.of(&program, &ground.directory);
                let copied = tokio::task::spawn_blocking(copy).await;
                Some(copied.map_err(|e| Failure::Passing(e.to_string()))?.map_err(Failure::Lasting)?)
            }
        };
        let command = command(ground, &own, trust, plugin, program.as_deref());
        let began = SystemTime::now();
        let mut child = ground.starter.start(command).await.map_err(passing)?;
        let (Some(stdin), Some(stdout), Some(stderr), Some(pid)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take(), child.id())
        else {
            return Err(Failure::Passing("it ended before it began".into()));
        };
        let name = backend.to_owned();
        let stderr = tokio::spawn({
            let logs = Arc::clone(logs);
            async move { logs.follow(stderr, &name).await }
        });
        let stderr = AbortOnDropHandle::new(stderr);
        let guarded = program_is_foreign(trust);
        let half = Half { child, stdin, stderr, guarded, logs: Arc::clone(logs), began };
        let (socket, stdout) = match tokio::time::timeout(HANDSHAKE, shake(stdout)).await {
            Ok(Ok(shaken)) => shaken,
            Ok(Err(why)) => return Err(half.give_up(why).await),
            Err(_) => {
                let why = format!("it did not say within {HANDSHAKE:?} where its socket is");
                return Err(half.give_up(Failure::Passing(why)).await);
            }
        };
        if let Err(why) = own.check(&socket) {
            return Err(half.give_up(Failure::Passing(why)).await);
        }
        let remote = Remote::new(&socket, ground.options.deadline);
        if let Err(fault) = remote.healthy().await {
            return Err(half.give_up(Failure::Passing(fault.to_string())).await);
        }
        let stdout = AbortOnDropHandle::new(tokio::spawn(discard(stdout)));
        let Half { child, stdin, stderr, guarded, logs, began } = half;
        Ok(Self {
            remote,
            pid,
            began,
            child,
            stdin: Some(stdin),
            guarded,
            logs,
            stderr,
            _stdout: stdout,
            _own: own,
            _program: program,
        })
    }

    /// Waits for the process to end by itself, and says how it did.
    pub(crate) async fn ended(&mut self) -> Ended {
        let status = self.child.wait().await;
        heard_out(&mut self.stderr).await;
        let code = status.as_ref().ok().and_then(ExitStatus::code);
        let outgrew = self.guarded && code == Some(CROWDED.into());
        Ended { why: how(status, &self.logs, self.began), outgrew }
    }

    /// Closes standard input, waits, and kills what is left.
    pub(crate) async fn end(mut self) {
        drop(self.stdin.take());
        part(&mut self.child, self.guarded).await;
    }
}

/// How a process ended.
pub(crate) struct Ended {
    pub(crate) why: String,
    /// Was it killed for having too many processes? What did that once does it again.
    pub(crate) outgrew: bool,
}

/// A process that has not shaken hands yet.
struct Half {
    child: Child,
    stdin: ChildStdin,
    stderr: AbortOnDropHandle<()>,
    guarded: bool,
    logs: Arc<Logs>,
    began: SystemTime,
}

impl Half {
    /// Ends it, and says why: its own words where it ended by itself.
    async fn give_up(mut self, why: Failure) -> Failure {
        // Standard output closes a moment before the process is gone.
        let ended = tokio::time::timeout(Duration::from_millis(200), self.child.wait()).await;
        drop(self.stdin);
        let ended = match ended {
            Ok(status) => {
                heard_out(&mut self.stderr).await;
                Some(how(status, &self.logs, self.began))
            }
            Err(_) => {
                part(&mut self.child, self.guarded).await;
                None
            }
        };
        match (why, ended) {
            (Failure::Passing(_), Some(ended)) => Failure::Passing(ended),
            (why, _) => why,
        }
    }
}

/// Lets what a process said last be read, unless a descendant holds the pipe open.
async fn heard_out(stderr: &mut AbortOnDropHandle<()>) {
    let _ = tokio::time::timeout(Duration::from_millis(200), stderr).await;
}

async fn part(child: &mut Child, guarded: bool) {
    let patience = if guarded { GUARDED_PARTING } else { PARTING };
    if tokio::time::timeout(patience, child.wait()).await.is_ok() {
        return;
    }
    if let Some(group) = child.id().and_then(|id| Pid::from_raw(id as i32)) {
        // It may have ended in this moment.
        let _ = kill_process_group(group, Signal::KILL);
    }
    // One that had not come to lead its group yet.
    let _ = child.start_kill();
    // A process that was killed and cannot end is stuck in the kernel; nobody can do more.
    let _ = tokio::time::timeout(PARTING, child.wait()).await;
}

fn how(status: std::io::Result<ExitStatus>, logs: &Logs, began: SystemTime) -> String {
    let status = match status {
        Ok(status) => format!("it ended with {status}"),
        Err(error) => format!("it cannot be waited for: {error}"),
    };
    match logs.last_words(began) {
        Some(words) => format!("{status}; its last words: {words}"),
        None => status,
    }
}

fn program_is_foreign(trust: &Trust) -> bool {
    matches!(trust, Trust::Pinned(_))
}

fn command(ground: &Ground, own: &Own, trust: &Trust, plugin: &str, program: Option<&Copied>) -> Command {
    let Options { itself, limits, .. } = &ground.options;
    let mut command = Command::new(itself);
    environment(&mut command, own.path());
    match (trust, program) {
        (Trust::Pinned(pinned), Some(program)) => {
            command.args(args(Step::Guard, *limits)).arg(program.path()).args(&pinned.args);
        }
        _ => {
            command.args(["plugin", "serve", plugin]).env(IMAGE, &ground.image);
        }
    }
    command
        .env(PARENT, std::process::id().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A guard whose standard input is closed ends by itself, and all it guards before.
        .kill_on_drop(matches!(trust, Trust::Bundled));
    command
}

/// All a plugin's process may know of its surroundings. Secrets come with `Configure`.
fn environment(command: &mut Command, own: &Path) {
    command
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("LANG", "C.UTF-8")
        .env("HOME", own)
        .env("TMPDIR", own)
        .env(COOKIE, COOKIE_VALUE)
        .env(VERSIONS, VERSION.to_string())
        .env(SOCKET_DIR, own)
        .current_dir(own);
}

/// Reads the line that says where the socket is.
async fn shake(mut stdout: ChildStdout) -> Result<(PathBuf, ChildStdout), Failure> {
    let mut line = Vec::with_capacity(256);
    let mut byte = [0];
    loop {
        // Byte by byte: what follows the line is not ours, and there is little of it.
        match stdout.read(&mut byte).await {
            Ok(1) if byte[0] == b'\n' => break,
            Ok(1) => line.push(byte[0]),
            Ok(_) | Err(_) => {
                return Err(Failure::Passing("it closed standard output without a handshake".into()));
            }
        }
        if line.len() == MAX_LINE {
            return Err(Failure::Passing(format!("it printed {MAX_LINE} bytes without a line's end")));
        }
    }
    let socket = handshake::parse(&String::from_utf8_lossy(&line));
    // Another version will be another one next time too.
    socket.map(|socket| (socket, stdout)).map_err(|e| Failure::Passing(e.to_string()))
}
