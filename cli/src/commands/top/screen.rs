//! The screen's state: which list, which row, what is typed, what is asked. Pure: no terminal, no server.

use super::feed::{Beside, News, Picture};
use super::rows::{self, Row};
use crate::render::{Look, Tone};
use clap::ValueEnum;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use rein_client::Key;
use rein_domain::name::ServiceName;

/// A list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tab {
    /// Services; Enter opens one
    Services,
    /// Degradation switches
    Switches,
    /// Changes in force
    Changes,
    /// Alerts that fire
    Alerts,
}

impl Tab {
    /// In the order of the keys 1 to 4.
    pub(super) const ALL: [Self; 4] = [Self::Services, Self::Switches, Self::Changes, Self::Alerts];

    fn at(self) -> usize {
        self as usize
    }
}

/// What a person wants done to the row they stand on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wish {
    /// Flip this switch.
    Flip(String),
    /// Drain this instance, `SERVICE/ID`.
    Drain(String),
    /// End this change.
    End(String),
    /// Take back one's own last act.
    Undo,
}

/// What is done once it is confirmed.
#[derive(Debug, Clone)]
pub(super) enum Deed {
    /// Lays a change.
    Lay(Box<rein_api::changes::ChangeRequest>, Key),
    /// Ends one, if its record is still of this revision.
    End(String, i64, Key),
    /// Takes back the last act, if it is on this change.
    Undo(String, Key),
}

/// What is asked before it is done.
#[derive(Debug, Clone)]
pub(super) struct Question {
    /// What it would do.
    pub(super) preview: Vec<String>,
    /// In one line.
    pub(super) question: String,
    /// What then.
    pub(super) deed: Deed,
}

/// What a key leads to outside the screen.
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing.
    None,
    /// Leave.
    Quit,
    /// This service is open now, or none.
    Inside(Option<ServiceName>),
    /// Preview this.
    Ask(Wish),
    /// It was confirmed.
    Do(Deed),
}

/// All of it.
pub(super) struct Screen {
    pub(super) picture: Picture,
    pub(super) beside: Beside,
    pub(super) tab: Tab,
    /// The service whose instances are shown.
    pub(super) inside: Option<ServiceName>,
    pub(super) filter: String,
    /// The filter is being typed.
    pub(super) typing: bool,
    /// For each list, and for instances, the column it is sorted by, and whether the other way round.
    sorts: [(usize, bool); 5],
    /// The row that is chosen, by its key: rows move.
    chosen: String,
    /// Where that row is.
    pub(super) at: usize,
    rows: Vec<Row>,
    /// Rows there would be without a filter.
    pub(super) unfiltered: usize,
    pub(super) question: Option<Question>,
    /// The keys are shown.
    pub(super) help: bool,
    /// What came of the last act.
    pub(super) said: Option<(Tone, String)>,
    /// Why the picture is old.
    pub(super) lost: Option<String>,
    /// Under which incident acts are laid.
    pub(super) incident: Option<String>,
    done: Vec<String>,
}

impl Screen {
    pub(super) fn new(tab: Tab, filter: String, incident: Option<String>) -> Self {
        Self {
            picture: Picture::default(),
            beside: Beside::default(),
            tab,
            inside: None,
            filter,
            typing: false,
            sorts: rows::SORTED.map(|column| (column, false)),
            chosen: String::new(),
            at: 0,
            rows: Vec::new(),
            unfiltered: 0,
            question: None,
            help: false,
            said: None,
            lost: None,
            incident,
            done: Vec::new(),
        }
    }

    /// Rows as they are shown.
    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// What was done, for the terminal that is left behind.
    pub(super) fn done(&self) -> &[String] {
        &self.done
    }

    /// The column that sorts, and whether the other way round.
    pub(super) fn sort(&self) -> (usize, bool) {
        self.sorts[self.place()]
    }

    fn place(&self) -> usize {
        if self.inside.is_some() { Tab::ALL.len() } else { self.tab.at() }
    }

    /// Takes in what the feed tells.
    pub(super) fn take(&mut self, news: News, look: &Look) {
        match news {
            News::Picture(picture) => {
                self.picture = *picture;
                self.lost = None;
            }
            News::Beside(beside) => self.beside = *beside,
            News::Lost(why) => self.lost = Some(why),
        }
        self.arrange(look);
    }

    /// Says what came of an act, now and on leaving.
    pub(super) fn say(&mut self, tone: Tone, text: String) {
        if tone == Tone::Good {
            self.done.push(text.clone());
        }
        self.said = Some((tone, text));
    }

    /// Makes the rows anew, and finds the one that was chosen.
    fn arrange(&mut self, look: &Look) {
        let all = rows::rows((&self.picture, &self.beside), self.tab, self.inside.as_ref(), look);
        self.unfiltered = all.len();
        let wanted = self.filter.to_lowercase();
        self.rows = all.into_iter().filter(|row| row.holds(&wanted)).collect();
        let (column, reversed) = self.sort();
        self.rows.sort_by(|a, b| {
            let by = a.compare(b, column);
            if reversed { by.reverse() } else { by }.then_with(|| a.key.cmp(&b.key))
        });
        let found = self.rows.iter().position(|row| row.key == self.chosen);
        self.at = found.unwrap_or(self.at).min(self.rows.len().saturating_sub(1));
        self.choose();
    }

    fn choose(&mut self) {
        self.chosen = self.rows.get(self.at).map(|row| row.key.clone()).unwrap_or_default();
    }

