//! `rein auth can-i`

use crate::complete;
use crate::ctx::Ctx;
use crate::error::CliError;
use clap::Args;
use rein_api::ExitCode;
use rein_api::access::CanIQuery;
use rein_domain::access::{Pattern, Verb};

/// Ask whether you may do something: 0 if so, 6 if not
#[derive(Debug, Args)]
pub(crate) struct CanI {
    /// Such as switch:off
    #[arg(value_name = "VERB", add = verbs())]
    verb: Verb,
    /// Such as order/recommendations, 'order/*' or '*'
    #[arg(value_name = "TARGET", default_value = "*", add = complete::patterns())]
    target: Pattern,
}

fn verbs() -> clap_complete::engine::ArgValueCandidates {
    clap_complete::engine::ArgValueCandidates::new(|| {
        Verb::ALL.iter().map(|verb| clap_complete::engine::CompletionCandidate::new(verb.as_str())).collect()
    })
}

pub(crate) async fn run(args: CanI, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let query = CanIQuery { verb: args.verb.to_string(), target: args.target.to_string() };
    let answer = ctx.client()?.can_i(&query).await?;
    ctx.show(&answer)?;
    Ok(if answer.allowed { ExitCode::Done } else { ExitCode::Refused })
}
