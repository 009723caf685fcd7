//! Text that came from elsewhere, made fit for a terminal or a log line.

use std::borrow::Cow;
use std::fmt::Write;

/// Control characters, bidirectional marks and zero-width characters: they can hide,
/// reorder or forge what a person reads (CVE-2021-25743 in kubectl is the known case).
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// `text` with every unsafe character spelled out as `\u{…}`, so that it is seen and does nothing.
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_unsafe(c) {
            let _ = write!(out, "\\u{{{:x}}}", c as u32);
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// One character as a reader can see it: itself in quotes, or its code point.
pub fn show_char(c: char) -> String {
    if is_unsafe(c) || c.is_whitespace() { format!("U+{:04X}", c as u32) } else { format!("`{c}`") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_unsafe_survives() {
        let hostile = "a\x1b[31mred\u{202e}\u{200b}\r\n\t\u{9b}x\u{feff}";
        let cleaned = clean(hostile);
        assert!(!cleaned.chars().any(is_unsafe));
        assert!(cleaned.starts_with("a\\u{1b}[31mred"));
        assert!(matches!(clean("堂食 ok – fine"), Cow::Borrowed(_)));
    }
}
