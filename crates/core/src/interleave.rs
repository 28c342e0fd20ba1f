//! Named points between two steps that other tasks may come between.
//!
//! They do nothing without the feature `interleave`, which only tests of this repository use: there, a
//! scheduler decides at each point which task goes on. No point is passed while a lock is held.

/// Marks a place where other tasks may come between.
#[cfg(not(feature = "interleave"))]
#[inline(always)]
pub fn point(_: &'static str) {}

#[cfg(feature = "interleave")]
pub use hooked::{point, set_hook};

#[cfg(feature = "interleave")]
mod hooked {
    use std::{cell::RefCell, rc::Rc};

    type Hook = Rc<dyn Fn(&'static str)>;

    thread_local! {
        static HOOK: RefCell<Option<Hook>> = const { RefCell::new(None) };
    }

    /// Marks a place where other tasks may come between: calls the function that this thread has set.
    pub fn point(name: &'static str) {
        // Called outside of the borrow: the function may run other code that passes points.
        if let Some(hook) = HOOK.with_borrow(Clone::clone) {
            hook(name);
        }
    }

    /// Sets what this thread calls at each point.
    pub fn set_hook(hook: impl Fn(&'static str) + 'static) {
        HOOK.set(Some(Rc::new(hook)));
    }
}
