//! Sealed lines: text that shows by itself that it is whole. What backups are written in.
//!
//! Each line is a JSON object that begins with `{"sum":"…",`: the first 16 digits of the SHA-256 of all
//! contents so far, its own included. The last line is the whole hash alone. So a line that was altered,
//! dropped, doubled or moved is found at its place, and a file that was cut is known for one.
//! This tells of accidents. Whoever means harm can seal a file of their own; the audit trail is signed.

use crate::audit::hex;
use ring::digest::{Context, SHA256};

/// What each line begins with, before its sum.
const BEFORE: &str = "{\"sum\":\"";
/// What follows the sum.
const AFTER: &str = "\",";
/// Digits of a line's sum.
const DIGITS: usize = 16;
/// What the last line begins with, before the whole hash.
const LAST: &str = "{\"sha256\":\"";

/// Why a sealed text is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Not a line of this form.
    #[error("line {0} is not a line of a backup")]
    Form(u64),
    /// The sum is another.
    #[error("line {0} was altered, or one before it was dropped")]
    Sum(u64),
    /// There is no last line.
    #[error("it was cut after line {0}")]
    Cut(u64),
    /// Something follows the last line.
    #[error("line {0} comes after the end")]
    After(u64),
}

/// Writes sealed lines.
#[derive(Clone)]
pub struct Seal(Context);

impl Default for Seal {
    fn default() -> Self {
        Self(Context::new(&SHA256))
    }
}

impl Seal {
    fn take(&mut self, content: &str) -> String {
        self.0.update(content.as_bytes());
        self.0.update(b"\n");
        let mut sum = hex(self.0.clone().finish().as_ref());
        sum.truncate(DIGITS);
        sum
    }

    /// Seals one line: a JSON object with at least one field, without line ends. The answer has one.
    pub fn line(&mut self, object: &str) -> String {
        let content = object.strip_prefix('{').unwrap_or(object);
        let sum = self.take(content);
        format!("{BEFORE}{sum}{AFTER}{content}\n")
    }

    /// The last line.
    pub fn last(self) -> String {
        format!("{LAST}{}\"}}\n", hex(self.0.finish().as_ref()))
    }
}

/// Reads sealed lines.
#[derive(Clone, Default)]
pub struct Unseal {
    seal: Seal,
    lines: u64,
    ended: bool,
}

impl Unseal {
    /// The object in a line (without its line end), or `None` for the last line.
    ///
    /// # Errors
    /// The line was altered, is in the wrong place, or is none.
    pub fn line(&mut self, line: &str) -> Result<Option<String>, SealError> {
        self.lines += 1;
        if self.ended {
            return Err(SealError::After(self.lines));
        }
        if line.starts_with(LAST) {
            let expected = self.seal.clone().last();
            if expected.trim_end() != line {
                return Err(SealError::Sum(self.lines));
            }
            self.ended = true;
            return Ok(None);
        }
        let form = SealError::Form(self.lines);
        let rest = line.strip_prefix(BEFORE).ok_or_else(|| form.clone())?;
        let (sum, rest) = rest.split_at_checked(DIGITS).ok_or_else(|| form.clone())?;
        let content = rest.strip_prefix(AFTER).ok_or(form)?;
        if self.seal.take(content) != sum {
            return Err(SealError::Sum(self.lines));
        }
        Ok(Some(format!("{{{content}")))
    }

    /// How many lines were read.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// There is nothing more: was that the end?
    ///
    /// # Errors
    /// [`SealError::Cut`].
    pub fn finish(&self) -> Result<(), SealError> {
        if self.ended { Ok(()) } else { Err(SealError::Cut(self.lines)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed() -> Vec<String> {
        let mut seal = Seal::default();
        let mut lines: Vec<String> = ["{\"a\":1}", "{\"b\":\"x\"}", "{\"b\":\"x\"}", "{\"c\":{}}"]
            .iter()
            .map(|l| seal.line(l).trim_end().to_owned())
            .collect();
        lines.push(seal.last().trim_end().to_owned());
        lines
    }

    fn read(lines: &[String]) -> Result<Vec<String>, SealError> {
        let mut unseal = Unseal::default();
        let mut all = Vec::new();
        for line in lines {
            all.extend(unseal.line(line)?);
        }
        unseal.finish().map(|()| all)
    }

    #[test]
    fn what_was_sealed_reads_back() {
        assert_eq!(read(&sealed()).unwrap(), ["{\"a\":1}", "{\"b\":\"x\"}", "{\"b\":\"x\"}", "{\"c\":{}}"]);
    }

    #[test]
    fn every_line_cut_dropped_doubled_or_swapped_is_found_at_its_place() {
        let whole = sealed();
        for at in 0..whole.len() {
            let number = at as u64 + 1;
            assert_eq!(read(&whole[..at]), Err(SealError::Cut(at as u64)));
            let mut dropped = whole.clone();
            dropped.remove(at);
            assert!(read(&dropped).is_err(), "without line {number}");
            let mut doubled = whole.clone();
            doubled.insert(at, whole[at].clone());
            assert!(read(&doubled).is_err(), "line {number} twice");
        }
        let mut swapped = whole.clone();
        swapped.swap(0, 1);
        assert_eq!(read(&swapped), Err(SealError::Sum(1)));
    }

    #[test]
    fn no_flipped_bit_goes_unnoticed() {
        let whole = sealed();
        for (at, line) in whole.iter().enumerate() {
            for byte in 0..line.len() {
                for bit in 0..7 {
                    let mut bytes = line.clone().into_bytes();
                    bytes[byte] ^= 1 << bit;
                    let mut altered = whole.clone();
                    altered[at] = String::from_utf8(bytes).unwrap();
                    assert!(read(&altered).is_err(), "bit {bit} of byte {byte} of line {at}");
                }
            }
        }
    }
}
