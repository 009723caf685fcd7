//! The small parent of a third-party plugin: `plugin guard`.
//!
//! Two steps, since limits must hold the program and not its guard. The *guard* stays: it passes the
//! end of standard input on, counts processes, and kills all of them at the end, whatever group or
//! session they put themselves into. The *runner* is its child, which limits itself and then becomes the
//! program, so that nothing has to run between fork and exec.

use crate::bundled::{BeginError, PARENT, apart, tie};
use crate::options::Limits;
use rustix::process::{
    Pid, Resource, Rlimit, Signal, WaitOptions, kill_process, kill_process_group, set_child_subreaper,
    setrlimit,
};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
use std::collections::HashSet;
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};

/// How long the program may take to end by itself once standard input is closed.
pub(crate) const GRACE: Duration = Duration::from_millis(1_500);
/// How far a program steps back, as `nice` has it: the server and plugins of its own come first wherever there are not
/// enough processors, and waiting for a backend needs none.
const NICE: i32 = 10;
/// The status of a guard that killed its program for having too many processes. A program that ends with it by itself is
/// started again as late, and nothing else.
pub(crate) const CROWDED: u8 = 77;
/// How often processes are counted, and how often a look says whether they are to be counted before that: a program that
/// forks without end has hundreds within a few milliseconds, and everybody feels every one of them.
const COUNT: Duration = Duration::from_millis(200);
const LOOK: Duration = Duration::from_millis(10);
/// How long killing may take.
const SWEEP: Duration = Duration::from_secs(5);

/// What `plugin guard` was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guarded {
    /// Guard, or what the guard starts.
    pub step: Step,
    /// The limits, as [`Limits`] writes them.
    pub limits: Limits,
    /// The program and its arguments.
    pub command: Vec<OsString>,
}

/// Which of the two steps this process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It stays and guards.
    Guard,
    /// It becomes the program.
    Run,
}

impl Limits {
    /// The limits as one argument: `memory,files,file size,processes`.
    pub fn to_arg(self) -> String {
        format!("{},{},{},{}", self.memory, self.files, self.file_size, self.processes)
    }

    /// The limits of an argument, if it is one.
    pub fn from_arg(arg: &str) -> Option<Self> {
        let mut parts = arg.split(',').map(str::parse::<u64>);
        let mut part = || parts.next()?.ok();
        let limits = Self { memory: part()?, files: part()?, file_size: part()?, processes: part()? };
        part().is_none().then_some(limits)
    }
}

/// The arguments after this program's own name that make it a guard.
pub(crate) fn args(step: Step, limits: Limits) -> Vec<OsString> {
    let step = match step {
        Step::Guard => "guard",
        Step::Run => "run",
    };
    ["plugin", "guard", "--step", step, "--limits", &limits.to_arg(), "--"].map(OsString::from).to_vec()
}

/// Carries out `plugin guard`: returns when the program and all it started are gone.
pub fn run(guarded: Guarded) -> ExitCode {
    match guarded.step {
        Step::Run => fail(&become_program(&guarded)),
        Step::Guard => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            match runtime.map_err(|e| e.to_string()).and_then(|r| r.block_on(guard(&guarded))) {
                Ok(code) => ExitCode::from(code),
                Err(error) => fail(&error),
            }
        }
    }
}

fn fail(error: &str) -> ExitCode {
    say(error);
    ExitCode::FAILURE
}

fn say(text: &str) {
    // Nobody is left to tell that telling failed.
    let _ = writeln!(std::io::stderr(), "guard: {text}");
}

