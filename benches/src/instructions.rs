//! Instructions, counted by callgrind in the measured loop alone and without the signature check:
//! what that takes varies with the signature, and with it any difference to the bare check.

use std::{collections::HashMap, env, process::Command};

use portcullis_benches::Case;

const ITERATIONS: u32 = 50;

/// Counts the instructions of each case of ours; `None` without `valgrind`.
pub(crate) fn measure(cases: &[Case]) -> Option<HashMap<String, u64>> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("SKIPPED instructions: no valgrind on this machine");
        return None;
    }
    let count = |case: &Case| total(&case.name) / u64::from(ITERATIONS);
    let of_ours = |case: &&Case| case.name.ends_with("ours") || case.name.starts_with("refused");
    Some(cases.iter().filter(of_ours).map(|case| (case.name.clone(), count(case))).collect())
}

fn total(case: &str) -> u64 {
    let program = env::current_exe().expect("the path of this program");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        // On in the loop; off again in the signature check. Were that function renamed or inlined,
        // its instructions would be counted, which no budget has room for.
        .args(["--zero-before=portcullis_benches::counted", "--toggle-collect=*measured*"])
        .arg("--toggle-collect=portcullis::jwk::key::VerificationKey::verify")
        .arg(program)
        .args(["--case", case, &ITERATIONS.to_string()])
        .output()
        .expect("valgrind to run");
    let log = String::from_utf8_lossy(&output.stderr);
    log.lines()
        .find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok())
        .expect("a count in the log of valgrind")
}
