//! Checks of cells: resolving, observing, applying.

use super::{Bench, Rig, Verdict, answered, configured, ensure, holds, see, within, write};
use crate::{CellKey, Fault, MAX_CELLS, TargetName};
use std::time::Duration;

/// Keys that meet every way to quote, split or escape.
const ODD: [&str; 12] = [
    "a b",
    "../../etc/passwd",
    "a/b?c=d&e#f",
    "%2e%2e%00",
    "'; DROP TABLE cells; --",
    "\"quoted\\\"",
    "{\"json\":true}",
    "строка-値-🔕",
    "line\nbreak\ttab",
    "\u{202e}reversed",
    "-oProxyCommand=x",
    "<b>&amp;</b>",
];

/// One cell for each target, in order, the same each time.
pub async fn resolve_answers_each_target_in_order(rig: &impl Rig) -> Verdict {
    let Some(bench) = Bench::with_cells(rig).await? else { return Ok(()) };
    let targets = ["conform-a", "conform-b", "conform-a", "conform-c"].map(|name| bench.subject.target(name));
    let cells = within("resolve", bench.plugin.resolve(&targets)).await?;
    ensure!(cells.len() == 4, "resolve of 4 targets gives {} cells", cells.len());
    ensure!(cells[0] == cells[2], "one target has two cells: {:?} and {:?}", cells[0], cells[2]);
    ensure!(cells[0] != cells[1] && cells[1] != cells[3], "two targets share a cell: {cells:?}");
    let again = within("resolve, again", bench.plugin.resolve(&targets)).await?;
    ensure!(cells == again, "resolve says {cells:?}, then {again:?}");
    let none = within("resolve of nothing", bench.plugin.resolve(&[])).await?;
    ensure!(none.is_empty(), "resolve of nothing gives {none:?}");
    Ok(())
}

/// A noun that the plugin does not serve is no cell.
pub async fn unknown_targets_are_refused(rig: &impl Rig) -> Verdict {
    let bench = Bench::new(rig).await?;
    let target = TargetName { noun: "no-such-noun".into(), name: "x".into() };
    let answer = answered("resolve", bench.plugin.resolve(&[target])).await?;
    ensure!(
        matches!(answer, Err(Fault::Unsupported(_) | Fault::Invalid(_))),
        "resolve of a noun that is not served gives {answer:?}, not UNSUPPORTED or INVALID"
    );
    Ok(())
}

/// What is not there has no value and no copies, stands where it was asked for, and looking twice
/// alters nothing.
pub async fn cells_that_hold_nothing_are_absent_and_keep_their_order(rig: &impl Rig) -> Verdict {
    let Some(bench) = Bench::with_cells(rig).await? else { return Ok(()) };
    let mut cells = Vec::new();
    for n in [3, 1, 2, 0] {
        cells.push(bench.cell(&format!("conform-{n}")).await?);
    }
    bench.write(&cells[1], Some(bench.value(0)?), "order").await?;
    bench.holds(&cells[1], Some(&bench.value(0)?)).await?;
    let first = within("observe", bench.plugin.observe(&cells)).await?;
    ensure!(first.len() == 4, "observe of 4 cells gives {} answers", first.len());
    for (n, (asked, seen)) in cells.iter().zip(&first).enumerate() {
        ensure!(*asked == seen.cell, "answer {n} speaks of {:?}, not {asked:?}", seen.cell);
        ensure!(seen.value.is_some() == (n == 1), "answer {n} is {seen:?}");
        ensure!(seen.copies == u32::from(n == 1), "answer {n} counts {} copies", seen.copies);
        ensure!(seen.peers > 0, "answer {n} says that no peer was asked");
    }
    let second = within("observe, again", bench.plugin.observe(&cells)).await?;
    let bare = |seen: &[crate::Seen]| -> Vec<_> {
        seen.iter().map(|s| (s.value.clone(), s.version.clone(), s.incarnation.clone(), s.copies)).collect()
    };
    ensure!(bare(&first) == bare(&second), "observe shows {first:?}, then {second:?}");
    Ok(())
}