    fn go(&mut self, to: usize) -> Step {
        self.at = to.min(self.rows.len().saturating_sub(1));
        self.choose();
        Step::None
    }

    /// Answers a key.
    pub(super) fn key(&mut self, key: KeyEvent, look: &Look) -> Step {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        if control && matches!(key.code, KeyCode::Char('c' | 'd')) {
            return Step::Quit;
        }
        if self.typing {
            return self.type_filter(key.code, look);
        }
        if let Some(question) = self.question.take() {
            return match key.code {
                KeyCode::Char('y' | 'Y') => Step::Do(question.deed),
                KeyCode::Char('n' | 'N' | 'q') | KeyCode::Esc => {
                    self.said = Some((Tone::Dim, "nothing was changed".into()));
                    Step::None
                }
                _ => {
                    self.question = Some(question);
                    Step::None
                }
            };
        }
        if std::mem::take(&mut self.help) {
            return Step::None;
        }
        self.said = None;
        match key.code {
            KeyCode::Char('q') => Step::Quit,
            KeyCode::Char('?' | 'h') => {
                self.help = true;
                Step::None
            }
            KeyCode::Char('/') => {
                self.typing = true;
                Step::None
            }
            KeyCode::Char(digit @ '1'..='4') => self.open(Tab::ALL[digit as usize - '1' as usize], look),
            KeyCode::Tab => self.open(Tab::ALL[(self.tab.at() + 1) % 4], look),
            KeyCode::BackTab => self.open(Tab::ALL[(self.tab.at() + 3) % 4], look),
            KeyCode::Char('s') => self.sort_by(|(column, _), columns| ((column + 1) % columns, false), look),
            KeyCode::Char('r') => self.sort_by(|(column, reversed), _| (column, !reversed), look),
            _ => self.step(key.code, look),
        }
    }

    /// Keys that move, open or act.
    fn step(&mut self, code: KeyCode, look: &Look) -> Step {
        const PAGE: usize = 10;
        match code {
            KeyCode::Down | KeyCode::Char('j') => self.go(self.at + 1),
            KeyCode::Up | KeyCode::Char('k') => self.go(self.at.saturating_sub(1)),
            KeyCode::PageDown => self.go(self.at + PAGE),
            KeyCode::PageUp => self.go(self.at.saturating_sub(PAGE)),
            KeyCode::Home | KeyCode::Char('g') => self.go(0),
            KeyCode::End | KeyCode::Char('G') => self.go(usize::MAX),
            KeyCode::Enter if self.tab == Tab::Services && self.inside.is_none() => {
                let name: Option<ServiceName> = self.chosen.parse().ok();
                if name.is_some() { self.enter(name, look) } else { Step::None }
            }
            KeyCode::Esc | KeyCode::Backspace | KeyCode::Left if self.inside.is_some() => {
                let name = self.inside.as_ref().map(ToString::to_string).unwrap_or_default();
                let step = self.enter(None, look);
                self.chosen = name;
                self.arrange(look);
                step
            }
            KeyCode::Esc => {
                self.filter.clear();
                self.arrange(look);
                Step::None
            }
            KeyCode::Char('u') => Step::Ask(Wish::Undo),
            code => self.act(code),
        }
    }

    /// Keys that act on the row.
    fn act(&mut self, code: KeyCode) -> Step {
        let key = self.chosen.clone();
        let wish = match (code, self.tab) {
            _ if key.is_empty() => None,
            (KeyCode::Char('f' | ' '), Tab::Switches) => Some(Wish::Flip(key)),
            (KeyCode::Char('d'), Tab::Services) => {
                self.inside.as_ref().map(|service| Wish::Drain(format!("{service}/{key}")))
            }
            (KeyCode::Char('x'), Tab::Changes) => Some(Wish::End(key)),
            _ => None,
        };
        let elsewhere = match (code, &wish) {
            (KeyCode::Char('f' | ' '), None) => "2 shows the switches; f flips the one chosen",
            (KeyCode::Char('d'), None) => "open a service with Enter; d drains the instance chosen",
            (KeyCode::Char('x'), None) => "3 shows the changes; x ends the one chosen",
            _ => return wish.map_or(Step::None, Step::Ask),
        };
        self.said = Some((Tone::Dim, elsewhere.to_owned()));
        Step::None
    }

    fn open(&mut self, tab: Tab, look: &Look) -> Step {
        self.tab = tab;
        self.at = 0;
        self.chosen.clear();
        self.enter(None, look)
    }

    fn enter(&mut self, service: Option<ServiceName>, look: &Look) -> Step {
        self.picture.inside = None;
        self.beside.backends.of_instances.clear();
        self.inside.clone_from(&service);
        self.at = 0;
        self.chosen.clear();
        self.filter.clear();
        self.arrange(look);
        Step::Inside(service)
    }

    fn sort_by(&mut self, next: impl Fn((usize, bool), usize) -> (usize, bool), look: &Look) -> Step {
        let columns = rows::columns(self.tab, self.inside.as_ref()).len();
        let place = self.place();
        self.sorts[place] = next(self.sorts[place], columns);
        self.arrange(look);
        Step::None
    }

    fn type_filter(&mut self, code: KeyCode, look: &Look) -> Step {
        match code {
            KeyCode::Enter => self.typing = false,
            KeyCode::Esc => {
                self.typing = false;
                self.filter.clear();
            }
            KeyCode::Backspace => drop(self.filter.pop()),
            KeyCode::Char(c) => self.filter.push(c),
            _ => {}
        }
        self.arrange(look);
        Step::None
    }
}
