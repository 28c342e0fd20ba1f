//! Requests that others hold.

use std::panic::{self, AssertUnwindSafe};

use actix_web::dev::ServiceRequest;

/// Tells whether others hold the request too, so that it cannot be changed.
pub(crate) fn is_shared(request: &mut ServiceRequest) -> bool {
    // The framework panics then, before it touches anything, and offers no other way to ask.
    panic::catch_unwind(AssertUnwindSafe(|| {
        request.head_mut();
    }))
    .is_err()
}
