//! What is run is what was hashed: a third-party program is copied while its checksum is taken, and
//! the copy is started.

use crate::options::Program;
use ring::digest::{Context, SHA256};
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Largest program, in bytes.
const MAX_PROGRAM: u64 = 1 << 30;

/// Copies a program into `directory`, and says why it must not be run if it is not the one that was
/// pinned. Blocking.
pub(crate) fn copy(program: &Program, directory: &Path) -> Result<PathBuf, String> {
    let path = program.path.display();
    let failed = |e: std::io::Error| format!("{path}: {e}");
    if !program.path.is_absolute() {
        return Err(format!("{path} is not an absolute path; write it from the root"));
    }
    let mut from = File::open(&program.path).map_err(failed)?;
    if !from.metadata().map_err(failed)?.is_file() {
        return Err(format!("{path} is no file"));
    }
    let name = program.path.file_name().unwrap_or(program.path.as_os_str());
    let to = directory.join("program");
    std::fs::create_dir(&to).map_err(failed)?;
    let to = to.join(name);
    let found = transfer(&mut from, &to).map_err(failed)?;
    match found.eq_ignore_ascii_case(program.sha256.trim()) {
        true => Ok(to),
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

    #[test]
    fn another_program_is_not_run() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("plugin");
        std::fs::write(&path, "#!/bin/sh\n").unwrap();
        let right = "2b1cd3fa3c2e6a2a09d9b6bd0e0b4c5a0c34a1f5b0ee0b1f8e1d7f3e7a000000";
        let program = Program { path: path.clone(), sha256: right.into(), args: vec![] };
        let why = copy(&program, base.path()).unwrap_err();
        assert!(why.contains("pin the new one"), "{why}");
        let found = why.split(" is ").nth(1).unwrap()[..64].to_owned();
        let second = base.path().join("second");
        std::fs::create_dir(&second).unwrap();
        let copied = copy(&Program { sha256: found.to_uppercase(), ..program }, &second).unwrap();
        assert_eq!(std::fs::read(copied).unwrap(), b"#!/bin/sh\n");
    }
}
