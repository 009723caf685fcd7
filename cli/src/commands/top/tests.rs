use super::feed::{Beside, News, Picture};
use super::screen::{Deed, Question, Screen, Step, Tab, Wish};
use super::{draw, printed};
use crate::commands::service::beside as backends;
use crate::render::sample::look;
use crate::render::{Look, Tone};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use rein_api::services::{RegistryView, ServiceList, ServiceRow, VersionView, ZoneView};
use rein_api::telemetry::FiguresView;
use rein_client::Key;
use std::collections::BTreeMap;

fn service(name: &str, health: &str, up: u32) -> ServiceRow {
    ServiceRow {
        name: name.into(),
        owner: None,
        tier: None,
        health: health.into(),
        up,
        all: 4,
        drained: 0,
        zones: vec![ZoneView { zone: "sh".into(), up, all: 4 }],
        versions: vec![VersionView { version: "v1".into(), instances: 4 }],
        active_changes: 0,
        alarm: None,
        registries: vec![],
    }
}

fn picture(services: Vec<ServiceRow>) -> Picture {
    let instances = 4 * u32::try_from(services.len()).unwrap();
    let registry = RegistryView { instances, ..RegistryView::default() };
    Picture { services: Some(ServiceList { services, registry }), ..Picture::default() }
}

fn screen(services: Vec<ServiceRow>) -> Screen {
    let mut screen = Screen::new(Tab::Services, String::new(), None);
    screen.take(News::Picture(Box::new(picture(services))), &look());
    screen
}

fn press(screen: &mut Screen, code: KeyCode) -> Step {
    screen.key(KeyEvent::new(code, KeyModifiers::NONE), &look())
}

fn types(screen: &mut Screen, text: &str) {
    for c in text.chars() {
        press(screen, KeyCode::Char(c));
    }
}

fn keys(screen: &Screen) -> Vec<&str> {
    screen.rows().iter().map(|row| row.key.as_str()).collect()
}

fn shown(screen: &mut Screen) -> String {
    printed(screen, &look(), (100, 20)).unwrap()
}

