//! `rein apply`

use crate::commands::documents::{self, Difference, Step, compare};
use crate::ctx::Ctx;
use crate::error::CliError;
use crate::render::{Cell, Table, Tone};
use clap::{Args, ValueHint};
use rein_api::ExitCode;
use rein_api::definitions::{DefinedView, SwitchDocument};
use rein_client::{Client, Key, Put};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Declare switches from files; nothing is deleted
#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// A file, a directory, or - for standard input; repeat for more
    #[arg(short, long = "file", value_name = "PATH", required = true, value_hint = ValueHint::AnyPath)]
    files: Vec<PathBuf>,
    /// Let the server judge, and declare nothing
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(args: Apply, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let documents = documents::read(ctx, &args.files)?;
    let client = ctx.client()?;
    let there: BTreeMap<String, SwitchDocument> =
        client.definitions().await?.switches.into_iter().map(|one| (one.name.clone(), one)).collect();
    let declared: BTreeSet<String> = there.keys().cloned().collect();
    let steps = documents::order(documents, declared.clone());
    // All of it is judged before any of it is declared: bad input changes nothing.
    let (mut results, mut failures) = carry_out(&client, &steps, &there, Put::DryRun).await;
    let put = if args.dry_run || !failures.is_empty() { Put::DryRun } else { Put::Now };
    if put == Put::Now {
        (results, failures) = carry_out(&client, &steps, &there, put).await;
    } else if !args.dry_run {
        return Err(partly(&[], failures, Put::Now));
    }
    show(ctx, &results)?;
    if args.dry_run {
        ctx.say("dry run: nothing was declared")?;
    }
    match failures.is_empty() {
        true => Ok(ExitCode::Done),
        false => Err(partly(&results, failures, put)),
    }
}

type Failures = Vec<(String, CliError)>;

/// Declares, or lets the server judge, step by step.
async fn carry_out(
    client: &Client,
    steps: &[Step],
    there: &BTreeMap<String, SwitchDocument>,
    put: Put,
) -> (Vec<DefinedView>, Failures) {
    let declared: BTreeSet<String> = there.keys().cloned().collect();
    let (mut results, mut failures) = (Vec::<DefinedView>::new(), Failures::new());
    let mut failed = BTreeSet::new();
    for step in steps {
        let name = step.document.switch.name.clone();
        if failed.contains(&name) {
            continue;
        }
        if compare(&step.document.switch, there.get(&name)) == Difference::None {
            results.push(DefinedView { name, outcome: "unchanged".to_owned(), note: None });
            continue;
        }
        match one(client, judged(step.clone(), put, &declared), put).await {
            // The second half of breaking a circle completes the first.
            Ok(_) if results.iter().any(|earlier| earlier.name == name) => {}
            Ok(view) => results.push(view),
            Err(error) => {
                failed.insert(name);
                failures.push((step.document.place.clone(), error));
            }
        }
    }
    (results, failures)
}

/// While only judging, the server cannot know partners that stand in the same files.
fn judged(mut step: Step, put: Put, declared: &BTreeSet<String>) -> Step {
    if put == Put::DryRun {
        let switch = &step.document.switch;
        let partners = switch.needs.iter().chain(&switch.excludes);
        let others = partners.filter(|name| **name != switch.name);
        step.without = others.filter(|name| !declared.contains(*name)).cloned().collect();
    }
    step
}

async fn one(client: &Client, step: Step, put: Put) -> Result<DefinedView, CliError> {
    let defined = client.define(&step.document.name, &step.body(), put, &Key::fresh()).await;
    defined.map_err(|e| CliError::from(e).recheck("rein diff -f PATH"))
}

fn show(ctx: &mut Ctx, results: &[DefinedView]) -> Result<(), CliError> {
    if !ctx.for_people() {
        let text = match ctx.format() {
            crate::output::Format::Json => crate::output::json(&results)?,
            crate::output::Format::Yaml => crate::output::yaml(&results)?,
            _ => results.iter().map(|one| rein_domain::text::clean(&one.name)).collect::<Vec<_>>().join("\n"),
        };
        return ctx.put(&text);
    }
    let look = ctx.look_out();
    let mut table = Table::new(["SWITCH", "OUTCOME", "NOTE"]);
    for one in results {
        let tone = if one.outcome == "unchanged" { Tone::Dim } else { Tone::Good };
        let note = one.note.as_deref().map(|note| look.localised(note)).unwrap_or_default();
        table.row(vec![
            Cell::toned(Tone::Strong, &one.name),
            Cell::toned(tone, &one.outcome),
            Cell::plain(note),
        ]);
    }
    let text = table.render(&look, "");
    ctx.put(&text)
}

fn partly(results: &[DefinedView], failures: Vec<(String, CliError)>, put: Put) -> CliError {
    let altered = results.iter().any(|one| one.outcome != "unchanged");
    let exit = failures.first().filter(|_| !altered).map_or(ExitCode::Failed, |(_, error)| error.exit);
    let message = match (altered, put) {
        (true, Put::Now) => "partly applied",
        (false, Put::Now) => "nothing was declared",
        (_, Put::DryRun) => "not everything would be accepted",
    };
    let mut error = CliError::new(exit, message);
    for (place, why) in failures {
        error = error.detail(format!("{place}: {}", why.message));
        error.hints.extend(why.hints);
    }
    error.hints.dedup();
    error
}
