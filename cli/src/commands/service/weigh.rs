//! `rein service weigh`

use crate::commands::service::lay::{Lay, Target, lay};
use crate::complete;
use crate::ctx::Ctx;
use crate::error::CliError;
use crate::parse;
use clap::Args;
use rein_api::ExitCode;
use rein_domain::instance::Weight;

/// Lower the share of traffic that an instance gets, for a while
///
/// The lowest weight of all layers counts; 0 drains. What an instance has by itself it gets back when
/// the last layer ends.
#[derive(Debug, Args)]
pub(crate) struct Weigh {
    /// The instance, or a service of which a zone is meant
    #[arg(value_name = "SERVICE/INSTANCE|SERVICE", add = complete::instances())]
    target: Target,
    /// The most it is to get, beside 100 of an ordinary instance
    #[arg(value_name = "0-1000", value_parser = parse::weight, allow_negative_numbers = true)]
    weight: Weight,
    #[command(flatten)]
    lay: Lay,
}

pub(crate) async fn run(args: Weigh, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    lay(ctx, &[args.target], args.weight, args.lay).await
}
