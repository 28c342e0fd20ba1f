//! Questions that are asked once, however many want to know.

use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::OnceCell;

use crate::interleave::point;

/// Questions that are under way.
pub(crate) struct Flights<Q: Eq + Hash, A> {
    flights: Mutex<HashMap<Q, Flight<A>>>,
}

/// One question, and all who wait for its answer.
type Flight<A> = Arc<OnceCell<A>>;

impl<Q: Clone + Eq + Hash, A: Clone> Flights<Q, A> {
    /// Asks, or waits for the answer to the same question that is under way. Where the one who asks
    /// goes away, the next of those who wait asks.
    pub(crate) async fn share<F>(&self, question: Q, ask: impl FnOnce() -> F) -> A
    where
        F: Future<Output = A>,
    {
        let joined = self.join(question);
        point("flights: joined");
        let answer = joined.flight.get_or_init(ask).await.clone();
        point("flights: answered");
        answer
    }

    /// Takes part in a question that is under way, or begins one. One that is over is of the past.
    fn join(&self, question: Q) -> Joined<'_, Q, A> {
        let mut flights = self.lock();
        let under_way = flights.get(&question).filter(|flight| !flight.initialized()).cloned();
        let flight = under_way.unwrap_or_else(|| {
            let flight = Flight::new(OnceCell::new());
            flights.insert(question.clone(), Arc::clone(&flight));
            flight
        });
        Joined { flights: self, flight, question }
    }
}

impl<Q: Eq + Hash, A> Flights<Q, A> {
    fn lock(&self) -> MutexGuard<'_, HashMap<Q, Flight<A>>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who takes part in a question. The last one, and any after the end, clears up.
struct Joined<'f, Q: Eq + Hash, A> {
    flights: &'f Flights<Q, A>,
    flight: Flight<A>,
    question: Q,
}

impl<Q: Eq + Hash, A> Drop for Joined<'_, Q, A> {
    fn drop(&mut self) {
        let mut flights = self.flights.lock();
        // Given up while the map is locked: of two that end at once, the second must see that it is
        // the last.
        let flight = std::mem::replace(&mut self.flight, Flight::new(OnceCell::new()));
        let is_ours = flights.get(&self.question).is_some_and(|own| Arc::ptr_eq(own, &flight));
        // Two hold it if nobody else does: the map and this one.
        if is_ours && (flight.initialized() || Arc::strong_count(&flight) <= 2) {
            flights.remove(&self.question);
        }
    }
}

impl<Q: Eq + Hash, A> Default for Flights<Q, A> {
    fn default() -> Self {
        Self { flights: Mutex::default() }
    }
}

impl<Q: Eq + Hash, A> fmt::Debug for Flights<Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flights").field("len", &self.lock().len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_that_give_up_at_once_the_second_clears_up() {
        let flights = Flights::<u8, ()>::default();
        for round in 0..1_000 {
            let (first, second) = (flights.join(1), flights.join(1));
            std::thread::scope(|scope| {
                // Both wait for the map, and go on one close behind the other.
                let held = flights.lock();
                scope.spawn(|| drop(first));
                scope.spawn(|| drop(second));
                (0..20).for_each(|_| std::thread::yield_now());
                drop(held);
            });
            assert!(flights.lock().is_empty(), "{round}");
        }
    }
}
