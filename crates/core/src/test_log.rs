//! What the log is told, for tests.

use std::{
    fmt,
    sync::{Arc, Mutex, OnceLock},
};

use tracing::{
    Dispatch, Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::with_default,
};

/// Returns the text of each event of a target and level that this thread tells meanwhile.
pub(crate) fn told(target: &'static str, level: Level, run: impl FnOnce()) -> Vec<String> {
    // With one listener alone `tracing` asks the thread that comes first to a place in the code, which
    // may be that of another test, and nobody hears of that place again. So there is always another.
    static OTHER: OnceLock<Dispatch> = OnceLock::new();
    OTHER.get_or_init(|| Dispatch::new(Told { wanted: Some(("", level)), texts: Arc::default() }));
    heard(Some((target, level)), run)
}

fn heard(wanted: Option<(&'static str, Level)>, run: impl FnOnce()) -> Vec<String> {
    let told = Told { wanted, texts: Arc::default() };
    with_default(told.clone(), run);
    std::mem::take(&mut *told.texts.lock().unwrap())
}

/// Keeps the text of each event of one target and level, or of all.
#[derive(Clone)]
struct Told {
    wanted: Option<(&'static str, Level)>,
    texts: Arc<Mutex<Vec<String>>>,
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push_str(&format!("{field}={value:?} "));
    }
}

impl Subscriber for Told {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.wanted.is_none_or(|wanted| wanted == (metadata.target(), *metadata.level()))
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        self.texts.lock().unwrap().push(text.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
