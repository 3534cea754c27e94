//! Which names and addresses are never dialled. It judges the address that is about to be dialled, so that neither a
//! spelling nor an answer of the DNS that changes in between gets past it. It resolves and dials nothing itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Why a host is not dialled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Forbidden {
    /// The name alone says so.
    #[error("the name {name} is not dialled: {why}")]
    Name { name: String, why: &'static str },
    /// The address is one of these.
    #[error("the address {address} is not dialled: {why}")]
    Address { address: IpAddr, why: &'static str },
}

/// What a host is, once its spelling has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// A literal address.
    Address(IpAddr),
    /// A name for the DNS, without brackets or a dot at its end.
    Name(String),
}

/// The configured exceptions to the built-in ranges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Guard {
    pub(super) deny: Vec<IpNet>,
    pub(super) allow: Vec<IpNet>,
}

type Range<Net> = (Net, &'static str);

const fn v4(a: u8, b: u8, c: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, 0), prefix)
}

const fn v6(a: u16, b: u16, c: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), prefix)
}

/// The IANA special-purpose registry for IPv4, what is not globally reachable.
const V4: [Range<Ipv4Net>; 15] = [
    (v4(0, 0, 0, 8), "it is unspecified"),
    (v4(10, 0, 0, 8), "it is private"),
    (v4(100, 64, 0, 10), "it is shared carrier space"),
    (v4(127, 0, 0, 8), "it is loopback"),
    (v4(169, 254, 0, 16), "it is link-local"),
    (v4(172, 16, 0, 12), "it is private"),
    (v4(192, 0, 0, 24), "it is a protocol assignment"),
    (v4(192, 0, 2, 24), "it is for documentation"),
    (v4(192, 88, 99, 24), "it is a 6to4 relay"),
    (v4(192, 168, 0, 16), "it is private"),
    (v4(198, 18, 0, 15), "it is for benchmarks"),
    (v4(198, 51, 100, 24), "it is for documentation"),
    (v4(203, 0, 113, 24), "it is for documentation"),
    (v4(224, 0, 0, 4), "it is multicast"),
    (v4(240, 0, 0, 4), "it is reserved"),
];

/// The ranges that have a reason of their own; everything else outside [`GLOBAL`] is refused as well.
const V6: [Range<Ipv6Net>; 8] = [
    (v6(0, 0, 0, 96), "it is loopback or IPv4-compatible"),
    (v6(0x64, 0xff9b, 1, 48), "it is a local NAT64 address"),
    (v6(0x2001, 0, 0, 23), "it is a protocol assignment"),
    (v6(0x2001, 0xdb8, 0, 32), "it is for documentation"),
    (v6(0x3fff, 0, 0, 20), "it is for documentation"),
    (v6(0xfc00, 0, 0, 7), "it is unique local"),
    (v6(0xfe80, 0, 0, 10), "it is link-local"),
    (v6(0xfec0, 0, 0, 10), "it is site-local"),
];

const GLOBAL: Ipv6Net = v6(0x2000, 0, 0, 3);
const MULTICAST: Ipv6Net = v6(0xff00, 0, 0, 8);

/// The metadata services of AWS and most others, of ECS tasks, Alibaba and Azure; over IPv6 those of AWS and Google.
const METADATA: [IpAddr; 6] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
];

// === impl Guard ===

