//! The figures beside their budget.

use portcullis_benches::ALGORITHMS;

use crate::{instructions::Instructions, timing::Times};

/// Beyond the bare signature check: what the rest of the way may cost.
const MAX_INSTRUCTIONS: u64 = 12_000;

/// The most that ours may take, as a ratio to the bare check and to the peer.
fn max_ratios(algorithm: &str) -> (f64, f64) {
    match algorithm {
        "RS256" => (1.07, 0.74),
        "ES256" => (1.03, 0.93),
        "EdDSA" => (1.04, f64::INFINITY),
        _ => (2.5, 0.32),
    }
}

/// Prints all figures. Tells whether the counts are within their budget; times are judged by the
/// reader, since a busy machine moves them.
pub(crate) fn report(times: &Times, instructions: Option<&Instructions>) -> bool {
    let mut within = true;
    let mut check = |what: String, got: u64, most: u64| {
        if got > most {
            println!("OVER BUDGET: {what}: {got}, at most {most}");
            within = false;
        }
    };
    println!("P1, P2: whole way of a request, token not seen before (extract to map)");
    println!(
        "        bare      ours     ratio (most)   to jsonwebtoken (most)   instructions beyond bare"
    );
    for algorithm in ALGORITHMS.map(|algorithm| algorithm.name()) {
        let name = |case: &str| format!("{algorithm} {case}");
        let time = |case: &str| times.get(&name(case)).copied().unwrap_or(f64::NAN);
        let (most, most_of_peer) = max_ratios(algorithm);
        let beyond = instructions.map(|counts| count(counts, &name("ours")));
        if let Some(beyond) = beyond {
            check(name("instructions"), beyond, MAX_INSTRUCTIONS);
        }
        println!(
            "{algorithm}  {:>8.2} µs {:>8.2} µs  {:.3} ({most:.2})   {:.3} ({most_of_peer:.2})   {}",
            time("bare") / 1e3,
            time("ours") / 1e3,
            time("ours") / time("bare"),
            time("ours") / time("jsonwebtoken"),
            beyond.map_or_else(|| "-".to_owned(), |beyond| beyond.to_string()),
        );
    }
    println!("P9: rejections before the signature (most: 250 ns, too long 100 ns)");
    let mut rejections: Vec<_> = times.keys().filter(|name| name.starts_with("rejected")).collect();
    rejections.sort();
    for name in rejections {
        let counted = instructions.map_or(0, |counts| count(counts, name));
        println!(
            "{name:<22} {:>6.0} ns   {counted} instructions",
            times.get(name).copied().unwrap_or(f64::NAN)
        );
    }
    within
}

fn count(counts: &Instructions, name: &str) -> u64 {
    counts.get(name).copied().unwrap_or(u64::MAX)
}
