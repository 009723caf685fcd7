//! How much a set of matchers takes in, judged by what it matches and not by how it is spelled.
//!
//! `alertname=~".+"`, `alertname!=""` and `severity=~"a|[^a].*"` look different and constrain the same:
//! nothing. And a rule about `cluster=prod` means `pro[d]`, `p.*` and `!="dev"` too. All matchers on one label
//! are run together as automata over the characters they can tell apart; where that grows too large, samples
//! and caution stand in.

use super::pattern::Pattern;
use super::{MatchOp, Matcher, Matchers};
use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::util::primitives::StateID;
use regex_automata::{Anchored, Input};
use regex_syntax::hir::{Class, Hir, HirKind};
use std::collections::{BTreeSet, HashMap};

/// How much a set constrains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Breadth {
    /// It names something in particular.
    Particular,
    /// Nearly anything satisfies it: at least half of all words of some length do, label by label.
    Nearly,
    /// It constrains nothing but that labels are there.
    Anything,
}

/// What values of labels are made of. A set that takes in half of all words over one of these alphabets
/// names nothing in particular.
const ALPHABETS: [&[(char, char)]; 4] = [&[('a', 'z')], &[('A', 'Z')], &[('0', '9')], &[(' ', '~')]];
/// The longest words looked at, in characters.
const LONGEST: usize = 24;
/// The share of all words of one length that makes a set broad.
const BROAD: f64 = 0.5;
/// Bytes an automaton may take.
const SIZE: usize = 1 << 18;
/// Steps a walk over automata may take before samples stand in.
const STEPS: usize = 1 << 18;
/// Samples for each alphabet and length.
const SAMPLES: usize = 32;

impl Matchers {
    /// How much it constrains, whatever alerts there are.
    pub fn breadth(&self) -> Breadth {
        // One label that is named in particular is enough, and `=` is seen without any automaton.
        if self.iter().any(|m| m.op == MatchOp::Equal && !m.value.is_empty()) {
            return Breadth::Particular;
        }
        let labels: BTreeSet<&str> = self.iter().map(Matcher::name).collect();
        let mut least = Breadth::Anything;
        for label in labels {
            least = least.min(breadth(&self.on(label)));
            if least == Breadth::Particular {
                break;
            }
        }
        least
    }

    /// Does it name nothing in particular, so that it hushes nearly everything?
    pub fn takes_in_everything(&self) -> bool {
        self.breadth() != Breadth::Particular
    }

    /// Could one alert satisfy both these matchers and those of `rule`, whatever its other labels are? A rule
    /// such as `cluster=prod` is met by `pro[d]`, by `!="dev"`, and by a set that says nothing of clusters.
    /// In doubt, yes.
    pub fn meets(&self, rule: &[Matcher]) -> bool {
        let labels: BTreeSet<&str> = rule.iter().map(Matcher::name).collect();
        labels.into_iter().all(|label| {
            let mut both = self.on(label);
            both.extend(rule.iter().filter(|m| m.name == label));
            satisfiable(&both)
        })
    }

    fn on(&self, label: &str) -> Vec<&Matcher> {
        self.iter().filter(|m| m.name == label).collect()
    }
}

/// Can any value, the empty one included, satisfy all of them?
fn satisfiable(matchers: &[&Matcher]) -> bool {
    let all = |value: &str| matchers.iter().all(|m| m.matches(value));
    if all("") {
        return true;
    }
    if let Some(exact) = matchers.iter().find(|m| m.op == MatchOp::Equal) {
        return all(&exact.value);
    }
    match Walk::over(matchers) {
        // Too large to know: a forbidden thing is not let through on a guess.
        None => true,
        Some(walk) => walk.accepts.contains(&true),
    }
}

fn breadth(matchers: &[&Matcher]) -> Breadth {
    let named = named(matchers);
    // Whoever lacks the label satisfies them too, and most alerts may: `team=""` names nobody.
    if matchers.iter().all(|m| m.matches("")) { named.max(Breadth::Nearly) } else { named }
}

/// How much is taken in of those that have the label.
fn named(matchers: &[&Matcher]) -> Breadth {
    match Walk::over(matchers) {
        None => sampled(matchers),
        Some(walk) if walk.is_universal() => Breadth::Anything,
        Some(walk) if ALPHABETS.iter().any(|alphabet| walk.densest(alphabet) >= BROAD) => Breadth::Nearly,
        Some(_) => Breadth::Particular,
    }
}

