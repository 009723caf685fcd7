//! Everything a command gets from outside: streams, environment, clock, questions.
//!
//! A command takes it as an argument and reaches for nothing ambient, so a test decides all of it.

use jiff::tz::TimeZone;
use rein_client::Transport;
use rein_domain::time::Timestamp;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

/// What a stream is connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sink {
    /// A terminal with a person before it.
    Terminal,
    /// A file, a pipe, a test.
    Pipe,
}

impl Sink {
    fn of(stream: &impl IsTerminal) -> Self {
        if stream.is_terminal() { Self::Terminal } else { Self::Pipe }
    }
}

/// A snapshot of the environment. A variable that is set but empty counts as not set.
#[derive(Debug, Clone, Default)]
pub struct Env(BTreeMap<OsString, OsString>);

impl Env {
    /// The process's own.
    pub fn process() -> Self {
        Self(std::env::vars_os().collect())
    }

    /// One made of these pairs.
    pub fn of<const N: usize>(pairs: [(&str, &str); N]) -> Self {
        Self(pairs.into_iter().map(|(k, v)| (k.into(), v.into())).collect())
    }

    /// A variable's value.
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// A variable's value, if it is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.to_str()
    }

    /// A variable's value as a path.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.get(name).map(PathBuf::from)
    }
}

/// Asks a person. The other way to answer is always a flag.
pub trait Ask {
    /// Yes or no; no is what Enter means.
    fn confirm(&mut self, question: &str) -> io::Result<bool>;

    /// Any of `items`, of which some are chosen beforehand; gives the places of those chosen.
    fn choose(&mut self, question: &str, items: &[(String, bool)]) -> io::Result<Vec<usize>>;
}

/// Asks on the terminal.
struct Terminal;

fn asked<T>(answer: Result<T, dialoguer::Error>) -> io::Result<T> {
    if answer.is_err() {
        // Interrupted, a question leaves the cursor hidden.
        let _ = dialoguer::console::Term::stderr().show_cursor();
    }
    answer.map_err(|dialoguer::Error::IO(error)| error)
}

impl Ask for Terminal {
    fn confirm(&mut self, question: &str) -> io::Result<bool> {
        asked(dialoguer::Confirm::new().with_prompt(question).default(false).interact())
    }

    fn choose(&mut self, question: &str, items: &[(String, bool)]) -> io::Result<Vec<usize>> {
        let prompt = format!("{question} (space marks, enter goes on)");
        asked(dialoguer::MultiSelect::new().with_prompt(prompt).items_checked(items.to_vec()).interact())
    }
}

/// Streams, environment, clock and questions.
pub struct Io {
    /// Data.
    pub out: Box<dyn Write>,
    /// Everything else.
    pub err: Box<dyn Write>,
    /// For `-f -`.
    pub input: Box<dyn Read>,
    /// What standard input, output and error are.
    pub sinks: [Sink; 3],
    /// The environment.
    pub env: Env,
    /// Where questions are put.
    pub ask: Box<dyn Ask>,
    /// The wall clock.
    pub clock: Box<dyn Fn() -> Timestamp>,
    /// The time zone of what is shown; absent: the system's, looked up when first needed.
    pub zone: Option<TimeZone>,
    /// Columns of the terminal; absent: found out when needed.
    pub width: Option<u16>,
    /// A server in this process instead of one at the end of a wire.
    pub transport: Option<Arc<dyn Transport>>,
}

fn wall() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_millisecond())
}

impl Io {
    /// The process's own.
    pub fn process() -> Self {
        Self {
            sinks: [Sink::of(&io::stdin()), Sink::of(&io::stdout()), Sink::of(&io::stderr())],
            // One write for each piece of output instead of one for each line of it.
            out: Box::new(io::BufWriter::new(io::stdout())),
            err: Box::new(io::stderr()),
            input: Box::new(io::stdin()),
            env: Env::process(),
            ask: Box::new(Terminal),
            clock: Box::new(wall),
            zone: None,
            width: None,
            transport: None,
        }
    }

    /// One without a terminal whose output can be read back: for tests.
    pub fn capture(env: Env) -> (Self, Capture) {
        let capture = Capture::default();
        let io = Self {
            out: Box::new(Shared(capture.out.clone())),
            err: Box::new(Shared(capture.err.clone())),
            input: Box::new(io::empty()),
            sinks: [Sink::Pipe; 3],
            env,
            ask: Box::new(Nobody),
            clock: Box::new(wall),
            zone: Some(TimeZone::UTC),
            width: Some(100),
            transport: None,
        };
        (io, capture)
    }
}

/// What was written to an [`Io::capture`].
#[derive(Debug, Clone, Default)]
pub struct Capture {
    out: Rc<RefCell<Vec<u8>>>,
    err: Rc<RefCell<Vec<u8>>>,
}

impl Capture {
    /// Standard output so far.
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.out.borrow()).into_owned()
    }

    /// Standard error so far.
    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.err.borrow()).into_owned()
    }
}

struct Shared(Rc<RefCell<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// There is nobody to ask.
struct Nobody;

impl Ask for Nobody {
    fn confirm(&mut self, _: &str) -> io::Result<bool> {
        Err(io::ErrorKind::NotConnected.into())
    }

    fn choose(&mut self, _: &str, _: &[(String, bool)]) -> io::Result<Vec<usize>> {
        Err(io::ErrorKind::NotConnected.into())
    }
}