/// Limits this process, and becomes the program. Returns only why it could not.
fn become_program(guarded: &Guarded) -> String {
    let Some((program, args)) = guarded.command.split_first() else {
        return "no program is named after `--`".into();
    };
    if let Err(error) = tie(Signal::KILL) {
        return error.to_string();
    }
    let limits = guarded.limits;
    let hold = |resource, most: u64| {
        let most = Some(most);
        setrlimit(resource, Rlimit { current: most, maximum: most }).map_err(|e| format!("{resource:?}: {e}"))
    };
    let limited = hold(Resource::Core, 0)
        .and_then(|()| hold(Resource::Nofile, limits.files))
        .and_then(|()| hold(Resource::Fsize, limits.file_size))
        .and_then(|()| hold(Resource::Nproc, threads_of_user().saturating_add(limits.processes * 4)))
        .and_then(|()| hold(Resource::As, limits.memory));
    if let Err(error) = limited {
        return format!("cannot set limits: {error}");
    }
    // After its guard too. Where it cannot be, it only would be fairer.
    let _ = rustix::process::nice(NICE);
    if let Err(error) = stay() {
        return format!("cannot keep the program in its session: {error}");
    }
    let mut command = Command::new(program);
    command.args(args).env_remove(PARENT);
    let began = Instant::now();
    loop {
        let error = command.exec();
        // Another process that was being started at the same time may hold the file open for writing
        // until it has become something else.
        if error.kind() != std::io::ErrorKind::ExecutableFileBusy || began.elapsed() > Duration::from_secs(2)
        {
            return format!("cannot start {}: {error}", program.to_string_lossy());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Refuses `setsid` to this process and all it will start (seccomp). Linux shares the processors out among sessions, so
/// hundreds of processes that each began one would have hundreds of shares beside the server's one.
/// With it no set-uid program gets rights of its own any more: Linux lets nobody else filter without being root.
fn stay() -> Result<(), seccompiler::Error> {
    // A processor that the filter does not know gets none, and there it only would be fairer.
    let Ok(processor) = std::env::consts::ARCH.try_into() else { return Ok(()) };
    let refused = [(libc::SYS_setsid, Vec::new())].into();
    let refuse = SeccompAction::Errno(libc::EPERM as u32);
    let filter = SeccompFilter::new(refused, SeccompAction::Allow, refuse, processor)?;
    let filter: BpfProgram = filter.try_into()?;
    match seccompiler::apply_filter(&filter) {
        // A kernel without filters.
        Err(seccompiler::Error::Seccomp(error))
            if error.raw_os_error() == Some(rustix::io::Errno::INVAL.raw_os_error()) =>
        {
            Ok(())
        }
        applied => applied,
    }
}

/// The kernel counts threads of a user, not of a process, against its limit.
fn threads_of_user() -> u64 {
    let own = rustix::process::getuid().as_raw().to_string();
    let Ok(processes) = std::fs::read_dir("/proc") else { return 4_096 };
    let threads = processes.flatten().filter_map(|process| {
        let status = std::fs::read_to_string(process.path().join("status")).ok()?;
        let field = |name| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        (field("Uid:")?.split_whitespace().next()? == own).then_some(field("Threads:")?.parse::<u64>().ok()?)
    });
    threads.sum()
}

async fn guard(guarded: &Guarded) -> Result<u8, String> {
    // The end of standard input says the same; this is for a server whose pipe somebody else holds.
    let mut told = signal(SignalKind::terminate()).map_err(|e| e.to_string())?;
    match tie(Signal::TERM) {
        Ok(()) => {}
        Err(BeginError::Orphan) => return Ok(0),
        Err(error) => return Err(error.to_string()),
    }
    apart();
    give_way();
    // Orphans of the program come to this process, and to nobody else.
    set_child_subreaper(Some(rustix::process::getpid())).map_err(|e| e.to_string())?;
    let mut child = tokio::process::Command::new("/proc/self/exe")
        .args(args(Step::Run, guarded.limits))
        .args(&guarded.command)
        .env(PARENT, std::process::id().to_string())
        .stdin(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|e| format!("cannot start the program: {e}"))?;
    let group = child.id().and_then(|id| Pid::from_raw(id as i32));
    let stdin = child.stdin.take();
    let closed = closed()?;
    let code = tokio::select! {
        status = child.wait() => match status.map_err(|e| e.to_string())?.code() {
            Some(code) => code as u8,
            None => 1,
        },
        _ = closed => part(&mut child, stdin).await,
        _ = told.recv() => part(&mut child, stdin).await,
        count = crowded(guarded.limits.processes) => {
            say(&format!("it has {count} processes, and may have {}; all are killed", guarded.limits.processes));
            CROWDED
        }
    };
    if let Some(group) = group {
        // It may be empty already.
        let _ = kill_process_group(group, Signal::KILL);
    }
    sweep();
    Ok(code)
}

/// Puts the session behind others where Linux shares the processors out among sessions (autogroup): `nice` alone counts
/// within one there.
fn give_way() {
    // Linux takes one such wish in 100 ms from all together; where it does not, it only would be fairer.
    let _ = std::fs::write("/proc/self/autogroup", NICE.to_string());
}

/// Lets the program end by itself.
async fn part(child: &mut tokio::process::Child, stdin: Option<tokio::process::ChildStdin>) -> u8 {
    drop(stdin);
    let _ = tokio::time::timeout(GRACE, child.wait()).await;
    0
}

/// Resolves when standard input ends.
fn closed() -> Result<tokio::sync::oneshot::Receiver<()>, String> {
    let (tell, told) = tokio::sync::oneshot::channel();
    let read = move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = tell.send(());
    };
    std::thread::Builder::new().name("stdin".into()).spawn(read).map_err(|e| e.to_string())?;
    Ok(told)
}

/// Resolves when there are more processes than allowed.
async fn crowded(most: u64) -> usize {
    loop {
        let (counted, then) = (Instant::now(), tasks());
        let count = descendants().len();
        if count as u64 > most {
            return count;
        }
        // Whoever comes to have too many begins more than this first.
        let many = then.map(|then| then + most / 2);
        while counted.elapsed() < COUNT && tasks() <= many {
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// Threads of the whole machine (proc(5), `/proc/loadavg`), in one cheap look.
fn tasks() -> Option<u64> {
    let load = std::fs::read_to_string("/proc/loadavg").ok()?;
    load.split_whitespace().nth(3)?.split_once('/')?.1.parse().ok()
}

/// Kills everything that descends from this process, however it tried to get away.
fn sweep() {
    let until = Instant::now() + SWEEP;
    loop {
        for pid in descendants() {
            // It may have ended by itself.
            let _ = kill_process(pid, Signal::KILL);
        }
        // All that have ended, before anybody is looked for again: there may be hundreds.
        loop {
            match rustix::process::wait(WaitOptions::NOHANG) {
                Err(rustix::io::Errno::CHILD) => return,
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => break,
            }
        }
        std::thread::sleep(Duration::from_millis(2));
        if Instant::now() > until {
            return say("some processes of the program could not be killed");
        }
    }
}

/// All processes below this one.
fn descendants() -> HashSet<Pid> {
    let own = rustix::process::getpid();
    let mut found = HashSet::new();
    let mut open = vec![own];
    while let Some(pid) = open.pop() {
        for child in children(pid) {
            if found.insert(child) {
                open.push(child);
            }
        }
    }
    found
}

fn children(pid: Pid) -> Vec<Pid> {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{}/task", pid.as_raw_nonzero())) else {
        return Vec::new();
    };
    let lists = tasks.flatten().filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    let numbers: Vec<_> = lists.flat_map(|list| numbers(&list)).collect();
    numbers.into_iter().filter_map(Pid::from_raw).collect()
}

fn numbers(list: &str) -> Vec<i32> {
    list.split_whitespace().filter_map(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_go_through_an_argument() {
        let limits = Limits::default();
        assert_eq!(Limits::from_arg(&limits.to_arg()), Some(limits));
        assert_eq!(Limits::from_arg("1,2,3"), None);
        assert_eq!(Limits::from_arg("1,2,3,4,5"), None);
        assert_eq!(Limits::from_arg("1,2,3,x"), None);
    }
}