/// Judges by words drawn evenly and always the same.
fn sampled(matchers: &[&Matcher]) -> Breadth {
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut draw = |below: u32| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % u64::from(below.max(1))) as u32
    };
    let (mut every, mut broad) = (true, false);
    for alphabet in ALPHABETS {
        let letters: Vec<char> = alphabet.iter().flat_map(|(from, to)| *from..=*to).collect();
        for length in 1..=LONGEST {
            let taken = (0..SAMPLES)
                .filter(|_| {
                    let word: String =
                        (0..length).map(|_| letters[draw(letters.len() as u32) as usize]).collect();
                    matchers.iter().all(|m| m.matches(&word))
                })
                .count();
            every &= taken == SAMPLES;
            broad |= taken as f64 >= SAMPLES as f64 * BROAD;
        }
    }
    match (every, broad) {
        (true, _) => Breadth::Anything,
        (_, true) => Breadth::Nearly,
        _ => Breadth::Particular,
    }
}

/// A run of characters that no matcher tells apart.
#[derive(Clone, Copy)]
struct Letter {
    from: char,
    to: char,
}

impl Letter {
    fn is_within(&self, ranges: &[(char, char)]) -> bool {
        ranges.iter().any(|(from, to)| *from <= self.from && self.to <= *to)
    }

    fn size(&self) -> f64 {
        f64::from(self.to as u32 - self.from as u32 + 1)
    }
}

/// All matchers on one label, run together: every state they can reach, and where each letter leads.
struct Walk {
    letters: Vec<Letter>,
    /// `steps[state][letter]`
    steps: Vec<Vec<u32>>,
    accepts: Vec<bool>,
}

impl Walk {
    /// `None`: it grows too large.
    fn over(matchers: &[&Matcher]) -> Option<Self> {
        let automata: Vec<(dense::DFA<Vec<u32>>, bool)> = matchers
            .iter()
            .map(|m| Some((automaton(&expression(m))?, m.op.is_negative())))
            .collect::<Option<_>>()?;
        let letters = letters(matchers)?;
        let start = automata
            .iter()
            .map(|(dfa, _)| dfa.start_state_forward(&Input::new("").anchored(Anchored::Yes)).ok())
            .collect::<Option<Vec<StateID>>>()?;
        let mut known = HashMap::from([(start.clone(), 0_u32)]);
        let mut queue = vec![start];
        let mut walk = Self { letters, steps: Vec::new(), accepts: Vec::new() };
        while let Some(states) = queue.get(walk.steps.len()).cloned() {
            if queue.len() * walk.letters.len() * automata.len() > STEPS {
                return None;
            }
            walk.accepts.push(
                states.iter().zip(&automata).all(|(state, (dfa, negative))| {
                    dfa.is_match_state(dfa.next_eoi_state(*state)) != *negative
                }),
            );
            let mut row = Vec::with_capacity(walk.letters.len());
            for letter in &walk.letters {
                let mut buffer = [0; 4];
                let bytes = letter.from.encode_utf8(&mut buffer).as_bytes();
                let reached: Vec<StateID> = states
                    .iter()
                    .zip(&automata)
                    .map(|(state, (dfa, _))| {
                        bytes.iter().fold(*state, |state, byte| dfa.next_state(state, *byte))
                    })
                    .collect();
                let fresh = known.len() as u32;
                row.push(*known.entry(reached).or_insert_with_key(|reached| {
                    queue.push(reached.clone());
                    fresh
                }));
            }
            walk.steps.push(row);
        }
        Some(walk)
    }

    /// Is every text of at least one character, control characters aside, taken in?
    fn is_universal(&self) -> bool {
        let visible: Vec<usize> =
            (0..self.letters.len()).filter(|n| !self.letters[*n].from.is_control()).collect();
        let mut seen = vec![false; self.steps.len()];
        let mut queue = vec![0_u32];
        while let Some(state) = queue.pop() {
            for letter in &visible {
                let next = self.steps[state as usize][*letter];
                if !self.accepts[next as usize] {
                    return false;
                }
                if !std::mem::replace(&mut seen[next as usize], true) {
                    queue.push(next);
                }
            }
        }
        true
    }

