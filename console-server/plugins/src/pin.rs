//! What is run is what was hashed: a third-party program is copied while its checksum is taken, and
//! the copy is started.

use crate::directory::{Directory, Own};
use crate::options::Program;
use parking_lot::Mutex;
use ring::digest::{Context, SHA256};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Largest program, in bytes.
const MAX_PROGRAM: u64 = 1 << 30;

/// The copies that were made. A program that falls and is started again is hashed once: it may be large, and
/// others' calls wait for the processor.
#[derive(Debug, Default)]
pub(crate) struct Copies(Mutex<HashMap<(PathBuf, String), Arc<Copied>>>);

/// A copy of the program that was pinned, there for as long as this is.
#[derive(Debug)]
pub(crate) struct Copied {
    _own: Own,
    path: PathBuf,
    /// The original and the copy, as they were when it was made.
    were: (Moment, Moment),
}

/// What no program can alter in a file and leave as it was: whoever sets its times back sets `ctime`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Moment {
    file: (u64, u64),
    size: u64,
    altered: (i64, i64),
}

impl Copies {
    /// The copy to start, made if there is none or if either file was altered; or why the program must not be run.
    /// Blocking.
    pub(crate) fn of(&self, program: &Program, directory: &Directory) -> Result<Arc<Copied>, String> {
        let key = (program.path.clone(), program.sha256.clone());
        // Whoever starts two of a kind at once makes two copies, and the later one is kept.
        let known = self.0.lock().get(&key).cloned();
        if let Some(known) = known.filter(|known| known.stands(program)) {
            return Ok(known);
        }
        self.0.lock().remove(&key);
        let own = directory.own().map_err(|e| e.to_string())?;
        let copied = Arc::new(copy(program, own)?);
        self.0.lock().insert(key, Arc::clone(&copied));
        Ok(copied)
    }
}

impl Copied {
    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn stands(&self, program: &Program) -> bool {
        let now = |path: &Path| std::fs::metadata(path).ok().map(|found| Moment::of(&found));
        (now(&program.path), now(&self.path)) == (Some(self.were.0), Some(self.were.1))
    }
}

impl Moment {
    fn of(found: &Metadata) -> Self {
        let (file, altered) = ((found.dev(), found.ino()), (found.ctime(), found.ctime_nsec()));
        Self { file, size: found.size(), altered }
    }
}

/// Copies a program into `own`, and says why it must not be run if it is not the one that was pinned.
fn copy(program: &Program, own: Own) -> Result<Copied, String> {
    let path = program.path.display();
    let failed = |e: std::io::Error| format!("{path}: {e}");
    if !program.path.is_absolute() {
        return Err(format!("{path} is not an absolute path; write it from the root"));
    }
    let mut from = File::open(&program.path).map_err(failed)?;
    let original = from.metadata().map_err(failed)?;
    if !original.is_file() {
        return Err(format!("{path} is no file"));
    }
    let name = program.path.file_name().unwrap_or(program.path.as_os_str());
    let to = own.path().join(name);
    let found = transfer(&mut from, &to).map_err(failed)?;
    let copied = std::fs::metadata(&to).map_err(failed)?;
    match found.eq_ignore_ascii_case(program.sha256.trim()) {
        true => Ok(Copied { _own: own, path: to, were: (Moment::of(&original), Moment::of(&copied)) }),
        false => Err(format!(
            "the SHA-256 of {path} is {found}, and not the {} that the server's configuration pins. If the \
             file was replaced on purpose, pin the new one",
            program.sha256
        )),
    }
}

fn transfer(from: &mut File, to: &Path) -> std::io::Result<String> {
    // Readable and executable, never writable again: the handle is the only way in.
    let mut to = OpenOptions::new().write(true).create_new(true).mode(0o500).open(to)?;
    let (mut digest, mut buffer, mut all) = (Context::new(&SHA256), vec![0; 128 * 1024], 0_u64);
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        all += read as u64;
        if all > MAX_PROGRAM {
            return Err(std::io::Error::other(format!("it is larger than {MAX_PROGRAM} bytes")));
        }
        digest.update(&buffer[..read]);
        to.write_all(&buffer[..read])?;
    }
    Ok(hex(digest.finish().as_ref()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pinned(path: &Path) -> Program {
        let sha256 = hex(ring::digest::digest(&SHA256, &std::fs::read(path).unwrap()).as_ref());
        Program { path: path.to_owned(), sha256, args: vec![] }
    }

    #[test]
    fn another_program_is_not_run() {
        let base = tempfile::tempdir().unwrap();
        let directory = Directory::open(&base.path().join("x")).unwrap();
        let path = base.path().join("plugin");
        std::fs::write(&path, "#!/bin/sh\n").unwrap();
        let right = pinned(&path);
        let wrong = Program { sha256: "2b".repeat(32), ..right.clone() };
        let copies = Copies::default();
        let why = copies.of(&wrong, &directory).unwrap_err();
        assert!(why.contains("pin the new one") && why.contains(&right.sha256), "{why}");
        let copied =
            copies.of(&Program { sha256: right.sha256.to_uppercase(), ..right }, &directory).unwrap();
        assert_eq!(std::fs::read(copied.path()).unwrap(), b"#!/bin/sh\n");
    }

    #[test]
    fn a_copy_serves_until_either_file_is_altered() {
        let base = tempfile::tempdir().unwrap();
        let directory = Directory::open(&base.path().join("x")).unwrap();
        let path = base.path().join("plugin");
        std::fs::write(&path, "#!/bin/sh\n").unwrap();
        let (program, copies) = (pinned(&path), Copies::default());
        let first = copies.of(&program, &directory).unwrap();
        assert_eq!(copies.of(&program, &directory).unwrap().path(), first.path());
        // By the program itself, say, which is of the same user.
        std::fs::remove_file(first.path()).unwrap();
        std::fs::write(first.path(), "#!/bin/no\n").unwrap();
        let second = copies.of(&program, &directory).unwrap();
        assert_ne!(second.path(), first.path());
        assert_eq!(std::fs::read(second.path()).unwrap(), b"#!/bin/sh\n");
        // With its times set back; what was pinned is another one.
        let before = std::fs::metadata(&path).unwrap().modified().unwrap();
        std::fs::write(&path, "#!/bin/no\n").unwrap();
        File::options().write(true).open(&path).unwrap().set_modified(before).unwrap();
        assert!(copies.of(&program, &directory).unwrap_err().contains("pin the new one"));
        std::fs::write(&path, "#!/bin/sh\n").unwrap();
        assert_eq!(std::fs::read(copies.of(&program, &directory).unwrap().path()).unwrap(), b"#!/bin/sh\n");
        drop((first, second, copies));
        let left = std::fs::read_dir(base.path().join("x")).unwrap().count();
        assert_eq!(left, 1, "the lock, and no copy");
    }
}
