//! Warnings about an error that lasts.

use std::{error::Error, time::Duration};

use crate::NumericDate;

/// How often the same error is logged again while it lasts.
const AGAIN_AFTER: Duration = Duration::from_secs(60);

/// Decides when an error that lasts is logged: at first, when its text changes, and once a minute.
#[derive(Debug, Default)]
pub struct Warnings {
    last: Option<(String, NumericDate)>,
}

impl Warnings {
    /// Returns the causes of the error, in one text, if the error must be logged now.
    pub fn due(&mut self, error: &dyn Error, now: NumericDate) -> Option<String> {
        let causes = causes(error);
        let text = format!("{error}: {causes}");
        if let Some((last, at)) = &self.last
            && *last == text
            && *at <= now
            && now.saturating_since(*at) < AGAIN_AFTER
        {
            return None;
        }
        self.last = Some((text, now));
        Some(causes)
    }

    /// The error is over.
    pub fn end(&mut self) {
        self.last = None;
    }
}

/// Returns the text of each error behind this one.
fn causes(error: &dyn Error) -> String {
    let (mut texts, mut next) = (Vec::new(), error.source());
    while let Some(cause) = next {
        texts.push(cause.to_string());
        next = cause.source();
    }
    texts.join(": ")
}
