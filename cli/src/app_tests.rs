use super::*;
use crate::commands::completions::script;
use crate::handover::{GuardStep, Language, LogFormat, PluginCommand, ServerCommand};
use crate::io::{Env, Io};
use clap_complete::Shell;
use insta::assert_snapshot;
use std::fmt::Write as _;

/// Types a line where no server is, and no home.
fn typed(line: &str) -> (ExitCode, String, String) {
    let (io, capture) = Io::capture(Env::of([("HOME", "/nonexistent")]));
    let args = line.split(' ').filter(|word| !word.is_empty()).map(OsString::from);
    match begin_with(args, io) {
        Begun::Over(exit) => (exit, capture.out(), capture.err()),
        Begun::Handover(handover) => panic!("{line}: {handover:?}"),
    }
}

fn handed(line: &str) -> Handover {
    let (io, capture) = Io::capture(Env::default());
    match begin_with(line.split(' ').map(OsString::from), io) {
        Begun::Handover(handover) => handover,
        Begun::Over(exit) => panic!("{line}: {exit:?}\n{}", capture.err()),
    }
}

/// Bad input dies before anything is sent: the exit code is 2 and the text says what is right.
#[test]
fn bad_input_is_refused_here() {
    let mut wrong = Vec::new();
    for (line, says) in [
        ("rein", "Usage:"),
        ("rein swich list", "'switch'"),
        ("rein switch off", "<SERVICE/SWITCH>"),
        ("rein switch off order", "`order` is not a switch name; write SERVICE/SWITCH"),
        ("rein switch off Order/x", "has `O` at position 1"),
        ("rein switch off order/x\u{202e}", "U+202E at position 2"),
        ("rein switch off order/x --percent 101", "101 is not a percentage; give 1 to 100"),
        ("rein switch off order/x --percent 0", "0 is not a percentage"),
        ("rein switch off order/x --percent -5", "-5 is not a percentage"),
        ("rein switch off order/x --for 0m", "does nothing"),
        ("rein switch off order/x --for -5m", "cannot be negative"),
        (
            "rein switch off order/x --for 30",
            "`30` has no unit; write a number with its unit: 90s, 30m, 1h30m, 2d",
        ),
        ("rein switch off order/x --for soon", "1h30m"),
        ("rein switch off order/x --zone SH", "zone name `SH` has `S`"),
        ("rein switch off order/x --incident -42", "unexpected argument '-4'"),
        ("rein switch off order/x --incident a/b", "incident name `a/b` has `/`"),
        ("rein switch off order/x --idempotency-key 7", "a UUID of version 7"),
        (
            "rein switch off order/x --idempotency-key 1b4e28ba-2fa1-41d2-883f-0016d3cca427",
            "a UUID of version 7",
        ),
        ("rein switch on order/x --end abc --supersede def", "cannot be used with"),
        ("rein change show", "<CHANGE|--key <UUIDv7>>"),
        ("rein change show lll", "`lll` has `l` at position 1"),
        ("rein change extend abc", "--for <TIME>"),
        ("rein change list --limit 0", "0 is not in 1..=1000"),
        ("rein incident use", "<NAME|--clear>"),
        ("rein incident close INC-1 --pace x", "1h30m"),
        ("rein silence add", "<MATCHER>"),
        ("rein silence add a=", "a value is expected here"),
        ("rein silence add service!=x", "also matches alerts without its label"),
        ("rein silence add a=~(b", "the expression is refused"),
        ("rein silence add a=b --alert x", "cannot be used with"),
        ("rein silence add a=b --for 30", "`30` has no unit"),
        ("rein silence add a=b --backend A", "backend name `A` has `A`"),
        ("rein silence add a=b --author bob", "unexpected argument '--author'"),
        ("rein silence extend x", "--for <TIME>"),
        ("rein change resolve abc", "<--reassert|--adopt|--restore>"),
        ("rein change resolve abc --adopt --restore", "cannot be used with"),
        ("rein backend show", "<BACKEND>"),
        ("rein plugin new x", "--lang <LANGUAGE>"),
        ("rein plugin new x --lang perl", "[possible values: rust, python, go]"),
        ("rein auth can-i switch:of", "`switch:of` is not a verb; known: read, flags:read, switch:off"),
        ("rein auth can-i switch:off order/**", "is not a pattern; write *, SERVICE/* or SERVICE/SWITCH"),
        (
            "rein token create --actor a --role root --pattern * --for 1h",
            "`root` is not a role; known: viewer",
        ),
        ("rein -q -v status", "cannot be used with"),
        ("rein -o xml status", "[possible values: table, wide, json, yaml, name, svg]"),
        ("rein status -o svg", "there is no picture of this"),
        ("rein server --http nowhere", "invalid socket address"),
        ("rein incident show", "no incident is named, and none is in use"),
        ("rein context add x", "where is it?"),
        ("rein context use x", "there is no context x"),
        ("rein --context x status", "there is no context x"),
        ("rein --server here status", "`here` is not a server's URL; write http://HOST:PORT"),
        ("rein apply -f /nonexistent", "/nonexistent: No such file"),
    ] {
        let (exit, out, err) = typed(line);
        if exit != ExitCode::Usage || !err.contains(says) || !out.is_empty() {
            wrong.push(format!("{line}: {exit:?}\n{err}{out}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_error_says_what_is_wrong_and_what_to_type() {
    let (_, _, err) = typed("rein switch off order/recommendations --percent 101");
    assert_snapshot!(err, @r"
    error: invalid value '101' for '--percent <1-100>': 101 is not a percentage; give 1 to 100, the share that loses the feature

    For more information, try '--help'.
    ");
    let (_, _, err) = typed("rein incident extend --for 1h");
    assert_snapshot!(err, @r"
    error: no incident is named, and none is in use
    hint: name one, or type: rein incident use NAME
    hint: rein incident list   # the open ones
    ");
    let (exit, _, err) = typed("rein --server http://127.0.0.1:1 status");
    assert_eq!(exit, ExitCode::Unreachable);
    assert_snapshot!(err, @r"
    error: cannot reach http://127.0.0.1:1: Connection refused (os error 111)
    hint: rein server   # start one here, or `rein demo` for a whole company
    hint: rein context list   # or choose another with --server URL, REIN_SERVER
    ");
    let (exit, _, err) =
        typed("rein --server http://127.0.0.1:1 silence add HighLatency service=~a|b --for 2h");
    assert_eq!(exit, ExitCode::Unreachable);
    assert_snapshot!(err, @r#"
    error: cannot reach http://127.0.0.1:1: Connection refused (os error 111)
    hint: rein server   # start one here, or `rein demo` for a whole company
    hint: rein context list   # or choose another with --server URL, REIN_SERVER
    hint: amtool silence add alertname=HighLatency 'service=~"a|b"' --alertmanager.url=http://ALERTMANAGER:9093 --duration=2h '--comment=laid by hand'   # without Rein
    "#);
    let (exit, _, err) = typed("rein silence add HighLatency service=");
    assert_eq!(exit, ExitCode::Usage);
    assert_snapshot!(err, @r#"
    error: a value is expected here; for the empty value write service="" (in a shell within single quotes)
      service=
              ^
    "#);
    let (exit, _, err) = typed("rein --token-file /nonexistent/t status");
    assert_eq!(exit, ExitCode::Failed);
    assert_snapshot!(err, @r"
    error: token file /nonexistent/t: No such file or directory (os error 2)
    hint: name another with --token-file FILE
    ");
}

#[test]
fn what_main_carries_out_is_handed_over() {
    let Handover::Server(server) = handed("rein server --http 127.0.0.1:1 --log-format json") else {
        panic!()
    };
    assert_eq!(server.http.unwrap().port(), 1);
    assert_eq!(server.log_format, Some(LogFormat::Json));
    let Handover::Server(server) = handed("rein server check-config --config f.toml") else { panic!() };
    assert_eq!(server.check, Some(ServerCommand::CheckConfig { config: "f.toml".into() }));
    let Handover::Demo(demo) = handed("rein demo --for 20s --script f --rps 7") else { panic!() };
    assert_eq!((demo.lasts.unwrap().as_secs(), demo.rps), (20, 7));
    let Handover::PluginNew(new) = handed("rein plugin new --lang go d/e") else { panic!() };
    assert_eq!((new.lang, new.dir.as_path()), (Language::Go, std::path::Path::new("d/e")));
    let Handover::Plugin(plugin) = handed("rein plugin serve alertmanager") else { panic!() };
    assert_eq!(plugin.command, PluginCommand::Serve { name: "alertmanager".into() });
    let Handover::Plugin(plugin) = handed("rein plugin guard --step run --limits 1,2,3,4 -- /x -a --b")
    else {
        panic!()
    };
    let command = ["/x", "-a", "--b"].map(Into::into).to_vec();
    let limits = "1,2,3,4".into();
    assert_eq!(plugin.command, PluginCommand::Guard { step: GuardStep::Run, limits, command });
}

/// Every command with its short help, but for the options that all of them share.
#[test]
fn the_tree_and_its_help() {
    fn walk(command: &clap::Command, path: &str, text: &mut String) {
        let words = if path.is_empty() { "rein" } else { path };
        let (exit, out, err) = typed(&format!("{words} -h"));
        assert_eq!((exit, err.as_str()), (ExitCode::Done, ""), "{words}");
        let own = match out.split_once("\nGlobal options:") {
            Some((own, _)) if !path.is_empty() => own,
            _ => &out,
        };
        writeln!(text, "$ {words} -h\n{}\n", own.trim_end()).unwrap();
        for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
            let below_path = format!("{words} {}", below.get_name());
            walk(below, &below_path, text);
        }
    }
    let mut text = String::new();
    let mut tree = Cli::command();
    tree.build();
    walk(&tree, "", &mut text);
    assert_snapshot!("help", text);
}

#[test]
fn what_is_not_text_is_refused() {
    use std::os::unix::ffi::OsStringExt;
    let (io, capture) = Io::capture(Env::default());
    let name = OsString::from_vec(b"order/\xff".to_vec());
    let exit = begin_with(["rein".into(), "switch".into(), "show".into(), name], io);
    assert_eq!(exit, Begun::Over(ExitCode::Usage));
    assert!(capture.err().contains("invalid UTF-8"), "{}", capture.err());
}

#[test]
fn the_tree_is_sound() {
    Cli::command().debug_assert();
}

/// What a command says of itself in the list is said before the command is built: it is what it says once it is.
#[test]
fn commands_are_listed_as_they_say_themselves() {
    let listed = Cli::command();
    let mut built = Cli::command();
    built.build();
    let about = |tree: &clap::Command, name: &str| {
        tree.find_subcommand(name).unwrap().get_about().map(|a| a.to_string())
    };
    for command in listed.get_subcommands().map(clap::Command::get_name) {
        assert!(about(&listed, command).is_some(), "{command}");
        assert_eq!(about(&listed, command), about(&built, command), "{command}");
    }
}

/// `UPDATE=1 cargo test -p rein-cli` writes them anew.
#[test]
fn completion_files_are_current() {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../completions");
    for (shell, name) in [(Shell::Bash, "rein.bash"), (Shell::Zsh, "_rein"), (Shell::Fish, "rein.fish")] {
        let path = dir.join(name);
        let text = crate::output::line(script(shell).unwrap());
        if option_env!("UPDATE").is_some() || std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let there = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(there == text, "{} is not current: UPDATE=1 cargo test -p rein-cli", path.display());
        let (exit, out, _) = typed(&format!("rein completions {shell}"));
        assert_eq!((exit, out), (ExitCode::Done, text));
    }
}

/// Contexts are kept where only their owner can read them, and the first one is used.
#[test]
fn contexts_are_added_used_and_listed() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().to_str().unwrap().to_owned();
    std::fs::write(dir.path().join("t"), "rein_x").unwrap();
    let run = |line: &str| {
        let (io, capture) = Io::capture(Env::of([("HOME", home.as_str())]));
        let exit = begin_with(line.replace("HOME", &home).split(' ').map(OsString::from), io);
        assert_eq!(exit, Begun::Over(ExitCode::Done), "{line}: {}", capture.err());
        capture.out() + &capture.err()
    };
    assert!(run("rein context list").contains("no contexts"));
    assert_eq!(
        run("rein context add prod --server https://rein:7070 --token-file HOME/t"),
        "added prod; the current context is prod\n"
    );
    run("rein context add lab --server http://lab:7070");
    assert_eq!(run("rein context use lab"), "now using lab (http://lab:7070)\n");
    assert_snapshot!(run("rein context list -o yaml").replace(&home, "HOME"), @r"
    contexts:
    - name: lab
      current: true
      server: http://lab:7070
    - name: prod
      current: false
      server: https://rein:7070
      token_file: HOME/t
    ");
    assert_eq!(run("rein context list -o name"), "lab\nprod\n");
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(dir.path().join(".config/rein/config.toml")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn an_incident_in_use_is_remembered_until_cleared() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().to_str().unwrap();
    let run = |line: &str| {
        let (io, capture) = Io::capture(Env::of([("HOME", home)]));
        assert_eq!(
            begin_with(line.split(' ').map(OsString::from), io),
            Begun::Over(ExitCode::Done),
            "{}",
            capture.err()
        );
        std::fs::read_to_string(dir.path().join(".local/state/rein/state.toml")).unwrap()
    };
    assert_eq!(run("rein incident use INC-42"), "incident = \"INC-42\"\n");
    assert_eq!(run("rein incident use --clear"), "");
}
