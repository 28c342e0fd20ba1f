//! The cache of keys while something happens: a flood of junk, a rotation, a cold start.

mod cold_start;
mod flood;
mod rotation;

use std::time::Duration;

use portcullis::{Authenticator, Issuer};
use portcullis_benches::{KEY_COUNTS, LOOKUPS, lookup_cases};
use portcullis_testkit::{KeyServer, TestIssuer};
use tokio::runtime::{Builder, Runtime};

pub(crate) use cold_start::{ARGUMENT as COLD_START, in_this_process as cold_start};

use crate::timing::{self, Effort};

const AUDIENCE: &str = "https://api.example.com";
const PATH: &str = "/jwks.json";

/// Measures and prints all. Tells whether the counts are within their budget.
pub(crate) fn report(effort: Effort) -> bool {
    lookups(effort);
    let flood = flood::run(effort);
    let rotation = rotation::run(effort);
    cold_start::run(effort);
    flood && rotation
}

fn lookups(effort: Effort) {
    println!(
        "P7: reach the key set and find the kid (most: 25 ns for 1 to 100 keys, 40 ns for 1000)"
    );
    let times = timing::measure(&lookup_cases(), effort);
    for count in KEY_COUNTS {
        let name = format!("{count} keys");
        let time = times.get(&name).copied().unwrap_or(f64::NAN) / f64::from(LOOKUPS);
        println!("{name:<22} {time:>6.1} ns");
    }
}

/// A server of keys, its issuer, and an engine that has them.
struct World {
    server: KeyServer,
    issuer: TestIssuer,
    auth: Authenticator,
    runtime: Runtime,
}

impl World {
    fn new(change: impl FnOnce(&TestIssuer, Issuer) -> Issuer) -> Self {
        let server = KeyServer::start();
        let issuer = server.issuer();
        let trusted = Issuer::new(issuer.name()).jwk_set_uri(server.url(PATH));
        let auth = Authenticator::builder()
            .issuer(change(&issuer, trusted))
            .audience(AUDIENCE)
            .build()
            .expect("an engine");
        let mut runtime = Builder::new_multi_thread();
        let runtime = runtime.worker_threads(2).enable_all().build().expect("a runtime");
        runtime.block_on(auth.ready()).expect("keys");
        Self { server, issuer, auth, runtime }
    }

    /// How many fetches there were beside the first one.
    fn fetches(&self) -> usize {
        self.server.hits(PATH).saturating_sub(1)
    }
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}
