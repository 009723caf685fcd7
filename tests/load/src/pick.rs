//! Reads lines of JSON and says what one number in them came to: for scripts.

use clap::Args;
use serde_json::Value;
use std::io::BufRead;

/// Reads lines of JSON and prints one number of theirs: median, least and most
#[derive(Debug, Args)]
pub(crate) struct Pick {
    /// Where the number stands, such as `last.p99_ms`
    path: String,
    /// Print the median alone
    #[arg(long)]
    one: bool,
}

/// Six digits after the point: some numbers are seconds.
fn round(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// `MEDIAN LEAST MOST`, or the text itself where it is none; `-` where there is nothing.
pub(crate) fn run(args: &Pick, input: impl BufRead) -> String {
    let lines =
        input.lines().map_while(Result::ok).filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    let found: Vec<Value> = lines
        .filter_map(|line| {
            let value = args.path.split('.').try_fold(&line, |at, part| match part.parse::<usize>() {
                Ok(place) if at.is_array() => at.get(place),
                _ => at.get(part),
            })?;
            (!value.is_null()).then(|| value.clone())
        })
        .collect();
    let mut numbers: Vec<f64> = found.iter().filter_map(Value::as_f64).collect();
    numbers.sort_by(f64::total_cmp);
    let (Some(least), Some(most)) = (numbers.first(), numbers.last()) else {
        return found
            .first()
            .map_or_else(|| "-".to_owned(), |value| value.as_str().map_or(value.to_string(), str::to_owned));
    };
    let middle = numbers.len() / 2;
    let median = match numbers.len() % 2 {
        0 => f64::midpoint(numbers[middle - 1], numbers[middle]),
        _ => numbers[middle],
    };
    match args.one {
        true => round(median).to_string(),
        false => format!("{} {} {}", round(median), round(*least), round(*most)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_by_its_path() {
        let lines =
            "{\"a\":{\"b\":3},\"l\":[{\"m\":7}]}\n{\"a\":{\"b\":1}}\n{\"c\":\"x\"}\n{\"a\":{\"b\":2.5}}\n";
        let pick = |path: &str, one| run(&Pick { path: path.to_owned(), one }, lines.as_bytes());
        assert_eq!(pick("a.b", false), "2.5 1 3");
        assert_eq!(
            (pick("a.b", true), pick("c", true), pick("d", true)),
            ("2.5".into(), "x".into(), "-".into())
        );
    }
}
