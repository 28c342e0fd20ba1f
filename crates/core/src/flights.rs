//! Questions that are asked once, however many want to know.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::OnceCell;

/// Questions that are under way, by their text.
pub(crate) struct Flights<A> {
    flights: Mutex<HashMap<Box<str>, Flight<A>>>,
}

/// One question, and all who wait for its answer.
type Flight<A> = Arc<OnceCell<A>>;

impl<A: Clone> Flights<A> {
    /// Asks, or waits for the answer to a question of the same text that is under way. Where the one
    /// who asks goes away, the next of those who wait asks.
    pub(crate) async fn share<F>(&self, text: &str, ask: impl FnOnce() -> F) -> A
    where
        F: Future<Output = A>,
    {
        let joined = Joined { flights: self, flight: self.join(text), text };
        joined.flight.get_or_init(ask).await.clone()
    }

    /// Takes part in a question that is under way, or begins one. One that is over is of the past.
    fn join(&self, text: &str) -> Flight<A> {
        let mut flights = self.lock();
        if let Some(flight) = flights.get(text)
            && !flight.initialized()
        {
            return Arc::clone(flight);
        }
        let flight = Flight::new(OnceCell::new());
        flights.insert(text.into(), Arc::clone(&flight));
        flight
    }
}

impl<A> Flights<A> {
    fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, Flight<A>>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who takes part in a question. The last one, and any after the end, clears up.
struct Joined<'f, A> {
    flights: &'f Flights<A>,
    flight: Flight<A>,
    text: &'f str,
}

impl<A> Drop for Joined<'_, A> {
    fn drop(&mut self) {
        let mut flights = self.flights.lock();
        let is_ours = flights.get(self.text).is_some_and(|own| Arc::ptr_eq(own, &self.flight));
        // Two hold it if nobody else does: the map and this one.
        if is_ours && (self.flight.initialized() || Arc::strong_count(&self.flight) <= 2) {
            flights.remove(self.text);
        }
    }
}

impl<A> Default for Flights<A> {
    fn default() -> Self {
        Self { flights: Mutex::default() }
    }
}

impl<A> fmt::Debug for Flights<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flights").field("len", &self.lock().len()).finish()
    }
}
