//! What an expression means: RE2 as Go reads it, anchored at both ends.
//!
//! Rust's `regex` is a close relative of RE2 and differs in places: its `\d` takes all of Unicode, and
//! `[a&&b]` is an intersection. What can be translated is translated here; what would mean another thing to
//! Alertmanager than to Rein is refused, because a preview and a guard that misread a silence are worse than
//! none.

use super::{MatcherError, MatcherFault};
use regex::Regex;
use regex_syntax::ast::{self, Ast};
use std::fmt;

/// Bytes a compiled expression may take.
const SIZE: usize = 1 << 20;
/// How deep groups may nest.
const NEST: u32 = 64;
/// Highest count of a repetition, as in Go.
const REPEAT: u32 = 1000;

/// A compiled expression.
#[derive(Clone)]
pub(super) struct Pattern {
    regex: Regex,
}

impl Pattern {
    /// Compiles an expression as Alertmanager would.
    pub(super) fn new(text: &str) -> Result<Self, MatcherError> {
        let refuse = |byte: usize, why: String| {
            // Places count characters, from 1.
            let at = text.get(..byte).map_or(0, |before| before.chars().count()) + 1;
            MatcherFault::Pattern(why).at(at)
        };
        let tree = ast::parse::ParserBuilder::new()
            .nest_limit(NEST)
            .build()
            .parse(text)
            .map_err(|error| refuse(error.span().start.offset, error.kind().to_string()))?;
        let edits =
            ast::visit(&tree, Dialect { edits: Vec::new() }).map_err(|(byte, why)| refuse(byte, why))?;
        let mut anchored = String::from("^(?:");
        let mut done = 0;
        for (span, instead) in edits {
            anchored.push_str(text.get(done..span.start.offset).unwrap_or_default());
            anchored.push_str(instead);
            done = span.end.offset;
        }
        anchored.push_str(text.get(done..).unwrap_or_default());
        anchored.push_str(")$");
        let regex = regex::RegexBuilder::new(&anchored)
            .size_limit(SIZE)
            .dfa_size_limit(SIZE)
            .nest_limit(NEST + 2)
            .build()
            .map_err(|error| match error {
                regex::Error::CompiledTooBig(_) => {
                    refuse(0, "it grows too large; use fewer or smaller repetitions".to_owned())
                }
                // The last line says it; those before draw the expression as it was rewritten here.
                other => refuse(0, other.to_string().lines().last().unwrap_or_default().to_owned()),
            })?;
        Ok(Self { regex })
    }

    /// Does it describe this text from end to end?
    pub(super) fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// The expression in Rust's dialect, anchored.
    pub(super) fn anchored(&self) -> &str {
        self.regex.as_str()
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.regex.as_str())
    }
}

/// Walks an expression, collects what has to be spelled otherwise for Rust, and refuses what Go does not
/// know or reads otherwise.
struct Dialect {
    edits: Vec<(ast::Span, &'static str)>,
}

type Refusal = (usize, String);

fn refusal<T>(span: &ast::Span, why: &str) -> Result<T, Refusal> {
    Err((span.start.offset, why.to_owned()))
}

impl Dialect {
    fn perl(&mut self, class: &ast::ClassPerl) {
        let instead = match (&class.kind, class.negated) {
            (ast::ClassPerlKind::Digit, false) => "[0-9]",
            (ast::ClassPerlKind::Digit, true) => "[^0-9]",
            (ast::ClassPerlKind::Space, false) => r"[\t\n\f\r ]",
            (ast::ClassPerlKind::Space, true) => r"[^\t\n\f\r ]",
            (ast::ClassPerlKind::Word, false) => "[0-9A-Za-z_]",
            (ast::ClassPerlKind::Word, true) => "[^0-9A-Za-z_]",
        };
        self.edits.push((class.span, instead));
    }

    fn unicode(class: &ast::ClassUnicode) -> Result<(), Refusal> {
        match class.kind {
            ast::ClassUnicodeKind::NamedValue { .. } => {
                refusal(&class.span, "RE2 knows \\p{Greek} and \\pL, not a property with a value")
            }
            _ => Ok(()),
        }
    }

