//! P11: keys that change while tokens come.

use std::time::{Duration, Instant};

use portcullis::{Algorithm, Authenticator};
use portcullis_benches::Request;
use portcullis_testkit::SigningKey;
use tokio::{task::JoinSet, time::MissedTickBehavior};

use super::{AUDIENCE, World, micros};
use crate::timing::Effort;

const EACH: Duration = Duration::from_millis(1);

/// One request: what came of it, and how long it took.
type Outcome = (Result<(), &'static str>, Duration);

pub(super) fn run(effort: Effort) -> bool {
    let (rotations, ahead) = match effort {
        Effort::Full => (3, Duration::from_secs(1)),
        Effort::Smoke => (1, Duration::from_millis(200)),
    };
    let world = World::new(|_, trusted| trusted);
    let outcomes = world.runtime.block_on(async {
        let mut requests = JoinSet::new();
        for _ in 0..rotations {
            let old = world.issuer.key(Algorithm::EdDSA).clone();
            world.issuer.rotate(Algorithm::EdDSA);
            world.server.publish(&world.issuer);
            send(&world, &old, ahead, &mut requests).await;
            let new = world.issuer.key(Algorithm::EdDSA).clone();
            send(&world, &new, ahead, &mut requests).await;
        }
        requests.join_all().await
    });
    report(&world, &outcomes, rotations, ahead)
}

/// Sends tokens of one key, one each millisecond, as requests that do not wait for each other.
async fn send(
    world: &World,
    key: &SigningKey,
    duration: Duration,
    requests: &mut JoinSet<Outcome>,
) {
    let mut ticks = tokio::time::interval(EACH);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let start = Instant::now();
    while start.elapsed() < duration {
        ticks.tick().await;
        let token = world.issuer.token().key(key).audience(AUDIENCE).build();
        requests.spawn(judge(world.auth.clone(), token));
    }
}

async fn judge(auth: Authenticator, token: String) -> Outcome {
    let start = Instant::now();
    let verdict = auth.authenticate(&Request::bearer(&token)).await;
    let outcome = verdict.result.map(|_| ()).map_err(|error| error.kind().code());
    (outcome, start.elapsed())
}

fn report(world: &World, outcomes: &[Outcome], rotations: u32, ahead: Duration) -> bool {
    let rejected: Vec<_> = outcomes.iter().filter_map(|(outcome, _)| outcome.err()).collect();
    let longest = outcomes.iter().map(|(_, time)| *time).max().unwrap_or_default();
    println!(
        "P11: {rotations} rotations, published {:.1} s ahead, {} EdDSA tokens, one each millisecond",
        ahead.as_secs_f64(),
        outcomes.len()
    );
    println!("rejected good tokens    {:>6}      (most: 0)", rejected.len());
    println!("key fetches {}, longest request {:.2} ms", world.fetches(), micros(longest) / 1e3);
    if let Some(code) = rejected.first() {
        println!("OVER BUDGET: P11: {} rejected, the first one with `{code}`", rejected.len());
    }
    rejected.is_empty()
}
