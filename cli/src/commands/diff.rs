//! `rein diff`

use crate::commands::documents::{self, Difference, compare};
use crate::ctx::Ctx;
use crate::error::CliError;
use crate::render::{Tone, c};
use clap::{Args, ValueHint};
use rein_api::ExitCode;
use std::path::PathBuf;

/// Show what `rein apply` would alter
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// A file, a directory, or - for standard input; repeat for more
    #[arg(short, long = "file", value_name = "PATH", required = true, value_hint = ValueHint::AnyPath)]
    files: Vec<PathBuf>,
    /// End with 10 if there are differences
    #[arg(long)]
    exit_code: bool,
}

pub(crate) async fn run(args: Diff, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let documents = documents::read(ctx, &args.files)?;
    let there = documents::declared(ctx.client()?.definitions().await?);
    let look = ctx.look_out();
    let mut text = String::new();
    for document in &documents {
        let name = document.what.title();
        match compare(&document.what, there.get(&document.what.key())) {
            Difference::None => {}
            Difference::New => text.push_str(&format!("{}\n", look.paint(Tone::Good, &format!("+ {name}")))),
            Difference::Fields(fields) => {
                text.push_str(&format!("{}\n", look.paint(Tone::Pending, &format!("~ {name}"))));
                for (field, there, here) in fields {
                    let (there, here) = (look.paint(Tone::Bad, &there), look.paint(Tone::Good, &here));
                    text.push_str(&format!("    {}: {there} → {here}\n", c(&field)));
                }
            }
        }
    }
    let differs = !text.is_empty();
    ctx.put(&text)?;
    if !differs {
        ctx.say("no differences")?;
    }
    let elsewhere: Vec<_> = there
        .iter()
        .filter(|(key, _)| !documents.iter().any(|d| d.what.key() == **key))
        .map(|(_, one)| c(&one.title()).into_owned())
        .collect();
    if !elsewhere.is_empty() {
        ctx.say(&format!("declared on the server, but not in these files: {}", elsewhere.join(", ")))?;
    }
    Ok(if differs && args.exit_code { ExitCode::Differs } else { ExitCode::Done })
}
