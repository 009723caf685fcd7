//! Waiting for proof: not until a server says "done", but until those who should hear have heard.

use crate::args::Wait;
use crate::ctx::Ctx;
use crate::error::CliError;
use crate::render::{Audience, c, choices, duration, missing, proof_line, proof_short};
use rein_api::ExitCode;
use rein_api::changes::{ChangeView, EffectView, LegView};
use rein_api::proof::ProofView;
use rein_client::{Client, ClientError};
use rein_domain::name::SwitchName;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_millis(200);

/// What is known of one target.
pub(crate) struct Reached {
    /// A switch or a backend.
    target: String,
    /// Who shows it.
    audience: Audience,
    /// How far it has got.
    proof: ProofView,
    /// The change that a person has to settle a conflict of.
    conflict: Option<String>,
    /// What happens next, where a backend is concerned.
    next: String,
}

impl Reached {
    fn switch(target: String, proof: ProofView) -> Self {
        Self { target, audience: Audience::Clients, proof, conflict: None, next: String::new() }
    }

    fn leg(change: &ChangeView, leg: &LegView) -> Self {
        Self {
            target: leg.target.clone(),
            audience: Audience::of(leg),
            proof: leg.proof.clone(),
            conflict: (leg.state == "conflict").then(|| change.id.clone()),
            next: leg.cell.as_ref().map(|cell| cell.next.clone()).unwrap_or_default(),
        }
    }

    /// Is there nobody at all who could hear?
    fn deserted(&self) -> bool {
        let nobody = self.proof.connected == 0 && self.proof.expected.unwrap_or(0) == 0;
        self.audience == Audience::Clients && nobody
    }

    /// Would waiting alter anything?
    fn settled(&self) -> bool {
        self.proof.complete || self.deserted() || self.conflict.is_some()
    }

    fn proved(&self) -> bool {
        self.proof.complete && self.conflict.is_none()
    }

    /// Who is missing, and what happens next where nobody has it at all.
    fn lacking(&self) -> String {
        let text = format!("{}: {}", self.target, missing(self.audience, &self.proof));
        let silent = self.proof.held == 0 || self.proof.waiting.is_empty();
        if silent && !self.next.is_empty() { format!("{text}; {}", self.next) } else { text }
    }
}

/// Follows a change until each of its targets is proved, or time is up.
pub(crate) async fn change(
    ctx: &mut Ctx,
    client: &Client,
    laid: ChangeView,
    wait: &Wait,
) -> Result<ChangeView, CliError> {
    ctx.parting.set([
        format!("{} is recorded and stays; only the waiting was interrupted", c(&laid.id)),
        format!("rein change show {}   # who has got it", c(&laid.id)),
    ]);
    let mut latest = laid;
    let mut clock = Clock::new(wait.timeout);
    loop {
        let reached = legs(&latest);
        if reached.iter().all(Reached::settled) || !clock.tick(ctx, &reached).await? {
            break;
        }
        renew(client, &mut latest).await?;
    }
    ctx.progress("")?;
    ctx.parting.clear();
    Ok(latest)
}

