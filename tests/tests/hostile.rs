//! Hostile tokens, requests and configurations: each is refused, and for the right reason.

use conformance::{Setting, TableReport, hostile};
use portcullis::AuthErrorKind;

#[test]
fn every_hostile_row_is_refused_with_its_code_and_every_control_is_accepted() {
    let setting = Setting::new();
    let (refused, accepted) = (hostile::refused(&setting), hostile::accepted(&setting));
    for row in &refused {
        let is_code = AuthErrorKind::ALL.iter().any(|kind| kind.code() == row.expected());
        assert!(is_code, "{}: {} is no code", row.name(), row.expected());
    }
    let report = TableReport::of(&[refused.clone(), accepted.clone()].concat());
    for divergence in &report.divergences {
        println!("known divergence: {divergence}");
    }
    assert!(
        report.failures.is_empty(),
        "{} of {} rows failed:\n{}",
        report.failures.len(),
        refused.len() + accepted.len(),
        report.failures.join("\n")
    );
    let refused = refused.len() - report.divergences.len();
    assert!(refused >= 140 && accepted.len() >= 15, "the table has shrunk");
    println!(
        "hostile: {refused} rows refused with their code, {} controls accepted",
        accepted.len()
    );
}

#[test]
fn every_hostile_configuration_is_an_error_of_its_kind() {
    let rows = hostile::configurations(&Setting::new());
    let failures: Vec<_> = rows.iter().filter_map(hostile::ConfigRow::failure).collect();
    assert!(failures.is_empty(), "{} rows failed:\n{}", failures.len(), failures.join("\n"));
    println!("hostile: {} configurations refused", rows.len());
}
