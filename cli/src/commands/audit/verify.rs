//! `rein audit verify`

use crate::commands::audit::outside;
use crate::commands::audit::proof::{Fault, Lane, LaneProof, checkpoints};
use crate::ctx::Ctx;
use crate::error::CliError;
use crate::output::{Detail, Show};
use crate::render::{Cell, Look, Table, Tone, c};
use clap::{Args, ValueHint};
use rein_api::audit::LaneQuery;
use rein_api::{ErrorCode, ExitCode};
use rein_client::Client;
use rein_domain::audit::{Checkpoint, Link, hex, unhex};
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Verify the audit trail entry by entry, against a key and heads kept outside
///
/// Keep both elsewhere: `rein audit heads -o json > FILE`. Without them everything rests on the
/// server's own word. What comes after the last head kept outside is unproved, and is called so.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The public key pinned outside, in hex, or a file that holds it
    #[arg(long, value_name = "HEX|FILE")]
    key: Option<String>,
    /// A file with signed heads kept outside
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    heads: Option<PathBuf>,
}

/// What verifying has shown.
#[derive(Debug, Serialize)]
struct Verified {
    /// The key by which it was verified, in hex.
    key: String,
    /// Was the key given from outside?
    key_pinned: bool,
    /// How many heads were given from outside.
    heads_outside: usize,
    /// How many checkpoints the server shows.
    checkpoints: usize,
    /// Lane by lane.
    lanes: Vec<LaneProof>,
}

pub(crate) async fn run(args: Verify, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let pinned = args.key.as_deref().map(outside::key).transpose()?;
    let kept = args.heads.as_deref().map(outside::heads).transpose()?.unwrap_or_default();
    let client = ctx.client()?;
    let heads = client.audit_heads().await?;
    let there = unhex(&heads.key).ok_or_else(|| CliError::failed("the server's key is not in hex"))?;
    if pinned.as_ref().is_some_and(|key| *key != there) {
        return Err(fault(Fault::Key { there: heads.key }));
    }
    let ours: Vec<Checkpoint> = heads.checkpoints.into_iter().map(outside::checkpoint).collect();
    checkpoints(&there, &ours, &kept).map_err(fault)?;
    let mut names: BTreeSet<&str> = heads.lanes.keys().map(String::as_str).collect();
    names.extend(ours.iter().chain(&kept).flat_map(|checkpoint| checkpoint.heads.keys()).map(String::as_str));
    let mut lanes = Vec::new();
    for name in names {
        ctx.progress(&format!("walking lane {}", c(name)))?;
        lanes.push(walk(&client, name, &ours, &kept).await?);
    }
    ctx.progress("")?;
    let verified = Verified {
        key: hex(&there),
        key_pinned: pinned.is_some(),
        heads_outside: kept.len(),
        checkpoints: ours.len(),
        lanes,
    };
    ctx.show(&verified)?;
    Ok(ExitCode::Done)
}

async fn walk(
    client: &Client,
    name: &str,
    ours: &[Checkpoint],
    kept: &[Checkpoint],
) -> Result<LaneProof, CliError> {
    let mut lane = Lane::new(name, ours, kept).map_err(fault)?;
    let mut after = 0;
    loop {
        let query = LaneQuery { after: Some(after), limit: Some(1000) };
        let links = match client.audit_lane(name, &query).await {
            Ok(view) => view.links,
            // A lane that heads have seen and that is gone was cut: finishing the walk says so.
            Err(error) if error.code() == Some(ErrorCode::NotFound) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        let Some(last) = links.last() else { break };
        if last.seq <= after {
            return Err(CliError::failed(format!(
                "lane {name}: the server repeats itself after entry {after}"
            )));
        }
        after = last.seq;
        for link in links {
            let hash = unhex(&link.hash).and_then(|hash| hash.try_into().ok());
            let hash = hash.ok_or_else(|| {
                CliError::failed(format!("lane {name}: the hash of entry {} is not in hex", link.seq))
            })?;
            lane.step(&Link { seq: link.seq, hash, body: link.body.into_bytes() }).map_err(fault)?;
        }
    }
    lane.finish().map_err(fault)
}

fn fault(fault: Fault) -> CliError {
    CliError::failed(format!("the audit trail does not hold: {fault}"))
        .hint("keep the data directory as it is, and compare with a backup and with the heads kept outside")
}

impl Show for Verified {
    fn table(&self, look: &Look, _: Detail) -> String {
        let mut table = Table::new(["LANE", "PROVED OUTSIDE", "SIGNED BY THE SERVER", "UNPROVED"]);
        for lane in &self.lanes {
            table.row(vec![
                Cell::toned(Tone::Strong, &lane.lane),
                Cell::plain(lane.proved.to_string()),
                Cell::plain(lane.signed.to_string()),
                Cell::plain(lane.unproved.to_string()),
            ]);
        }
        let mut text = table.render(look, "no lanes: nothing was recorded yet\n");
        let total = |part: fn(&LaneProof) -> u64| self.lanes.iter().map(part).sum::<u64>();
        let (proved, own) = (total(|lane| lane.proved), total(|lane| lane.signed + lane.unproved));
        text.push_str(&format!("nothing was altered, cut or reordered in {} entries\n", proved + own));
        if self.heads_outside == 0 {
            let words = "unproved against any outside head: everything rests on the server's own word";
            text.push_str(&format!("{}\n", look.paint(Tone::Pending, words)));
            text.push_str(
                "keep heads elsewhere: rein audit heads -o json > FILE; then verify with --heads FILE\n",
            );
        } else {
            text.push_str(&format!(
                "{proved} entries are proved by heads kept outside; {own} came after them\n"
            ));
        }
        if !self.key_pinned {
            let words = format!("the key is the server's own word too; pin it with --key {}", self.key);
            text.push_str(&format!("{}\n", look.paint(Tone::Pending, &words)));
        }
        text
    }

    fn names(&self) -> Vec<String> {
        self.lanes.iter().map(|lane| lane.lane.clone()).collect()
    }
}
