//! Reads what strace wrote: which bytes went to which file, when they were synced, and what was
//! acknowledged in between.

use std::collections::HashMap;
use std::io::BufRead;

/// What happened, in the order in which the system saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// A file came to be.
    Create(String),
    /// Bytes were handed to the system.
    Write(String, usize, Vec<u8>),
    /// A file was cut or grown.
    Truncate(String, usize),
    /// A file's name was taken away.
    Unlink(String),
    /// A sync has *ended*: until then it promises nothing.
    Sync(String),
    /// A commit was acknowledged, with its number in the lane.
    Ack(String, u64),
}

/// Reads a trace made with `-f -y -xx` of one process and its threads.
pub(crate) fn read(input: impl BufRead) -> Result<Vec<Event>, String> {
    let mut events = Vec::new();
    // What each thread has begun and not ended.
    let mut begun: HashMap<String, String> = HashMap::new();
    for line in input.lines() {
        let line = line.map_err(|e| e.to_string())?;
        let (thread, call) = line.split_once(' ').unwrap_or((&line, ""));
        let call = call.trim_start();
        if let Some(part) = call.strip_suffix("<unfinished ...>") {
            // Bytes count from the moment they are handed over, syncs from the moment they end.
            if !is_sync(part) && !part.starts_with("openat") {
                events.extend(event(part)?);
            }
            begun.insert(thread.to_owned(), part.to_owned());
        } else if let Some(rest) = call.strip_prefix("<... ") {
            let part = begun.remove(thread).unwrap_or_default();
            if is_sync(&part) || part.starts_with("openat") {
                let rest = rest.split_once("resumed>").map_or("", |(_, rest)| rest);
                events.extend(event(&format!("{part}{rest}"))?);
            }
        } else if call.contains('(') {
            events.extend(event(call)?);
        }
    }
    Ok(events)
}

fn is_sync(call: &str) -> bool {
    call.starts_with("fsync(") || call.starts_with("fdatasync(")
}

fn event(call: &str) -> Result<Option<Event>, String> {
    let (name, args) = call.split_once('(').unwrap_or((call, ""));
    let odd = || format!("cannot read `{}`", call.chars().take(120).collect::<String>());
    Ok(match name {
        "pwrite64" => {
            let file = path_of_fd(args).ok_or_else(odd)?;
            let (data, rest) = string(args).ok_or_else(odd)?;
            let at = rest.split(',').nth(2).and_then(number).ok_or_else(odd)?;
            Some(Event::Write(file, at, data))
        }
        "write" => {
            let text = string(args).map(|(data, _)| String::from_utf8_lossy(&data).into_owned());
            let (id, seq) = match text.as_deref().and_then(|t| t.split_once("ACK ")?.1.split_once(' ')) {
                Some((id, seq)) => (id.to_owned(), seq.trim().parse().map_err(|_| odd())?),
                None => return Ok(None),
            };
            Some(Event::Ack(id, seq))
        }
        "ftruncate" => {
            let len = args.split_once(">,").and_then(|(_, rest)| number(rest)).ok_or_else(odd)?;
            Some(Event::Truncate(path_of_fd(args).ok_or_else(odd)?, len))
        }
        "fsync" | "fdatasync" if args.trim_end().ends_with("= 0") => {
            Some(Event::Sync(path_of_fd(args).ok_or_else(odd)?))
        }
        "unlink" if args.trim_end().ends_with("= 0") => Some(Event::Unlink(text(args).ok_or_else(odd)?)),
        "openat" if args.contains("O_CREAT") && !args.contains("= -1") => {
            let (_, rest) = args.split_once(',').ok_or_else(odd)?;
            Some(Event::Create(text(rest).ok_or_else(odd)?))
        }
        // Calls that this reader does not know how to replay must not pass for nothing.
        "pwritev" | "pwritev2" | "rename" | "renameat" | "renameat2" | "fallocate" | "unlinkat"
            if !args.contains("= -1") =>
        {
            return Err(odd());
        }
        _ => None,
    })
}

/// `5<\x2f\x61>, …` is the file `/a`.
fn path_of_fd(args: &str) -> Option<String> {
    let (_, rest) = args.split_once('<')?;
    String::from_utf8(unescape(rest.split_once('>')?.0)).ok()
}

fn text(args: &str) -> Option<String> {
    String::from_utf8(string(args)?.0).ok()
}

/// The first string, and what comes after it.
fn string(args: &str) -> Option<(Vec<u8>, &str)> {
    let (_, rest) = args.split_once('"')?;
    let (inside, after) = rest.split_once('"')?;
    // Three dots would mean that strace has left something out.
    (!after.starts_with("...")).then(|| (unescape(inside), after))
}

fn unescape(text: &str) -> Vec<u8> {
    if !text.contains("\\x") {
        return text.as_bytes().to_vec();
    }
    text.split("\\x").skip(1).filter_map(|hex| u8::from_str_radix(hex.get(..2)?, 16).ok()).collect()
}

fn number(text: &str) -> Option<usize> {
    let digits: String = text.trim_start().chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sync_counts_when_it_ends_and_bytes_when_they_begin() {
        let text = r#"7 openat(AT_FDCWD<\x2f>, "\x2f\x61", O_RDWR|O_CREAT, 0600) = 5<\x2f\x61>
7 pwrite64(5<\x2f\x61>, "\x41\x42", 2, 512 <unfinished ...>
8 fsync(5<\x2f\x61> <unfinished ...>
7 <... pwrite64 resumed>) = 2
9 write(1<\x70>, "\x41\x43\x4b\x20\x69\x20\x37\x0a", 8) = 8
8 <... fsync resumed>) = 0
7 ftruncate(5<\x2f\x61>, 3) = 0
7 unlink("\x2f\x61") = 0
"#;
        let file = || "/a".to_owned();
        let expected = [
            Event::Create(file()),
            Event::Write(file(), 512, b"AB".to_vec()),
            Event::Ack("i".into(), 7),
            Event::Sync(file()),
            Event::Truncate(file(), 3),
            Event::Unlink(file()),
        ];
        assert_eq!(read(text.as_bytes()).unwrap(), expected);
        assert!(read(&b"7 rename(\"\\x61\", \"\\x62\") = 0\n"[..]).is_err());
    }
}