    /// The greatest share of all words of one length over an alphabet that is taken in.
    fn densest(&self, alphabet: &[(char, char)]) -> f64 {
        let mine: Vec<(usize, f64)> = (0..self.letters.len())
            .filter(|n| self.letters[*n].is_within(alphabet))
            .map(|n| (n, self.letters[n].size()))
            .collect();
        let all: f64 = mine.iter().map(|(_, size)| size).sum();
        let mut share = vec![0.0; self.steps.len()];
        share[0] = 1.0;
        let mut densest: f64 = 0.0;
        for _ in 1..=LONGEST {
            let mut next = vec![0.0; share.len()];
            for (state, weight) in share.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
                for (letter, size) in &mine {
                    next[self.steps[state][*letter] as usize] += weight * size / all;
                }
            }
            share = next;
            let taken: f64 =
                share.iter().zip(&self.accepts).filter(|(_, accepts)| **accepts).map(|(s, _)| s).sum();
            densest = densest.max(taken);
        }
        // A sum of shares that is half but for rounding is half.
        densest + 1e-9
    }
}

/// A matcher's right side as an anchored expression in Rust's dialect.
fn expression(matcher: &Matcher) -> String {
    match &matcher.pattern {
        Some(pattern) => Pattern::anchored(pattern).to_owned(),
        None => format!("^(?:{})$", regex_syntax::escape(&matcher.value)),
    }
}

fn automaton(expression: &str) -> Option<dense::DFA<Vec<u32>>> {
    let limits = dense::Config::new()
        .start_kind(StartKind::Anchored)
        .accelerate(false)
        .dfa_size_limit(Some(SIZE))
        .determinize_size_limit(Some(SIZE));
    dense::Builder::new().configure(limits).build(expression).ok()
}

/// The characters that matchers, alphabets and visibility tell apart, as runs. `None`: too many.
fn letters(matchers: &[&Matcher]) -> Option<Vec<Letter>> {
    // Where a run begins.
    let mut edges = BTreeSet::from(['\0', '\u{7f}', '\u{a0}', '\u{e000}']);
    // The ends of control characters, of the alphabets, and of what a word boundary knows.
    for (from, to) in ALPHABETS.into_iter().flatten().copied().chain([('\n', '\n'), ('_', '_')]) {
        edge(&mut edges, from, to);
    }
    for matcher in matchers {
        collect(&regex_syntax::parse(&expression(matcher)).ok()?, &mut edges);
        if edges.len() > STEPS / 16 {
            return None;
        }
    }
    let from: Vec<char> = edges.into_iter().collect();
    let last = |n: usize| from.get(n + 1).copied().map_or(char::MAX, before);
    Some((0..from.len()).map(|n| Letter { from: from[n], to: last(n) }).collect())
}

fn edge(edges: &mut BTreeSet<char>, from: char, to: char) {
    edges.insert(from);
    edges.extend((to != char::MAX).then(|| after(to)));
}

/// The next character; the gap of surrogates is none.
fn after(c: char) -> char {
    char::from_u32(c as u32 + 1).unwrap_or('\u{e000}')
}

fn before(c: char) -> char {
    char::from_u32((c as u32).saturating_sub(1)).unwrap_or('\u{d7ff}')
}

/// All characters an expression can tell apart. It nests no deeper than the pattern's limit.
fn collect(hir: &Hir, edges: &mut BTreeSet<char>) {
    match hir.kind() {
        HirKind::Literal(literal) => {
            for c in String::from_utf8_lossy(&literal.0).chars() {
                edge(edges, c, c);
            }
        }
        HirKind::Class(Class::Unicode(class)) => {
            for range in class.ranges() {
                edge(edges, range.start(), range.end());
            }
        }
        HirKind::Class(Class::Bytes(class)) => {
            for range in class.ranges() {
                edge(edges, char::from(range.start()), char::from(range.end()));
            }
        }
        HirKind::Repetition(repetition) => collect(&repetition.sub, edges),
        HirKind::Capture(capture) => collect(&capture.sub, edges),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().for_each(|part| collect(part, edges));
        }
        HirKind::Empty | HirKind::Look(_) => {}
    }
}
