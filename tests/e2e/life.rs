//! How a server starts, refuses to start, and ends.

use crate::kit::client::Client;
use crate::kit::desk::piped;
use crate::kit::http::get;
use crate::kit::room::Room;
use crate::kit::server::{Server, Setup, Watched, declared, rein};
use crate::kit::service::Service;
use crate::kit::wait::{secs, until, until_true};
use rein_parts::free_port;
use rustix::process::Signal;
use serde_json::json;
use std::fs;
use std::io::Read;
use std::net::TcpStream;
use std::process::{Command, Output};
use std::time::Instant;

/// Runs `rein server` to its end, which has to come by itself.
fn serves(room: &Room, arguments: &[&str]) -> Output {
    let mut command: Command = rein();
    command.arg("server").args(arguments).env("HOME", room.path());
    let mut child = Watched(piped(&mut command));
    let status = until("rein server to end", secs(20), || child.0.try_wait().unwrap());
    let mut output = Output { status, stdout: Vec::new(), stderr: Vec::new() };
    child.0.stdout.take().unwrap().read_to_end(&mut output.stdout).unwrap();
    child.0.stderr.take().unwrap().read_to_end(&mut output.stderr).unwrap();
    output
}

/// It ends with this code and says all of this.
#[track_caller]
fn refuses(room: &Room, arguments: &[&str], exit: i32, says: &[&str]) {
    let output = serves(room, arguments);
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {err}");
    for text in says {
        assert!(err.contains(text), "{arguments:?} does not say {text:?}: {err}");
    }
}

#[test]
fn sigterm_ends_it_soon_with_streams_open() {
    let (mut server, desk) = declared("life-sigterm");
    let service = Service::start(&server, "order-1");
    let _watch = Watched(desk.spawn(&["watch"]));
    let idle = TcpStream::connect(server.http).unwrap();
    until_true("the watcher to be connected", secs(10), || {
        let metrics = get(server.http, "/metrics").bearer(&server.token()).reply().text();
        metrics.lines().any(|line| line.contains("/v1/events"))
    });
    let began = Instant::now();
    server.signal(Signal::TERM);
    let status = server.ends_within(secs(10));
    assert!(began.elapsed() <= secs(3), "it took {:?}", began.elapsed());
    assert_eq!(status.code(), Some(0), "{}", server.log());
    assert!(service.on("order.recommendations"), "its clients go on");
    drop(idle);
    // What it left behind is whole, and nobody else's.
    server.start_again();
    assert_eq!(desk.types("rein switch list -o name").done().lines().count(), 4);
}

#[test]
fn a_second_server_on_the_same_data_is_refused() {
    let (server, desk) = declared("life-second");
    let data = server.data().display().to_string();
    let [http, grpc] = [free_port(), free_port()].map(|port| format!("127.0.0.1:{port}"));
    let arguments = ["--http", &http, "--grpc", &grpc, "--data-dir", &data];
    refuses(&server.room, &arguments, 1, &[&data, "in use"]);
    // Nor does it take an address that is taken.
    let other = server.room.path().join("other").display().to_string();
    let taken = server.http.to_string();
    refuses(&server.room, &["--http", &taken, "--grpc", &grpc, "--data-dir", &other], 1, &[&taken, "--http"]);
    desk.types("rein status").done();
}

#[test]
fn a_door_off_loopback_wants_to_be_declared() {
    let room = Room::new("life-loopback");
    let data = room.path().join("data").display().to_string();
    let [one, two] = [free_port(), free_port()];
    let (local, any) = (format!("127.0.0.1:{one}"), format!("0.0.0.0:{two}"));
    let door = ["--data-dir", &data, "--http", &local, "--grpc", &any];
    refuses(&room, &door, 2, &[&any, "doors.flagd", "client CA", "tokens", "networks"]);
    let api = ["--data-dir", &data, "--grpc", &local, "--http", &any];
    refuses(&room, &api, 2, &[&any, "http", "tls", "behind_tls_proxy"]);
    let six = format!("[::]:{two}");
    refuses(&room, &["--data-dir", &data, "--http", &local, "--grpc", &six], 2, &["doors.flagd"]);
    assert!(!room.path().join("data").exists(), "it looked before it touched anything");
}

