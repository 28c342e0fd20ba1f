//! Hostile tokens, requests and configurations: each is rejected, and for the right reason.

use conformance::{Setting, TableReport, hostile};
use portcullis::AuthErrorKind;

#[test]
fn every_hostile_row_is_rejected_with_its_code_and_every_control_is_accepted() {
    let setting = Setting::new();
    let (rejected, accepted) = (hostile::rejected(&setting), hostile::accepted(&setting));
    for row in &rejected {
        let is_code = AuthErrorKind::ALL.iter().any(|kind| kind.code() == row.expected());
        assert!(is_code, "{}: {} is no code", row.name(), row.expected());
    }
    let report = TableReport::of(&[rejected.clone(), accepted.clone()].concat());
    for divergence in &report.divergences {
        println!("known divergence: {divergence}");
    }
    assert!(
        report.failures.is_empty(),
        "{} of {} rows failed:\n{}",
        report.failures.len(),
        rejected.len() + accepted.len(),
        report.failures.join("\n")
    );
    let rejected = rejected.len() - report.divergences.len();
    assert!(rejected >= 140 && accepted.len() >= 15, "the table has shrunk");
    println!(
        "hostile: {rejected} rows rejected with their code, {} controls accepted",
        accepted.len()
    );
}

#[test]
fn every_hostile_configuration_is_an_error_of_its_kind() {
    let rows = hostile::configurations(&Setting::new());
    let failures: Vec<_> = rows.iter().filter_map(hostile::ConfigRow::failure).collect();
    assert!(failures.is_empty(), "{} rows failed:\n{}", failures.len(), failures.join("\n"));
    println!("hostile: {} configurations rejected", rows.len());
}
