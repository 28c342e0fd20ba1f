//! P6: requests over the loopback, of what the same server does without auth.
//!
//! The client of gRPC takes as long as its server, which makes these ratios better than they are.

mod client;
mod servers;

use std::time::{Duration, Instant};

use portcullis::Algorithm;
use portcullis_benches::adapters::World;
use tokio::runtime::{Builder, Runtime};

use crate::timing::Effort;
use client::Client;
use servers::{Guard, Server};

/// The algorithms, and the least that ours may reach of the server without auth.
const ALGORITHMS: [(Algorithm, Option<f64>); 3] =
    [(Algorithm::HS256, Some(0.8)), (Algorithm::RS256, None), (Algorithm::ES256, None)];

/// A server that gets requests with one token.
struct Contender {
    framework: &'static str,
    guard: &'static str,
    algorithm: Algorithm,
    client: Client,
    /// The most requests in a second, of all rounds.
    best: f64,
}

/// Prints all figures, which are judged by the reader.
pub(crate) fn report(effort: Effort) {
    let (rounds, slice) = match effort {
        Effort::Full => (20, Duration::from_millis(100)),
        Effort::Smoke => (1, Duration::from_millis(10)),
    };
    // Server and client have a thread each, so that one does not wait for the other's turn.
    let (server, client) = (one_thread(), one_thread());
    let mut contenders = start(&server, &client);
    for _ in 0..rounds {
        for contender in &mut contenders {
            let start = Instant::now();
            let count = client.block_on(contender.client.send_for(slice));
            contender.best = contender.best.max(f64::from(count) / start.elapsed().as_secs_f64());
        }
    }
    println!(
        "P6: requests a second over the loopback, {} connections, kept alive: to the same server \
         without auth",
        client::CONNECTIONS
    );
    let frameworks = servers::ALL.map(|(framework, _)| framework);
    frameworks.into_iter().for_each(|framework| print(framework, &contenders));
    println!("(there is no cache of tokens yet: each request pays for the whole way)");
}

fn one_thread() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

fn start(server: &Runtime, client: &Runtime) -> Vec<Contender> {
    let world = World::new();
    let mut contenders = Vec::new();
    for (framework, start) in servers::ALL {
        for guard in Guard::all(framework) {
            let Server { address, protocol } = start(server.handle(), guard, &world);
            for (algorithm, _) in ALGORITHMS {
                let authorization = world.authorization(algorithm);
                let client = client.block_on(Client::connect(address, protocol, &authorization));
                let guard = guard.name();
                contenders.push(Contender { framework, guard, algorithm, client, best: 0.0 });
            }
        }
    }
    contenders
}

fn print(framework: &str, contenders: &[Contender]) {
    let own = || contenders.iter().filter(|contender| contender.framework == framework);
    // Whatever the token was, which nobody has looked at.
    let bare = own().filter(|own| own.guard == Guard::Nobody.name());
    let bare = bare.map(|own| own.best).fold(0.0, f64::max);
    for (algorithm, least) in ALGORITHMS {
        let of = |guard: &str| {
            let best = own().filter(|own| own.guard == guard && own.algorithm == algorithm);
            best.map(|own| own.best).next().unwrap_or(f64::NAN)
        };
        let least = least.map_or_else(String::new, |least| format!(" (least: {least})"));
        let ours = of(Guard::Ours.name());
        print!("{framework:<10} {algorithm}  bare {bare:>7.0}/s  ours {:.2}{least}", ours / bare);
        for peer in Guard::all(framework).filter(|guard| guard.is_peer()) {
            let peer = peer.name();
            print!("   {peer} {:.2}, ours to it {:.2}", of(peer) / bare, ours / of(peer));
        }
        println!();
    }
}
