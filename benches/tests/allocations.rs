//! Allocations of Rust code on the way of a request. What AWS-LC allocates in C is not counted.

use portcullis_benches::{
    Case,
    adapters::{IDLE_LAYER, adapter_cases, adapters},
    all_cases,
};

/// For a token that is accepted: the claims, the caller, the scope and the grant.
const MAX_ACCEPTED: u64 = 4;
/// For a token that is rejected before its signature is looked at: the claims.
const MAX_REJECTED: u64 = 1;

#[test]
fn a_request_stays_within_its_budget_of_allocations() {
    let mut counted = 0;
    for case in all_cases() {
        let most = match case.name().split_once(' ') {
            Some((_, "ours")) => MAX_ACCEPTED,
            Some(("rejected", _)) => MAX_REJECTED,
            _ => continue,
        };
        let allocations = allocations(&case);
        println!("{}: {allocations} allocations", case.name());
        assert!(allocations <= most, "{}: {allocations}, at most {most}", case.name());
        counted += 1;
    }
    assert_eq!(counted, 8);
}

/// For the engine's own, what an adapter leaves for handlers, and the room for it in a request that
/// had no extensions.
const MAX_OVER_BARE: u64 = 7;

#[test]
fn an_adapter_stays_within_its_budget_of_allocations() {
    let cases = adapter_cases();
    let count = |name: &str| {
        allocations(cases.iter().find(|case| case.name() == name).expect("a case of this name"))
    };
    let axum_own = count(IDLE_LAYER) - count("axum bare");
    println!("axum, for any layer: {axum_own} allocations");
    for adapter in adapters() {
        let bare = count(&format!("{adapter} bare"));
        let over = count(&format!("{adapter} ours")) - bare;
        let most = match adapter {
            "axum" => MAX_OVER_BARE + axum_own,
            _ => MAX_OVER_BARE,
        };
        println!("{adapter}: {bare} allocations, {over} more with auth");
        assert!(over <= most, "{adapter}: {over} over the bare application, at most {most}");
    }
}

fn allocations(case: &Case) -> u64 {
    // Before, for what is made on first use.
    case.run();
    case.run();
    allocation_counter::measure(|| case.run()).count_total
}
