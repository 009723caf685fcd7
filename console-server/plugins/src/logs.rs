//! What a plugin says on standard error: the newest lines, cleaned, never more than fit.

use parking_lot::Mutex;
use rein_domain::text::clean;
use std::collections::VecDeque;
use std::time::{Duration, Instant, SystemTime};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Lines that are kept.
const LINES: usize = 1_000;
/// Longest line, in bytes, before it is cleaned; what is longer goes on in the next.
const LINE: usize = 4 * 1024;
/// Bytes taken in one [`PACE`]; a plugin that says more is made to wait by its full pipe.
const TAKEN: usize = 64 * 1024;
const PACE: Duration = Duration::from_millis(200);
/// Lines that are passed on to the server's own log in one [`PACE`].
const TRACED: usize = 20;

/// One line that a plugin said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When it was read.
    pub at: SystemTime,
    /// The line, without control characters.
    pub text: String,
}

/// The newest lines, as they came. They are cleaned where they are read, and a flood never is as a whole.
#[derive(Debug, Default)]
pub(crate) struct Logs(Mutex<VecDeque<(SystemTime, Box<[u8]>)>>);

impl Logs {
    pub(crate) fn lines(&self) -> Vec<LogLine> {
        self.0.lock().iter().map(|(at, line)| LogLine { at: *at, text: cleaned(line) }).collect()
    }

    /// The newest line, for errors that say why a plugin ended.
    pub(crate) fn last_words(&self, since: SystemTime) -> Option<String> {
        let lines = self.0.lock();
        let (_, line) = lines.back().filter(|(at, _)| *at >= since)?;
        Some(cleaned(line).chars().take(300).collect())
    }

    pub(crate) fn push(&self, line: &[u8]) {
        let mut lines = self.0.lock();
        if lines.len() == LINES {
            lines.pop_front();
        }
        lines.push_back((SystemTime::now(), line.into()));
    }

    /// Reads lines until the stream ends.
    pub(crate) async fn follow(&self, mut stream: impl AsyncRead + Unpin, backend: &str) {
        let mut line = Vec::with_capacity(LINE);
        let mut buffer = vec![0; 8 * 1024];
        let mut pace = Pace::new();
        let mut traced = 0;
        while let Ok(read @ 1..) = stream.read(&mut buffer).await {
            for piece in buffer[..read].split_inclusive(|byte| *byte == b'\n') {
                line.extend_from_slice(piece.strip_suffix(b"\n").unwrap_or(piece));
                while line.len() >= LINE {
                    traced += 1;
                    self.say(&line[..LINE], backend, traced <= TRACED);
                    line.drain(..LINE);
                }
                if piece.ends_with(b"\n") {
                    traced += 1;
                    self.say(&line, backend, traced <= TRACED);
                    line.clear();
                }
            }
            if pace.spent(read).await {
                traced = 0;
            }
        }
        if !line.is_empty() {
            self.say(&line, backend, true);
        }
    }

    fn say(&self, line: &[u8], backend: &str, traced: bool) {
        self.push(line);
        if traced {
            tracing::info!(backend, "plugin: {}", cleaned(line));
        }
    }
}

fn cleaned(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    clean(text.trim_end_matches('\r')).into_owned()
}

/// Reads a stream to its end and forgets it, no faster than lines are read.
pub(crate) async fn discard(mut stream: impl AsyncRead + Unpin) {
    let mut buffer = vec![0; 8 * 1024];
    let mut pace = Pace::new();
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        pace.spent(read).await;
    }
}

struct Pace {
    since: Instant,
    bytes: usize,
}

impl Pace {
    fn new() -> Self {
        Self { since: Instant::now(), bytes: 0 }
    }

    /// Counts bytes, waits when there were too many, and says whether a new stretch of time began.
    async fn spent(&mut self, bytes: usize) -> bool {
        self.bytes += bytes;
        if self.bytes > TAKEN {
            tokio::time::sleep(PACE.saturating_sub(self.since.elapsed())).await;
        }
        let over = self.since.elapsed() >= PACE;
        if over {
            *self = Self::new();
        }
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_cut_cleaned_and_forgotten() {
        let logs = Logs::default();
        let long = "x".repeat(LINE + 10);
        let said = format!("first\n\x1b[31mred\x1b[0m\r\n{long}\nlast without end");
        logs.follow(said.as_bytes(), "b").await;
        let lines: Vec<_> = logs.lines().into_iter().map(|line| line.text).collect();
        assert_eq!(lines[0], "first");
        assert_eq!(lines[1], "\\u{1b}[31mred\\u{1b}[0m");
        assert_eq!((lines[2].len(), lines[3].len()), (LINE, 10));
        assert_eq!(lines[4], "last without end");
        logs.follow("\n".repeat(5_000).as_bytes(), "b").await;
        assert_eq!(logs.lines().len(), LINES);
    }
}
