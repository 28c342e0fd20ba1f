//! What metrics say of the tokens for calls to others.

#![cfg(feature = "metrics")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops there")]

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, Key, KeyName, Metadata, Recorder, SharedString,
    Unit,
};
use portcullis::NumericDate;
use portcullis_mint::{IssuedToken, RenewingToken};
use portcullis_testkit::ManualClock;

/// The value of each metric, by its name and its labels.
#[derive(Clone, Default)]
struct Values(Arc<Mutex<BTreeMap<String, f64>>>);

struct OneValue(Values, String);

impl Values {
    fn of(&self, key: &Key) -> Arc<OneValue> {
        let labels: Vec<_> =
            key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        Arc::new(OneValue(self.clone(), format!("{} {}", key.name(), labels.join(" "))))
    }

    fn all(&self) -> Vec<(String, f64)> {
        self.0.lock().unwrap().iter().map(|(name, value)| (name.clone(), *value)).collect()
    }
}

impl CounterFn for OneValue {
    fn increment(&self, by: u64) {
        *self.0.0.lock().unwrap().entry(self.1.clone()).or_default() +=
            f64::from(u32::try_from(by).unwrap());
    }

    fn absolute(&self, _: u64) {}
}

impl GaugeFn for OneValue {
    fn increment(&self, _: f64) {}

    fn decrement(&self, _: f64) {}

    fn set(&self, value: f64) {
        self.0.0.lock().unwrap().insert(self.1.clone(), value);
    }
}

impl Recorder for Values {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.of(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.of(key))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

#[tokio::test]
async fn renewals_rejections_and_the_expiry_are_counted() {
    let values = Values::default();
    let _guard = metrics::set_default_local_recorder(&values);
    let clock = ManualClock::at(NumericDate::from_seconds(1_800_000_000));
    let asked = AtomicUsize::new(0);
    let source = move || {
        let number = asked.fetch_add(1, Ordering::SeqCst);
        async move {
            match number {
                1 => Err("away".into()),
                _ => Ok(IssuedToken::new(format!("secret-{number}"))),
            }
        }
    };
    let token = RenewingToken::from_source(source).clock(clock.clone()).name("stock");
    let token = token.build().unwrap();
    let first = token.token().await.unwrap();
    assert!(token.discard(&first));
    assert!(token.discard(&first), "it is gone already");
    token.token().await.unwrap_err();
    clock.advance(Duration::from_secs(100));
    let second = token.token().await.unwrap();
    let reissued = IssuedToken::new("secret").expires_in(Duration::from_secs(60));
    assert!(token.replace(&second, reissued));
    let expected = [
        ("portcullis_token_expiry_timestamp_seconds token=stock", 1_800_000_160.0),
        ("portcullis_token_renewals_total token=stock outcome=failure", 1.0),
        ("portcullis_token_renewals_total token=stock outcome=reissue", 1.0),
        ("portcullis_token_renewals_total token=stock outcome=success", 2.0),
        ("portcullis_tokens_discarded_total token=stock", 1.0),
    ];
    assert_eq!(values.all(), expected.map(|(name, value)| (name.to_owned(), value)));
}
