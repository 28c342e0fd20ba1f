//! P5: one request in process, over the same application without auth.

use portcullis_benches::adapters::{IDLE_LAYER, adapter_cases, adapters};

use crate::{
    instructions,
    timing::{self, Effort},
};

/// Prints all figures. Times are judged by the reader, and allocations by a test.
pub(crate) fn report(effort: Effort) {
    let cases = adapter_cases();
    let times = timing::measure(&cases, effort);
    let instructions = instructions::measure(&cases);
    println!("P5: one request in process, HS256, over the application without auth (most: 2.0 µs)");
    println!("                               bare      ours     over it   instructions over it");
    for adapter in adapters() {
        let name = |case: &str| format!("{adapter} {case}");
        let time = |case: &str| times.get(&name(case)).copied().unwrap_or(f64::NAN) / 1e3;
        let count = |case: &str| instructions.as_ref()?.get(&name(case)).copied();
        let over = count("ours").zip(count("bare")).map(|(ours, bare)| ours.saturating_sub(bare));
        println!(
            "{adapter:<24} {:>8.2} µs {:>6.2} µs {:>6.2} µs   {}",
            time("bare"),
            time("ours"),
            time("ours") - time("bare"),
            over.map_or_else(|| "-".to_owned(), |over| over.to_string()),
        );
    }
    let time = |name: &str| times.get(name).copied().unwrap_or(f64::NAN) / 1e3;
    println!(
        "{IDLE_LAYER:<24} {:>8.2} µs {:>19.2} µs   (axum's own, for any layer)",
        time(IDLE_LAYER),
        time(IDLE_LAYER) - time("axum bare")
    );
    println!("(there is no cache of tokens yet: each request pays for the whole way)");
}
