//! What is remembered of tenants and of names.

use std::{
    collections::BTreeMap,
    fmt,
    hash::{BuildHasher, Hasher},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use foldhash::fast::RandomState;

use crate::{Authenticator, NumericDate, bounded_map::BoundedMap};

/// The number of tenants that are remembered before one of their tokens was verified.
const MAX_UNVERIFIED: usize = 64;

/// The number of names without a tenant that are remembered.
const MAX_UNKNOWN: usize = 1_024;

/// How long a name without a tenant is remembered.
const UNKNOWN_FOR: Duration = Duration::from_secs(60);

/// The number of verified names that are remembered, as hashes.
const MAX_VERIFIED_NAMES: usize = 16_384;

/// The number of generations. Names that share one cost a look-up more when one of them is forgotten.
const GENERATIONS: usize = 256;

/// The most shards of the table of kept tenants.
const MAX_SHARDS: usize = 65_536;

/// The most tenants that one eviction looks at.
const MAX_EVICTION_STEPS: usize = 64;

/// One issuer, with an engine of its own, so that its keys, rules and tasks end with it.
pub(super) struct Tenant {
    pub(super) name: Box<str>,
    pub(super) auth: Authenticator<()>,
    /// The generation of the name when the look-up began.
    generation: u64,
    /// Whether a look-up of an unverified name was paid for it, and not refunded yet.
    is_paid: AtomicBool,
    /// Whether it has a place among the kept tenants. Changes under the lock of the store.
    is_kept: AtomicBool,
    /// The number of its last use by a verified token.
    last_use: AtomicU64,
    /// The use that it is filed under in [`State::by_use`]. Changes under the lock of the store.
    filed_use: AtomicU64,
}

/// Tenants and names.
///
/// A tenant goes through these states; only a verified token moves it to a kept place:
///
/// ```text
/// look-up ──▶ unverified ──(a token is verified)──▶ kept ──(the least recently used)──▶ evicted
///                  └──────────────────(forget)───────┴──▶ gone
/// ```
pub(super) struct Store {
    /// Requests read a kept tenant behind the atomic pointer of its shard.
    shards: Box<[ArcSwap<Shard>]>,
    hasher: RandomState,
    /// Counted up when a name is forgotten. What was looked up before is outdated.
    generations: Box<[AtomicU64]>,
    uses: AtomicU64,
    capacity: usize,
    state: Mutex<State>,
}

type Shard = Vec<Arc<Tenant>>;

struct State {
    /// The kept tenants by the use that they are filed under: a lower bound of their last use.
    by_use: BTreeMap<u64, Arc<Tenant>>,
    unverified: BoundedMap<Box<str>, Arc<Tenant>>,
    /// Names without a tenant, and when they were looked up.
    unknown: BoundedMap<Box<str>, NumericDate>,
    /// Hashes of the names that verified tokens carried.
    verified_names: BoundedMap<u64, ()>,
}

impl Tenant {
    pub(super) fn new(
        name: &str,
        auth: Authenticator<()>,
        generation: u64,
        is_paid: bool,
    ) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            auth,
            generation,
            is_paid: AtomicBool::new(is_paid),
            is_kept: AtomicBool::new(false),
            last_use: AtomicU64::new(0),
            filed_use: AtomicU64::new(0),
        })
    }
}

impl Store {
    pub(super) fn new(capacity: usize) -> Self {
        let (shard, shards) =
            (Arc::new(Shard::new()), capacity.clamp(1, MAX_SHARDS).next_power_of_two());
        Self {
            shards: (0..shards).map(|_| ArcSwap::new(Arc::clone(&shard))).collect(),
            hasher: RandomState::default(),
            generations: (0..GENERATIONS).map(|_| AtomicU64::new(0)).collect(),
            uses: AtomicU64::new(0),
            capacity,
            state: Mutex::new(State {
                by_use: BTreeMap::new(),
                unverified: BoundedMap::new(MAX_UNVERIFIED),
                unknown: BoundedMap::new(MAX_UNKNOWN),
                verified_names: BoundedMap::new(MAX_VERIFIED_NAMES),
            }),
        }
    }

    /// Returns the tenant of this name, if its tokens were verified before. Without a lock.
    pub(super) fn kept(&self, name: &str) -> Option<Arc<Tenant>> {
        let shard = self.shard(name)?.load();
        shard.iter().find(|tenant| *tenant.name == *name).cloned()
    }

    /// Returns what is remembered of a name without a kept tenant.
    pub(super) fn remembered(&self, name: &str, now: NumericDate) -> Remembered {
        let mut state = self.lock();
        if let Some(tenant) = state.unverified.get(name) {
            return Remembered::Tenant(Arc::clone(tenant));
        }
        match state.unknown.get(name) {
            None => Remembered::Nothing,
            // Nothing that was remembered in the future counts: the clock was ahead then.
            Some(&since) if since <= now && now < since.saturating_add(UNKNOWN_FOR) => {
                Remembered::Unknown
            }
            Some(_) => {
                state.unknown.remove(name);
                Remembered::Nothing
            }
        }
    }

    /// Returns whether a verified token has carried this name.
    pub(super) fn is_verified_name(&self, name: &str) -> bool {
        self.lock().verified_names.get(&self.hash(name)).is_some()
    }

    /// Returns the generation of a name. A look-up that ends in another one than it began in is outdated.
    pub(super) fn generation(&self, name: &str) -> u64 {
        self.generation_of(name).map_or(0, |generation| generation.load(Ordering::Acquire))
    }

