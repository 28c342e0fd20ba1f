//! What metrics say of the keys.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use metrics::{
    Counter, Gauge, GaugeFn, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

use super::support::{Answer, World};

/// The last value of each gauge.
#[derive(Clone, Default)]
struct Gauges(Arc<Mutex<HashMap<String, f64>>>);

struct OneGauge(Gauges, String);

impl Gauges {
    fn value(&self, name: &str) -> f64 {
        self.0.lock().unwrap()[name]
    }
}

impl GaugeFn for OneGauge {
    fn increment(&self, _: f64) {}

    fn decrement(&self, _: f64) {}

    fn set(&self, value: f64) {
        self.0.0.lock().unwrap().insert(self.1.clone(), value);
    }
}

impl Recorder for Gauges {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Arc::new(OneGauge(self.clone(), key.name().to_owned())))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

#[tokio::test]
async fn keys_that_are_too_old_are_not_counted() {
    const HOUR: u64 = 3600;
    let gauges = Gauges::default();
    let _guard = metrics::set_default_local_recorder(&gauges);
    let world = World::ready().await;
    assert_eq!(gauges.value("portcullis_keys"), 1.0);
    world.source.answer(Answer::Error);
    world.advance(23 * HOUR).await;
    assert_eq!(gauges.value("portcullis_keys"), 1.0);
    // Nothing but time passes: a fetch is under way that does not end.
    world.source.hold();
    world.advance(61).await;
    assert_eq!(world.source.running(), 1);
    world.clock.advance(std::time::Duration::from_secs(HOUR));
    assert_eq!(world.verdict(), "keys_unavailable");
    assert_eq!(gauges.value("portcullis_keys"), 0.0);
    world.source.release();
    world.publish();
    world.advance(64).await;
    world.advance(64).await;
    assert_eq!((world.verdict(), gauges.value("portcullis_keys")), ("accepted", 1.0));
}

#[tokio::test]
async fn keys_become_too_old_without_any_request() {
    const HOUR: u64 = 3600;
    let gauges = Gauges::default();
    let _guard = metrics::set_default_local_recorder(&gauges);
    let world = World::ready().await;
    world.source.answer(Answer::Error);
    for _ in 0..25 {
        world.advance(HOUR).await;
    }
    assert_eq!(gauges.value("portcullis_keys"), 0.0);
}