impl Guard {
    /// Reads `host` (an IPv6 address in brackets) and refuses names that only a cluster, a machine or a cloud gives a
    /// meaning to. `allow_private` is what the settings say of that host.
    ///
    /// # Errors
    /// [`Forbidden`], with the reason.
    pub(super) fn check_name(host: &str, allow_private: bool) -> Result<Named, Forbidden> {
        let host = host.to_ascii_lowercase();
        let forbidden = |why| {
            let name = host.clone();
            Err(Forbidden::Name { name, why })
        };
        if let Some(inner) = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
            return match inner.parse() {
                Ok(address) => Ok(Named::Address(IpAddr::V6(address))),
                Err(_) => forbidden("it is no address"),
            };
        }
        if let Ok(address) = host.parse::<Ipv4Addr>() {
            return Ok(Named::Address(IpAddr::V4(address)));
        }
        let name = host.strip_suffix('.').unwrap_or(&host);
        if ends_in_a_number(name) {
            return forbidden("it is an address in disguise");
        }
        if is_metadata_name(name) {
            return forbidden("it is a metadata service");
        }
        match local_meaning(name) {
            Some(why) if !allow_private => forbidden(why),
            _ => Ok(Named::Name(name.to_owned())),
        }
    }

    /// Judges an address right before it is dialled.
    ///
    /// # Errors
    /// [`Forbidden`], with the reason.
    pub(super) fn check_address(
        &self,
        address: IpAddr,
        allow_private: bool,
    ) -> Result<(), Forbidden> {
        let forbidden = |why| Err(Forbidden::Address { address, why });
        let inner = embedded(address).map(IpAddr::V4);
        for judged in [Some(address), inner].into_iter().flatten() {
            let listed = |nets: &[IpNet]| nets.iter().any(|net| net.contains(&judged));
            let allowed = listed(&self.allow);
            if METADATA.contains(&judged) && !allowed {
                return forbidden("it is a metadata service");
            }
            if allow_private {
                continue;
            }
            if listed(&self.deny) {
                return forbidden("denyCidrs lists it");
            }
            match special(judged) {
                Some(why) if !allowed => return forbidden(why),
                _ => {}
            }
        }
        Ok(())
    }
}

/// The IPv4 address that an IPv6 one stands for: v4-mapped, SIIT, NAT64 and 6to4. It is judged by that one.
fn embedded(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(v6) = address else {
        return None;
    };
    let from = |high: u16, low: u16| Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match v6.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => from(high, low),
        _ => None,
    }
}

fn special(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(v4) => reason(&V4, |net| net.contains(&v4)),
        IpAddr::V6(_) if embedded(address).is_some() => None,
        IpAddr::V6(v6) if MULTICAST.contains(&v6) => Some("it is multicast"),
        IpAddr::V6(v6) => reason(&V6, |net| net.contains(&v6))
            .or_else(|| (!GLOBAL.contains(&v6)).then_some("it is not global unicast")),
    }
}

fn reason<Net>(ranges: &[Range<Net>], holds: impl Fn(&Net) -> bool) -> Option<&'static str> {
    let found = ranges.iter().find(|(net, _)| holds(net));
    found.map(|(_, why)| *why)
}

/// A last label of figures makes an IPv4 address of the whole (`127.1`, `0xa9.0xfe.0xa9.0xfe`) for `inet_aton` and
/// for every URL parser, and no top-level domain looks so.
fn ends_in_a_number(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    let hex = last.strip_prefix("0x");
    let is_hex = hex.is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
    is_hex || (!last.is_empty() && last.bytes().all(|b| b.is_ascii_digit()))
}

fn is_metadata_name(name: &str) -> bool {
    let first = name.split('.').next().unwrap_or_default();
    let internal = name == first || name.ends_with(".internal");
    name == "metadata.goog" || (internal && matches!(first, "metadata" | "instance-data"))
}

fn local_meaning(name: &str) -> Option<&'static str> {
    let mut labels = name.split('.');
    if name.is_empty() || name.split('.').any(str::is_empty) {
        return Some("it is no name");
    }
    if name == "localhost" || name.ends_with(".localhost") {
        return Some("it is this machine");
    }
    if labels.next() == Some(name) {
        return Some("it has one label, which only a search domain completes");
    }
    let of_cluster = name.ends_with(".cluster.local") || labels.any(|label| label == "svc");
    of_cluster.then_some("it is a name of the cluster")
}

#[cfg(test)]
mod tests;
