//! Switches as declared files.

use crate::flows::{FILTERS, OFF, company, id, shows};

#[test]
fn switches_are_declared_in_files_and_come_back_as_such() {
    let (_server, desk, _service) = company("flow-apply");
    shows!(desk.types("rein diff -f switches.yaml --exit-code").exit(0), @"
    $ rein diff -f switches.yaml --exit-code
    --- stderr
    no differences
    ");
    let text =
        crate::kit::server::SWITCHES.replace("level: 4", "level: 3").replace("team-payment", "team-pay");
    let text =
        text + "---\nkind: switch\nname: sms/marketing\nowner: team-sms\nlevel: 4\nlost: news by text\n";
    std::fs::write(desk.home().join("next.yaml"), text).unwrap();
    shows!(desk.types("rein diff -f next.yaml").exit(0), @"
    $ rein diff -f next.yaml
    ~ order/coupons
      level: 4 → 3
    ~ payment/card
      owner: team-payment → team-pay
    ~ payment/wallet
      owner: team-payment → team-pay
    + sms/marketing
    ");
    let _ = desk.types("rein diff -f next.yaml --exit-code").exit(10);
    shows!(desk.types("rein apply -f next.yaml --dry-run").exit(0), @"
    $ rein apply -f next.yaml --dry-run
    KIND  NAME  OUTCOME  NOTE
    switch  order/recommendations  unchanged  -
    switch  order/coupons  altered  -
    switch  payment/card  altered  -
    switch  payment/wallet  altered  -
    switch  sms/marketing  created  -
    --- stderr
    dry run: nothing was declared
    ");
    let _ = desk.types("rein diff -f next.yaml --exit-code").exit(10);
    shows!(desk.types("rein apply -f next.yaml").exit(0), @"
    $ rein apply -f next.yaml
    KIND  NAME  OUTCOME  NOTE
    switch  order/recommendations  unchanged  -
    switch  order/coupons  altered  -
    switch  payment/card  altered  -
    switch  payment/wallet  altered  -
    switch  sms/marketing  created  -
    ");
    shows!(desk.types("rein apply -f next.yaml").exit(0), @"
    $ rein apply -f next.yaml
    KIND  NAME  OUTCOME  NOTE
    switch  order/recommendations  unchanged  -
    switch  order/coupons  unchanged  -
    switch  payment/card  unchanged  -
    switch  payment/wallet  unchanged  -
    switch  sms/marketing  unchanged  -
    ");
    // What is exported is what was applied: as one stream, and as a directory.
    let exported = desk.types("rein export").done();
    std::fs::write(desk.home().join("exported.yaml"), exported).unwrap();
    let _ = desk.types("rein diff -f exported.yaml --exit-code").exit(0);
    desk.types("rein export all").done();
    desk.types("rein export all-json -o json").done();
    for dir in ["all", "all-json"] {
        let said = desk.types(&format!("rein diff -f {dir} --exit-code")).exit(0);
        assert!(!said.err.contains("not in these files"), "{}", said.err);
    }
    let hidden = desk.types(&format!("{OFF} --for 10m --yes -o json")).exit(0);
    let text = std::fs::read_to_string(desk.home().join("next.yaml")).unwrap();
    let text = text.replacen("level: 3\n", "level: 3\ndefault: off\n", 1);
    std::fs::write(desk.home().join("next.yaml"), text).unwrap();
    shows!(desk.types("rein apply -f next.yaml").exit(0), @"
    $ rein apply -f next.yaml
    KIND  NAME  OUTCOME  NOTE
    switch  order/recommendations  altered  hidden by layers until [time]
    switch  order/coupons  unchanged  -
    switch  payment/card  unchanged  -
    switch  payment/wallet  unchanged  -
    switch  sms/marketing  unchanged  -
    ");
    drop(id(&hidden));
}
