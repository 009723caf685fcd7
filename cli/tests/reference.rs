//! The reference in `docs/cli.md` is made from the command tree. `UPDATE=1` writes it anew.

use clap::Command;
use std::fmt::Write;
use std::path::Path;

#[test]
fn the_reference_is_current() {
    let mut command = rein_cli::command().term_width(100).color(clap::ColorChoice::Never);
    command.build();
    let mut page = String::from(
        "# The command line\n\nMade from the program itself. Options that every command takes stand once, under \
         `rein`.\nExit codes: [errors](errors/README.md).\n",
    );
    command.build();
    section(&mut page, &mut command, "rein");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cli.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let shown = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(shown == page, "docs/cli.md is not current: UPDATE=1 cargo test -p rein-cli --test reference");
}

fn section(page: &mut String, command: &mut Command, name: &str) {
    let help = if name == "rein" { command.render_help() } else { own_help(command) };
    let help: Vec<String> = help.to_string().lines().map(|line| line.trim_end().to_owned()).collect();
    writeln!(page, "\n## `{name}`\n\n```text\n{}\n```", help.join("\n").trim_end()).unwrap();
    for sub in command.get_subcommands_mut().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help") {
        let name = format!("{name} {}", sub.get_name());
        section(page, sub, &name);
    }
}

/// Help without the options that every command takes.
fn own_help(command: &Command) -> clap::builder::StyledStr {
    let global: Vec<String> = command
        .get_arguments()
        .filter(|arg| arg.is_global_set())
        .map(|arg| arg.get_id().to_string())
        .collect();
    let mut own = command.clone();
    for id in global {
        own = own.mut_arg(id, |arg| arg.hide(true));
    }
    own.render_long_help()
}
