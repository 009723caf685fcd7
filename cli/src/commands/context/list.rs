//! `rein context list`

use crate::config::{Config, config_path, read};
use crate::ctx::Ctx;
use crate::error::CliError;
use crate::output::{Detail, Show};
use crate::render::{Cell, Look, Table, Tone};
use clap::Args;
use rein_api::ExitCode;
use serde::Serialize;
use std::path::PathBuf;

/// List the servers remembered, and which one is current
#[derive(Debug, Args)]
pub(crate) struct List {}

/// One context.
#[derive(Debug, Serialize)]
struct Entry {
    name: String,
    current: bool,
    server: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ca_file: Option<PathBuf>,
}

/// All of them.
#[derive(Debug, Serialize)]
struct Contexts {
    contexts: Vec<Entry>,
}

pub(crate) fn run(_: List, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let config: Config = read(&config_path(&ctx.io.env))?;
    let current = config.current;
    let entry = |(name, context): (String, crate::config::Context)| Entry {
        current: current.as_ref() == Some(&name),
        name,
        server: context.server,
        token_file: context.token_file,
        ca_file: context.ca_file,
    };
    ctx.show(&Contexts { contexts: config.contexts.into_iter().map(entry).collect() })?;
    Ok(ExitCode::Done)
}

impl Show for Contexts {
    fn table(&self, look: &Look, _: Detail) -> String {
        let mut table = Table::new(["CONTEXT", "CURRENT", "SERVER", "TOKEN FILE", "CA FILE"]);
        let path =
            |path: &Option<PathBuf>| path.as_ref().map(|p| p.display().to_string()).unwrap_or_default();
        for entry in &self.contexts {
            table.row(vec![
                Cell::toned(Tone::Strong, &entry.name),
                Cell::toned(Tone::Good, if entry.current { "yes" } else { "" }),
                Cell::plain(&entry.server),
                Cell::plain(path(&entry.token_file)),
                Cell::plain(path(&entry.ca_file)),
            ]);
        }
        table.render(look, "no contexts; add one: rein context add NAME --server URL --token-file FILE")
    }

    fn names(&self) -> Vec<String> {
        self.contexts.iter().map(|entry| entry.name.clone()).collect()
    }
}
