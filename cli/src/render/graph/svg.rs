//! The call graph as a picture: SVG without scripts and without anything from elsewhere. Every name is
//! escaped; health is told by words and dashes too, not by colour alone.

use super::layout::{Place, layout};
use super::{CallGraph, verdict};
use crate::render::figures::{NO_DATA, rate, seconds, share};
use rein_domain::text::clean;
use std::collections::BTreeMap;
use std::fmt::Write;

const WIDTH: usize = 220;
const HEIGHT: usize = 58;
const ACROSS: usize = 370;
const DOWN: usize = 92;
const MARGIN: usize = 40;
/// Letters of a name that fit into a box.
const LETTERS: usize = 25;
/// Letters of a line below it that do: with every figure at its longest.
const SMALL: usize = 38;

/// The picture.
pub(super) fn picture(graph: &CallGraph) -> String {
    let nodes = graph.nodes();
    let names: Vec<&str> = nodes.keys().copied().collect();
    let number: BTreeMap<&str, usize> = names.iter().enumerate().map(|(n, name)| (*name, n)).collect();
    let ends: Vec<(usize, usize)> =
        graph.edges.iter().map(|e| (number[e.caller.as_str()], number[e.callee.as_str()])).collect();
    let layout = layout(names.len(), &ends);
    let tallest = layout.rows.iter().copied().max().unwrap_or(0);
    let at = |place: Place| {
        let rows = layout.rows.get(place.layer).copied().unwrap_or(1);
        // Each layer stands in the middle.
        (MARGIN + place.layer * ACROSS, MARGIN + 24 + (tallest - rows) * DOWN / 2 + place.row * DOWN)
    };
    let width = MARGIN * 2 + WIDTH + layout.rows.len().saturating_sub(1) * ACROSS;
    let height = MARGIN * 2 + 24 + tallest.max(1) * DOWN;
    let mut svg = head(width.max(460), height);
    for (edge, path) in graph.edges.iter().zip(&layout.edges) {
        let points: Vec<(usize, usize)> = path.iter().map(|place| at(*place)).collect();
        let figures = &edge.figures;
        let label = format!("{} req/s · {} ok", rate(figures.rps), share(figures.success));
        let title = format!(
            "{} → {}: {label} · p99 {} · {}",
            edge.caller,
            edge.callee,
            seconds(figures.p99),
            verdict(&edge.health, &edge.why)
        );
        line(&mut svg, &points, &edge.health, &label, &title);
    }
    for (name, place) in names.iter().zip(&layout.nodes) {
        let one = nodes.get(name).copied().flatten();
        let (health, why) = one.map_or((NO_DATA, &[][..]), |one| (one.health.as_str(), &one.why[..]));
        let figures = one.map(|one| one.figures).unwrap_or_default();
        let about = format!(
            "{} req/s · {} · p99 {}",
            rate(figures.rps),
            share(figures.success),
            seconds(figures.p99)
        );
        node(&mut svg, at(*place), name, health, &about, &verdict(health, why));
    }
    if names.is_empty() {
        let _ = writeln!(svg, r##"<text x="{MARGIN}" y="{MARGIN}">no data: nothing was measured</text>"##);
    }
    foot(&mut svg, graph, height);
    svg.push_str("</svg>\n");
    svg
}

fn head(width: usize, height: usize) -> String {
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12" fill="#1f2933">
<title>call graph</title>
<rect width="100%" height="100%" fill="#ffffff"/>
<defs>
"##
    );
    for health in ["good", "degraded", "failing", "idle"] {
        let (colour, _) = style(health);
        let _ = writeln!(
            svg,
            r##"<marker id="to-{health}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z" fill="{colour}"/></marker>"##
        );
    }
    svg.push_str("</defs>\n");
    svg
}

