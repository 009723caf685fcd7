//! Which server, with which token.
//!
//! Flags win over the environment, that over the context, that over a running demo, and that over
//! the default address. A token goes only where it was meant for: one that a context names is not
//! sent to a server that a flag names.

use crate::args::Global;
use crate::config::{Config, Context, config_path, demo_file_path, read, read_if_there};
use crate::error::CliError;
use crate::handover::ServerArgs;
use crate::io::{Env, Io};
use rein_client::{Client, Tcp, Trust};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a running demo writes to [`crate::demo_file_path`], so that `rein status` finds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DemoFile {
    /// The demo server's URL.
    pub server: String,
    /// The file that holds a token for it.
    pub token_file: PathBuf,
}

/// Where to go, and how to get in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// The server's URL.
    pub(crate) server: String,
    /// The token, where there is one.
    pub(crate) token: Option<String>,
    /// Whose certificates are believed.
    pub(crate) trust: Trust,
    /// How the server was found.
    pub(crate) whence: String,
}

/// Finds the server and the token.
pub(crate) fn target(global: &Global, env: &Env) -> Result<Target, CliError> {
    let flag = global.server.clone().map(|server| (server, "--server".to_owned()));
    let from_env = || env.text("REIN_SERVER").map(|server| (server.to_owned(), "REIN_SERVER".to_owned()));
    let by_hand = match (&global.context, flag) {
        (_, Some(found)) => Some(found),
        (Some(_), None) => None,
        (None, None) => from_env(),
    };
    let ca = global.ca_file.clone().or_else(|| env.path("REIN_CA_FILE"));
    let trust = |of_context: Option<PathBuf>| ca.or(of_context).map_or(Trust::System, Trust::File);
    let explicit = explicit_token(global, env)?;
    if let Some((server, whence)) = by_hand {
        // The context's token fits if it is the context's server all the same.
        let context = context(global, env)?.filter(|(_, c)| c.server == server).map(|(_, c)| c);
        let token = match (explicit, &context) {
            (Some(token), _) => Some(token),
            (None, Some(context)) => read_token_of(context)?,
            (None, None) => None,
        };
        return Ok(Target { server, token, trust: trust(context.and_then(|c| c.ca_file)), whence });
    }
    if let Some((name, context)) = context(global, env)? {
        let token = match explicit {
            Some(token) => Some(token),
            None => read_token_of(&context)?,
        };
        let whence = format!("context {name}");
        return Ok(Target { server: context.server, token, trust: trust(context.ca_file), whence });
    }
    if let Some(demo) = read_if_there::<DemoFile>(&demo_file_path(env))? {
        let token = match explicit {
            Some(token) => Some(token),
            None => Some(read_token(&demo.token_file)?),
        };
        return Ok(Target {
            server: demo.server,
            token,
            trust: trust(None),
            whence: "the running demo".into(),
        });
    }
    let server = format!("http://{}", ServerArgs::HTTP);
    Ok(Target { server, token: explicit, trust: trust(None), whence: "the default address".into() })
}

fn explicit_token(global: &Global, env: &Env) -> Result<Option<String>, CliError> {
    if let Some(path) = &global.token_file {
        return read_token(path).map(Some);
    }
    // A context named on the command line brings its own token.
    if global.context.is_some() {
        return Ok(None);
    }
    match env.path("REIN_TOKEN_FILE") {
        Some(path) => read_token(&path).map(Some),
        None => Ok(env.text("REIN_TOKEN").map(ToOwned::to_owned)),
    }
}

fn context(global: &Global, env: &Env) -> Result<Option<(String, Context)>, CliError> {
    let path = config_path(env);
    let config: Config = read(&path)?;
    let Some(name) = global.context.clone().or(config.current) else { return Ok(None) };
    match config.contexts.get(&name) {
        Some(context) => Ok(Some((name, context.clone()))),
        None => {
            let known: Vec<&str> = config.contexts.keys().map(String::as_str).collect();
            let error = CliError::usage(format!("there is no context {name} in {}", path.display()));
            Err(match crate::suggest::nearest(&name, known.iter().copied()) {
                Some(near) => error.hint(format!("did you mean {near}?")),
                None => error.hint("rein context list"),
            })
        }
    }
}

