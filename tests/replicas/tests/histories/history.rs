//! One history.

use std::{
    fmt::Write,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use portcullis::{
    Authenticator, NumericDate,
    clock::Clock,
    revocation::{Revocation, RevocationStore, Revocations, Revoked},
};
use portcullis_testkit::{ManualClock, TestIssuer};
use tokio::task::JoinSet;

use crate::{
    defects::Defect,
    link::Link,
    model::{Acknowledged, Checker, Token},
    random::Random,
};

const ISSUER: &str = "https://idp.test";
const AUDIENCE: &str = "orders";
const REPLICAS: usize = 3;
const TOKENS: usize = 12;
const OPERATIONS: usize = 60;
const STALENESS: Duration = Duration::from_secs(10);
/// The staleness, and how long the replica may take to look at the clock.
const LONGEST_GAP: Duration = Duration::from_secs(12);

pub(crate) struct History {
    seed: u64,
    random: Random,
    issuer: TestIssuer,
    clock: ManualClock,
    elapsed: Duration,
    store: Arc<dyn RevocationStore>,
    is_real: bool,
    replicas: Vec<Replica>,
    tokens: Vec<Token>,
    /// How many revocations were acknowledged.
    acknowledged: Arc<AtomicU64>,
    story: String,
    checks: usize,
}

struct Replica {
    link: Link,
    is_strict: bool,
    starts: u32,
    auth: Authenticator,
}

impl History {
    pub(crate) fn new(seed: u64, store: Arc<dyn RevocationStore>, defect: Defect) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let clock = ManualClock::at(NumericDate::EPOCH.saturating_add(now));
        let issuer = TestIssuer::new(ISSUER).clock(clock.clone());
        let acknowledged = Arc::default();
        let replicas = (0..REPLICAS)
            .map(|number| {
                let link = Link::new(Arc::clone(&store), defect, &acknowledged);
                Replica::start(&issuer, &clock, link, number == REPLICAS - 1, 0)
            })
            .collect();
        Self {
            seed,
            random: Random::new(seed),
            issuer,
            clock,
            elapsed: Duration::ZERO,
            is_real: !["memory", "sequence"].contains(&store.label()),
            store,
            replicas,
            tokens: (0..TOKENS).map(|_| Token::default()).collect(),
            acknowledged,
            story: String::new(),
            checks: 0,
        }
    }

    /// Returns how many checks agreed with the model, or what happened until one did not.
    pub(crate) async fn run(mut self) -> Result<usize, String> {
        for _ in 0..OPERATIONS {
            self.step().await.map_err(|reason| format!("{reason}\n{}", self.story))?;
        }
        self.end().await.map_err(|reason| format!("{reason}\n{}", self.story))?;
        Ok(self.checks)
    }

    async fn step(&mut self) -> Result<(), String> {
        let replica = self.random.below(REPLICAS);
        let token = self.random.below(TOKENS);
        match self.random.below(20) {
            0 | 1 => self.revoke(&[(replica, token)]).await,
            2 | 3 => {
                let other = (self.random.below(REPLICAS), self.random.below(TOKENS));
                self.revoke(&[(replica, token), other]).await;
            }
            4..=10 => self.check(replica, token).await?,
            11 => self.kill(replica),
            12 | 13 => self.cut(replica),
            14 | 15 => self.heal(replica),
            16 => self.clean_up().await,
            17 => self.set_clock(),
            _ => self.pass().await,
        }
        Ok(())
    }

    /// At the end all connections are whole, and nothing that was acknowledged is accepted.
    async fn end(&mut self) -> Result<(), String> {
        for replica in 0..REPLICAS {
            self.heal(replica);
        }
        let good = self.mint("good");
        for replica in 0..REPLICAS {
            let mut attempts = 0;
            while self.judge(replica, &good).await != "ok" {
                attempts += 1;
                if attempts > 3_000 {
                    return Err(format!("replica {replica} does not recover"));
                }
                self.advance(Duration::from_millis(100)).await;
            }
        }
        // A read that began after everything.
        for _ in 0..3 {
            self.pass().await;
        }
        for replica in 0..REPLICAS {
            for token in 0..TOKENS {
                self.check(replica, token).await?;
                let is_known = self.tokens.get(token).unwrap().acknowledged.is_some();
                let jwt = self.mint(&token.to_string());
                if is_known && self.judge(replica, &jwt).await == "ok" {
                    return Err(format!(
                        "at the end, replica {replica} accepts revoked token {token}"
                    ));
                }
            }
        }
        Ok(())
    }

    /// Revokes tokens on replicas, all at the same time.
    async fn revoke(&mut self, calls: &[(usize, usize)]) {
        let mut running = JoinSet::new();
        for &(replica, token) in calls {
            self.tokens.get_mut(token).unwrap().is_attempted = true;
            let it = self.replicas.get(replica).unwrap();
            let (by, auth) = ((replica, it.starts), it.auth.clone());
            let until = self.clock.now().saturating_add(Duration::from_secs(100_000));
            let revoked = Revoked::Token(self.jti(&token.to_string()).into());
            let entry = Revocation::new(ISSUER, revoked).until(until);
            running.spawn(async move { (by, token, auth.revoke(&[entry]).await) });
        }
        while let Some(done) = running.join_next().await {
            let (by, token, outcome) = done.unwrap();
            let _ = writeln!(self.story, "revoke {token} on {by:?}: {outcome:?}");
            if outcome.is_ok() {
                let (number, elapsed) = (self.acknowledged.fetch_add(1, SeqCst), self.elapsed);
                let token = self.tokens.get_mut(token).unwrap();
                token.acknowledged.get_or_insert(Acknowledged { number, elapsed, by });
            }
            // Replicas that are notified read now.
            self.settle().await;
            self.advance(Duration::from_millis(1_100)).await;
        }
    }

    async fn check(&mut self, replica: usize, token: usize) -> Result<(), String> {
        let jwt = self.mint(&token.to_string());
        let it = self.replicas.get(replica).unwrap();
        let checker = Checker {
            replica: (replica, it.starts),
            is_strict: it.is_strict,
            acknowledged_at_read: it.link.acknowledged_at_read(),
            elapsed: self.elapsed,
            longest_gap: LONGEST_GAP,
        };
        let verdict = self.judge(replica, &jwt).await;
        let _ = writeln!(self.story, "check {token} on {replica}: {verdict}");
        self.checks += 1;
        let objection = self.tokens.get(token).unwrap().objection(verdict, &checker);
        objection.map_or(Ok(()), |reason| Err(format!("{reason}: {token} on {replica}")))
    }

    async fn judge(&self, replica: usize, jwt: &str) -> &'static str {
        let auth = &self.replicas.get(replica).unwrap().auth;
        let judged = auth.authenticate_token(jwt).await;
        judged.map_or_else(|error| error.kind().code(), |_| "ok")
    }

    /// Drops what the replica has in memory, and starts it again.
    fn kill(&mut self, replica: usize) {
        let _ = writeln!(self.story, "kill {replica}");
        let it = self.replicas.get_mut(replica).unwrap();
        let (link, starts) = (it.link.clone(), it.starts + 1);
        *it = Replica::start(&self.issuer, &self.clock, link, it.is_strict, starts);
    }

    fn cut(&mut self, replica: usize) {
        let _ = writeln!(self.story, "cut {replica}");
        self.replicas.get(replica).unwrap().link.cut();
    }

    fn heal(&mut self, replica: usize) {
        let _ = writeln!(self.story, "heal {replica}");
        self.replicas.get(replica).unwrap().link.heal();
    }

    async fn clean_up(&mut self) {
        let past = NumericDate::from_seconds(1_000_000_000);
        let jti = self.jti("expired");
        let entry = Revocation::new(ISSUER, Revoked::Token(jti.into())).until(past);
        self.store.prepare().await.unwrap();
        self.store.add(&[entry]).await.unwrap();
        let deleted = self.store.delete_expired(self.clock.now()).await.unwrap();
        let _ = writeln!(self.story, "clean up: {deleted}");
    }

    fn set_clock(&mut self) {
        let step = Duration::from_millis(u64::try_from(self.random.below(20_000)).unwrap());
        if self.random.below(2) == 0 {
            let _ = writeln!(self.story, "clock back by {step:?}");
            self.clock.set(self.clock.now().saturating_sub(step));
        } else {
            let _ = writeln!(self.story, "clock forward by {step:?}");
            self.clock.advance(step);
        }
    }

    /// Lets a few seconds pass, in steps, so that replicas read.
    async fn pass(&mut self) {
        let steps = 5 + self.random.below(40);
        let _ = writeln!(self.story, "{steps}00 ms pass");
        for _ in 0..steps {
            self.advance(Duration::from_millis(100)).await;
        }
    }

    async fn advance(&mut self, step: Duration) {
        self.clock.advance(step);
        self.elapsed += step;
        self.settle().await;
    }

    /// Lets the tasks of the replicas run. A store that is not memory needs real time to answer.
    async fn settle(&self) {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        if self.is_real {
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
    }

    fn jti(&self, token: &str) -> String {
        format!("{}-{}-{token}", std::process::id(), self.seed)
    }

    fn mint(&self, token: &str) -> String {
        let builder = self.issuer.token().subject("alice").audience(AUDIENCE);
        // Valid wherever the clock is set.
        let now = self.clock.now().seconds();
        let builder = builder.claim("iat", now - 9_000).claim("nbf", now - 9_000);
        builder.claim("exp", now + 9_000).claim("jti", self.jti(token)).build()
    }
}

impl Replica {
    fn start(
        issuer: &TestIssuer,
        clock: &ManualClock,
        link: Link,
        is_strict: bool,
        starts: u32,
    ) -> Self {
        let revocations = Revocations::new(link.clone()).max_staleness(STALENESS);
        let revocations = if is_strict { revocations.strict() } else { revocations };
        let auth = Authenticator::builder()
            .issuer(issuer.trusted())
            .audience(AUDIENCE)
            .clock(clock.clone())
            .revocations(revocations)
            .build()
            .unwrap();
        auth.start();
        Self { link, is_strict, starts, auth }
    }
}
