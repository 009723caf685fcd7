//! `rein plugin show`

use crate::complete;
use crate::ctx::Ctx;
use crate::error::CliError;
use crate::output::{Detail, Show as _};
use crate::suggest::nearest;
use clap::Args;
use rein_api::ExitCode;
use rein_domain::name::PluginName;

/// Show one plugin: for which backends it runs, since when, how often it was started again
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The plugin
    #[arg(value_name = "PLUGIN", add = complete::plugins())]
    name: PluginName,
}

pub(crate) async fn run(args: Show, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let mut list = ctx.client()?.plugins().await?;
    let known: Vec<String> = list.plugins.iter().map(|one| one.name.clone()).collect();
    list.plugins.retain(|one| one.name == args.name.as_str());
    if list.plugins.is_empty() {
        let error = CliError::failed(format!("this server knows no plugin {}", args.name));
        return Err(match nearest(args.name.as_str(), known.iter().map(String::as_str)) {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => error.hint("rein plugin list"),
        });
    }
    if ctx.for_people() {
        let look = ctx.look_out();
        let text: String = list.plugins.iter().map(|one| one.table(&look, Detail::Short)).collect();
        ctx.put(&text)?;
    } else {
        ctx.show(&list)?;
    }
    Ok(ExitCode::Done)
}
