//! What the rules look at: switches, changes and incidents at one moment, indexed by switch.

use crate::backend::Backend;
use crate::change::{Change, Did, Policy, UNDO_REACH, Undo};
use crate::fleet::Fleet;
use crate::foreign::Foreign;
use crate::incident::Incident;
use crate::layer::{Layer, Stack, Stance, Summary};
use crate::name::{ActorName, BackendName, ChangeId, IncidentName, ServiceName, SwitchName};
use crate::switch::{Switch, SwitchError};
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// All nouns of the house, by name. Cheap to ask; whoever owns it keeps it current.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// How long changes may last.
    pub policy: Policy,
    switches: BTreeMap<SwitchName, Switch>,
    backends: BTreeMap<BackendName, Backend>,
    tombs: BTreeSet<SwitchName>,
    changes: BTreeMap<ChangeId, Change>,
    incidents: BTreeMap<IncidentName, Incident>,
    /// Changes not yet ended, by switch.
    over: HashMap<SwitchName, BTreeSet<ChangeId>>,
    /// The same, by foreign backend.
    into: HashMap<BackendName, BTreeSet<ChangeId>>,
    /// All changes kept, by incident: there may be thousands of both.
    tied: HashMap<IncidentName, BTreeSet<ChangeId>>,
    /// The same changes by deadline, so that the next one is found without a search.
    deadlines: BTreeSet<(Timestamp, ChangeId)>,
    /// Instances, by service: see [`crate::fleet`].
    pub(crate) fleets: BTreeMap<ServiceName, Fleet>,
    /// Where instances of foreign registries stand among them: see [`crate::foreign`].
    pub(crate) foreign: BTreeMap<BackendName, Foreign>,
    /// Changes not yet ended over instances, by service.
    pub(crate) upon: HashMap<ServiceName, BTreeSet<ChangeId>>,
    /// For each switch, those that name it in `needs` or `excludes`.
    partners: HashMap<SwitchName, BTreeSet<SwitchName>>,
    /// For each actor, the changes they laid or touched, newest last.
    touched: HashMap<ActorName, BTreeSet<(Timestamp, ChangeId)>>,
}

/// A step back: which act of which change `undo` would reverse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastAct {
    /// The change.
    pub change: ChangeId,
    /// The act's place in the change's list.
    pub act: usize,
}

impl World {
    /// A declared switch.
    pub fn switch(&self, name: &SwitchName) -> Option<&Switch> {
        self.switches.get(name)
    }

    /// All declared switches, by name.
    pub fn switches(&self) -> impl Iterator<Item = &Switch> {
        self.switches.values()
    }

    /// A declared backend.
    pub fn backend(&self, name: &BackendName) -> Option<&Backend> {
        self.backends.get(name)
    }

    /// All declared backends, by name.
    pub fn backends(&self) -> impl Iterator<Item = &Backend> {
        self.backends.values()
    }

    /// Puts a backend in place.
    pub fn put_backend(&mut self, backend: Backend) {
        self.backends.insert(backend.name.clone(), backend);
    }

    /// Takes a backend away. Answers of which services instances were registered there.
    pub fn remove_backend(&mut self, name: &BackendName) -> BTreeSet<ServiceName> {
        self.backends.remove(name);
        self.remove_foreign(name)
    }

    /// A change, ended ones included while they are kept.
    pub fn change(&self, id: &ChangeId) -> Option<&Change> {
        self.changes.get(id)
    }

