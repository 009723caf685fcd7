//! Checks of plugins in whose backends services find each other. Others pass them unasked.

use super::{Bench, Rig, Verdict, answered, ensure, within};
use crate::registry::{InstanceListed, MAX_WEIGHT, Registry, Shares, Weighing};
use crate::{CellKey, Fault};
use std::collections::BTreeSet;

/// How many pages are walked at most.
const PAGES: usize = 200;

async fn all(registry: &dyn Registry) -> Result<(Vec<InstanceListed>, Shares), String> {
    let (mut all, mut page) = (Vec::new(), None);
    for _ in 0..PAGES {
        let listing = within("list", registry.list(page)).await?;
        all.extend(listing.page.items);
        page = listing.page.next;
        if page.is_none() {
            return Ok((all, listing.weighs));
        }
    }
    Err(format!("the list of instances does not end after {PAGES} pages"))
}

async fn weigh(registry: &dyn Registry, cell: &CellKey, value: &str, weight: u16) -> Result<Answer, String> {
    let one = Weighing { cell: cell.clone(), value: Some(value.to_owned()), weight };
    let mut answer = within("weigh", registry.weigh(std::slice::from_ref(&one))).await?;
    ensure!(answer.len() == 1, "weigh of one cell gives {} answers", answer.len());
    let again = within("weigh, again", registry.weigh(&[one])).await?;
    ensure!(answer == again, "weigh answers {answer:?}, then {again:?}");
    answer.pop().ok_or_else(|| "weigh of one cell gives no answer".to_owned())
}

type Answer = Result<Option<String>, Fault>;

/// What is written into cells is listed, each cell once over all pages, and what is listed is observed.
pub async fn instances_are_listed_once_each(rig: &impl Rig) -> Verdict {
    let bench = Bench::new(rig).await?;
    let Some(registry) = bench.plugin.registry() else { return Ok(()) };
    let mut cells = BTreeSet::new();
    for n in 0..5 {
        let cell = bench.cell(&format!("conform-listed-{n}")).await?;
        bench.write(&cell, Some(bench.value(n % 2)?), "listed").await?;
        bench.holds(&cell, Some(&bench.value(n % 2)?)).await?;
        cells.insert(cell.0);
    }
    let (listed, _) = all(registry).await?;
    let keys: BTreeSet<&str> = listed.iter().map(|one| one.cell.as_str()).collect();
    ensure!(keys.len() == listed.len(), "{} cells are listed twice", listed.len() - keys.len());
    for cell in &cells {
        ensure!(keys.contains(cell.as_str()), "{cell:?} holds an instance and is not listed");
    }
    let names: BTreeSet<_> = listed.iter().map(|one| (&one.service, &one.id)).collect();
    ensure!(names.len() == listed.len(), "two instances are called alike: {listed:?}");
    for one in &listed {
        let seen = bench.see(&CellKey(one.cell.clone())).await?;
        ensure!(seen.value.is_some() && !seen.over, "{one:?} is listed, and observed as {seen:?}");
    }
    Ok(())
}

/// Weighed to nothing and put back, an instance is as it was, byte for byte; meanwhile it gets no traffic.
pub async fn an_instance_is_taken_out_and_put_back(rig: &impl Rig) -> Verdict {
    let bench = Bench::new(rig).await?;
    let Some(registry) = bench.plugin.registry() else { return Ok(()) };
    let cell = bench.cell("conform-drained").await?;
    let value = bench.value(0)?;
    bench.write(&cell, Some(value.clone()), "there").await?;
    bench.holds(&cell, Some(&value)).await?;
    let drained = weigh(registry, &cell, &value, 0).await?;
    let drained = drained.map_err(|fault| format!("nobody can be drained: {fault:?}"))?;
    ensure!(drained.as_deref() != Some(value.as_str()), "drained it reads as before: {value}");
    bench.write(&cell, drained.clone(), "drained").await?;
    let seen = bench.holds(&cell, drained.as_deref()).await?;
    ensure!(!seen.over, "drained, it counts as over: {seen:?}");
    let (listed, _) = all(registry).await?;
    let still = listed.iter().find(|one| one.cell == cell.0);
    ensure!(still.is_none_or(|one| one.weight == Some(0)), "drained, it is listed with traffic: {still:?}");
    bench.write(&cell, Some(value.clone()), "drained").await?;
    bench.holds(&cell, Some(&value)).await?;
    let (listed, _) = all(registry).await?;
    let back = listed.iter().find(|one| one.cell == cell.0);
    ensure!(back.is_some_and(|one| one.weight != Some(0)), "put back, it is listed as {back:?}");
    Ok(())
}

/// Whoever gives all or nothing says so for any other share; whoever gives any spells it, and is read so.
pub async fn shares_are_given_or_refused_for_good(rig: &impl Rig) -> Verdict {
    let bench = Bench::new(rig).await?;
    let Some(registry) = bench.plugin.registry() else { return Ok(()) };
    let cell = bench.cell("conform-weighed").await?;
    let value = bench.value(0)?;
    bench.write(&cell, Some(value.clone()), "there").await?;
    bench.holds(&cell, Some(&value)).await?;
    let (listed, weighs) = all(registry).await?;
    let ten = weigh(registry, &cell, &value, 10).await?;
    match weighs {
        Shares::AllOrNothing => {
            ensure!(
                matches!(ten, Err(Fault::Unsupported(_))),
                "a share of 10 gives {ten:?}, not UNSUPPORTED"
            );
        }
        Shares::Any => {
            let ten = ten.map_err(|fault| format!("a share of 10: {fault:?}"))?;
            bench.write(&cell, ten.clone(), "weighed").await?;
            bench.holds(&cell, ten.as_deref()).await?;
            let (listed, _) = all(registry).await?;
            let seen = listed.iter().find(|one| one.cell == cell.0);
            ensure!(seen.is_some_and(|one| one.weight == Some(10)), "weighed 10, it is listed as {seen:?}");
        }
    }
    // What lies between is one thing; nothing of it may fall over.
    for odd in ["", "{", "null", "\"x\"", "{\"a\":1}"] {
        let one = Weighing { cell: cell.clone(), value: Some(odd.into()), weight: 0 };
        let _: Result<_, Fault> = answered("weigh", registry.weigh(&[one])).await?;
    }
    ensure!(listed.iter().all(|one| one.weight.is_none_or(|w| w <= MAX_WEIGHT)), "a weight is none");
    Ok(())
}
