//! `rein export`

use crate::ctx::Ctx;
use crate::error::CliError;
use crate::output::{Format, json, yaml};
use crate::render::c;
use clap::{Args, ValueHint};
use rein_api::ExitCode;
use rein_api::definitions::SwitchDocument;
use rein_domain::name::SwitchName;
use std::path::{Path, PathBuf};

/// Print all declarations as files that `rein apply` takes
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Write one file for each switch into this directory instead
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    dir: Option<PathBuf>,
}

pub(crate) async fn run(args: Export, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let list = ctx.client()?.definitions().await?.switches;
    if let Some(dir) = args.dir {
        for switch in &list {
            write(&dir, switch, ctx.format())?;
        }
        ctx.say(&format!("{} files in {}", list.len(), c(&dir.display().to_string())))?;
        return Ok(ExitCode::Done);
    }
    let text = match ctx.format() {
        Format::Json => json(&list)?,
        Format::Name => list.iter().map(|switch| c(&switch.name)).collect::<Vec<_>>().join("\n"),
        Format::Yaml | Format::Table | Format::Wide => {
            let documents: Result<Vec<String>, CliError> = list.iter().map(yaml).collect();
            documents?.join("---\n")
        }
    };
    ctx.put(&text)?;
    Ok(ExitCode::Done)
}

fn write(dir: &Path, switch: &SwitchDocument, format: Format) -> Result<(), CliError> {
    // A name becomes a path only after it was read as a name.
    let name: SwitchName = switch.name.parse().map_err(|e| CliError::failed(format!("{e}")))?;
    let (ending, text) =
        if format == Format::Json { ("json", json(switch)?) } else { ("yaml", yaml(switch)?) };
    let dir = dir.join(name.service().as_str());
    let path = dir.join(format!("{}.{ending}", name.leaf()));
    let written =
        std::fs::create_dir_all(&dir).and_then(|()| std::fs::write(&path, crate::output::line(text)));
    written.map_err(|e| CliError::failed(format!("{}: {e}", path.display())))
}
