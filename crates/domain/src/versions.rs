//! Changes of version, as registrations show them. Whoever registers brings along what ran before it
//! ([`Came`]), so that a roll-out is still seen when it is over and nobody
//! of before is left.

use crate::fleet::Fleet;
use crate::instance::Came;
use crate::name::{InstanceName, ServiceName, VersionName};
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// A version that came to a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionChange {
    /// The service.
    pub service: ServiceName,
    /// What it ran before.
    pub from: VersionName,
    /// What came.
    pub to: VersionName,
    /// When the first instance with it registered.
    pub at: Timestamp,
    /// Instances that run it now.
    pub instances: u32,
    /// Instances there are now.
    pub all: u32,
}

/// How the version of an instance that registers came to its service. What ran before is what it ran itself
/// in the life before, else what most of the others run, else what the last one ran that left. Absent: the
/// same version, or nothing is known of any other.
pub fn came(
    fleet: Option<&Fleet>,
    (id, version): (&InstanceName, Option<&VersionName>),
    left: Option<&VersionName>,
    now: Timestamp,
) -> Option<Came> {
    let version = version?;
    let own = fleet.and_then(|fleet| fleet.instances.get(id)).map(|it| &it.said);
    let ran = own.and_then(|said| said.version.clone());
    let from = ran.or_else(|| fleet.and_then(most)).or_else(|| left.cloned())?;
    let others = fleet.into_iter().flat_map(|fleet| fleet.instances.values()).map(|it| &it.said);
    let alike = others.filter(|said| said.version.as_ref() == Some(version));
    let known = alike.filter_map(|said| said.came.as_ref());
    if from == *version {
        let kept = own.filter(|said| said.version.as_ref() == Some(version));
        return kept.map_or_else(|| known.max_by_key(|came| came.at).cloned(), |said| said.came.clone());
    }
    // The second of a roll-out came with the first.
    let first = known.filter(|came| came.from == from).min_by_key(|came| came.at).cloned();
    Some(first.unwrap_or(Came { from, at: now }))
}

/// What most instances run; of two that are equally common, that of the oldest registration.
fn most(fleet: &Fleet) -> Option<VersionName> {
    let mut counts: BTreeMap<&VersionName, (u32, Timestamp)> = BTreeMap::new();
    for found in fleet.instances.values() {
        let Some(version) = &found.said.version else { continue };
        let (count, oldest) = counts.entry(version).or_insert((0, found.said.at));
        *count += 1;
        *oldest = (*oldest).min(found.said.at);
    }
    let best = counts.into_iter().max_by_key(|(_, (count, oldest))| (*count, std::cmp::Reverse(*oldest)));
    best.map(|(version, _)| version.clone())
}

/// Versions that came to a service since then, newest first.
pub fn changes(service: &ServiceName, fleet: &Fleet, since: Timestamp) -> Vec<VersionChange> {
    let all = u32::try_from(fleet.instances.len()).unwrap_or(u32::MAX);
    let mut versions: BTreeMap<&VersionName, (u32, Option<&Came>)> = BTreeMap::new();
    for found in fleet.instances.values() {
        let Some(version) = &found.said.version else { continue };
        let (count, newest) = versions.entry(version).or_default();
        *count += 1;
        *newest = (*newest).into_iter().chain(&found.said.came).max_by_key(|came| came.at);
    }
    let mut changes: Vec<VersionChange> = Vec::new();
    for (version, (instances, came)) in versions {
        let Some(Came { from, at }) = came.filter(|came| came.at >= since).cloned() else { continue };
        changes.push(VersionChange {
            service: service.clone(),
            from,
            to: version.clone(),
            at,
            instances,
            all,
        });
    }
    changes.sort_by(|a, b| (b.at, &b.to).cmp(&(a.at, &a.to)));
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::first_health;
    use crate::instance::Registration;
    use crate::instance::tests::registration;
    use crate::world::World;

    struct Company {
        world: World,
        clock: i64,
        left: Option<VersionName>,
    }

    impl Company {
        fn new() -> Self {
            Self { world: World::default(), clock: 0, left: None }
        }

        fn fleet(&self) -> Option<&Fleet> {
            self.world.fleet(&"order".parse().unwrap())
        }

        fn comes(&mut self, id: &str, version: Option<&str>) {
            self.clock += 1000;
            let version: Option<VersionName> = version.map(|v| v.parse().unwrap());
            let (at, name) = (Timestamp(self.clock), id.parse().unwrap());
            let came = came(self.fleet(), (&name, version.as_ref()), self.left.as_ref(), at);
            let said = Registration { version, at, came, ..registration("order", id, "sh") };
            let fresh = first_health(&said, Timestamp(0));
            self.world.put_instance(said, fresh);
        }

        fn goes(&mut self, id: &str) {
            let id: InstanceName = id.parse().unwrap();
            let gone = self.fleet().and_then(|fleet| fleet.instances.get(&id));
            self.left = gone.and_then(|it| it.said.version.clone()).or(self.left.take());
            self.world.remove_instance(&"order".parse().unwrap(), &id);
        }

        fn told(&self, since: i64) -> Vec<String> {
            let Some(fleet) = self.fleet() else { return Vec::new() };
            changes(&"order".parse().unwrap(), fleet, Timestamp(since))
                .iter()
                .map(|c| format!("{}→{} at {} {}/{}", c.from, c.to, c.at.0, c.instances, c.all))
                .collect()
        }
    }

    #[test]
    fn a_first_start_and_a_restart_are_no_change() {
        let mut company = Company::new();
        for id in ["a", "b", "c"] {
            company.comes(id, Some("v1"));
        }
        company.comes("a", Some("v1"));
        company.goes("b");
        company.comes("b", Some("v1"));
        company.comes("x", None);
        assert!(company.told(0).is_empty(), "{:?}", company.told(0));
    }

    #[test]
    fn a_rollout_is_one_change_while_it_goes_on_and_when_it_is_over() {
        let mut company = Company::new();
        for id in ["a1", "b1", "c1"] {
            company.comes(id, Some("v1"));
        }
        company.comes("a2", Some("v2"));
        assert_eq!(company.told(0), ["v1→v2 at 4000 1/4"]);
        for (comes, goes) in [("b2", "a1"), ("c2", "b1"), ("d2", "c1")] {
            company.comes(comes, Some("v2"));
            company.goes(goes);
        }
        assert_eq!(company.told(0), ["v1→v2 at 4000 4/4"]);
        assert_eq!(company.told(4000).len(), 1);
        assert!(company.told(4001).is_empty());
        // Those who restart do not make it another one.
        for id in ["a2", "b2", "c2", "d2"] {
            company.comes(id, Some("v2"));
        }
        assert_eq!(company.told(0), ["v1→v2 at 4000 4/4"]);
        // Back again, in place this time.
        company.comes("a2", Some("v1"));
        company.comes("b2", Some("v1"));
        assert_eq!(company.told(0), ["v2→v1 at 12000 2/4", "v1→v2 at 4000 2/4"]);
    }

    #[test]
    fn who_goes_before_the_next_one_comes_is_remembered() {
        let mut company = Company::new();
        company.comes("only", Some("v1"));
        company.goes("only");
        company.comes("only", Some("v2"));
        assert_eq!(company.told(0), ["v1→v2 at 2000 1/1"]);
    }
}
