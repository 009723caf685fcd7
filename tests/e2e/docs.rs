//! What the documentation promises to hold.

use crate::kit::room::repository;
use crate::kit::server::rein;
use rein_api::ErrorCode;
use std::fs;

fn page(path: &str) -> String {
    let path = repository().join("docs").join(path);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
fn every_error_code_has_a_page() {
    let index = page("errors/README.md");
    for code in ErrorCode::ALL {
        let name = code.as_str();
        let text = page(&format!("errors/{name}.md"));
        assert_eq!(text.lines().next(), Some(format!("# {name}").as_str()));
        let line = format!("HTTP {} · exit {}", code.status(), code.exit() as u8);
        assert!(text.lines().any(|own| own.starts_with(&line)), "{name} does not say {line:?}");
        assert!(index.contains(&format!("{name}.md")), "the index does not list {name}");
    }
    let pages = fs::read_dir(repository().join("docs/errors")).unwrap().count();
    assert_eq!(pages, ErrorCode::ALL.len() + 1, "a page for a code that is no more");
}

/// Every verb of the program, as its own help lists them.
fn verbs(words: &[&str]) -> Vec<String> {
    let output = rein().args(words).arg("--help").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names: Vec<&str> = commands
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    if names.is_empty() {
        return vec![words.join(" ")];
    }
    names.iter().flat_map(|name| verbs(&[words, &[name]].concat())).collect()
}

#[test]
fn every_verb_is_in_the_reference() {
    let reference = page("cli.md");
    let all = verbs(&[]);
    assert!(all.len() >= 25, "{all:?}");
    for verb in all {
        assert!(reference.contains(&format!("rein {verb}")), "docs/cli.md does not mention `rein {verb}`");
    }
}

/// The tutorial shows what a real demo answers, ids and times aside.
#[test]
fn the_tutorial_shows_what_happens() {
    let script = repository().join("docs/recording/tutorial");
    let output =
        std::process::Command::new("python3").arg(script).arg("--check").arg(rein().get_program()).output();
    let output = output.expect("python3 types the tutorial");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}