    fn literal(literal: &ast::Literal) -> Result<(), Refusal> {
        use ast::{HexLiteralKind as Hex, LiteralKind as Kind};
        match literal.kind {
            Kind::HexFixed(Hex::UnicodeShort | Hex::UnicodeLong)
            | Kind::HexBrace(Hex::UnicodeShort | Hex::UnicodeLong) => {
                refusal(&literal.span, "RE2 knows no \\u; write the character itself, or \\x{…}")
            }
            _ => Ok(()),
        }
    }

    fn flags(flags: &ast::Flags) -> Result<(), Refusal> {
        let strange = flags.items.iter().find(|item| {
            matches!(
                item.kind,
                ast::FlagsItemKind::Flag(ast::Flag::Unicode | ast::Flag::CRLF | ast::Flag::IgnoreWhitespace)
            )
        });
        strange.map_or(Ok(()), |item| refusal(&item.span, "RE2 knows the flags i, m, s and U"))
    }

    fn assertion(&mut self, assertion: &ast::Assertion) -> Result<(), Refusal> {
        use ast::AssertionKind as Kind;
        match assertion.kind {
            Kind::StartLine | Kind::EndLine | Kind::StartText | Kind::EndText => Ok(()),
            Kind::WordBoundary => {
                self.edits.push((assertion.span, r"(?-u:\b)"));
                Ok(())
            }
            _ => refusal(&assertion.span, "this boundary is not supported; write what stands there instead"),
        }
    }

    fn repetition(repetition: &ast::Repetition) -> Result<(), Refusal> {
        let span = &repetition.op.span;
        if matches!(*repetition.ast, Ast::Repetition(_)) {
            return refusal(span, "a repetition cannot directly follow another; use a group");
        }
        let highest = match &repetition.op.kind {
            ast::RepetitionKind::Range(
                ast::RepetitionRange::Exactly(n)
                | ast::RepetitionRange::AtLeast(n)
                | ast::RepetitionRange::Bounded(_, n),
            ) => *n,
            _ => 0,
        };
        if highest > REPEAT {
            return refusal(span, "RE2 repeats at most 1000 times");
        }
        Ok(())
    }
}

impl ast::Visitor for Dialect {
    type Output = Vec<(ast::Span, &'static str)>;
    type Err = Refusal;

    fn finish(self) -> Result<Self::Output, Refusal> {
        Ok(self.edits)
    }

    fn visit_pre(&mut self, node: &Ast) -> Result<(), Refusal> {
        match node {
            Ast::ClassPerl(class) => self.perl(class),
            Ast::ClassUnicode(class) => Self::unicode(class)?,
            Ast::Literal(literal) => Self::literal(literal)?,
            Ast::Flags(flags) => Self::flags(&flags.flags)?,
            Ast::Assertion(assertion) => self.assertion(assertion)?,
            Ast::Repetition(repetition) => Self::repetition(repetition)?,
            Ast::Group(group) => {
                if let ast::GroupKind::NonCapturing(flags) = &group.kind {
                    Self::flags(flags)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn visit_class_set_item_pre(&mut self, item: &ast::ClassSetItem) -> Result<(), Refusal> {
        match item {
            ast::ClassSetItem::Perl(class) => self.perl(class),
            ast::ClassSetItem::Unicode(class) => Self::unicode(class)?,
            ast::ClassSetItem::Literal(literal) => Self::literal(literal)?,
            ast::ClassSetItem::Range(range) => {
                Self::literal(&range.start)?;
                Self::literal(&range.end)?;
            }
            ast::ClassSetItem::Bracketed(inner) => {
                return refusal(
                    &inner.span,
                    "RE2 knows no class within a class; write \\[ for the character",
                );
            }
            _ => {}
        }
        Ok(())
    }

    fn visit_class_set_binary_op_pre(&mut self, op: &ast::ClassSetBinaryOp) -> Result<(), Refusal> {
        refusal(&op.span, "RE2 reads && -- and ~~ within a class as characters; write each one once")
    }
}
