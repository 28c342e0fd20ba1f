//! SIGKILL of the store, of a replica, and of both: what was acknowledged is rejected afterwards.

use std::{thread, time::Duration};

use crate::{
    replica::{Mode, Replica, Tokens},
    shared::Shared,
};

const ROUNDS: usize = 3;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Victim {
    Store,
    Replica,
    Both,
}

#[test]
fn sqlite_loses_no_acknowledged_revocation() {
    kill_while_revoking(&mut Shared::sqlite("kill"), &[Victim::Replica]);
}

#[test]
fn postgres_loses_no_acknowledged_revocation() {
    let victims = [Victim::Store, Victim::Replica, Victim::Both];
    kill_while_revoking(&mut Shared::postgres(), &victims);
}

#[test]
fn redis_loses_no_acknowledged_revocation() {
    let victims = [Victim::Store, Victim::Replica, Victim::Both];
    kill_while_revoking(&mut Shared::redis(), &victims);
}

fn kill_while_revoking(store: &mut Shared, victims: &[Victim]) {
    let tokens = Tokens::new();
    let mut acknowledged: Vec<String> = Vec::new();
    // It lives through everything.
    let mut witness = Replica::start(&tokens, &store.url(), Mode::Local);
    for round in 0..ROUNDS {
        for victim in victims {
            let mut revoker = Replica::start(&tokens, &store.url(), Mode::Local);
            for number in 0..20 + round * 7 {
                let jti = format!("{victim:?} {round} {number}");
                assert!(revoker.revoke(&jti));
                acknowledged.push(tokens.mint(&jti));
            }
            // One more, which is under way when the process ends.
            let last = format!("{victim:?} {round} last");
            revoker.send("revoke", &last);
            thread::sleep(Duration::from_micros(300 * u64::try_from(round).unwrap()));
            strike(*victim, store, &mut revoker);
            if revoker.last_reply().as_deref() == Some("revoked") {
                acknowledged.push(tokens.mint(&last));
            }
            require_rejected(&mut witness, &acknowledged, true);
            let mut restarted = Replica::start(&tokens, &store.url(), Mode::Local);
            require_rejected(&mut restarted, &acknowledged, false);
        }
    }
    println!(
        "replicas: {}: {} acknowledged revocations outlive SIGKILL of {victims:?}",
        store.name(),
        acknowledged.len()
    );
}

fn strike(victim: Victim, store: &mut Shared, replica: &mut Replica) {
    if victim != Victim::Replica {
        store.kill();
    }
    if victim != Victim::Store {
        replica.kill();
    }
    store.start_again();
}

/// A replica that was there all the time may need a moment to read what the other wrote last.
fn require_rejected(replica: &mut Replica, tokens: &[String], may_wait: bool) {
    for token in tokens {
        let verdict = if may_wait {
            replica.watch(token);
            replica.reply()
        } else {
            replica.check(token)
        };
        assert_eq!(verdict, "token_revoked");
    }
}
