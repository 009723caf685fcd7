//! The machine's own yardstick: how long it takes to write 4 KiB and sync them.

use crate::figures::{Samples, merge};
use clap::Args;
use serde_json::{Value, json};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::Instant;

const BLOCK: usize = 4096;
const BLOCKS: u64 = 256;

/// Writes 4 KiB and syncs them, again and again (pwrite, fdatasync)
#[derive(Debug, Args)]
pub(crate) struct Fdatasync {
    /// Directory on the disk to be measured
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// How often
    #[arg(long, default_value_t = 1000)]
    times: u64,
}

pub(crate) fn run(args: &Fdatasync) -> Result<Value, String> {
    let said = |e: std::io::Error| format!("{}: {e}", args.dir.display());
    let file = tempfile::tempfile_in(&args.dir).map_err(said)?;
    // Written before, so that no sync pays for a file that grows.
    file.write_all_at(&vec![0; BLOCK * BLOCKS as usize], 0).map_err(said)?;
    file.sync_all().map_err(said)?;
    let mut took = Samples::default();
    for turn in 0..args.times {
        let begun = Instant::now();
        file.write_all_at(&[turn as u8; BLOCK], turn % BLOCKS * BLOCK as u64).map_err(said)?;
        file.sync_data().map_err(said)?;
        took.push(begun.elapsed());
    }
    let mut out = took.figures();
    merge(&mut out, json!({"what": "fdatasync", "errors": 0}));
    Ok(out)
}
