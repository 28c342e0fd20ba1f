//! Allocations of Rust code on the way of a request. What AWS-LC allocates in C is not counted.

use portcullis_benches::all_cases;

/// For a token that is accepted: the claims, the caller, the scope and the grant.
const MAX_ACCEPTED: u64 = 4;
/// For a token that is refused before its signature is looked at: the claims.
const MAX_REFUSED: u64 = 1;

#[test]
fn a_request_stays_within_its_budget_of_allocations() {
    let mut counted = 0;
    for case in all_cases() {
        let most = match case.name.split_once(' ') {
            Some((_, "ours")) => MAX_ACCEPTED,
            Some(("refused", _)) => MAX_REFUSED,
            _ => continue,
        };
        // Once before, for what is made on first use.
        (case.run)();
        let allocations = allocation_counter::measure(|| (case.run)()).count_total;
        println!("{}: {allocations} allocations", case.name);
        assert!(allocations <= most, "{}: {allocations}, at most {most}", case.name);
        counted += 1;
    }
    assert_eq!(counted, 8);
}
