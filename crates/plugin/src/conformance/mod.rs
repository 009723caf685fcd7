//! What every plugin promises, as one suite that runs against any of them.
//!
//! A plugin's tests implement [`Rig`] and call [`crate::conformance!`], which makes one test of each
//! check here. [`run`] does the same without a test harness, for plugins in other languages. A check
//! ends with the promise that was broken, in words.

mod cells;
mod program;
mod registry;
mod silences;
mod start;
mod telemetry;

use crate::{Adapter, CellKey, Configuration, Fault, Repeat, Seen, TargetName, Write};
use async_trait::async_trait;
use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use self::cells::*;
pub use self::program::{Kept, Program, Sample, over_socket};
pub use self::registry::*;
pub use self::silences::*;
pub use self::start::*;
pub use self::telemetry::*;

/// What a check ends with: the broken promise, in words.
pub type Verdict = Result<(), String>;

/// Makes plugins and backends to test.
#[async_trait]
pub trait Rig: Send + Sync {
    /// A plugin that was just started, and knows no backend yet. Several may run at once.
    async fn plugin(&self) -> Result<Arc<dyn Adapter>, String>;

    /// A backend that holds nothing yet.
    async fn backend(&self) -> Result<Subject, String>;
}

/// A backend, and how to speak of it.
pub struct Subject {
    /// What a plugin is told of it.
    pub configuration: Configuration,
    /// Configurations that must be refused, each with the JSON Pointer of the field that is wrong.
    pub wrong: Vec<(String, String)>,
    /// A noun the plugin serves.
    pub noun: String,
    /// Values a cell can hold, at least two, in canonical form. None for a plugin that only measures: it has
    /// no cells.
    pub values: Vec<String>,
    /// Other spellings: what is written, and the canonical form that is then observed.
    pub spellings: Vec<(String, String)>,
    /// Keeps the backend alive.
    pub keep: Box<dyn Any + Send + Sync>,
}

impl Subject {
    /// A target by that name; of a registry, an instance of one service.
    fn target(&self, name: &str) -> TargetName {
        let registry = self.noun == crate::registry::NOUN;
        let name = if registry { format!("conform/{name}") } else { name.to_owned() };
        TargetName { noun: self.noun.clone(), name }
    }
}

/// Makes one test of each check: `rein_plugin::conformance!(MyRig::new());`
#[macro_export]
macro_rules! conformance {
    ($rig:expr) => {
        $crate::conformance! { @list tests $rig }
    };
    (@list $form:tt $rig:expr) => {
        $crate::conformance! { @$form $rig;
            it_describes_itself_the_same_each_time,
            it_answers_nothing_before_it_is_configured_and_does_not_fall,
            wrong_configuration_is_refused_and_the_field_named,
            configuration_that_is_no_json_is_refused,
            a_check_grades_what_it_finds,
            resolve_answers_each_target_in_order,
            unknown_targets_are_refused,
            cells_that_hold_nothing_are_absent_and_keep_their_order,
            odd_keys_are_taken_or_refused_but_never_confused,
            what_was_applied_is_observed,
            values_survive_byte_for_byte,
            other_spellings_become_canonical,
            values_that_are_none_are_refused,
            applying_twice_makes_one_copy,
            applying_anew_replaces,
            applying_nothing_removes_and_may_be_repeated,
            cells_do_not_touch_each_other,
            another_process_sees_the_same,
            another_process_repeats_without_a_second_copy,
            a_write_given_up_can_be_repeated,
            calls_given_up_do_no_harm,
            many_calls_at_once_are_answered,
            too_many_cells_are_refused,
            silences_are_listed_once_each,
            alerts_are_counted,
            what_holds_no_cells_says_so,
            services_are_measured_once_each,
            a_service_asked_for_comes_alone,
            calls_are_listed_once_each,
            a_series_lies_where_it_was_asked_for,
            lines_are_the_series_of_many,
            versions_are_told_once_each,
            instances_are_listed_once_each,
            an_instance_is_taken_out_and_put_back,
            shares_are_given_or_refused_for_good,
        }
    };
    (@tests $rig:expr; $($name:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Err(broken) = $crate::conformance::$name(&$rig).await {
                    panic!("a promise of the plugin contract is broken: {broken}");
                }
            }
        )*
    };
    (@run $rig:expr; $($name:ident,)*) => {
        vec![$(Outcome { check: stringify!($name), verdict: $name($rig).await },)*]
    };
}

/// What became of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The check, as its function is called.
    pub check: &'static str,
    /// The broken promise, if one is.
    pub verdict: Verdict,
}

/// Runs the whole suite, one check after another.
pub async fn run(rig: &impl Rig) -> Vec<Outcome> {
    crate::conformance!(@list run rig)
}