/// A key of any characters is taken as it is, or refused as invalid; never for another.
pub async fn odd_keys_are_taken_or_refused_but_never_confused(rig: &impl Rig) -> Verdict {
    let Some(bench) = Bench::with_cells(rig).await? else { return Ok(()) };
    let plain = bench.cell("conform-plain").await?;
    bench.write(&plain, Some(bench.value(0)?), "plain").await?;
    let plain_seen = bench.holds(&plain, Some(&bench.value(0)?)).await?;
    let near =
        [format!("{} ", plain.0), format!(" {}", plain.0), plain.0.to_uppercase(), format!("{}/", plain.0)];
    let odd = ODD.iter().map(|key| (*key).to_owned()).chain(near).filter(|key| *key != plain.0);
    for key in odd {
        let cell = CellKey(key);
        let seen = match answered("observe", bench.plugin.observe(std::slice::from_ref(&cell))).await? {
            Err(Fault::Invalid(_) | Fault::NotDone(_)) => continue,
            Err(fault) => return Err(format!("observe of {cell:?}: {fault:?}, not INVALID")),
            Ok(mut seen) => seen.pop().ok_or("observe of one cell gives no answer")?,
        };
        ensure!(seen.cell == cell, "observe of {cell:?} speaks of {:?}", seen.cell);
        ensure!(seen.value.is_none(), "{cell:?} was never written and holds {:?}", seen.value);
        let wanted = write(&cell, Some(bench.value(1)?), &seen, "odd");
        match answered("apply", bench.plugin.apply(wanted)).await? {
            Ok(()) => {
                bench.holds(&cell, Some(&bench.value(1)?)).await?;
                bench.write(&cell, None, "odd").await?;
                bench.holds(&cell, None).await?;
            }
            Err(Fault::Invalid(_)) => {
                bench.holds(&cell, None).await?;
            }
            Err(fault) => return Err(format!("apply to {cell:?}: {fault:?}, not INVALID")),
        }
    }
    let after = bench.see(&plain).await?;
    ensure!(after.value == plain_seen.value, "writes to odd keys altered {plain:?}: {after:?}");
    Ok(())
}

/// What is applied is there, once, and has a name in the backend.
pub async fn what_was_applied_is_observed(rig: &impl Rig) -> Verdict {
    let Some(bench) = Bench::with_cells(rig).await? else { return Ok(()) };
    let cell = bench.cell("conform-one").await?;
    bench.write(&cell, Some(bench.value(0)?), "one").await?;
    bench.holds(&cell, Some(&bench.value(0)?)).await?;
    Ok(())
}

/// Canonical values come back as the very bytes that were written.
pub async fn values_survive_byte_for_byte(rig: &impl Rig) -> Verdict {
    let Some(bench) = Bench::with_cells(rig).await? else { return Ok(()) };
    for (n, value) in bench.subject.values.iter().enumerate() {
        let cell = bench.cell(&format!("conform-bytes-{n}")).await?;
        bench.write(&cell, Some(value.clone()), "bytes").await?;
        bench.holds(&cell, Some(value)).await?;
    }
    Ok(())
}

/// Spellings that mean the same are observed as one.
pub async fn other_spellings_become_canonical(rig: &impl Rig) -> Verdict {
    let Some(bench) = Bench::with_cells(rig).await? else { return Ok(()) };
    for (n, (spelt, canonical)) in bench.subject.spellings.iter().enumerate() {
        let cell = bench.cell(&format!("conform-spelt-{n}")).await?;
        bench.write(&cell, Some(spelt.clone()), "spelt").await?;
        bench.holds(&cell, Some(canonical)).await?;
    }
    Ok(())
}

/// A value that is no JSON is refused as invalid, and nothing is written.
pub async fn values_that_are_none_are_refused(rig: &impl Rig) -> Verdict {
    let Some(bench) = Bench::with_cells(rig).await? else { return Ok(()) };
    let cell = bench.cell("conform-none").await?;
    for value in ["", "{", "nonsense", "{\"a\":}"] {
        let seen = bench.see(&cell).await?;
        let wanted = write(&cell, Some(value.into()), &seen, "none");
        let answer = answered("apply", bench.plugin.apply(wanted)).await?;
        ensure!(matches!(answer, Err(Fault::Invalid(_))), "apply of `{value}` gives {answer:?}, not INVALID");
    }
    bench.holds(&cell, None).await?;
    Ok(())
}