    /// All changes kept, by id.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.changes.values()
    }

    /// Changes whose id begins with `prefix`.
    pub fn changes_from<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a Change> {
        self.changes.values().filter(move |c| c.id.as_str().starts_with(prefix))
    }

    /// An incident.
    pub fn incident(&self, name: &IncidentName) -> Option<&Incident> {
        self.incidents.get(name)
    }

    /// All incidents, by name.
    pub fn incidents(&self) -> impl Iterator<Item = &Incident> {
        self.incidents.values()
    }

    /// Was the name used before and deleted?
    pub fn is_tomb(&self, name: &SwitchName) -> bool {
        self.tombs.contains(name)
    }

    /// Puts a switch in place.
    pub fn put_switch(&mut self, switch: Switch) {
        if let Some(old) = self.switches.get(&switch.name).cloned() {
            self.unlink(&old);
        }
        for partner in switch.needs.iter().chain(&switch.excludes) {
            self.partners.entry(partner.clone()).or_default().insert(switch.name.clone());
        }
        self.switches.insert(switch.name.clone(), switch);
    }

    fn unlink(&mut self, switch: &Switch) {
        for partner in switch.needs.iter().chain(&switch.excludes) {
            if let Some(names) = self.partners.get_mut(partner) {
                names.remove(&switch.name);
            }
        }
    }

    /// Takes a switch away.
    pub fn remove_switch(&mut self, name: &SwitchName) {
        if let Some(old) = self.switches.remove(name) {
            self.unlink(&old);
        }
    }

    /// Notes a name that is never to be used again.
    pub fn put_tomb(&mut self, name: SwitchName) {
        self.tombs.insert(name);
    }

    /// Puts a change in place.
    pub fn put_change(&mut self, change: Change) {
        self.remove_change(&change.id.clone());
        if change.ended.is_none() {
            self.deadlines.insert((change.deadline, change.id.clone()));
            for leg in change.switch_legs() {
                self.over.entry(leg.switch.clone()).or_default().insert(change.id.clone());
            }
            for leg in change.instance_legs() {
                self.upon.entry(leg.service.clone()).or_default().insert(change.id.clone());
            }
            for (cell, _) in change.cells() {
                self.into.entry(cell.backend).or_default().insert(change.id.clone());
            }
        }
        if let Some(incident) = &change.incident {
            self.tied.entry(incident.clone()).or_default().insert(change.id.clone());
        }
        for act in &change.acts {
            self.touched.entry(act.by.clone()).or_default().insert((act.at, change.id.clone()));
        }
        self.changes.insert(change.id.clone(), change);
    }

    /// Takes a change away.
    pub fn remove_change(&mut self, id: &ChangeId) {
        let Some(old) = self.changes.remove(id) else { return };
        self.deadlines.remove(&(old.deadline, id.clone()));
        if let Some(name) = &old.incident
            && let Some(ids) = self.tied.get_mut(name)
        {
            ids.remove(id);
            if ids.is_empty() {
                self.tied.remove(name);
            }
        }
        for leg in old.switch_legs() {
            if let Some(ids) = self.over.get_mut(&leg.switch) {
                ids.remove(id);
            }
        }
        for leg in old.instance_legs() {
            if let Some(ids) = self.upon.get_mut(&leg.service) {
                ids.remove(id);
            }
        }
        for (cell, _) in old.cells() {
            if let Some(ids) = self.into.get_mut(&cell.backend) {
                ids.remove(id);
            }
        }
        for act in &old.acts {
            if let Some(set) = self.touched.get_mut(&act.by) {
                set.remove(&(act.at, id.clone()));
            }
        }
    }

    /// Puts an incident in place.
    pub fn put_incident(&mut self, incident: Incident) {
        self.incidents.insert(incident.name.clone(), incident);
    }

    /// Takes an incident away.
    pub fn remove_incident(&mut self, name: &IncidentName) {
        self.incidents.remove(name);
    }

    /// Does `change` count at `now`? Not ended, deadline ahead, incident open (or it was kept).
    pub fn active(&self, change: &Change, now: Timestamp) -> bool {
        change.running(now) && self.let_by_incident(change)
    }

    fn let_by_incident(&self, change: &Change) -> bool {
        change
            .incident
            .as_ref()
            .and_then(|name| self.incidents.get(name))
            .is_none_or(|incident| incident.lets(&change.id))
    }

    /// Active changes over a switch, oldest first.
    pub fn over(&self, name: &SwitchName, now: Timestamp) -> Vec<&Change> {
        let mut changes: Vec<&Change> = self
            .over
            .get(name)
            .into_iter()
            .flatten()
            .filter_map(|id| self.changes.get(id))
            .filter(|c| self.active(c, now))
            .collect();
        changes.sort_by_key(|c| (c.created, c.id.clone()));
        changes
    }

    /// Active changes that are written into a backend, oldest first.
    pub fn written_into(&self, backend: &BackendName, now: Timestamp) -> Vec<&Change> {
        let ids = self.into.get(backend).into_iter().flatten();
        let mut changes: Vec<&Change> =
            ids.filter_map(|id| self.changes.get(id)).filter(|c| self.active(c, now)).collect();
        changes.sort_by_key(|c| (c.created, c.id.clone()));
        changes
    }

    /// How many changes not yet ended lie over a switch.
    pub fn layer_count(&self, name: &SwitchName) -> usize {
        self.over.get(name).map_or(0, BTreeSet::len)
    }

    /// All changes kept of an incident, by id.
    pub fn tied_to(&self, name: &IncidentName) -> impl Iterator<Item = &Change> {
        self.tied.get(name).into_iter().flatten().filter_map(|id| self.changes.get(id))
    }

    /// Changes not ended, those that stop counting first first.
    pub fn not_ended(&self) -> impl Iterator<Item = &Change> {
        self.deadlines.iter().filter_map(|(_, id)| self.changes.get(id))
    }

    /// Active changes of an incident, newest first.
    pub fn of_incident(&self, name: &IncidentName, now: Timestamp) -> Vec<&Change> {
        let mut changes: Vec<&Change> = self.tied_to(name).filter(|c| self.active(c, now)).collect();
        changes.sort_by_key(|c| std::cmp::Reverse((c.created, c.id.clone())));
        changes
    }

    /// The base and layers of a switch.
    pub fn stack(&self, name: &SwitchName, now: Timestamp) -> Option<Stack> {
        self.stack_without(name, &BTreeSet::new(), now)
    }

    /// The same, as it would be if these changes were over.
    pub fn stack_without(
        &self,
        name: &SwitchName,
        gone: &BTreeSet<ChangeId>,
        now: Timestamp,
    ) -> Option<Stack> {
        let switch = self.switches.get(name)?;
        let layers = self
            .over(name, now)
            .into_iter()
            .filter(|change| !gone.contains(&change.id))
            .flat_map(|change| {
                change.switch_legs().filter(|leg| leg.switch == *name).map(move |leg| (change, leg))
            })
            .map(|(change, leg)| Layer {
                change: change.id.clone(),
                stance: leg.stance,
                scope: leg.scope.clone(),
                deadline: change.deadline,
                excepts: if leg.stance == Stance::Relaxes { change.excepts.clone() } else { BTreeSet::new() },
            })
            .collect();
        Some(Stack { base: switch.default, protects: switch.protects, layers })
    }

    /// Is the protecting setting in force anywhere, for anybody?
    pub fn is_shed(&self, name: &SwitchName, now: Timestamp) -> bool {
        self.stack(name, now)
            .is_some_and(|stack| stack.summary(now) != Summary::Everywhere(stack.protects.other()))
    }

    /// Switches whose `needs` or `excludes` join them with `name`, either way.
    pub fn partners(&self, name: &SwitchName) -> BTreeSet<SwitchName> {
        let mut all = self.partners.get(name).cloned().unwrap_or_default();
        if let Some(switch) = self.switches.get(name) {
            all.extend(switch.needs.iter().chain(&switch.excludes).cloned());
        }
        all
    }

    /// The next deadline of any change not ended.
    pub fn next_edge(&self, now: Timestamp) -> Option<Timestamp> {
        self.deadlines.iter().map(|(at, _)| *at).find(|at| *at > now)
    }

    /// Changes not ended whose deadline has passed.
    pub fn expired(&self, now: Timestamp) -> Vec<&Change> {
        let passed = self.deadlines.iter().take_while(|(at, _)| *at <= now);
        passed.filter_map(|(_, id)| self.changes.get(id)).collect()
    }

    /// The caller's newest act of the past hour that can still be reversed; on one change only, if named.
    pub fn last_act(&self, actor: &ActorName, only: Option<&ChangeId>, now: Timestamp) -> Option<LastAct> {
        let reach = now.minus(UNDO_REACH);
        let recent = self.touched.get(actor)?.iter().rev().take_while(|(at, _)| *at >= reach);
        let wanted = recent.filter(|(_, id)| only.is_none_or(|only| only == id));
        wanted.filter_map(|(at, id)| self.changes.get(id).map(|change| (at, change))).find_map(
            |(at, change)| {
                let act = change.acts.iter().rposition(|act| {
                    act.by == *actor
                        && act.at == *at
                        && act.undo == Undo::Open
                        && self.reversible(change, &act.did, now)
                })?;
                Some(LastAct { change: change.id.clone(), act })
            },
        )
    }

    fn reversible(&self, change: &Change, did: &Did, now: Timestamp) -> bool {
        match did {
            Did::Laid | Did::Extended { .. } => self.active(change, now),
            Did::Ended => now < change.deadline,
        }
    }

    /// The declared names nearest to one that is not declared, best first, at most three.
    pub fn near(&self, name: &SwitchName) -> Vec<SwitchName> {
        let wanted = name.to_string();
        let mut scored: Vec<(usize, &SwitchName)> = self
            .switches
            .keys()
            .map(|known| (edits(&wanted, &known.to_string()), known))
            .filter(|(score, known)| *score <= 3 || known.leaf() == name.leaf())
            .collect();
        scored.sort();
        scored.into_iter().take(3).map(|(_, known)| known.clone()).collect()
    }

    /// May this definition be put in place?
    pub fn accepts(&self, next: &Switch, now: Timestamp) -> Result<(), SwitchError> {
        next.check()?;
        if self.tombs.contains(&next.name) {
            return Err(SwitchError::NameUsed(next.name.clone()));
        }
        for (field, names) in [("needs", &next.needs), ("excludes", &next.excludes)] {
            if let Some(missing) = names.iter().find(|n| !self.switches.contains_key(n)) {
                let (name, missing) = (next.name.clone(), missing.clone());
                return Err(SwitchError::UnknownPartner { name, field, missing });
            }
        }
        let layers = self.over(&next.name, now);
        match self.switches.get(&next.name) {
            Some(old) if old.protects != next.protects && !layers.is_empty() => {
                Err(SwitchError::PolarityHeld {
                    name: next.name.clone(),
                    layers: layers.iter().map(|c| c.id.to_string()).collect(),
                })
            }
            _ => Ok(()),
        }
    }

    /// May this switch be deleted?
    pub fn lets_go(&self, name: &SwitchName, now: Timestamp) -> Result<(), SwitchError> {
        let in_use = |why: String| Err(SwitchError::InUse { name: name.clone(), why });
        let layers = self.over(name, now);
        if !layers.is_empty() {
            let ids: Vec<_> = layers.iter().map(|c| c.id.as_str()).collect();
            return in_use(format!("layers lie over it: {}", ids.join(", ")));
        }
        match self.partners.get(name).and_then(BTreeSet::first) {
            Some(other) => in_use(format!("{other} names it in `needs` or `excludes`")),
            None => Ok(()),
        }
    }
}

/// The known names nearest to `wanted`, best first, at most three.
pub(crate) fn nearest<'a, T: Clone + Ord + 'a>(
    wanted: &str,
    known: impl Iterator<Item = (&'a str, &'a T)>,
) -> Vec<T> {
    let mut scored: Vec<(usize, &T)> =
        known.map(|(text, name)| (edits(wanted, text), name)).filter(|(score, _)| *score <= 3).collect();
    scored.sort();
    scored.into_iter().take(3).map(|(_, name)| name.clone()).collect()
}

/// Edit distance (Levenshtein, 1966), in characters.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (diagonal + usize::from(ca != *cb)).min(above + 1).min(row[j] + 1);
            diagonal = above;
        }
    }
    row[b.len()]
}
