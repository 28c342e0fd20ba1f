//! Guesses at a static token cost the same, however much of it is right: in instructions, which repeat
//! exactly, where times would have to be many and would still only be likely.

use portcullis_benches::{GUESSED, guess_cases};

use crate::instructions;

/// Prints the counts. Tells whether those of the engine are equal, and those of the control are not.
pub(crate) fn report() -> bool {
    println!(
        "guesses at a static token: instructions, equal for the engine and not for the control"
    );
    let [guesses, control] = GUESSED.map(counts);
    let (Some(guesses), Some(control)) = (guesses, control) else { return true };
    let are_equal = |counts: &[u64]| counts.windows(2).all(|pair| pair.first() == pair.last());
    let (is_even, is_blind) = (are_equal(&guesses), are_equal(&control));
    if !is_even {
        println!("UNEQUAL: the work tells how much of a guess is right");
    }
    if is_blind {
        println!("BLIND: the measurement sees no difference where there is one");
    }
    is_even && !is_blind
}

/// Counts each in a run of its own; `None` without `valgrind`.
fn counts(guessed: &'static str) -> Option<Vec<u64>> {
    let count = |(shares, case)| {
        let count = instructions::measure([&case])?.into_values().next()?;
        println!("{:<9}  shares {shares:<26} {count:>6}", case.name());
        Some(count)
    };
    guess_cases(guessed).map(count).collect()
}
