//! Plugins that are part of this program, and the guard of those that are not.

use rein_cli::handover::{GuardStep, Language, PluginArgs, PluginCommand, PluginNewArgs};
use rein_plugin::skeleton::Lang;
use rein_plugins::Limits;
use rein_plugins::guard::{Guarded, Step};
use std::io::Write;
use std::process::ExitCode;

/// Their names, as definitions of backends use them.
pub(crate) const BUNDLED: &[&str] = &["alertmanager", "consul", "etcd", "prometheus", "zookeeper"];

/// Is what a server started this process for, until the server wants it no more.
pub(crate) fn run(args: PluginArgs) -> ExitCode {
    match args.command {
        PluginCommand::Serve { name } => match rein_plugins::bundled::begin() {
            Ok(()) => serve(&name),
            Err(error) => complain(&error.to_string()),
        },
        PluginCommand::Guard { step, limits, command } => match Limits::from_arg(&limits) {
            Some(limits) => {
                let step = match step {
                    GuardStep::Guard => Step::Guard,
                    GuardStep::Run => Step::Run,
                };
                rein_plugins::guard::run(Guarded { step, limits, command })
            }
            None => complain(&format!("`{limits}` are no limits")),
        },
    }
}

/// Writes the skeleton of a plugin, and says what to type next.
pub(crate) fn begin(args: &PluginNewArgs) -> rein_api::ExitCode {
    let lang = match args.lang {
        Language::Rust => Lang::Rust,
        Language::Python => Lang::Python,
        Language::Go => Lang::Go,
    };
    match rein_plugin::skeleton::write(lang, &args.dir) {
        Ok(files) => {
            let mut out = std::io::stdout().lock();
            // Whoever closed the pipe has seen enough.
            let _ = files.iter().try_for_each(|file| writeln!(out, "{}", file.display()));
            let _ = writeln!(
                std::io::stderr(),
                "how to build it and hold it to the contract: docs/adding-a-plugin.md"
            );
            rein_api::ExitCode::Done
        }
        Err(error) => crate::server::complain(&error.to_string(), None, rein_api::ExitCode::Failed),
    }
}

fn serve(name: &str) -> ExitCode {
    match name {
        "alertmanager" => rein_plugin::serve::main(rein_plugin_alertmanager::adapter()),
        "consul" => rein_plugin::serve::main(rein_plugin_consul::adapter()),
        "etcd" => rein_plugin::serve::main(rein_plugin_etcd::adapter()),
        "prometheus" => rein_plugin::serve::main(rein_plugin_prometheus::adapter()),
        "zookeeper" => rein_plugin::serve::main(rein_plugin_zookeeper::adapter()),
        _ => complain(&format!(
            "no plugin of this program is called `{name}`; there are {}",
            BUNDLED.join(", ")
        )),
    }
}

fn complain(what: &str) -> ExitCode {
    // Nobody is left to tell that telling failed.
    let _ = writeln!(std::io::stderr(), "error: {what}");
    ExitCode::from(2)
}
