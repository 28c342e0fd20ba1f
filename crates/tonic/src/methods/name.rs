//! Names of methods and services, as they stand in a request's path.

/// Tells whether a text is the path of a method: `/package.Service/Method`.
pub(super) fn is_method(name: &str) -> bool {
    let parts = name.strip_prefix('/').and_then(|name| name.split_once('/'));
    parts.is_some_and(|(service, method)| is_service(service) && is_identifier(method))
}

/// Tells whether a text is the full name of a service: identifiers with dots between.
pub(super) fn is_service(name: &str) -> bool {
    name.split('.').all(is_identifier)
}

/// An identifier of Protocol Buffers.
fn is_identifier(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !text.is_empty()
        && text.bytes().all(is_part)
        && !text.starts_with(|first: char| first.is_ascii_digit())
}

/// Returns the service that a path names: what stands before the method.
pub(super) fn service_of(path: &str) -> Option<&str> {
    let (service, method) = path.strip_prefix('/')?.rsplit_once('/')?;
    (!method.is_empty()).then_some(service)
}
