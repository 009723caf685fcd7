//! `docs/adding-a-plugin.md`: every command is run, and prints what the page shows.
#![allow(clippy::print_stderr, reason = "what is not tested is said")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

struct Step {
    line: usize,
    command: String,
    prints: String,
}

/// What stands in ```console blocks: commands after `$ `, and what each prints.
fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for (n, line) in page.lines().enumerate() {
        match (line, line.strip_prefix("$ ")) {
            ("```console", _) => inside = true,
            ("```", _) => inside = false,
            (_, Some(command)) if inside => {
                steps.push(Step { line: n + 1, command: command.into(), prints: String::new() });
            }
            (line, None) if inside => {
                let step = steps.last_mut().expect("a command before its output");
                step.prints.push_str(line);
                step.prints.push('\n');
            }
            _ => {}
        }
    }
    steps
}

fn script(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn the_page_shows_what_happens() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let python = target.join("clients/venv/bin/python");
    if !Command::new(&python).args(["-c", "import grpc_tools"]).output().is_ok_and(|o| o.status.success()) {
        assert!(std::env::var_os("REIN_REQUIRE_CLIENTS").is_none(), "grpcio-tools; tests/run installs it");
        eprintln!("SKIPPED: there is no Python with grpcio-tools");
        return;
    }
    let room = Path::new(env!("CARGO_TARGET_TMPDIR")).join("adding-a-plugin");
    let _ = std::fs::remove_dir_all(&room);
    std::fs::create_dir_all(room.join("bin")).unwrap();
    let profile = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned();
    let author = profile.join("examples/plugin-author");
    assert!(author.is_file(), "first: cargo build -p rein-plugin --examples");
    script(&room.join("bin/plugin-author"), &format!("#!/bin/sh\nexec {} \"$@\"\n", author.display()));
    // The command line's own tests see to it that `rein plugin new` calls the same function.
    let new = format!(
        "#!/bin/sh\n[ \"$1 $2 $3\" = 'plugin new --lang' ] && exec {} new \"$4\" \"$5\"\n",
        author.display()
    );
    script(&room.join("bin/rein"), &new);

    let page = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/adding-a-plugin.md");
    let steps = steps(&std::fs::read_to_string(page).unwrap());
    assert!(steps.len() > 10);
    let path = format!("{}:{}", room.join("bin").display(), std::env::var("PATH").unwrap());
    let mut place = room.clone();
    for Step { line, command, prints } in steps {
        if let Some(down) = command.strip_prefix("cd ") {
            place.push(down);
            continue;
        }
        let output = Command::new("sh")
            .args(["-c", &format!("{{ {command}; }} 2>&1")])
            .current_dir(&place)
            .env("PATH", &path)
            .env("PYTHON", &python)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(said, prints, "docs/adding-a-plugin.md:{line}: {command}");
    }
}
