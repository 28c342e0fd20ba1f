//! Endpoints that answer requests themselves, in terms of no framework. Adapters read the request and render the
//! response; the rules are in the endpoints.

mod call;
mod cookie;
mod form;
mod response;
mod set_cookies;

pub use call::{Endpoint, EndpointCall, FormCall};
pub use cookie::{CookieAttributes, SameSite};
pub use form::Form;
pub use response::EndpointResponse;
pub(crate) use response::NOT_POST;
pub use set_cookies::SetCookies;