fn read_token_of(context: &Context) -> Result<Option<String>, CliError> {
    context.token_file.as_deref().map(read_token).transpose()
}

fn read_token(path: &Path) -> Result<String, CliError> {
    let text = std::fs::read_to_string(path).map_err(|e| {
        CliError::failed(format!("token file {}: {e}", path.display()))
            .hint("name another with --token-file FILE")
    })?;
    let token = text.trim();
    if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(CliError::failed(format!("token file {} does not hold a token", path.display())));
    }
    Ok(token.to_owned())
}

/// A client for `target`, or for the server in this process.
pub(crate) fn client(io: &Io, target: &Target) -> Result<Client, CliError> {
    if let Some(transport) = &io.transport {
        return Ok(Client::new(transport.clone(), target.token.as_deref()));
    }
    let tcp = Tcp::new(&target.server, &target.trust)
        .map_err(|e| CliError::usage(e.to_string()).hint("rein context list"))?;
    Ok(Client::new(Arc::new(tcp), target.token.as_deref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(files: &[(&str, &str)]) -> (tempfile::TempDir, Env) {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text.replace("HOME", dir.path().to_str().unwrap())).unwrap();
        }
        let env = Env::of([("HOME", dir.path().to_str().unwrap())]);
        (dir, env)
    }

    const CONFIG: &str = "current = \"prod\"\n[contexts.prod]\nserver = \"https://prod\"\ntoken_file = \"HOME/t\"\n\
                          [contexts.lab]\nserver = \"http://lab\"\n";
    const DEMO: &str = "server = \"http://demo\"\ntoken_file = \"HOME/t\"\n";

    fn at<const N: usize>(
        env: &Env,
        extra: [(&str, &str); N],
        global: &Global,
    ) -> (String, Option<String>, String) {
        let home = env.text("HOME").unwrap();
        let mut pairs = vec![("HOME", home)];
        pairs.extend(extra);
        let env = Env::of::<4>(std::array::from_fn(|i| *pairs.get(i).unwrap_or(&("X", ""))));
        let target = target(global, &env).unwrap();
        (target.server, target.token, target.whence)
    }

    fn some(server: &str, token: Option<&str>, whence: &str) -> (String, Option<String>, String) {
        (server.into(), token.map(Into::into), whence.into())
    }

    #[test]
    fn flags_win_over_the_environment_over_the_context_over_the_demo() {
        let (_dir, env) = home(&[
            (".config/rein/config.toml", CONFIG),
            (".local/state/rein/demo.toml", DEMO),
            ("t", "rein_a\n"),
        ]);
        let none = Global::default();
        assert_eq!(at(&env, [], &none), some("https://prod", Some("rein_a"), "context prod"));
        let set = [("REIN_SERVER", "http://env"), ("REIN_TOKEN", "rein_b")];
        assert_eq!(at(&env, set, &none), some("http://env", Some("rein_b"), "REIN_SERVER"));
        let flag = Global { server: Some("http://flag".into()), ..Global::default() };
        assert_eq!(at(&env, set, &flag), some("http://flag", Some("rein_b"), "--server"));
        let lab = Global { context: Some("lab".into()), ..Global::default() };
        assert_eq!(at(&env, set, &lab), some("http://lab", None, "context lab"));
    }

    #[test]
    fn a_contexts_token_is_not_sent_to_another_server() {
        let (_dir, env) = home(&[(".config/rein/config.toml", CONFIG), ("t", "rein_a")]);
        let other = [("REIN_SERVER", "http://elsewhere")];
        assert_eq!(at(&env, other, &Global::default()), some("http://elsewhere", None, "REIN_SERVER"));
        let same = [("REIN_SERVER", "https://prod")];
        assert_eq!(at(&env, same, &Global::default()), some("https://prod", Some("rein_a"), "REIN_SERVER"));
    }

    #[test]
    fn a_running_demo_is_found_when_nothing_else_is_said() {
        let (_dir, env) = home(&[(".local/state/rein/demo.toml", DEMO), ("t", "rein_a")]);
        assert_eq!(at(&env, [], &Global::default()), some("http://demo", Some("rein_a"), "the running demo"));
        let (_dir, env) = home(&[]);
        assert_eq!(
            at(&env, [], &Global::default()),
            some("http://127.0.0.1:7070", None, "the default address")
        );
    }
}
