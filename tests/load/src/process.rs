//! What the system says of a process: memory, processor time. Linux only, through `/proc`.

use std::fs::read_to_string;

/// Resident memory in KiB.
pub(crate) fn rss_kib(pid: u32) -> Option<u64> {
    let status = read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Seconds of processor time used so far, by all threads, user and system.
pub(crate) fn cpu_seconds(pid: u32) -> Option<f64> {
    let stat = read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in brackets and may hold anything; fields 14 and 15 count from after it.
    let after = stat.rsplit_once(')')?.1;
    let mut fields = after.split_whitespace().skip(11);
    let (user, system): (f64, f64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    // USER_HZ is 100 on every Linux that this runs on (man 5 proc).
    Some((user + system) / 100.0)
}

/// Open file descriptors.
pub(crate) fn descriptors(pid: u32) -> Option<usize> {
    Some(std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count())
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_process_has_memory_time_and_files() {
        let own = std::process::id();
        assert!(super::rss_kib(own).is_some_and(|kib| kib > 100));
        assert!(super::cpu_seconds(own).is_some());
        assert!(super::descriptors(own).is_some_and(|open| open >= 3));
    }
}
