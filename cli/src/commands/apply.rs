//! `rein apply`

use crate::commands::documents::{self, Declared, Difference, Key, Step, compare};
use crate::ctx::Ctx;
use crate::error::CliError;
use crate::render::{Cell, Table, Tone};
use clap::{Args, ValueHint};
use rein_api::ExitCode;
use rein_api::definitions::DefinedView;
use rein_client::{Client, Key as Once, Put};
use rein_domain::name::SwitchName;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Declare switches, services, backends, sources and rules from files; nothing is deleted
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
    let there = documents::declared(client.definitions().await?);
    let steps = documents::order(documents, switches(&there));
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

/// What became of one document.
#[derive(Debug, Serialize)]
struct Outcome {
    kind: &'static str,
    #[serde(flatten)]
    view: DefinedView,
}

fn switches(there: &BTreeMap<Key, Declared>) -> BTreeSet<String> {
    there.keys().filter(|(kind, _)| *kind == "switch").map(|(_, name)| name.clone()).collect()
}

/// Declares, or lets the server judge, step by step.
async fn carry_out(
    client: &Client,
    steps: &[Step],
    there: &BTreeMap<Key, Declared>,
    put: Put,
) -> (Vec<Outcome>, Failures) {
    let declared = switches(there);
    let (mut results, mut failures) = (Vec::<Outcome>::new(), Failures::new());
    let mut failed = BTreeSet::new();
    for step in steps {
        let key = step.document.what.key();
        if failed.contains(&key) {
            continue;
        }
        let (kind, name) = key.clone();
        if compare(&step.document.what, there.get(&key)) == Difference::None {
            let view = DefinedView { name, outcome: "unchanged".to_owned(), note: None };
            results.push(Outcome { kind, view });
            continue;
        }
        match one(client, judged(step.clone(), put, &declared), put).await {
            // The second half of breaking a circle completes the first.
            Ok(_) if results.iter().any(|earlier| (earlier.kind, &earlier.view.name) == (kind, &name)) => {}
            Ok(view) => results.push(Outcome { kind, view }),
            Err(error) => {
                failed.insert(key);
                failures.push((step.document.place.clone(), error));
            }
        }
    }
    (results, failures)
}

/// While only judging, the server cannot know partners that stand in the same files.
fn judged(mut step: Step, put: Put, declared: &BTreeSet<String>) -> Step {
    if put == Put::DryRun {
        let unknown = step.document.partners().filter(|name| !declared.contains(*name));
        step.without = unknown.cloned().collect();
    }
    step
}

async fn one(client: &Client, step: Step, put: Put) -> Result<DefinedView, CliError> {
    let defined = match step.body() {
        Declared::AlertRules(rules) => client.define_alert_rules(&rules, put, &Once::fresh()).await,
        Declared::Backend(backend) => client.define_backend(&backend, put, &Once::fresh()).await,
        Declared::Service(service) => client.define_service(&service, put, &Once::fresh()).await,
        Declared::Source(source) => client.define_source(&source, put, &Once::fresh()).await,
        Declared::Switch(switch) => {
            let name: SwitchName = switch.name.parse().map_err(|e| CliError::usage(format!("{e}")))?;
            client.define(&name, &switch, put, &Once::fresh()).await
        }
    };
    defined.map_err(|e| CliError::from(e).recheck("rein diff -f PATH"))
}

fn show(ctx: &mut Ctx, results: &[Outcome]) -> Result<(), CliError> {
    if !ctx.for_people() {
        let text = match ctx.format() {
            crate::output::Format::Json => crate::output::json(&results)?,
            crate::output::Format::Yaml => crate::output::yaml(&results)?,
            _ => results
                .iter()
                .map(|one| rein_domain::text::clean(&one.view.name))
                .collect::<Vec<_>>()
                .join("\n"),
        };
        return ctx.put(&text);
    }
    let look = ctx.look_out();
    let mut table = Table::new(["KIND", "NAME", "OUTCOME", "NOTE"]);
    for Outcome { kind, view: one } in results {
        let tone = if one.outcome == "unchanged" { Tone::Dim } else { Tone::Good };
        let note = one.note.as_deref().map(|note| look.localised(note)).unwrap_or_default();
        table.row(vec![
            Cell::plain(kind),
            Cell::toned(Tone::Strong, &one.name),
            Cell::toned(tone, &one.outcome),
            Cell::plain(note),
        ]);
    }
    let text = table.render(&look, "");
    ctx.put(&text)
}

fn partly(results: &[Outcome], failures: Vec<(String, CliError)>, put: Put) -> CliError {
    let altered = results.iter().any(|one| one.view.outcome != "unchanged");
    let exit = failures.first().filter(|_| !altered).map_or(ExitCode::Failed, |(_, error)| error.exit);
    let message = match (altered, put) {
        (true, Put::Now) => "partly applied",
        (false, Put::Now) => "nothing was declared",
        (_, Put::DryRun) => "not everything would be accepted",
    };
    let mut error = CliError::new(exit, message);
    for (place, why) in failures {
        error = error.detail(format!("{place}: {}", why.message));
        error.details.extend(why.details);
        error.hints.extend(why.hints);
    }
    error.hints.dedup();
    error
}