#[test]
fn a_declared_door_opens_to_tokens_only() {
    let env = vec![("REIN__DOORS__FLAGD__TOKENS".to_owned(), "true".to_owned())];
    let setup = Setup { env, ..Default::default() };
    let server = Server::start_with("life-tokens", setup);
    let desk = server.desk();
    desk.declare();
    let settings = json!({"host": "127.0.0.1", "port": server.grpc.port()});
    let errors = server.room.path().join("raw.stderr");
    let Some(mut raw) = Client::script("flagd_sync.py", &settings, &errors) else {
        return;
    };
    let said = raw.ask(&json!({"fetch": "flagSetId=order"}));
    assert_eq!(said["code"], "UNAUTHENTICATED", "{said}");
    assert!(!said.to_string().contains("recommendations"), "{said}");
}

#[test]
fn a_wrong_configuration_is_named_by_field() {
    let room = Room::new("life-config");
    let check = |text: &str| {
        let file = room.write("rein.toml", text).display().to_string();
        let output = serves(&room, &["check-config", "--config", &file]);
        let said = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(said).unwrap())
    };
    assert_eq!(check("http = \"127.0.0.1:7070\"\n").0, 0);
    for (text, says) in [
        ("htpp = \"127.0.0.1:7070\"\n", "htpp"),
        ("http = \"nowhere\"\n", "http"),
        ("grpc = \"0.0.0.0:8015\"\n", "doors.flagd"),
        ("[changes]\ndefault_seconds = 0\n", "changes.default_seconds"),
        ("[tls]\ncert = \"/nowhere.pem\"\nkey = \"/nowhere.key\"\n", "nowhere.pem"),
        ("[doors.flagd]\nnetworks = [\"10.0.0.0/99\"]\n", "networks"),
        ("= 1\n", "line 1"),
    ] {
        let (exit, said) = check(text);
        assert_eq!(exit, 2, "{text}: {said}");
        assert!(said.contains(says), "{text} does not name {says}: {said}");
    }
    let data = room.path().join("data").display().to_string();
    let file = room.write("rein.toml", "htpp = 1\n").display().to_string();
    refuses(&room, &["--config", &file, "--data-dir", &data], 2, &["htpp"]);
    assert!(!fs::exists(&data).unwrap());
}

#[test]
fn a_killed_server_has_lost_nothing_that_it_acknowledged() {
    let (mut server, desk) = declared("life-killed");
    let mut acknowledged = Vec::new();
    for _ in 0..3 {
        for _ in 0..3 {
            let change = desk.lays("off order/recommendations --for 10m");
            acknowledged.push(change["id"].as_str().unwrap().to_owned());
        }
        server.crash();
        server.start_again();
        let listed = desk.types("rein change list --active -o name").done();
        for id in &acknowledged {
            assert!(listed.lines().any(|line| line == id), "{id} was acknowledged and is lost:\n{listed}");
        }
    }
    let laid = desk.types("rein audit list -o json").json()["entries"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["verb"] == "switch:off")
        .count();
    assert_eq!(laid, acknowledged.len(), "each has its one entry");
    desk.types("rein audit verify").done();
}

#[test]
fn the_api_speaks_tls_to_those_who_trust_it() {
    let room = Room::new("life-tls-files");
    let (setup, cert) = Setup::tls(&room);
    let server = Server::start_with("life-tls", setup);
    let desk = server.desk().with("REIN_SERVER", &format!("https://{}", server.http));
    let trusting = desk.with("REIN_CA_FILE", &cert);
    trusting.declare();
    trusting.types("rein status").done();
    let _ = trusting.types("rein switch off order/coupons --for 10m --yes --no-wait").exit(0);
    // Who does not trust it sends no token there, and who speaks plainly gets nowhere.
    let _ = desk.types("rein status").exit(4).says("certificate");
    let _ = server.desk().types("rein status").exit(4);
}