/// Colour, and dashes of what is not known.
fn style(health: &str) -> (&'static str, &'static str) {
    match health {
        "good" => ("#2e7d32", ""),
        "degraded" => ("#b26a00", ""),
        "failing" => ("#c62828", ""),
        _ => ("#7b8794", r#" stroke-dasharray="5 4""#),
    }
}

fn line(svg: &mut String, points: &[(usize, usize)], health: &str, label: &str, title: &str) {
    let (colour, dashes) = style(health);
    let marker = if matches!(health, "good" | "degraded" | "failing") { health } else { "idle" };
    let middle = HEIGHT / 2;
    let ends: Vec<(usize, usize)> = points.iter().map(|(x, y)| (*x, y + middle)).collect();
    let (path, (x, y)) = match ends.as_slice() {
        // To itself: a loop above its box.
        [(x, y)] => {
            let top = y - middle;
            let (a, b) = (x + WIDTH / 3, x + WIDTH * 2 / 3);
            (format!("M{a} {top}C{a} {0} {b} {0} {b} {top}", top - 30), (x + WIDTH / 2, top - 26))
        }
        ends => curve(ends),
    };
    let width = if health == "failing" { 2.5 } else { 1.6 };
    let _ = writeln!(
        svg,
        r##"<g><title>{}</title><path d="{path}" fill="none" stroke="{colour}" stroke-width="{width}"{dashes} marker-end="url(#to-{marker})"/><text x="{x}" y="{y}" text-anchor="middle" font-size="10" fill="{colour}" stroke="#ffffff" stroke-width="3" paint-order="stroke">{}</text></g>"##,
        escape(title),
        escape(label)
    );
}

/// A smooth line through all points, out of the right side of a box and into the left one of the next; and
/// the other way round for calls that lead back.
fn curve(ends: &[(usize, usize)]) -> (String, (usize, usize)) {
    let forward = ends.first().map(|p| p.0) < ends.last().map(|p| p.0);
    let last = ends.len().saturating_sub(1);
    // A waypoint takes the width of a box and is passed straight.
    let side = |out: bool| if out == forward { WIDTH } else { 0 };
    let mut path = String::new();
    let mut label = (0, 0);
    for (n, pair) in ends.windows(2).enumerate() {
        let [(ax, ay), (bx, by)] = pair else { continue };
        let (ax, bx) = (ax + side(true), bx + side(false));
        if n == 0 {
            let _ = write!(path, "M{ax} {ay}");
            label = ((ax + bx) / 2, (ay + by) / 2 - 4);
        } else {
            let _ = write!(path, "L{ax} {ay}");
        }
        let middle = (ax + bx) / 2;
        let _ = write!(path, "C{middle} {ay} {middle} {by} {bx} {by}");
        if n + 1 < last {
            let _ = write!(path, "L{bx} {by}");
        }
    }
    (path, label)
}

fn node(svg: &mut String, (x, y): (usize, usize), name: &str, health: &str, about: &str, verdict: &str) {
    let (colour, dashes) = style(health);
    let (left, title) = (x + 10, format!("{name}: {about} · {verdict}"));
    let _ = writeln!(
        svg,
        r##"<g><title>{}</title><rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="8" fill="#f8fafc" stroke="{colour}" stroke-width="2"{dashes}/><text x="{left}" y="{}" font-size="13" font-weight="bold">{}</text><text x="{left}" y="{}" font-size="10">{}</text><text x="{left}" y="{}" font-size="10" fill="{colour}">{}</text></g>"##,
        escape(&title),
        y + 19,
        escape(&cut(name, LETTERS)),
        y + 35,
        escape(&cut(about, SMALL)),
        y + 50,
        escape(&cut(verdict, SMALL))
    );
}

/// At most so many letters; what is left out is in the title.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

fn foot(svg: &mut String, graph: &CallGraph, height: usize) {
    let mut said: Vec<String> = graph
        .readings
        .iter()
        .map(|reading| format!("over {} s by {}", reading.window_seconds, reading.backend))
        .collect();
    said.extend(graph.unreachable.keys().map(|backend| format!("{backend} does not answer")));
    let _ = writeln!(
        svg,
        r##"<text x="{MARGIN}" y="{}" font-size="10" fill="#7b8794">{}</text>"##,
        height - 14,
        escape(&said.join(" · "))
    );
}

/// Text that can stand anywhere in XML, and alters nothing on whoever reads it.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // The only ones besides control characters that XML does not take.
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
