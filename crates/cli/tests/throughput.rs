//! How much `verify` adds to the time that the signatures alone take.
//!
//! It measures, so that it is run by hand, in release and on a machine that does nothing else:
//! `cargo test --release -p portcullis-cli --test throughput -- --ignored --nocapture`

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on stops there")]

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use portcullis::{Algorithm, jose::JwsVerifier};
use portcullis_testkit::TestIssuer;

const TOKENS: usize = 50_000;
const ROUNDS: usize = 3;

#[test]
#[ignore = "it measures time: run it alone, in release, on a quiet machine, as docs/cli.md says"]
fn verify_takes_little_more_than_its_signatures() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let issuer = TestIssuer::new("https://idp.test");
    fs::write(folder.join("throughput.json"), issuer.jwk_set_json()).unwrap();
    let config = "[[issuer]]\nissuer = \"https://idp.test\"\naudience = [\"orders\"]\njwks_file = \"throughput.json\"\n";
    fs::write(folder.join("throughput.toml"), config).unwrap();
    let tokens: Vec<_> = (0..1000)
        .map(|number| {
            let token = issuer.token().audience("orders").scope("orders:read");
            token.subject(format!("user-{number}")).build()
        })
        .collect();
    let lines = tokens.iter().cycle().take(TOKENS).cloned().collect::<Vec<_>>().join("\n");
    fs::write(folder.join("throughput.txt"), lines).unwrap();

    let (mut signatures, mut command) = (Cost::MAX, Cost::MAX);
    for _ in 0..ROUNDS {
        signatures = signatures.min(verify_signatures(&issuer, &tokens));
        command = command.min(run(folder));
    }
    println!("{TOKENS} ES256 tokens: signatures {signatures:?}, verify {command:?}");
    let wall = command.wall.as_secs_f64() / signatures.wall.as_secs_f64();
    let cpu = command.cpu.as_secs_f64() / signatures.cpu.as_secs_f64();
    println!("ratio by the clock {wall:.3}, by time of the processor {cpu:.3}");
    // Other programs take the clock's time, and not the processor's.
    assert!(wall.min(cpu) <= 1.2, "{wall} {cpu}");
}

/// What a run took.
#[derive(Clone, Copy, Debug)]
struct Cost {
    wall: Duration,
    cpu: Duration,
}

impl Cost {
    const MAX: Self = Self { wall: Duration::MAX, cpu: Duration::MAX };

    fn of(work: impl FnOnce()) -> Self {
        let (start, cpu) = (Instant::now(), cpu_time());
        work();
        Self { wall: start.elapsed(), cpu: cpu_time().saturating_sub(cpu) }
    }

    fn min(self, other: Self) -> Self {
        Self { wall: self.wall.min(other.wall), cpu: self.cpu.min(other.cpu) }
    }
}

/// The processor time of this process and of the children that have ended, on Linux.
fn cpu_time() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in parentheses may hold spaces; the times stand from the twelfth field after it on.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(4).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks.saturating_mul(10))
}

/// The signatures alone, on all cores.
fn verify_signatures(issuer: &TestIssuer, tokens: &[String]) -> Cost {
    let key = issuer.key(Algorithm::ES256).verification_key().unwrap();
    let verifier = JwsVerifier::new([key]).unwrap();
    let cores = thread::available_parallelism().unwrap().get();
    Cost::of(|| {
        thread::scope(|scope| {
            for _ in 0..cores {
                scope.spawn(|| {
                    for token in tokens.iter().cycle().take(TOKENS / cores) {
                        verifier.verify(token).unwrap();
                    }
                });
            }
        });
    })
}

fn run(folder: &Path) -> Cost {
    Cost::of(|| {
        let status = Command::new(env!("CARGO_BIN_EXE_portcullis"))
            .args(["verify", "--config", "throughput.toml"])
            .current_dir(folder)
            .stdin(fs::File::open(folder.join("throughput.txt")).unwrap())
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success());
    })
}
