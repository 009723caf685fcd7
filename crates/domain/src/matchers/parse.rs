//! How matchers are written: Alertmanager's UTF-8 syntax, and amtool's bare first word.

use super::{MAX_ARGUMENT, MatchOp, Matcher, MatcherError, MatcherFault};
use std::fmt::{self, Write};

/// One piece of an argument.
enum Token {
    Open,
    Close,
    Comma,
    Op(MatchOp),
    /// A label or value, and where each of its characters was written, from 1.
    Text(String, Vec<usize>),
}

/// A piece, and where it begins, from 1.
type Placed = (usize, Token);

/// A character that ends a text outside quotes.
pub(super) fn is_reserved(c: char) -> bool {
    c.is_whitespace() || matches!(c, '{' | '}' | '!' | '=' | '~' | ',' | '\\' | '"' | '\'' | '`')
}

/// Writes a text in double quotes so that it can be read back.
pub(super) fn quote(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' | '\\' => write!(f, "\\{c}")?,
            '\n' => f.write_str("\\n")?,
            c if crate::text::is_unsafe(c) && c as u32 > 0xffff => write!(f, "\\U{:08x}", c as u32)?,
            c if crate::text::is_unsafe(c) => write!(f, "\\u{:04x}", c as u32)?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

/// The first argument: as any other, or an alert's bare name.
pub(super) fn first(text: &str) -> Result<Vec<Matcher>, MatcherError> {
    let bare = text.trim();
    if !bare.is_empty() && !bare.chars().any(|c| is_reserved(c) && !c.is_whitespace()) {
        return Ok(vec![Matcher::new("alertname", MatchOp::Equal, bare)?]);
    }
    if bare.starts_with('"')
        && let [(_, Token::Text(name, _))] = tokens(text)?.as_slice()
    {
        return Ok(vec![Matcher::new("alertname", MatchOp::Equal, name)?]);
    }
    list(text)
}

/// `a="b", c=~"d"`, with or without braces around it.
pub(super) fn list(text: &str) -> Result<Vec<Matcher>, MatcherError> {
    let end = text.chars().count() + 1;
    let tokens = tokens(text)?;
    let mut rest = tokens.as_slice();
    if let [(at, Token::Open), inner @ ..] = rest {
        let [inner @ .., (_, Token::Close)] = inner else {
            return Err(MatcherFault::Brace.at(*at));
        };
        rest = inner;
    }
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (matcher, behind) = one(rest, end)?;
        found.push(matcher);
        rest = match behind {
            [] => behind,
            [(_, Token::Comma), behind @ ..] => behind,
            [(at, Token::Open | Token::Close), ..] => return Err(MatcherFault::Brace.at(*at)),
            [(at, _), ..] => return Err(MatcherFault::NoComma.at(*at)),
        };
    }
    if found.is_empty() { Err(MatcherFault::None.at(1)) } else { Ok(found) }
}

/// One matcher, and what stands behind it.
fn one(tokens: &[Placed], end: usize) -> Result<(Matcher, &[Placed]), MatcherError> {
    let (name, op, value, places, behind) = match tokens {
        [(_, Token::Text(name, _)), (_, Token::Op(op)), (at, Token::Text(value, places)), behind @ ..] => {
            (name, *op, value, (*at, places), behind)
        }
        [(_, Token::Text(name, _)), (_, Token::Op(_)), rest @ ..] => {
            let at = rest.first().map_or(end, |(at, _)| *at);
            return Err(MatcherFault::NoValue(name.clone()).at(at));
        }
        [(_, Token::Text(name, _)), rest @ ..] => {
            let at = rest.first().map_or(end, |(at, _)| *at);
            return Err(MatcherFault::NoOperator(name.clone()).at(at));
        }
        [(at, Token::Open | Token::Close), ..] => return Err(MatcherFault::Brace.at(*at)),
        [(at, _), ..] => return Err(MatcherFault::NoLabel.at(*at)),
        [] => return Err(MatcherFault::NoLabel.at(end)),
    };
    let (start, places) = places;
    let matcher = Matcher::new(name, op, value).map_err(|error| {
        // The place is one in the value; the reader looks at the argument.
        let last = places.last().map_or(start, |last| last + 1);
        MatcherError { at: places.get(error.at - 1).copied().unwrap_or(last), ..error }
    })?;
    Ok((matcher, behind))
}

