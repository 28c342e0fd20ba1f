//! Replicas that mint tokens and check each other's.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    thread,
    time::{Duration, Instant},
};

use super::program::{LIFETIME, MAX_AGE, OFFSET, ROTATE_EVERY};
use crate::{child::Program, program::STORE};

/// In all, with five replicas: 1,000 tokens a second.
const TICK: Duration = Duration::from_millis(20);
const TOKENS: usize = 4;

/// When a key signs, and for how long its published form may be cached.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    pub(crate) rotate_every: Duration,
    pub(crate) max_age: Duration,
}

pub(crate) struct Fleet {
    store: String,
    timing: Timing,
    replicas: Vec<Member>,
    ticks: usize,
    /// Tokens to check once more, shortly before they expire.
    late: VecDeque<(Instant, String)>,
    pub(crate) outcome: Outcome,
}

struct Member {
    program: Program,
    /// How far its clock is ahead, in seconds.
    offset: i64,
    port: String,
}

/// What happened to tokens.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) minted: usize,
    pub(crate) checked: usize,
    /// Codes of rejections.
    pub(crate) rejected: BTreeMap<String, usize>,
    /// The last error of each replica that did not mint.
    pub(crate) not_minted: BTreeMap<usize, String>,
    /// The headers of tokens: one for each key.
    pub(crate) headers: BTreeSet<String>,
}

impl Fleet {
    pub(crate) fn start(store: &str, timing: Timing, offsets: &[i64]) -> Self {
        let replicas = offsets.iter().map(|offset| Member::start(store, timing, *offset));
        let mut replicas: Vec<_> = replicas.collect();
        replicas.iter_mut().for_each(Member::wait);
        Self {
            store: store.to_owned(),
            timing,
            replicas,
            ticks: 0,
            late: VecDeque::new(),
            outcome: Outcome::default(),
        }
    }

    pub(crate) fn jwk_set_uri(&self) -> String {
        format!("http://127.0.0.1:{}/keys", self.replicas.first().unwrap().port)
    }

    /// Mints and checks for this long. `after_tick` gets the tokens of each tick.
    pub(crate) fn run(
        &mut self,
        length: Duration,
        mut after_tick: impl FnMut(&mut Self, &[String]),
    ) {
        let start = Instant::now();
        let mut next = start;
        while start.elapsed() < length {
            let tokens = self.tick();
            after_tick(self, &tokens);
            next += TICK;
            thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    }

    /// Kills a replica as a crash does, and starts another one in its place.
    pub(crate) fn kill(&mut self, number: usize) {
        let count = self.replicas.len();
        let member = self.replicas.get_mut(number % count).unwrap();
        member.program.kill();
        *member = Member::start(&self.store, self.timing, member.offset);
        member.wait();
    }

    /// Each replica mints, and another one checks: a different one each time.
    fn tick(&mut self) -> Vec<String> {
        self.ticks += 1;
        let count = self.replicas.len();
        let minted = self.mint();
        for (number, tokens) in minted.iter().enumerate().filter(|(_, tokens)| !tokens.is_empty()) {
            let checker = (number + 1 + self.ticks % (count - 1)) % count;
            self.check(checker, tokens);
        }
        let now = Instant::now();
        while self.late.front().is_some_and(|(at, _)| *at <= now) {
            let (_, token) = self.late.pop_front().unwrap();
            self.check(self.ticks % count, &token);
        }
        let tokens: Vec<String> =
            minted.iter().flat_map(|it| it.split_whitespace()).map(str::to_owned).collect();
        for token in &tokens {
            self.outcome.headers.insert(token.split('.').next().unwrap().to_owned());
        }
        // One of them, because each check takes time.
        let at = now + LIFETIME - Duration::from_millis(1_500);
        self.late.extend(tokens.first().map(|token| (at, token.clone())));
        self.outcome.minted += tokens.len();
        tokens
    }

    /// Returns the tokens of each replica. All of them mint at the same time.
    fn mint(&mut self) -> Vec<String> {
        for member in &mut self.replicas {
            member.program.send("mint", &TOKENS.to_string());
        }
        let mut minted = Vec::new();
        for (number, member) in self.replicas.iter().enumerate() {
            let reply = member.program.reply();
            match reply.split_once(' ') {
                Some(("minted", tokens)) => {
                    self.outcome.not_minted.remove(&number);
                    minted.push(tokens.to_owned());
                }
                _ => {
                    self.outcome.not_minted.insert(number, reply);
                    minted.push(String::new());
                }
            }
        }
        minted
    }

    fn check(&mut self, checker: usize, tokens: &str) {
        let member = self.replicas.get_mut(checker).unwrap();
        member.program.send("check", tokens);
        self.outcome.checked += tokens.split_whitespace().count();
        for code in member.program.reply().split_whitespace().skip(1) {
            *self.outcome.rejected.entry(code.to_owned()).or_default() += 1;
        }
    }
}

impl Member {
    fn start(store: &str, timing: Timing, offset: i64) -> Self {
        let environment = [
            (STORE, store.to_owned()),
            (OFFSET, offset.to_string()),
            (ROTATE_EVERY, timing.rotate_every.as_millis().to_string()),
            (MAX_AGE, timing.max_age.as_millis().to_string()),
        ];
        let program = Program::start("rotation::program::replica", &environment);
        Self { program, offset, port: String::new() }
    }

    fn wait(&mut self) {
        let reply = self.program.reply();
        self.port = reply.strip_prefix("ready ").expect("the replica starts").to_owned();
    }
}
