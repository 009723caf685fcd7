//! Checks of plugins that measure. Others pass them unasked.

use super::{Bench, Rig, Verdict, answered, ensure, within};
use crate::telemetry::{
    EdgesAsk, Figure, Level, Line, LinesAsk, LinesOf, MeasureAsk, Measured, Running, SeriesAsk,
    Subject as Of, Telemetry, VersionsAsk,
};
use crate::{CellKey, Fault, Write};
use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

/// How many pages are walked at most.
const PAGES: usize = 200;
/// No service is called so.
const NOBODY: &str = "conform \"nobody\" \\ {}\u{202e}";

/// A plugin without cells observes none, and refuses to write for good rather than for now.
pub async fn what_holds_no_cells_says_so(rig: &impl Rig) -> Verdict {
    let bench = Bench::new(rig).await?;
    if !bench.subject.values.is_empty() {
        return Ok(());
    }
    let none = within("observe of nothing", bench.plugin.observe(&[])).await?;
    ensure!(none.is_empty(), "observe of nothing gives {none:?}");
    let cell = CellKey("conform".into());
    let seen = answered("observe", bench.plugin.observe(std::slice::from_ref(&cell))).await?;
    ensure!(
        matches!(seen, Err(Fault::Unsupported(_) | Fault::Invalid(_))),
        "observe of a cell, where there are none, gives {seen:?}, not UNSUPPORTED"
    );
    let write = Write {
        cell,
        want: Some("1".into()),
        expected_version: String::new(),
        change: "conform".into(),
        object: String::new(),
    };
    let written = answered("apply", bench.plugin.apply(write)).await?;
    ensure!(
        matches!(written, Err(Fault::Unsupported(_))),
        "apply, where there are no cells, gives {written:?}, not UNSUPPORTED"
    );
    Ok(())
}

async fn all(
    telemetry: &dyn Telemetry,
    level: Level,
    service: Option<&str>,
) -> Result<Vec<Measured>, String> {
    let mut ask = MeasureAsk { level, service: service.map(str::to_owned), window: None, page: None };
    let mut all: Vec<Measured> = Vec::new();
    for pages in 0.. {
        ensure!(pages < PAGES, "the list of what is measured does not end after {PAGES} pages");
        let reading = within("measure", telemetry.measure(&ask)).await?;
        ensure!(!reading.window.is_zero(), "it does not say over how long it measured");
        ensure!(reading.at_ms > 0, "it does not say when it measured");
        all.extend(reading.items);
        match reading.next {
            Some(next) => ask.page = Some(next),
            None => break,
        }
    }
    Ok(all)
}

/// Over all pages, no service and no instance is measured twice; whoever asks for services gets no
/// instances, and the other way round.
pub async fn services_are_measured_once_each(rig: &impl Rig) -> Verdict {
    let bench = Bench::new(rig).await?;
    let Some(telemetry) = bench.plugin.telemetry() else { return Ok(()) };
    for level in [Level::Service, Level::Instance] {
        let all = all(telemetry, level, None).await?;
        let keys: BTreeSet<_> = all.iter().map(|one| (&one.service, &one.instance)).collect();
        ensure!(keys.len() == all.len(), "{} are measured twice", all.len() - keys.len());
        let wrong = all.iter().find(|one| one.instance.is_some() != (level == Level::Instance));
        ensure!(wrong.is_none(), "{level:?} was asked for, and {wrong:?} answered");
        let empty = all.iter().find(|one| one.measures.known() == 0);
        ensure!(empty.is_none(), "{empty:?} says nothing");
    }
    Ok(())
}

/// A service asked for by name comes with the same name and without others; one that is not there is no
/// fault, whatever its name holds.
pub async fn a_service_asked_for_comes_alone(rig: &impl Rig) -> Verdict {
    let bench = Bench::new(rig).await?;
    let Some(telemetry) = bench.plugin.telemetry() else { return Ok(()) };
    for one in all(telemetry, Level::Service, None).await?.iter().take(5) {
        let alone = all(telemetry, Level::Service, Some(&one.service)).await?;
        ensure!(
            alone.iter().all(|other| other.service == one.service) && alone.len() <= 1,
            "{:?} was asked for, and {alone:?} answered",
            one.service
        );
    }
    let nobody = all(telemetry, Level::Instance, Some(NOBODY)).await?;
    ensure!(nobody.is_empty(), "of a service that is not there {nobody:?} is measured");
    Ok(())
}