    /// Remembers a tenant that was looked up, unless its name was forgotten meanwhile.
    pub(super) fn add_unverified(&self, tenant: &Arc<Tenant>) {
        let mut state = self.lock();
        if self.is_current(tenant) {
            state.unverified.insert(tenant.name.clone(), Arc::clone(tenant));
        }
    }

    /// Remembers that a name has no tenant, unless it was forgotten meanwhile.
    pub(super) fn add_unknown(&self, name: &str, generation: u64, now: NumericDate) {
        let mut state = self.lock();
        if self.generation(name) == generation {
            state.unknown.insert(name.into(), now);
        }
    }

    pub(super) fn is_current(&self, tenant: &Tenant) -> bool {
        self.generation(&tenant.name) == tenant.generation
    }

    /// Notes that a token of this tenant was verified: the tenant keeps its place, or takes one. Tells
    /// whether the look-up is to be refunded.
    pub(super) fn verified(&self, tenant: &Arc<Tenant>) -> bool {
        let this_use = self.uses.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        tenant.last_use.store(this_use, Ordering::Relaxed);
        if !tenant.is_kept.load(Ordering::Acquire) {
            self.keep(tenant);
        }
        tenant.is_paid.load(Ordering::Relaxed) && tenant.is_paid.swap(false, Ordering::Relaxed)
    }

    fn keep(&self, tenant: &Arc<Tenant>) {
        let mut state = self.lock();
        state.verified_names.insert(self.hash(&tenant.name), ());
        if tenant.is_kept.load(Ordering::Acquire) {
            return;
        }
        if !self.is_current(tenant) {
            // Outdated by another name with the same generation. The next request looks it up again, so
            // that it does not stay among the unverified ones.
            if state.unverified.get(&tenant.name).is_some_and(|own| Arc::ptr_eq(own, tenant)) {
                state.unverified.remove(&tenant.name);
            }
            return;
        }
        state.unverified.remove(&tenant.name);
        if let Some(older) = self.kept(&tenant.name) {
            self.remove_kept(&mut state, &older);
        }
        while state.by_use.len() >= self.capacity {
            let Some(oldest) = state.take_least_recently_used() else { break };
            state.verified_names.insert(self.hash(&oldest.name), ());
            self.remove_from_shard(&oldest);
        }
        state.file(Arc::clone(tenant));
        self.change_shard(&tenant.name, |shard| shard.push(Arc::clone(tenant)));
        tenant.is_kept.store(true, Ordering::Release);
    }

    /// Removes a tenant, and what is remembered of its name. Look-ups under way are outdated from now on.
    pub(super) fn forget(&self, name: &str) {
        let mut state = self.lock();
        if let Some(generation) = self.generation_of(name) {
            generation.fetch_add(1, Ordering::AcqRel);
        }
        state.unverified.remove(name);
        state.unknown.remove(name);
        if let Some(tenant) = self.kept(name) {
            self.remove_kept(&mut state, &tenant);
        }
    }

    /// Returns the number of kept tenants.
    pub(super) fn len(&self) -> usize {
        self.lock().by_use.len()
    }

    fn remove_kept(&self, state: &mut State, tenant: &Arc<Tenant>) {
        state.by_use.remove(&tenant.filed_use.load(Ordering::Relaxed));
        self.remove_from_shard(tenant);
    }

    fn remove_from_shard(&self, tenant: &Arc<Tenant>) {
        self.change_shard(&tenant.name, |shard| shard.retain(|kept| !Arc::ptr_eq(kept, tenant)));
        tenant.is_kept.store(false, Ordering::Release);
    }

    fn change_shard(&self, name: &str, change: impl FnOnce(&mut Shard)) {
        let Some(place) = self.shard(name) else { return };
        let mut shard = Shard::clone(&place.load());
        change(&mut shard);
        place.store(Arc::new(shard));
    }

    fn shard(&self, name: &str) -> Option<&ArcSwap<Shard>> {
        pick(&self.shards, self.hash(name))
    }

    fn generation_of(&self, name: &str) -> Option<&AtomicU64> {
        pick(&self.generations, self.hash(name))
    }

    fn hash(&self, name: &str) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(name.as_bytes());
        hasher.finish()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is remembered of a name without a kept tenant.
pub(super) enum Remembered {
    /// It has a tenant. None of its tokens was verified yet.
    Tenant(Arc<Tenant>),
    /// It had no tenant a short while ago.
    Unknown,
    Nothing,
}

fn pick<T>(list: &[T], hash: u64) -> Option<&T> {
    let count = u64::try_from(list.len()).ok().filter(|count| *count > 0)?;
    list.get(usize::try_from(hash % count).ok()?)
}

impl State {
    /// Files a tenant under its last use. Each use has a number that no other use has, so that the entry
    /// replaces none.
    fn file(&mut self, tenant: Arc<Tenant>) {
        let last_use = tenant.last_use.load(Ordering::Relaxed);
        tenant.filed_use.store(last_use, Ordering::Relaxed);
        self.by_use.insert(last_use, tenant);
    }

    /// Takes out the tenant that was unused for the longest time. A request that uses a tenant takes no
    /// lock, so its use is filed here, when the tenant comes to the front. The number of steps is limited,
    /// because a request waits for them.
    fn take_least_recently_used(&mut self) -> Option<Arc<Tenant>> {
        for _ in 0..MAX_EVICTION_STEPS {
            let (filed_use, tenant) = self.by_use.pop_first()?;
            if tenant.last_use.load(Ordering::Relaxed) <= filed_use {
                return Some(tenant);
            }
            self.file(tenant);
        }
        self.by_use.pop_first().map(|(_, tenant)| tenant)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("len", &self.len()).finish_non_exhaustive()
    }
}
