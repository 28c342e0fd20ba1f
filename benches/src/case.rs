//! One thing to measure.

use std::{cell::LazyCell, fmt};

/// What is measured.
pub type Run = Box<dyn Fn()>;

/// One thing to measure. It is set up when it is run for the first time, because a program that
/// counts instructions has no time for the others.
pub struct Case {
    /// What it is called.
    name: String,
    run: LazyCell<Run, Box<dyn FnOnce() -> Run>>,
}

impl Case {
    /// Creates a case.
    #[must_use]
    pub fn new(name: String, set_up: impl FnOnce() -> Run + 'static) -> Self {
        Self { name, run: LazyCell::new(Box::new(set_up)) }
    }

    /// Returns what it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Does it once.
    #[inline]
    pub fn run(&self) {
        (self.run)();
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case").field("name", &self.name).finish_non_exhaustive()
    }
}
