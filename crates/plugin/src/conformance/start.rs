//! Checks of what comes before a backend: describing, configuring, looking.

use super::{Bench, Rig, Verdict, answered, ensure, within};
use crate::{CellKey, Configuration, Fault, schema};

/// `describe` needs no backend and always says the same; its schema is one, and takes the right
/// configuration.
pub async fn it_describes_itself_the_same_each_time(rig: &impl Rig) -> Verdict {
    let subject = rig.backend().await?;
    let plugin = rig.plugin().await?;
    let first = within("describe", plugin.describe()).await?;
    let second = within("describe, again", plugin.describe()).await?;
    ensure!(first == second, "describe says {first:?}, then {second:?}");
    within("configure", plugin.configure(subject.configuration.clone())).await?;
    let third = within("describe, configured", plugin.describe()).await?;
    ensure!(first == third, "describe says {first:?}, and once configured {third:?}");
    let other = within("describe of another process", rig.plugin().await?.describe()).await?;
    ensure!(first == other, "describe says {first:?}, and in another process {other:?}");
    let simple = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    ensure!(first.name.chars().all(simple), "the name {:?} is not of a-z, 0-9 and -", first.name);
    ensure!(!first.when_rein_dies.is_empty(), "when_rein_dies says nothing to whoever must know");
    ensure!(first.nouns.contains(&subject.noun), "{:?} is not among nouns {:?}", subject.noun, first.nouns);
    let errors = schema::check(&first.config_schema, &subject.configuration.config)
        .map_err(|e| format!("config_schema is no JSON Schema: {e}"))?;
    ensure!(errors.is_empty(), "config_schema refuses the right configuration: {errors:?}");
    for secret in subject.configuration.secrets.keys() {
        ensure!(first.secrets.contains(secret), "the secret {secret:?} is not asked for by describe");
    }
    Ok(())
}

/// A call that comes too early is a fault, and `configure` still works after it.
pub async fn it_answers_nothing_before_it_is_configured_and_does_not_fall(rig: &impl Rig) -> Verdict {
    let subject = rig.backend().await?;
    let plugin = rig.plugin().await?;
    let early = answered("observe", plugin.observe(&[CellKey("x".into())])).await?;
    ensure!(early.is_err(), "observe answers {early:?} without knowing a backend");
    let errors = within("configure", plugin.configure(subject.configuration.clone())).await?;
    ensure!(errors.is_empty(), "configure refuses the right configuration: {errors:?}");
    Ok(())
}

/// Each configuration that the rig calls wrong is refused, by the schema or by `configure`, and the
/// field's JSON Pointer is among the errors.
pub async fn wrong_configuration_is_refused_and_the_field_named(rig: &impl Rig) -> Verdict {
    let subject = rig.backend().await?;
    ensure!(!subject.wrong.is_empty(), "the rig names no wrong configuration");
    for (config, pointer) in &subject.wrong {
        let plugin = rig.plugin().await?;
        let description = within("describe", plugin.describe()).await?;
        let mut errors = schema::check(&description.config_schema, config)
            .map_err(|e| format!("config_schema is no JSON Schema: {e}"))?;
        if errors.is_empty() {
            let configuration = Configuration { config: config.clone(), ..subject.configuration.clone() };
            errors = within("configure", plugin.configure(configuration)).await?;
        }
        ensure!(!errors.is_empty(), "the configuration {config} is taken");
        ensure!(
            errors.iter().any(|error| error.field == *pointer),
            "the configuration {config} is refused, but not at {pointer:?}: {errors:?}"
        );
        ensure!(errors.iter().all(|error| !error.message.is_empty()), "an error says nothing: {errors:?}");
    }
    Ok(())
}

/// What the schema would have stopped does not make the plugin fall.
pub async fn configuration_that_is_no_json_is_refused(rig: &impl Rig) -> Verdict {
    let subject = rig.backend().await?;
    for config in ["", "{", "null", "[]", "\"x\"", "{\"\\ud800\":1}"] {
        let plugin = rig.plugin().await?;
        let configuration = Configuration { config: config.into(), ..subject.configuration.clone() };
        match answered("configure", plugin.configure(configuration)).await? {
            Err(Fault::Invalid(_)) => {}
            Ok(errors) if !errors.is_empty() => {}
            other => return Err(format!("the configuration `{config}` is answered with {other:?}")),
        }
        within("describe, afterwards", plugin.describe()).await?;
    }
    Ok(())
}

/// `check` looks at the backend and finds at least one thing worth a line.
pub async fn a_check_grades_what_it_finds(rig: &impl Rig) -> Verdict {
    let bench = Bench::new(rig).await?;
    let findings = within("check", bench.plugin.check()).await?;
    ensure!(!findings.is_empty(), "check of a backend that is there finds nothing to say");
    for finding in &findings {
        ensure!(finding.grade < crate::Grade::Error, "check of a sound backend finds {finding:?}");
        ensure!(!finding.message.is_empty(), "a finding says nothing: {finding:?}");
    }
    Ok(())
}