/// A server that is away for a moment is no reason to stop waiting.
async fn renew(client: &Client, latest: &mut ChangeView) -> Result<(), CliError> {
    match client.change(&latest.id).await {
        Ok(view) => *latest = view,
        Err(ClientError::Unreachable { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// What is known of each target of a change.
pub(crate) fn legs(change: &ChangeView) -> Vec<Reached> {
    change.legs.iter().map(|leg| Reached::leg(change, leg)).collect()
}

/// Is this leg followed by its change? Switches are followed by what they come to.
fn by_its_change(leg: &LegView) -> bool {
    leg.cell.is_some() || leg.noun == "instance"
}

/// What an act altered: switches by what they serve, changes by what their backends hold.
pub(crate) struct Altered {
    switches: Vec<String>,
    changes: Vec<ChangeView>,
}

impl Altered {
    /// By the effects of an act, and the changes it altered.
    pub(crate) fn by<'a>(effects: &[EffectView], changes: impl IntoIterator<Item = &'a ChangeView>) -> Self {
        let changes: Vec<ChangeView> =
            changes.into_iter().filter(|change| change.legs.iter().any(by_its_change)).cloned().collect();
        let legs = || changes.iter().flat_map(|change| &change.legs);
        let elsewhere = |effect: &&EffectView| legs().any(|l| by_its_change(l) && l.target == effect.target);
        let switches = effects.iter().filter(|effect| !elsewhere(effect));
        Self { switches: switches.map(|effect| effect.target.clone()).collect(), changes }
    }

    /// Only what these switches serve.
    pub(crate) fn switches(names: Vec<String>) -> Self {
        Self { switches: names, changes: Vec::new() }
    }

    /// And what these switches serve.
    pub(crate) fn and(mut self, names: Vec<String>) -> Self {
        self.switches.extend(names);
        self
    }
}

/// Follows what was altered until it is proved, or time is up: after an end or an undo.
pub(crate) async fn altered(
    ctx: &mut Ctx,
    client: &Client,
    mut altered: Altered,
    wait: &Wait,
) -> Result<Vec<Reached>, CliError> {
    ctx.parting.set(["it is recorded and stays; only the waiting was interrupted".to_owned()]);
    let mut clock = Clock::new(wait.timeout);
    let reached = loop {
        let mut reached = Vec::new();
        for name in &altered.switches {
            let Ok(switch) = name.parse::<SwitchName>() else { continue };
            match client.switch(&switch).await {
                Ok(view) => reached.push(Reached::switch(view.name, view.proof)),
                Err(ClientError::Unreachable { .. }) => {
                    reached.push(Reached::switch(name.clone(), silent()));
                }
                Err(error) => return Err(error.into()),
            }
        }
        for change in &mut altered.changes {
            renew(client, change).await?;
            let written = change.legs.iter().filter(|leg| by_its_change(leg));
            reached.extend(written.map(|leg| Reached::leg(change, leg)));
        }
        if reached.iter().all(Reached::settled) || !clock.tick(ctx, &reached).await? {
            break reached;
        }
    };
    ctx.progress("")?;
    ctx.parting.clear();
    Ok(reached)
}

/// The server did not say: somebody may be there.
fn silent() -> ProofView {
    ProofView { connected: 1, ..ProofView::default() }
}

struct Clock {
    end: Instant,
    pause: Duration,
}

impl Clock {
    fn new(limit: Duration) -> Self {
        Self { end: Instant::now() + limit, pause: FIRST }
    }

    /// Shows how far it has got and waits a little; false when time is up.
    async fn tick(&mut self, ctx: &mut Ctx, reached: &[Reached]) -> Result<bool, CliError> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(false);
        }
        let so_far: Vec<String> = reached.iter().map(|one| proof_short(one.audience, &one.proof)).collect();
        ctx.progress(&format!("waiting for proof: {}", so_far.join(", ")))?;
        sleep(self.pause.min(left)).await;
        self.pause = (self.pause * 3 / 2).min(LONGEST);
        Ok(true)
    }
}

/// Tells a person how far it has got, target by target.
pub(crate) fn report(ctx: &mut Ctx, reached: &[Reached]) -> Result<(), CliError> {
    if !ctx.for_people() {
        return Ok(());
    }
    let look = ctx.look_out();
    let named = |one: &Reached| reached.len() > 1 || one.audience != Audience::Clients;
    let name = |one: &Reached| if named(one) { format!("{}: ", c(&one.target)) } else { String::new() };
    let line = |one: &Reached| format!("  {}{}\n", name(one), proof_line(&look, one.audience, &one.proof));
    let text: String = reached.iter().map(line).collect();
    ctx.put(&text)
}

/// Says who is missing, if somebody is: recorded, but not proved to be in force.
pub(crate) fn verdict(reached: &[Reached], wait: &Wait, again: &str) -> Result<(), CliError> {
    if let Some(torn) = reached.iter().find_map(|one| one.conflict.as_deref()) {
        let mut error =
            CliError::new(ExitCode::Conflict, "recorded, but somebody else altered it in the backend");
        for one in reached.iter().filter(|one| one.conflict.is_some()) {
            error = error.detail(format!("{}: in conflict", one.target));
        }
        error = error.hint(format!("rein change show {torn}   # both values"));
        return Err(choices(torn).into_iter().fold(error, CliError::hint));
    }
    let lacking: Vec<&Reached> = reached.iter().filter(|one| !one.proved()).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let message = if lacking.iter().all(|one| one.deserted()) {
        "recorded, but no client is connected: nobody has heard of it yet".to_owned()
    } else {
        format!("recorded, but not proved everywhere within {}", duration(wait.timeout))
    };
    let mut error = CliError::new(ExitCode::NotYet, message);
    for one in lacking.iter().filter(|one| !one.deserted()) {
        error = error.detail(one.lacking());
    }
    Err(error.hint(format!("{again}   # look again")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::{change, silenced};

    fn told(change: &ChangeView) -> CliError {
        let wait = Wait { no_wait: false, timeout: Duration::from_secs(10) };
        verdict(&legs(change), &wait, "rein change show X").unwrap_err()
    }

    #[test]
    fn who_is_missing_is_named() {
        let error = told(&silenced());
        assert_eq!(error.exit, ExitCode::NotYet);
        assert_eq!(error.details, ["alerts-sh: held on 2/3 peers; not yet: http://am-2:9093"]);
        assert_eq!(told(&change()).exit, ExitCode::NotYet);
    }

    #[test]
    fn a_backend_that_has_nothing_yet_says_what_happens_next() {
        let mut view = silenced();
        view.legs[0].proof = ProofView::default();
        view.legs[0].cell.as_mut().unwrap().next = "it is tried again every 2 s: refused".into();
        assert!(!Reached::leg(&view, &view.legs[0]).settled());
        assert_eq!(
            told(&view).details,
            ["alerts-sh: not looked at yet; it is tried again every 2 s: refused"]
        );
    }

    #[test]
    fn a_conflict_is_not_waited_for_and_says_what_to_type() {
        let mut view = silenced();
        view.legs[0].state = "conflict".into();
        assert!(Reached::leg(&view, &view.legs[0]).settled());
        let error = told(&view);
        assert_eq!(error.exit, ExitCode::Conflict);
        assert!(error.hints[1].starts_with("rein change resolve 3v9k2m7c1x --reassert"), "{:?}", error.hints);
    }
}
