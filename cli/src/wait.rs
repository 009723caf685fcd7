//! Waiting for proof: not until a server says "done", but until those who should hear have heard.

use crate::args::Wait;
use crate::ctx::Ctx;
use crate::error::CliError;
use crate::render::{c, duration, missing, proof_line, proof_short};
use rein_api::ExitCode;
use rein_api::changes::{ChangeView, EffectView};
use rein_api::proof::ProofView;
use rein_client::{Client, ClientError};
use rein_domain::name::SwitchName;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_millis(200);

/// What is known of one switch.
pub(crate) type Reached = (String, ProofView);

/// Is there nobody at all who could hear?
fn deserted(proof: &ProofView) -> bool {
    proof.connected == 0 && proof.expected.unwrap_or(0) == 0
}

fn settled(reached: &[Reached]) -> bool {
    reached.iter().all(|(_, proof)| proof.complete || deserted(proof))
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
    let id = latest.id.clone();
    let mut clock = Clock::new(wait.timeout);
    loop {
        let reached = legs(&latest);
        if settled(&reached) || !clock.tick(ctx, &reached).await? {
            break;
        }
        // A server that is away for a moment is no reason to stop waiting.
        match client.change(&id).await {
            Ok(view) => latest = view,
            Err(ClientError::Unreachable { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    ctx.progress("")?;
    ctx.parting.clear();
    Ok(latest)
}

/// What is known of each target of a change.
pub(crate) fn legs(change: &ChangeView) -> Vec<Reached> {
    change.legs.iter().map(|leg| (leg.target.clone(), leg.proof.clone())).collect()
}

/// Follows switches until what they serve now is proved, or time is up: after an end or an undo.
pub(crate) async fn switches(
    ctx: &mut Ctx,
    client: &Client,
    names: &[String],
    wait: &Wait,
) -> Result<Vec<Reached>, CliError> {
    ctx.parting.set(["it is recorded and stays; only the waiting was interrupted".to_owned()]);
    let mut clock = Clock::new(wait.timeout);
    let reached = loop {
        let mut reached = Vec::new();
        for name in names {
            let Ok(switch) = name.parse::<SwitchName>() else { continue };
            match client.switch(&switch).await {
                Ok(view) => reached.push((view.name, view.proof)),
                Err(ClientError::Unreachable { .. }) => reached.push((name.clone(), silent())),
                Err(error) => return Err(error.into()),
            }
        }
        if settled(&reached) || !clock.tick(ctx, &reached).await? {
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

/// Switches whose state an act altered, or may have.
pub(crate) fn named(effects: &[EffectView]) -> Vec<String> {
    effects.iter().map(|effect| effect.target.clone()).collect()
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
        let so_far: Vec<String> = reached.iter().map(|(_, proof)| proof_short(proof)).collect();
        ctx.progress(&format!("waiting for proof: {}", so_far.join(", ")))?;
        sleep(self.pause.min(left)).await;
        self.pause = (self.pause * 3 / 2).min(LONGEST);
        Ok(true)
    }
}

/// Tells a person how far it has got, switch by switch.
pub(crate) fn report(ctx: &mut Ctx, reached: &[Reached]) -> Result<(), CliError> {
    if !ctx.for_people() {
        return Ok(());
    }
    let look = ctx.look_out();
    let name = |name: &str| if reached.len() > 1 { format!("{}: ", c(name)) } else { String::new() };
    let line = |(switch, proof): &Reached| format!("  {}{}\n", name(switch), proof_line(&look, proof));
    let text: String = reached.iter().map(line).collect();
    ctx.put(&text)
}

/// Says who is missing, if somebody is: recorded, but not proved to be in force.
pub(crate) fn verdict(reached: &[Reached], wait: &Wait, again: &str) -> Result<(), CliError> {
    let lacking: Vec<&Reached> = reached.iter().filter(|(_, proof)| !proof.complete).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let message = if lacking.iter().all(|(_, proof)| deserted(proof)) {
        "recorded, but no client is connected: nobody has heard of it yet".to_owned()
    } else {
        format!("recorded, but not proved everywhere within {}", duration(wait.timeout))
    };
    let mut error = CliError::new(ExitCode::NotYet, message);
    for (name, proof) in lacking.iter().filter(|(_, proof)| !deserted(proof)) {
        error = error.detail(format!("{name}: {}", missing(proof)));
    }
    Err(error.hint(format!("{again}   # look again")))
}
