//! Instructions, counted by callgrind in the measured loop alone and without the signature check:
//! what that takes varies with the signature, and with it any difference to the bare check.

use std::{
    collections::HashMap,
    env, fs,
    path::Path,
    process::{self, Command},
};

use portcullis_benches::Case;

const ITERATIONS: u32 = 50;

/// The instructions of one run of each case.
pub(crate) type Instructions = HashMap<String, u64>;

/// What the counter starts this program with: how often to run each case, and their names.
pub(crate) const ARGUMENT: &str = "--count";

/// Counts the instructions of cases; `None` without `valgrind`.
pub(crate) fn measure<'c>(cases: impl IntoIterator<Item = &'c Case>) -> Option<Instructions> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("SKIPPED instructions: no valgrind on this machine");
        return None;
    }
    let names: Vec<&str> = cases.into_iter().map(Case::name).collect();
    let folder = env::temp_dir().join(format!("portcullis-benches-{}", process::id()));
    fs::create_dir(&folder).expect("a folder for the counts");
    let counts = count(&names, &folder);
    // Files that stay behind in a folder for such do no harm.
    let _ = fs::remove_dir_all(&folder);
    Some(names.into_iter().map(str::to_owned).zip(counts).collect())
}

/// Counts all in one run of the counter, because it takes seconds to start. It writes a file at the
/// end of each case.
fn count(names: &[&str], folder: &Path) -> Vec<u64> {
    let program = env::current_exe().expect("the path of this program");
    let file = folder.join("count");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--dump-line=no"])
        .arg(format!("--callgrind-out-file={}", file.display()))
        // On in the loop; off again in the signature check. Were that function renamed or inlined,
        // its instructions would be counted, which no budget has room for.
        .args(["--zero-before=portcullis_benches::counted", "--toggle-collect=*measured*"])
        .arg("--dump-after=portcullis_benches::counted")
        .arg("--toggle-collect=portcullis_jose::jwk::key::VerificationKey::verify")
        .arg(program)
        .args([ARGUMENT, &ITERATIONS.to_string()])
        .args(names)
        .output()
        .expect("valgrind to run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let total = |number: usize| {
        let file = fs::read_to_string(file.with_extension(number.to_string()));
        let file = file.expect("a file for each case");
        let mut totals = file.lines().filter_map(|line| line.strip_prefix("totals: "));
        let total: u64 = totals.next().expect("a total").trim().parse().expect("a number");
        total / u64::from(ITERATIONS)
    };
    (1..=names.len()).map(total).collect()
}