/// Longest wait for something that has to happen; far above what it takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a peer may lack what others show before it is written again.
const ECHO: Duration = Duration::from_secs(2);

/// `Err` with the words, unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($words:tt)*) => {
        if !$condition {
            return Err(format!($($words)*));
        }
    };
}
use ensure;

/// A configured plugin with an empty backend.
struct Bench {
    subject: Subject,
    plugin: Arc<dyn Adapter>,
}

impl Bench {
    async fn new(rig: &impl Rig) -> Result<Self, String> {
        let subject = rig.backend().await?;
        let plugin = configured(rig, &subject).await?;
        Ok(Self { subject, plugin })
    }

    /// The same, unless the plugin has no cells.
    async fn with_cells(rig: &impl Rig) -> Result<Option<Self>, String> {
        let bench = Self::new(rig).await?;
        Ok(if bench.subject.values.is_empty() { None } else { Some(bench) })
    }

    /// The cell of a target by that name.
    async fn cell(&self, name: &str) -> Result<CellKey, String> {
        let target = self.subject.target(name);
        let mut cells = within("resolve", self.plugin.resolve(&[target])).await?;
        cells.pop().ok_or_else(|| format!("resolve gives no cell for `{name}`"))
    }

    fn value(&self, n: usize) -> Result<String, String> {
        self.subject.values.get(n).cloned().ok_or_else(|| format!("the rig has only {n} values"))
    }

    async fn see(&self, cell: &CellKey) -> Result<Seen, String> {
        see(&self.plugin, cell).await
    }

    async fn write(&self, cell: &CellKey, want: Option<String>, change: &str) -> Verdict {
        let seen = self.see(cell).await?;
        let write = write(cell, want, &seen, change);
        within("apply", self.plugin.apply(write)).await
    }

    async fn holds(&self, cell: &CellKey, value: Option<&str>) -> Result<Seen, String> {
        holds(&self.plugin, cell, value).await
    }
}

fn write(cell: &CellKey, want: Option<String>, seen: &Seen, change: &str) -> Write {
    Write {
        cell: cell.clone(),
        want,
        expected_version: seen.version.clone(),
        change: change.to_owned(),
        object: seen.object.clone(),
    }
}

async fn configured(rig: &impl Rig, subject: &Subject) -> Result<Arc<dyn Adapter>, String> {
    let plugin = rig.plugin().await?;
    within("describe", plugin.describe()).await?;
    let errors = within("configure", plugin.configure(subject.configuration.clone())).await?;
    ensure!(errors.is_empty(), "configure refuses the right configuration: {errors:?}");
    Ok(plugin)
}

async fn see(plugin: &Arc<dyn Adapter>, cell: &CellKey) -> Result<Seen, String> {
    let mut seen = within("observe", plugin.observe(std::slice::from_ref(cell))).await?;
    ensure!(seen.len() == 1, "observe of one cell gives {} answers", seen.len());
    let seen = seen.remove(0);
    ensure!(seen.cell == *cell, "observe of {cell:?} speaks of {:?}", seen.cell);
    Ok(seen)
}

/// Waits until every peer shows that a cell holds this and nothing twice. What a peer lacks is written again, as
/// the server does.
async fn holds(plugin: &Arc<dyn Adapter>, cell: &CellKey, value: Option<&str>) -> Result<Seen, String> {
    let begun = Instant::now();
    let until = begun + PATIENCE;
    let mut echoes = 0;
    loop {
        let seen = see(plugin, cell).await?;
        let copies = u32::from(value.is_some());
        if seen.value.as_deref() == value && seen.copies == copies && seen.missing_peers.is_empty() {
            return Ok(seen);
        }
        if seen.value.as_deref() == value && begun.elapsed() >= ECHO * (echoes + 1) {
            echoes += 1;
            if within("describe", plugin.describe()).await?.repeat != Repeat::None {
                let again = write(cell, value.map(str::to_owned), &seen, "again");
                within("apply again", plugin.apply(again)).await?;
            }
        }
        ensure!(
            Instant::now() < until,
            "{cell:?} was to hold {value:?} with {copies} copies on every peer, and shows {seen:?}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The answer of a call that must be given, and be no fault.
async fn within<T>(what: &str, call: impl Future<Output = Result<T, Fault>>) -> Result<T, String> {
    answered(what, call).await?.map_err(|fault| format!("{what}: {fault:?}"))
}

/// The answer of a call that must be given, a fault or not.
async fn answered<T>(what: &str, call: impl Future<Output = T>) -> Result<T, String> {
    let answer = tokio::time::timeout(PATIENCE, call).await;
    answer.map_err(|_| format!("{what} is not answered within {PATIENCE:?}"))
}
