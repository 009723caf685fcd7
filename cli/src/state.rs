//! What the command line remembers between two commands: the current incident.

use crate::config::{read, state_path, write};
use crate::ctx::Ctx;
use crate::error::CliError;
use rein_domain::name::IncidentName;
use serde::{Deserialize, Serialize};

/// The state file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    /// Set by `rein incident use`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) incident: Option<String>,
}

/// Where the incident of a command comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The command line names it.
    Named,
    /// `REIN_INCIDENT`.
    Environment,
    /// `rein incident use`.
    Used,
}

/// The incident a command belongs to: the one named, else `REIN_INCIDENT`, else the one in use.
pub(crate) fn incident(
    ctx: &Ctx,
    named: Option<IncidentName>,
) -> Result<Option<(IncidentName, Origin)>, CliError> {
    if let Some(name) = named {
        return Ok(Some((name, Origin::Named)));
    }
    let parse = |text: &str, whence: &str| {
        text.parse::<IncidentName>().map_err(|e| CliError::usage(e.to_string()).about(whence))
    };
    if let Some(text) = ctx.io.env.text("REIN_INCIDENT") {
        return Ok(Some((parse(text, "REIN_INCIDENT")?, Origin::Environment)));
    }
    let path = state_path(&ctx.io.env);
    let state: State = read(&path)?;
    let Some(text) = state.incident else { return Ok(None) };
    Ok(Some((parse(&text, &path.display().to_string())?, Origin::Used)))
}

/// The same, where a command cannot do without.
pub(crate) fn needed(ctx: &Ctx, named: Option<IncidentName>) -> Result<IncidentName, CliError> {
    match incident(ctx, named)? {
        Some((name, _)) => Ok(name),
        None => Err(CliError::usage("no incident is named, and none is in use")
            .hint("name one, or type: rein incident use NAME")
            .hint("rein incident list   # the open ones")),
    }
}

/// Is this the one that `rein incident use` chose?
pub(crate) fn in_use(ctx: &Ctx, name: &IncidentName) -> Result<bool, CliError> {
    let state: State = read(&state_path(&ctx.io.env))?;
    Ok(state.incident.as_deref() == Some(name.as_str()))
}

/// Remembers the current incident, or forgets it.
pub(crate) fn set(ctx: &Ctx, incident: Option<&IncidentName>) -> Result<(), CliError> {
    let path = state_path(&ctx.io.env);
    write(&path, &State { incident: incident.map(ToString::to_string) })
}
