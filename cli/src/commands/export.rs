//! `rein export`

use crate::commands::documents::{Declared, declared};
use crate::ctx::Ctx;
use crate::error::CliError;
use crate::output::{Format, json, yaml};
use crate::render::c;
use clap::{Args, ValueHint};
use rein_api::ExitCode;
use rein_domain::name::{ActorName, BackendName, ServiceName, SwitchName};
use std::path::{Path, PathBuf};

/// Print all declarations as files that `rein apply` takes
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Write one file for each of them into this directory instead
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    dir: Option<PathBuf>,
}

pub(crate) async fn run(args: Export, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let list: Vec<Declared> = declared(ctx.client()?.definitions().await?).into_values().collect();
    if let Some(dir) = args.dir {
        for one in &list {
            write(&dir, one, ctx.format())?;
        }
        ctx.say(&format!("{} files in {}", list.len(), c(&dir.display().to_string())))?;
        return Ok(ExitCode::Done);
    }
    let text = match ctx.format() {
        Format::Json => json(&list)?,
        Format::Name => list.iter().map(|one| c(one.name())).collect::<Vec<_>>().join("\n"),
        Format::Yaml | Format::Table | Format::Wide | Format::Svg => {
            let documents: Result<Vec<String>, CliError> = list.iter().map(yaml).collect();
            documents?.join("---\n")
        }
    };
    ctx.put(&text)?;
    Ok(ExitCode::Done)
}

fn write(dir: &Path, one: &Declared, format: Format) -> Result<(), CliError> {
    let wrong = |e: &dyn std::fmt::Display| CliError::failed(e.to_string());
    let (ending, text) = if format == Format::Json { ("json", json(one)?) } else { ("yaml", yaml(one)?) };
    // A name becomes a path only after it was read as a name.
    let path = match one {
        Declared::Switch(switch) => {
            let name: SwitchName = switch.name.parse().map_err(|e| wrong(&e))?;
            dir.join(name.service().as_str()).join(format!("{}.{ending}", name.leaf()))
        }
        // There is one set.
        Declared::AlertRules(_) => dir.join(format!("alert-rules.{ending}")),
        // Switches lie in a directory for each service, so that no service can stand in the way.
        Declared::Backend(backend) => {
            let name: BackendName = backend.name.parse().map_err(|e| wrong(&e))?;
            dir.join(format!("backend-{name}.{ending}"))
        }
        Declared::Source(source) => {
            let name: ActorName = source.name.parse().map_err(|e| wrong(&e))?;
            dir.join(format!("source-{name}.{ending}"))
        }
        Declared::Service(service) => {
            let name: ServiceName = service.name.parse().map_err(|e| wrong(&e))?;
            dir.join(format!("service-{name}.{ending}"))
        }
    };
    let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    let written = made.and_then(|()| std::fs::write(&path, crate::output::line(text)));
    written.map_err(|e| CliError::failed(format!("{}: {e}", path.display())))
}
