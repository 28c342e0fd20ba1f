//! Which addresses keys may be fetched from.

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::BoxFuture;

/// Which addresses may be connected to.
#[derive(Clone, Copy, Debug)]
pub(super) struct AddressRule {
    pub(super) allows: fn(IpAddr) -> bool,
    /// What is said of an address that is not allowed.
    pub(super) otherwise: &'static str,
}

impl AddressRule {
    /// Those of the public internet.
    pub(super) const PUBLIC: Self = Self { allows: is_public, otherwise: "is not public" };

    /// Those of other machines.
    pub(super) const ELSEWHERE: Self =
        Self { allows: |address| !is_this_machine(address), otherwise: "is this machine" };

    /// Those of this machine.
    pub(super) const LOOPBACK: Self =
        Self { allows: |address| address.is_loopback(), otherwise: "is not this machine" };

    /// Checks an address that `host` leads to.
    pub(super) fn check(&self, host: impl fmt::Display, address: IpAddr) -> Result<(), String> {
        if (self.allows)(address) {
            return Ok(());
        }
        Err(format!("`{host}` leads to {address}, which {}", self.otherwise))
    }
}

/// Resolves names, and fails for a name that has any address which is not allowed.
///
/// The addresses that are checked are the ones that are connected to, so that a name cannot point
/// elsewhere in between.
#[derive(Clone, Debug)]
pub(super) struct CheckedAddresses {
    pub(super) rule: AddressRule,
    /// The only name that is checked, where others may be those of proxies.
    pub(super) host: Option<Box<str>>,
    pub(super) lookup: Lookup,
}

/// Looks the addresses of a name up, once.
pub(super) type Lookup = fn(Name) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>>;

/// Resolves as the system does.
pub(super) const BY_SYSTEM: Lookup = |name| {
    Box::pin(async move { Ok(tokio::net::lookup_host((name.as_str(), 0)).await?.collect()) })
};

impl Resolve for CheckedAddresses {
    fn resolve(&self, name: Name) -> Resolving {
        let Self { rule, lookup, .. } = *self;
        let name_text = name.as_str().to_owned();
        let is_checked = self.host.as_deref().is_none_or(|host| host == name_text);
        Box::pin(async move {
            let addresses = lookup(name).await?;
            if is_checked {
                addresses.iter().try_for_each(|address| rule.check(&name_text, address.ip()))?;
            }
            let addresses: Addrs = Box::new(addresses.into_iter());
            Ok(addresses)
        })
    }
}

/// Returns whether the text of a URL names this machine, so that plain http is safe.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Returns whether the text of a URL names this machine in any spelling. Other names may lead here too,
/// which [`CheckedAddresses`] finds out.
pub(super) fn names_this_machine(url: &Url) -> bool {
    match url.host() {
        // Of RFC 6761 §6.3; the dot at the end makes a name absolute.
        Some(Host::Domain(name)) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(address)) => is_this_machine(address.into()),
        Some(Host::Ipv6(address)) => is_this_machine(address.into()),
        None => false,
    }
}

/// Returns whether a connection to this address stays on this machine: loopback addresses, and the
/// unspecified ones, which systems take for those.
fn is_this_machine(address: IpAddr) -> bool {
    let is_here = |address: Ipv4Addr| matches!(address.octets(), [0 | 127, ..]);
    match address {
        IpAddr::V4(address) => is_here(address),
        IpAddr::V6(address) => {
            address.is_loopback()
                || address.is_unspecified()
                || embedded_v4(address).is_some_and(is_here)
        }
    }
}

/// Tells whether an address belongs to the public internet: not to this machine, a private network,
/// a link, the metadata service of a cloud, or a block reserved for other things ([RFC 6890]).
///
/// [RFC 6890]: https://www.rfc-editor.org/rfc/rfc6890
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let reserved = match a {
        0 | 10 | 127 => true,
        // Shared by carriers.
        100 => (64..128).contains(&b),
        // Link-local, with the metadata services of clouds.
        169 => b == 254,
        172 => (16..32).contains(&b),
        192 => b == 168 || (b == 0 && (c == 0 || c == 2)) || (b == 88 && c == 99),
        // Benchmarks and documentation.
        198 => b == 18 || b == 19 || (b == 51 && c == 100),
        203 => b == 0 && c == 113,
        // Multicast and reserved.
        224.. => true,
        _ => false,
    };
    !reserved
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(address) = embedded_v4(address) {
        return is_public_v4(address);
    }
    match address.segments() {
        // 6to4 and Teredo lead to addresses that are not looked at here.
        [0x2002, ..] | [0x2001, 0, ..] | [0x2001, 0xdb8, ..] => return false,
        _ => {}
    }
    // Global unicast is 2000::/3, and nothing else.
    address.segments().first().is_some_and(|first| first & 0xe000 == 0x2000)
}

/// Returns the IPv4 address that a connection to this IPv6 address leads to: an IPv4-mapped one, or one
/// behind a translator ([RFC 6052 §2.1]).
///
/// [RFC 6052 §2.1]: https://www.rfc-editor.org/rfc/rfc6052#section-2.1
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
            Some(Ipv4Addr::new(a, b, c, d))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_networks_behind_the_service_are_not_public() {
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2001::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::10.0.0.1",
            "::7f00:1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "1.1.1.1",
            "100.63.0.1",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn this_machine_is_known_by_each_of_its_addresses_and_names() {
        for host in [
            "127.0.0.1",
            "127.255.255.254",
            "2130706433",
            "0.0.0.0",
            "0.1.2.3",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:0.0.0.0]",
            "[64:ff9b::127.0.0.1]",
            "localhost",
            "LOCALHOST.",
            "idp.localhost",
            "idp.localhost.",
        ] {
            let url = Url::parse(&format!("https://{host}/")).unwrap();
            assert!(names_this_machine(&url), "{host}");
        }
        for host in
            ["idp.test", "localhost.test", "mylocalhost", "10.0.0.1", "[::2]", "[::ffff:10.0.0.1]"]
        {
            let url = Url::parse(&format!("https://{host}/")).unwrap();
            assert!(!names_this_machine(&url), "{host}");
        }
    }

    #[tokio::test]
    async fn names_of_this_machine_are_rejected() {
        let rule = AddressRule::PUBLIC;
        let public = CheckedAddresses { rule, host: None, lookup: BY_SYSTEM };
        let rejected = public.resolve("localhost".parse().unwrap()).await;
        let message = rejected.err().unwrap().to_string();
        assert!(message.starts_with("`localhost` leads to "), "{message}");
    }
}