/// The same write with the same change, as after a lost answer, leaves one copy.
pub async fn applying_twice_makes_one_copy(rig: &impl Rig) -> Verdict {
    let Some(bench) = Bench::with_cells(rig).await? else { return Ok(()) };
    let cell = bench.cell("conform-twice").await?;
    let before = bench.see(&cell).await?;
    let wanted = write(&cell, Some(bench.value(0)?), &before, "twice");
    within("apply", bench.plugin.apply(wanted.clone())).await?;
    // Nobody looked in between, so the version and object are those from before.
    match answered("apply, again", bench.plugin.apply(wanted)).await? {
        Ok(()) | Err(Fault::Moved(_)) => {}
        Err(fault) => return Err(format!("the second apply: {fault:?}")),
    }
    bench.holds(&cell, Some(&bench.value(0)?)).await?;
    bench.write(&cell, Some(bench.value(0)?), "twice").await?;
    bench.holds(&cell, Some(&bench.value(0)?)).await?;
    Ok(())
}

/// Another value takes the first one's place.
pub async fn applying_anew_replaces(rig: &impl Rig) -> Verdict {
    let Some(bench) = Bench::with_cells(rig).await? else { return Ok(()) };
    let cell = bench.cell("conform-anew").await?;
    for (n, value) in [bench.value(0)?, bench.value(1)?, bench.value(0)?].iter().enumerate() {
        bench.write(&cell, Some(value.clone()), &format!("anew-{n}")).await?;
        bench.holds(&cell, Some(value)).await?;
    }
    Ok(())
}

/// Removing removes; removing what is not there is done already.
pub async fn applying_nothing_removes_and_may_be_repeated(rig: &impl Rig) -> Verdict {
    let Some(bench) = Bench::with_cells(rig).await? else { return Ok(()) };
    let cell = bench.cell("conform-gone").await?;
    bench.write(&cell, None, "gone").await?;
    bench.holds(&cell, None).await?;
    bench.write(&cell, Some(bench.value(0)?), "gone").await?;
    let held = bench.holds(&cell, Some(&bench.value(0)?)).await?;
    let removal = write(&cell, None, &held, "gone");
    within("apply of nothing", bench.plugin.apply(removal.clone())).await?;
    bench.holds(&cell, None).await?;
    match answered("apply of nothing, again", bench.plugin.apply(removal)).await? {
        Ok(()) | Err(Fault::Moved(_)) => {}
        Err(fault) => return Err(format!("the second removal: {fault:?}")),
    }
    bench.holds(&cell, None).await?;
    Ok(())
}

/// Writing and removing one cell leaves the others as they are.
pub async fn cells_do_not_touch_each_other(rig: &impl Rig) -> Verdict {
    let Some(bench) = Bench::with_cells(rig).await? else { return Ok(()) };
    let (one, other) = (bench.cell("conform-x").await?, bench.cell("conform-xx").await?);
    bench.write(&one, Some(bench.value(0)?), "one").await?;
    // The same change may lie in two cells: it may have two legs.
    bench.write(&other, Some(bench.value(0)?), "one").await?;
    bench.holds(&one, Some(&bench.value(0)?)).await?;
    bench.holds(&other, Some(&bench.value(0)?)).await?;
    bench.write(&one, None, "one").await?;
    bench.holds(&one, None).await?;
    bench.holds(&other, Some(&bench.value(0)?)).await?;
    Ok(())
}

/// What lies in the backend is not in the plugin's memory: one started anew sees it, in the same
/// incarnation.
pub async fn another_process_sees_the_same(rig: &impl Rig) -> Verdict {
    let Some(bench) = Bench::with_cells(rig).await? else { return Ok(()) };
    let cell = bench.cell("conform-other").await?;
    bench.write(&cell, Some(bench.value(0)?), "other").await?;
    let first = bench.holds(&cell, Some(&bench.value(0)?)).await?;
    let second = configured(rig, &bench.subject).await?;
    let second = holds(&second, &cell, Some(&bench.value(0)?)).await?;
    ensure!(
        first.incarnation == second.incarnation,
        "the backend kept everything, and its incarnation went from {:?} to {:?}",
        first.incarnation,
        second.incarnation
    );
    Ok(())
}