/// Over all pages no pair of caller and callee is listed twice, and of one service only its own.
pub async fn calls_are_listed_once_each(rig: &impl Rig) -> Verdict {
    let bench = Bench::new(rig).await?;
    let Some(telemetry) = bench.plugin.telemetry() else { return Ok(()) };
    let mut ask = EdgesAsk { service: None, window: None, page: None };
    let mut pairs = Vec::new();
    for pages in 0.. {
        ensure!(pages < PAGES, "the list of calls does not end after {PAGES} pages");
        let reading = within("edges", telemetry.edges(&ask)).await?;
        pairs.extend(reading.items.into_iter().map(|edge| (edge.caller, edge.callee)));
        match reading.next {
            Some(next) => ask.page = Some(next),
            None => break,
        }
    }
    let once: BTreeSet<_> = pairs.iter().collect();
    ensure!(once.len() == pairs.len(), "{} calls are listed twice", pairs.len() - once.len());
    if let Some((caller, _)) = pairs.first() {
        let ask = EdgesAsk { service: Some(caller.clone()), window: None, page: None };
        let own = within("edges of one", telemetry.edges(&ask)).await?.items;
        let foreign = own.iter().find(|edge| edge.caller != *caller && edge.callee != *caller);
        ensure!(foreign.is_none(), "calls of {caller:?} were asked for, and {foreign:?} answered");
        ensure!(!own.is_empty(), "{caller:?} calls somebody, but not when asked alone");
    }
    Ok(())
}

/// Samples are numbers, in order, within the span asked for; a span without data is no fault.
pub async fn a_series_lies_where_it_was_asked_for(rig: &impl Rig) -> Verdict {
    let bench = Bench::new(rig).await?;
    let Some(telemetry) = bench.plugin.telemetry() else { return Ok(()) };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_err(|e| e.to_string())?;
    let to_ms = i64::try_from(now.as_millis()).map_err(|e| e.to_string())?;
    let mut subjects = vec![Of::Service(NOBODY.into()), Of::Edge(NOBODY.into(), NOBODY.into())];
    let known = all(telemetry, Level::Service, None).await?;
    subjects.extend(known.into_iter().take(2).map(|one| Of::Service(one.service)));
    for of in subjects {
        for figure in Figure::ALL {
            let step = Duration::from_secs(5);
            let ask = SeriesAsk { figure, of: of.clone(), from_ms: to_ms - 60_000, to_ms, step };
            let series = within("series", telemetry.series(&ask)).await?;
            let nobody = matches!(&of, Of::Service(name) | Of::Edge(name, _) if name == NOBODY);
            ensure!(!nobody || series.samples.is_empty(), "nobody has samples: {series:?}");
            let inside = series
                .samples
                .iter()
                .all(|(at, value)| (ask.from_ms..=ask.to_ms).contains(at) && figure.takes(*value));
            let ordered = series.samples.windows(2).all(|pair| pair[0].0 < pair[1].0);
            ensure!(inside && ordered, "{} of {of:?} has samples out of place: {series:?}", figure.name());
        }
    }
    Ok(())
}

/// Every page of lines; `None`: the plugin gives series only one by one, which is its right.
async fn all_lines(telemetry: &dyn Telemetry, ask: &LinesAsk) -> Result<Option<Vec<Line>>, String> {
    let (mut ask, mut all) = (ask.clone(), Vec::new());
    for pages in 0.. {
        ensure!(pages < PAGES, "lines do not end after {PAGES} pages");
        let page = match answered("lines", telemetry.lines(&ask)).await? {
            Ok(page) => page,
            Err(Fault::Unsupported(_)) => return Ok(None),
            Err(fault) => return Err(format!("lines: {fault}")),
        };
        all.extend(page.lines);
        match page.next {
            Some(next) => ask.page = Some(next),
            None => break,
        }
    }
    Ok(Some(all))
}

