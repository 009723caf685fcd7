//! Tokens and rights.

use crate::output::{Detail, Show};
use crate::render::{Cell, Look, Table, Tone, c};
use rein_api::access::{CanIView, TokenCreated, TokenList, TokenView, WhoAmI};

impl Show for TokenList {
    fn table(&self, look: &Look, _: Detail) -> String {
        let mut table = Table::new(["TOKEN", "ACTOR", "ROLE", "PATTERN", "EXPIRES", "MADE BY"]);
        for token in &self.tokens {
            let over = token.expires.0 <= look.now;
            let expires = format!("{} ({})", look.time(token.expires), look.relative(token.expires));
            table.row(vec![
                Cell::toned(Tone::Strong, &token.id),
                Cell::plain(&token.actor),
                Cell::plain(&token.role),
                Cell::plain(&token.pattern),
                Cell::toned(if over { Tone::Bad } else { Tone::Plain }, expires),
                Cell::plain(&token.by),
            ]);
        }
        table.render(look, "no tokens")
    }

    fn names(&self) -> Vec<String> {
        self.tokens.iter().map(|token| token.id.clone()).collect()
    }
}

impl Show for TokenView {
    fn table(&self, look: &Look, detail: Detail) -> String {
        TokenList { tokens: vec![self.clone()] }.table(look, detail)
    }

    fn names(&self) -> Vec<String> {
        vec![self.id.clone()]
    }
}

impl Show for TokenCreated {
    /// The secret alone, so that `> FILE` makes a token file.
    fn table(&self, _: &Look, _: Detail) -> String {
        c(&self.token).into_owned()
    }

    fn names(&self) -> Vec<String> {
        vec![self.view.id.clone()]
    }
}

/// What is said beside the secret.
pub(crate) fn created(look: &Look, view: &TokenView) -> String {
    format!(
        "token {} for {}: {} of {} until {} ({}); its secret is shown this once",
        look.paint(Tone::Strong, &view.id),
        c(&view.actor),
        c(&view.role),
        c(&view.pattern),
        look.time(view.expires),
        look.relative(view.expires),
    )
}

impl Show for WhoAmI {
    fn table(&self, look: &Look, _: Detail) -> String {
        format!(
            "{}: {} of {} until {} ({})",
            look.paint(Tone::Strong, &self.actor),
            c(&self.role),
            c(&self.pattern),
            look.time(self.expires),
            look.relative(self.expires),
        )
    }

    fn names(&self) -> Vec<String> {
        vec![self.actor.clone()]
    }
}

/// `yes`, or `no` and why.
fn can_i(look: &Look, view: &CanIView) -> String {
    let (tone, word) = if view.allowed { (Tone::Good, "yes") } else { (Tone::Bad, "no") };
    if view.why.is_empty() {
        look.paint(tone, word)
    } else {
        format!("{}: {}", look.paint(tone, word), c(&view.why))
    }
}

impl Show for CanIView {
    fn table(&self, look: &Look, _: Detail) -> String {
        can_i(look, self)
    }

    fn names(&self) -> Vec<String> {
        vec![if self.allowed { "yes" } else { "no" }.to_owned()]
    }
}