fn tokens(text: &str) -> Result<Vec<Placed>, MatcherError> {
    if text.len() > MAX_ARGUMENT {
        return Err(MatcherFault::TooLong { what: "argument", len: text.len(), max: MAX_ARGUMENT }.at(1));
    }
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut next = 0;
    while let Some(&c) = chars.get(next) {
        let at = next + 1;
        let after = chars.get(at).copied();
        let (token, taken) = match (c, after) {
            (c, _) if c.is_whitespace() => {
                next += 1;
                continue;
            }
            ('{', _) => (Token::Open, 1),
            ('}', _) => (Token::Close, 1),
            (',', _) => (Token::Comma, 1),
            ('=', Some('~')) => (Token::Op(MatchOp::Matches), 2),
            ('=', _) => (Token::Op(MatchOp::Equal), 1),
            ('!', Some('=')) => (Token::Op(MatchOp::NotEqual), 2),
            ('!', Some('~')) => (Token::Op(MatchOp::NotMatches), 2),
            ('"', _) => quoted(&chars, next)?,
            (c, _) if is_reserved(c) => return Err(MatcherFault::Reserved(c).at(at)),
            _ => {
                let taken = chars[next..].iter().take_while(|c| !is_reserved(**c)).count();
                let text = chars[next..next + taken].iter().collect();
                (Token::Text(text, (at..at + taken).collect()), taken)
            }
        };
        found.push((at, token));
        next += taken;
    }
    Ok(found)
}

/// Reads a text in double quotes by the rules of Go's string literals; answers how many characters it took.
fn quoted(chars: &[char], open: usize) -> Result<(Token, usize), MatcherError> {
    let mut bytes = Vec::new();
    // One place for each byte: an escape can spell part of a character.
    let mut places = Vec::new();
    let mut next = open + 1;
    loop {
        let from = next;
        let taken = match chars.get(next) {
            None => return Err(MatcherFault::Quote.at(open + 1)),
            Some('"') => break,
            Some('\\') => {
                escape(&chars[next + 1..], &mut bytes).ok_or(MatcherFault::Escape.at(next + 1))? + 1
            }
            Some(c) => {
                bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                1
            }
        };
        next += taken;
        places.resize(bytes.len(), from + 1);
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = places.get(error.utf8_error().valid_up_to()).copied().unwrap_or(open + 1);
        MatcherFault::Escape.at(at)
    })?;
    let places = text.char_indices().filter_map(|(byte, _)| places.get(byte).copied()).collect();
    Ok((Token::Text(text, places), next + 1 - open))
}

/// What stands behind a backslash; answers how many characters it took, `None` where Go knows no such escape.
fn escape(behind: &[char], out: &mut Vec<u8>) -> Option<usize> {
    let simple = match behind.first()? {
        'a' => 7,
        'b' => 8,
        'f' => 12,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 11,
        '\\' => b'\\',
        '"' => b'"',
        'x' => {
            out.push(u8::try_from(digits(behind.get(1..3)?, 16)?).ok()?);
            return Some(3);
        }
        'u' | 'U' => {
            let len = if behind[0] == 'u' { 4 } else { 8 };
            let c = char::from_u32(digits(behind.get(1..=len)?, 16)?)?;
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            return Some(1 + len);
        }
        '0'..='7' => {
            out.push(u8::try_from(digits(behind.get(..3)?, 8)?).ok()?);
            return Some(3);
        }
        _ => return None,
    };
    out.push(simple);
    Some(1)
}

fn digits(chars: &[char], radix: u32) -> Option<u32> {
    chars.iter().try_fold(0_u32, |sum, c| sum.checked_mul(radix)?.checked_add(c.to_digit(radix)?))
}
