//! A backup on its way into a file: checked line by line, and in its place only when it is whole.

use crate::error::CliError;
use rein_domain::seal::{SealError, Unseal};
use serde_json::Value;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Longer than any line of a backup.
const MOST: usize = 8 << 20;

/// Where it goes.
enum Place {
    /// Standard output; whoever reads it has to check it.
    Out(Box<dyn Write>),
    /// `FILE.new`, then FILE.
    File { out: BufWriter<File>, fresh: PathBuf, path: PathBuf },
}

/// A backup on its way.
pub struct Keeping {
    place: Place,
    unseal: Unseal,
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
    header: Option<Value>,
    bytes: u64,
    done: bool,
}

impl Keeping {
    /// Begins a file that only its owner reads; `-` is `out`.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn begin(path: &Path, out: Box<dyn Write>) -> Result<Self, CliError> {
        let place = if path == Path::new("-") {
            Place::Out(out)
        } else {
            let mut fresh = path.as_os_str().to_owned();
            fresh.push(".new");
            let fresh = PathBuf::from(fresh);
            let failed = |e: io::Error| CliError::failed(format!("{}: {e}", fresh.display()));
            match fs::remove_file(&fresh) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
                _ => {}
            }
            let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh);
            let out = BufWriter::new(file.map_err(failed)?);
            Place::File { out, fresh, path: path.to_owned() }
        };
        let unseal = Unseal::default();
        Ok(Self { place, unseal, line: Vec::new(), header: None, bytes: 0, done: false })
    }

    /// Takes the next piece.
    ///
    /// # Errors
    /// It is no piece of a backup, or cannot be written.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), CliError> {
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if self.line.last() == Some(&b'\n') {
                self.line.pop();
                self.check()?;
                self.line.clear();
            } else if self.line.len() > MOST {
                return Err(damaged(&SealError::Form(self.unseal.lines() + 1)));
            }
        }
        self.bytes += piece.len() as u64;
        let written = match &mut self.place {
            Place::Out(out) => out.write_all(piece),
            Place::File { out, .. } => out.write_all(piece),
        };
        written.map_err(CliError::from)
    }

    fn check(&mut self) -> Result<(), CliError> {
        let form = SealError::Form(self.unseal.lines() + 1);
        let line = std::str::from_utf8(&self.line).map_err(|_| damaged(&form))?;
        let object = self.unseal.line(line).map_err(|e| damaged(&e))?;
        if self.header.is_none() {
            self.header = object.and_then(|object| serde_json::from_str(&object).ok());
        }
        Ok(())
    }

    /// How far it is, in words.
    pub fn so_far(&self) -> String {
        format!("{} lines, {} KiB", self.unseal.lines(), self.bytes / 1024)
    }

    /// Puts the whole file in its place, and says what it is.
    ///
    /// # Errors
    /// It is not whole, or cannot be put in its place. Then nothing is there that was not there before.
    pub fn finish(mut self) -> Result<String, CliError> {
        self.unseal.finish().map_err(|e| damaged(&e))?;
        match &mut self.place {
            Place::Out(out) => out.flush()?,
            Place::File { out, fresh, path } => {
                let put = |out: &mut BufWriter<File>| -> io::Result<()> {
                    out.flush()?;
                    out.get_ref().sync_all()?;
                    fs::rename(&*fresh, &*path)?;
                    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
                    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
                };
                put(out).map_err(|e| CliError::failed(format!("{}: {e}", path.display())))?;
            }
        }
        self.done = true;
        let header = self.header.take().unwrap_or_default();
        let header = &header["backup"];
        let lanes = header["lanes"].as_object().into_iter().flatten();
        let entries: u64 = lanes.filter_map(|(_, head)| head["seq"].as_u64()).sum();
        Ok(format!(
            "a backup of epoch {} at revision {}: {} records, {entries} audit entries, {} KiB",
            header["epoch"].as_str().unwrap_or("unknown"),
            header["revision"],
            header["records"],
            self.bytes.div_ceil(1024),
        ))
    }
}

impl Drop for Keeping {
    fn drop(&mut self) {
        if let Place::File { fresh, .. } = &self.place
            && !self.done
        {
            // What is not whole is nobody's backup.
            let _ = fs::remove_file(fresh);
        }
    }
}

fn damaged(error: &SealError) -> CliError {
    CliError::failed(format!("the backup is not whole: {error}")).hint("nothing was kept; take it again")
}