/// What is wrong stands first; what is not measured is no data; a row is what backends and the registry say.
#[test]
fn the_worst_comes_first() {
    let mut screen = screen(vec![
        service("delivery", "up", 4),
        service("order", "degraded", 3),
        service("payment", "down", 0),
    ]);
    let figures =
        FiguresView { rps: Some(31.84), success: Some(0.912), p99: Some(0.64), ..FiguresView::default() };
    let backends =
        backends::Beside { figures: BTreeMap::from([("order".into(), figures)]), ..Default::default() };
    let beside = Beside { backends, ..Beside::default() };
    screen.take(News::Beside(Box::new(beside)), &look());
    insta::assert_snapshot!(shown(&mut screen), @r"
    rein  1 services 3  2 switches  3 changes  4 alerts  03:10:00
    12 instances · 2 services not up
    SERVICE   HEALTH▼   UP   REQ/S    OK       P99      ALERTS  CHANGES  ZONES   VERSIONS
    payment   down      0/4  no data  no data  no data                   sh 0/4  v1
    order     degraded  3/4  31.8     91.2 %   640 ms                    sh 3/4  v1
    delivery  up        4/4  no data  no data  no data                   sh 4/4  v1

    Enter open · / filter · s sort · Tab next list · u undo · ? keys · q leave
    ");
}

#[test]
fn the_chosen_row_stays_chosen_when_rows_move() {
    let mut screen = screen(vec![service("a", "up", 4), service("b", "up", 4), service("c", "up", 4)]);
    press(&mut screen, KeyCode::Down);
    assert_eq!(screen.at, 1);
    // `c` fell: it moves to the top, and `b` is still the one chosen.
    let moved = vec![service("a", "up", 4), service("b", "up", 4), service("c", "down", 0)];
    screen.take(News::Picture(Box::new(picture(moved))), &look());
    assert_eq!(keys(&screen), ["c", "a", "b"]);
    assert_eq!(screen.at, 2);
    let gone = vec![service("a", "up", 4)];
    screen.take(News::Picture(Box::new(picture(gone))), &look());
    assert_eq!(screen.at, 0);
}

#[test]
fn rows_are_filtered_and_sorted_by_any_column() {
    let mut screen =
        screen(vec![service("order", "up", 4), service("orders", "up", 2), service("sms", "up", 4)]);
    types(&mut screen, "/ORD");
    press(&mut screen, KeyCode::Enter);
    assert_eq!(keys(&screen), ["order", "orders"]);
    assert!(shown(&mut screen).contains("2 of 3"));
    press(&mut screen, KeyCode::Esc);
    assert_eq!(screen.rows().len(), 3);
    types(&mut screen, "s");
    assert_eq!(keys(&screen), ["orders", "order", "sms"], "by instances missing");
    types(&mut screen, "r");
    assert_eq!(keys(&screen)[2], "orders");
}

#[test]
fn nothing_is_done_unasked() {
    let mut screen = screen(vec![service("order", "up", 4)]);
    // What does not fit the list says where it does.
    assert!(matches!(press(&mut screen, KeyCode::Char('f')), Step::None));
    assert!(screen.said.as_ref().is_some_and(|(_, text)| text.contains("2 shows the switches")));
    assert!(matches!(press(&mut screen, KeyCode::Char('u')), Step::Ask(Wish::Undo)));
    let question = || Question {
        preview: vec!["order/x  on → off".into()],
        question: "Set it?".into(),
        deed: Deed::Undo("abc".into(), Key::fresh()),
    };
    screen.question = Some(question());
    assert!(shown(&mut screen).contains("Set it?"));
    for key in ['f', 'x', ' ', '1', '/'] {
        assert!(matches!(press(&mut screen, KeyCode::Char(key)), Step::None), "{key}");
        assert!(screen.question.is_some(), "{key} answers nothing");
    }
    assert!(matches!(press(&mut screen, KeyCode::Esc), Step::None));
    assert!(screen.question.is_none());
    screen.question = Some(question());
    assert!(matches!(press(&mut screen, KeyCode::Char('y')), Step::Do(Deed::Undo(of, _)) if of == "abc"));
    assert!(screen.question.is_none(), "it is done once");
}

#[test]
fn an_old_picture_says_so_and_stays() {
    let mut screen = screen(vec![service("order", "up", 4)]);
    screen.take(News::Lost("connection refused".into()), &look());
    let text = shown(&mut screen);
    assert!(text.contains("the server does not answer, this is old: connection refused"), "{text}");
    assert!(text.contains("order"), "{text}");
    screen.take(News::Picture(Box::new(picture(vec![]))), &look());
    assert!(!shown(&mut screen).contains("does not answer"));
}

#[test]
fn hostile_names_are_spelled_out() {
    let mut screen = screen(vec![service("a\x1b[2J\u{202e}b", "up\x07", 4)]);
    screen.say(Tone::Bad, "no\x1b]0;x\x07".into());
    let text = shown(&mut screen);
    assert!(!text.chars().any(|c| c.is_control() && c != '\n') && !text.contains('\u{202e}'), "{text:?}");
    assert!(text.contains("U+202E") || text.contains("202e"), "{text}");
}

/// Only what fits is drawn, however much there is.
#[test]
fn thousands_of_services_cost_a_screen() {
    let services = (0..5000).map(|n| service(&format!("service-{n:04}"), "up", 4)).collect();
    let mut screen = screen(services);
    press(&mut screen, KeyCode::End);
    assert_eq!(screen.at, 4999);
    let mut terminal = Terminal::new(TestBackend::new(120, 30)).unwrap();
    let look: Look = look();
    terminal.draw(|frame| draw::draw(frame, &screen, &look)).unwrap();
    let drawn: String =
        terminal.backend().buffer().content().iter().map(ratatui::buffer::Cell::symbol).collect();
    assert!(drawn.contains("service-4999") && !drawn.contains("service-4000"));
    for size in [(1, 1), (10, 3), (40, 6)] {
        let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
        terminal.draw(|frame| draw::draw(frame, &screen, &look)).unwrap();
    }
}
