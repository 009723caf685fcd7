//! Tokens, contexts, and a server that is not there.

use crate::flows::{FILTERS, company, shows};

#[test]
fn tokens_open_what_they_say_and_no_more() {
    let (_server, desk, _service) = company("flow-tokens");
    let bob = desk.colleague("bob", "operator", "order/*");
    shows!(bob.types("rein auth whoami").exit(0), @"
    $ rein auth whoami
    bob: operator of order/* until [time] (in [span])
    ");
    shows!(bob.types("rein auth can-i switch:off 'order/*'").exit(0), @"
    $ rein auth can-i switch:off order/*
    yes: bob is operator of order/*
    ");
    shows!(bob.types("rein auth can-i switch:off payment/card").exit(6), @"
    $ rein auth can-i switch:off payment/card
    no: bob is operator of order/*
    --- exit 6
    ");
    shows!(bob.types("rein switch off payment/card --for 10m --yes").exit(6), @"
    $ rein switch off payment/card --for 10m --yes
    --- stderr
    error: bob may not switch:off on payment/card
    hint: rein auth can-i switch:off 'payment/card' says what your token grants
    --- exit 6
    ");
    shows!(bob.types("rein token create --actor eve --role admin --pattern '*' --for 1h").exit(6), @"
    $ rein token create --actor eve --role admin --pattern * --for 1h
    --- stderr
    error: bob may not token:manage on order/*
    hint: rein auth can-i token:manage 'order/*' says what your token grants
    --- exit 6
    ");
    let list = desk.types("rein token list").exit(0);
    assert!(list.out.contains("bob") && list.out.contains("order/*"), "{}", list.out);
    let token = desk.types("rein token list -o json").json();
    let token = token["tokens"].as_array().unwrap().iter().find(|t| t["actor"] == "bob").unwrap().clone();
    let id = token["id"].as_str().unwrap();
    desk.types(&format!("rein token revoke {id} --yes")).done();
    shows!(bob.types("rein status").exit(1), @"
    $ rein status
    --- stderr
    error: the token is unknown or has expired
    hint: ask an admin for a new one: rein token create
    --- exit 1
    ");
}

#[test]
fn no_server_is_said_with_what_to_type() {
    let (mut server, desk, _service) = company("flow-unreachable");
    server.stop();
    for line in ["rein status", "rein switch off order/recommendations --for 10m --yes", "rein undo --yes"] {
        let _ = desk.types(line).exit(4).says("cannot reach");
    }
    shows!(desk.types("rein switch list").exit(4), @"
    $ rein switch list
    --- stderr
    error: cannot reach http://[address]: Connection refused (os error 111)
    hint: rein server  # start one here, or `rein demo` for a whole company
    hint: rein context list  # or choose another with --server URL, REIN_SERVER
    --- exit 4
    ");
}

#[test]
fn contexts_are_remembered_and_chosen() {
    let (server, desk, _service) = company("flow-contexts");
    let token = server.data().join("admin.token").display().to_string();
    let bare = desk.with("REIN_SERVER", "").with("REIN_TOKEN_FILE", "");
    bare.types(&format!("rein context add prod --server {} --token-file {token}", server.url())).done();
    bare.types("rein context add lab --server http://127.0.0.1:9").done();
    bare.types("rein context use prod").done();
    let list = bare.types("rein context list").exit(0);
    assert!(list.out.contains("prod") && list.out.contains("lab"), "{}", list.out);
    bare.types("rein status").done();
    let _ = bare.types("rein status --context lab").exit(4);
    let _ = bare.types("rein status --context prd").exit(2).says("did you mean prod?");
    let other = bare.with("REIN_SERVER", "http://127.0.0.1:9");
    let _ = other.types("rein status").exit(4).says("127.0.0.1:9");
}