/// Over all pages nothing has two lines, each lies on the steps asked for, and of services asked for by name only
/// those come. Whatever has a series has a line.
pub async fn lines_are_the_series_of_many(rig: &impl Rig) -> Verdict {
    let bench = Bench::new(rig).await?;
    let Some(telemetry) = bench.plugin.telemetry() else { return Ok(()) };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_err(|e| e.to_string())?;
    let to_ms = i64::try_from(now.as_secs()).map_err(|e| e.to_string())? * 1000;
    let (from_ms, step) = (to_ms - 60_000, Duration::from_secs(5));
    for of in [LinesOf::Services, LinesOf::Edges] {
        for figure in Figure::ALL {
            let ask = LinesAsk { figure, of, only: vec![], from_ms, to_ms, step, page: None };
            let Some(all) = all_lines(telemetry, &ask).await? else { return Ok(()) };
            let once: BTreeSet<_> = all.iter().map(|line| &line.of).collect();
            ensure!(once.len() == all.len(), "{} have two lines", all.len() - once.len());
            for line in &all {
                let fits = |(at, value): &(i64, f64)| {
                    (from_ms..=to_ms).contains(at) && (at - from_ms) % 5000 == 0 && figure.takes(*value)
                };
                let ordered = line.samples.windows(2).all(|pair| pair[0].0 < pair[1].0);
                ensure!(ordered && !line.samples.is_empty(), "{line:?} is out of order, or empty");
                ensure!(
                    line.samples.iter().all(fits),
                    "{} has samples out of place: {line:?}",
                    figure.name()
                );
                let right = matches!(
                    (&line.of, of),
                    (Of::Service(_), LinesOf::Services) | (Of::Edge(..), LinesOf::Edges)
                );
                ensure!(right, "{of:?} were asked for, and {:?} answered", line.of);
            }
            let nobody = LinesAsk { only: vec![NOBODY.into()], ..ask.clone() };
            let none = all_lines(telemetry, &nobody).await?.unwrap_or_default();
            ensure!(none.is_empty(), "of a service that is not there there are lines: {none:?}");
            if let Some(Of::Service(name)) = all.first().map(|line| &line.of) {
                let only = LinesAsk { only: vec![NOBODY.into(), name.clone()], ..ask.clone() };
                let own = all_lines(telemetry, &only).await?.unwrap_or_default();
                let alone = own.iter().all(|line| line.of == Of::Service(name.clone()));
                ensure!(alone && own.len() == 1, "{name:?} was asked for, and {own:?} answered");
                let series = SeriesAsk { figure, of: Of::Service(name.clone()), from_ms, to_ms, step };
                let series = within("series", telemetry.series(&series)).await?.samples;
                ensure!(!series.is_empty(), "{name:?} has a line, and no series");
            }
        }
    }
    Ok(())
}

/// Every page of versions; `None`: the plugin does not tell them, which is its right.
async fn all_versions(
    telemetry: &dyn Telemetry,
    service: Option<&str>,
) -> Result<Option<Vec<Running>>, String> {
    let (mut ask, mut all) = (VersionsAsk { service: service.map(str::to_owned), page: None }, Vec::new());
    for pages in 0.. {
        ensure!(pages < PAGES, "versions do not end after {PAGES} pages");
        let reading = match answered("versions", telemetry.versions(&ask)).await? {
            Ok(reading) => reading,
            Err(Fault::Unsupported(_)) => return Ok(None),
            Err(fault) => return Err(format!("versions: {fault}")),
        };
        ensure!(reading.at_ms > 0, "it does not say when it looked");
        all.extend(reading.items);
        match reading.next {
            Some(next) => ask.page = Some(next),
            None => break,
        }
    }
    Ok(Some(all))
}

/// Over all pages no version of a service is told twice, and none that lies ahead; a service asked for by name
/// comes alone, with the same versions; one that is not there is no fault.
pub async fn versions_are_told_once_each(rig: &impl Rig) -> Verdict {
    let bench = Bench::new(rig).await?;
    let Some(telemetry) = bench.plugin.telemetry() else { return Ok(()) };
    let Some(all) = all_versions(telemetry, None).await? else { return Ok(()) };
    let once: BTreeSet<_> = all.iter().map(|one| (&one.service, &one.version)).collect();
    ensure!(once.len() == all.len(), "{} versions are told twice", all.len() - once.len());
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_err(|e| e.to_string())?;
    let soon = i64::try_from(now.as_millis()).map_err(|e| e.to_string())? + 60_000;
    let services: BTreeSet<&String> = all.iter().map(|one| &one.service).collect();
    for service in services.into_iter().take(5) {
        let alone = all_versions(telemetry, Some(service)).await?.unwrap_or_default();
        let foreign = alone.iter().find(|one| one.service != *service);
        ensure!(foreign.is_none(), "versions of {service:?} were asked for, and {foreign:?} answered");
        ensure!(!alone.is_empty(), "{service:?} has versions, but not when asked alone");
        let ahead = alone.iter().find(|one| one.since_ms.is_some_and(|since| since > soon));
        ensure!(ahead.is_none(), "{ahead:?} has been running since a time to come");
    }
    let nobody = all_versions(telemetry, Some(NOBODY)).await?.unwrap_or_default();
    ensure!(nobody.is_empty(), "a service that is not there runs {nobody:?}");
    Ok(())
}