/// A plugin that was killed before it answered is repeated by its successor, without a second copy.
pub async fn another_process_repeats_without_a_second_copy(rig: &impl Rig) -> Verdict {
    let Some(bench) = Bench::with_cells(rig).await? else { return Ok(()) };
    let cell = bench.cell("conform-again").await?;
    let before = bench.see(&cell).await?;
    let wanted = write(&cell, Some(bench.value(0)?), &before, "again");
    within("apply", bench.plugin.apply(wanted.clone())).await?;
    let second = configured(rig, &bench.subject).await?;
    match answered("apply by another process", second.apply(wanted)).await? {
        Ok(()) | Err(Fault::Moved(_)) => {}
        Err(fault) => return Err(format!("apply by another process: {fault:?}")),
    }
    holds(&second, &cell, Some(&bench.value(0)?)).await?;
    Ok(())
}

/// A write whose caller stopped waiting may have happened or not; repeated, it has happened once.
pub async fn a_write_given_up_can_be_repeated(rig: &impl Rig) -> Verdict {
    let Some(bench) = Bench::with_cells(rig).await? else { return Ok(()) };
    for (n, micros) in [1_u64, 200, 500, 1_000, 3_000].into_iter().enumerate() {
        let cell = bench.cell(&format!("conform-given-up-{n}")).await?;
        let before = bench.see(&cell).await?;
        let wanted = write(&cell, Some(bench.value(0)?), &before, "given-up");
        let _ = tokio::time::timeout(Duration::from_micros(micros), bench.plugin.apply(wanted.clone())).await;
        match answered("apply, repeated", bench.plugin.apply(wanted)).await? {
            Ok(()) | Err(Fault::Moved(_)) => {}
            Err(fault) => return Err(format!("apply, repeated: {fault:?}")),
        }
        bench.holds(&cell, Some(&bench.value(0)?)).await?;
    }
    Ok(())
}

/// Calls that nobody waits for any more neither stop nor slow what comes after them.
pub async fn calls_given_up_do_no_harm(rig: &impl Rig) -> Verdict {
    let Some(bench) = Bench::with_cells(rig).await? else { return Ok(()) };
    let cell = bench.cell("conform-patience").await?;
    for _ in 0..50 {
        let _ = tokio::time::timeout(
            Duration::from_micros(300),
            bench.plugin.observe(std::slice::from_ref(&cell)),
        )
        .await;
    }
    bench.write(&cell, Some(bench.value(0)?), "patience").await?;
    bench.holds(&cell, Some(&bench.value(0)?)).await?;
    Ok(())
}

/// Sixteen writers and readers at once are all answered, and each finds its own.
pub async fn many_calls_at_once_are_answered(rig: &impl Rig) -> Verdict {
    let Some(bench) = Bench::with_cells(rig).await? else { return Ok(()) };
    let mut tasks = Vec::new();
    for n in 0..16 {
        let cell = bench.cell(&format!("conform-many-{n}")).await?;
        let (plugin, value) = (bench.plugin.clone(), bench.value(n % 2)?);
        tasks.push(tokio::spawn(async move {
            let seen = see(&plugin, &cell).await?;
            let wanted = write(&cell, Some(value.clone()), &seen, &format!("many-{n}"));
            within("apply", plugin.apply(wanted)).await?;
            holds(&plugin, &cell, Some(&value)).await
        }));
    }
    for task in tasks {
        task.await.map_err(|e| e.to_string())??;
    }
    Ok(())
}

/// As many cells as the contract allows are answered; more are refused.
pub async fn too_many_cells_are_refused(rig: &impl Rig) -> Verdict {
    let Some(bench) = Bench::with_cells(rig).await? else { return Ok(()) };
    // A key made out of another need not be one: the plugin names them all.
    let targets: Vec<TargetName> =
        (0..=MAX_CELLS).map(|n| bench.subject.target(&format!("conform-full-{n}"))).collect();
    let mut cells = Vec::with_capacity(targets.len());
    for some in targets.chunks(MAX_CELLS) {
        cells.extend(within("resolve", bench.plugin.resolve(some)).await?);
    }
    let seen = within("observe of 500 cells", bench.plugin.observe(&cells[..MAX_CELLS])).await?;
    ensure!(seen.len() == MAX_CELLS, "observe of {MAX_CELLS} cells gives {} answers", seen.len());
    let answer = answered("observe of 501 cells", bench.plugin.observe(&cells)).await?;
    ensure!(matches!(answer, Err(Fault::Invalid(_))), "observe of 501 cells is no INVALID but {answer:?}");
    Ok(())
}
