//! What every command works with: streams, global options, the client.

use crate::args::Global;
use crate::connect;
use crate::error::CliError;
use crate::io::{Io, Sink};
use crate::output::{Format, Show, line, render};
use crate::render::{Colour, Look};
use rein_api::ExitCode;
use rein_client::Client;
use std::cell::RefCell;
use std::rc::Rc;

/// What is said if the person presses Ctrl-C: what has happened by then, and how to go on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parting(Rc<RefCell<Vec<String>>>);

impl Parting {
    /// From now on, this is what is said.
    pub(crate) fn set<const N: usize>(&self, lines: [String; N]) {
        *self.0.borrow_mut() = lines.into();
    }

    /// There is nothing to say.
    pub(crate) fn clear(&self) {
        self.0.borrow_mut().clear();
    }

    /// What there is to say now.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.borrow().clone()
    }
}

/// Which stream something is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    Out = 1,
    Err = 2,
}

/// A command's surroundings.
pub(crate) struct Ctx {
    /// Streams, environment, clock.
    pub(crate) io: Io,
    /// Global options.
    pub(crate) global: Global,
    /// What Ctrl-C says.
    pub(crate) parting: Parting,
    /// Does nobody read standard output any more?
    pub(crate) deaf: bool,
    client: Option<Client>,
}

impl Ctx {
    /// Surroundings for one command.
    pub(crate) fn new(io: Io, global: Global) -> Self {
        Self { io, global, parting: Parting::default(), deaf: false, client: None }
    }

    /// The form of output asked for.
    pub(crate) fn format(&self) -> Format {
        self.global.output.unwrap_or_default()
    }

    /// Is the output meant for a person?
    pub(crate) fn for_people(&self) -> bool {
        matches!(self.format(), Format::Table | Format::Wide)
    }

    /// The client for the server chosen.
    pub(crate) fn client(&mut self) -> Result<Client, CliError> {
        if let Some(client) = &self.client {
            return Ok(client.clone());
        }
        let target = connect::target(&self.global, &self.io.env)?;
        if self.global.verbose {
            self.say(&format!("using {} ({})", target.server, target.whence))?;
        }
        let client = connect::client(&self.io, &target)?;
        self.client = Some(client.clone());
        Ok(client)
    }

    fn look(&self, stream: Stream) -> Look {
        let terminal = self.io.sinks[stream as usize];
        let colour = Colour::decide(self.global.color, &self.io.env, terminal);
        let columns = || self.io.env.text("COLUMNS").and_then(|n| n.parse().ok()).filter(|n| *n > 0);
        let terminal_width = || terminal_size::terminal_size().map(|(width, _)| width.0);
        let width = match terminal {
            Sink::Terminal => self.io.width.or_else(columns).or_else(terminal_width),
            Sink::Pipe => self.io.width.or_else(columns),
        };
        let zone = self.io.zone.clone().unwrap_or_else(jiff::tz::TimeZone::system);
        Look { now: (self.io.clock)(), zone, width, colour }
    }

    /// How data looks.
    pub(crate) fn look_out(&self) -> Look {
        self.look(Stream::Out)
    }

    /// How messages look.
    pub(crate) fn look_err(&self) -> Look {
        self.look(Stream::Err)
    }

    /// Prints data. A reader who has gone away does not alter how the command ends.
    pub(crate) fn put(&mut self, text: &str) -> Result<(), CliError> {
        let written = self.io.out.write_all(line(text.to_owned()).as_bytes());
        match written.and_then(|()| self.io.out.flush()) {
            Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => self.deaf = true,
            written => written?,
        }
        Ok(())
    }

    /// Prints a view in the form asked for.
    pub(crate) fn show<T: Show>(&mut self, view: &T) -> Result<(), CliError> {
        let text = render(view, self.format(), &self.look_out())?;
        self.put(&text)
    }

    /// Says something beside the data, unless told to be quiet.
    pub(crate) fn say(&mut self, text: &str) -> Result<(), CliError> {
        if self.global.quiet { Ok(()) } else { self.warn(text) }
    }

    /// Says something that being quiet does not cover.
    pub(crate) fn warn(&mut self, text: &str) -> Result<(), CliError> {
        self.io.err.write_all(line(text.to_owned()).as_bytes())?;
        Ok(())
    }

    /// Shows what is about to be done. Whoever is asked about it has to see it.
    pub(crate) fn present(&mut self, consent: Consent, text: &str) -> Result<(), CliError> {
        if consent == Consent::Asked && self.somebody() { self.warn(text) } else { self.say(text) }
    }

    /// Shows how far something has got, on a line that is written over. Only to a terminal.
    pub(crate) fn progress(&mut self, text: &str) -> Result<(), CliError> {
        if self.io.sinks[Stream::Err as usize] == Sink::Terminal && !self.global.quiet {
            write!(self.io.err, "\r\x1b[K{text}")?;
            self.io.err.flush()?;
        }
        Ok(())
    }

    /// Is there a person who can be asked?
    pub(crate) fn somebody(&self) -> bool {
        self.io.sinks[0] == Sink::Terminal && self.io.sinks[Stream::Err as usize] == Sink::Terminal
    }

    /// Asks before a write, unless `consent` was given on the command line.
    pub(crate) fn confirm(&mut self, consent: Consent, question: &str) -> Result<(), CliError> {
        if consent == Consent::Given {
            return Ok(());
        }
        if !self.somebody() {
            return Err(CliError::usage("nobody can be asked to confirm: standard input is no terminal")
                .hint("add --yes to go on without being asked, or --dry-run to only look"));
        }
        if self.io.ask.confirm(question)? {
            return Ok(());
        }
        self.say("nothing was changed")?;
        Err(CliError::silent(ExitCode::Failed))
    }
}

/// Whether the command line already said yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consent {
    /// `--yes`.
    Given,
    /// A person has to be asked.
    Asked,
}

impl From<bool> for Consent {
    fn from(yes: bool) -> Self {
        if yes { Self::Given } else { Self::Asked }
    }
}
