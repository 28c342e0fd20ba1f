//! The log of an application after a configuration that was diagnosed. In a process of its own, because it sets the
//! subscriber of the process.

#![cfg(feature = "tracing")]

use std::sync::atomic::{AtomicUsize, Ordering};

use portcullis_config::Config;
use tracing::{
    Event, Metadata, Subscriber,
    span::{Attributes, Id, Record},
};

static WARNINGS: AtomicUsize = AtomicUsize::new(0);

struct Counting;

impl Subscriber for Counting {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "portcullis"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        WARNINGS.fetch_add(1, Ordering::SeqCst);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn a_warning_first_reached_in_a_diagnosis_is_logged_when_the_configuration_is_used() {
    tracing::subscriber::set_global_default(Counting).unwrap();
    let section = "production = true\n[[static_token]]\nname = 'service'\ntoken = 'a-token-of-24-characters'\n";

    // The typo makes the reader diagnose the whole text, which builds the section with the short token.
    let mistakes = Config::from_toml(&format!("{section}[extract]\ntypo = true\n"))
        .and_then(|config| config.builder()?.build().map(|_| ()));
    assert!(mistakes.is_err(), "no mistake");
    assert_eq!(WARNINGS.load(Ordering::SeqCst), 0);

    Config::from_toml(section).unwrap().builder().unwrap().build().unwrap();
    assert_eq!(WARNINGS.load(Ordering::SeqCst), 1);
}
