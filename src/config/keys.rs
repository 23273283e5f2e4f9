//! The keys that exist, and how an environment variable is named after one.

/// Prefix of the environment variables.
pub(super) const PREFIX: &str = "METAL_EDGE_";

/// The arrays of tables.
pub(super) const PEER: &str = "bgp.peer";
pub(super) const ANNOUNCED: &str = "bgp.prefix";

/// Variables that are no keys: which file to read, and the guard's mark.
pub(super) const NO_KEYS: [&str; 2] = ["METAL_EDGE_CONFIG", crate::guard::CHILD_VARIABLE];

/// Every key outside of `[[bgp.peer]]`, by its full path, in the order in which
/// they are printed.
pub const KEYS: &[&str] = &[
    "partition",
    "node",
    "data-dir",
    "store.global",
    "store.global-password-file",
    "store.global-ca-file",
    "store.local",
    "store.local-password-file",
    "store.local-ca-file",
    "listen.api",
    "listen.admin",
    "listen.max-connections",
    "listen.max-body",
    "listen.max-header-bytes",
    "listen.header-timeout",
    "listen.request-timeout",
    "listen.idle-timeout",
    "tls.certificate",
    "tls.key",
    "auth.provider-tenant",
    "auth.hmac.admin-key-file",
    "auth.hmac.edit-key-file",
    "auth.hmac.view-key-file",
    "auth.hmac.admin-lifetime",
    "auth.hmac.edit-lifetime",
    "auth.hmac.view-lifetime",
    "auth.hmac.future-skew",
    "bgp.asn",
    "bgp.router-id",
    "bgp.announce",
    "bgp.manage-addresses",
    "bgp.verify-forwarding",
    "bgp.listen",
    "bgp.daemon",
    "bgp.next-hop-v4",
    "bgp.next-hop-v6",
    "bgp.bmp",
    "bgp.med",
    "bgp.prepend",
    "bgp.local-pref",
    "bgp.communities",
    "bgp.large-communities",
    "bgp.degraded-med",
    "bgp.degraded-prepend",
    "bgp.degraded-local-pref",
    "bgp.degraded-communities",
    "bgp.degraded-large-communities",
    "health.interval",
    "health.fall",
    "health.rise",
    "health.timeout",
    "health.valid-for",
    "health.min-free",
    "drain.graceful-shutdown",
    "drain.timeout",
    "guard.enabled",
    "guard.beat",
    "guard.limit",
    "log.level",
    "log.format",
    "http.head-timeout",
    "audit.max-age",
    "audit.max-entries",
    "audit.max-body",
    "audit.queue",
];

/// An array of tables, and the keys of each of its tables.
pub(super) type Array = (&'static str, &'static [&'static str]);

/// All of them, in the order in which they are printed.
pub(super) const ARRAYS: [Array; 2] = [(ANNOUNCED, PREFIX_KEYS), (PEER, PEER_KEYS)];

/// Every key of a `[[bgp.prefix]]`.
pub const PREFIX_KEYS: &[&str] = &[
    "prefix",
    "med",
    "prepend",
    "local-pref",
    "communities",
    "large-communities",
    "degraded-med",
    "degraded-prepend",
    "degraded-local-pref",
    "degraded-communities",
    "degraded-large-communities",
];

/// Every key of a `[[bgp.peer]]`.
pub const PEER_KEYS: &[&str] = &[
    "address",
    "port",
    "asn",
    "hold-time",
    "connect-retry",
    "passive",
    "next-hop-v4",
    "next-hop-v6",
    "interface",
    "md5-key-file",
    "multihop",
    "ttl-security",
    "source",
    "bfd-interval",
    "bfd-multiplier",
];

/// `listen.max-body` is `METAL_EDGE_LISTEN_MAX_BODY`.
pub fn variable(key: &str) -> String {
    PREFIX.to_owned() + &key.to_ascii_uppercase().replace(['.', '-'], "_")
}

/// Of `known`, the one that `unknown` was most likely meant to be: the same
/// last word in another section, or the fewest typing errors apart.
pub(super) fn nearest<'a>(
    unknown: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    let score = |key: &&str| {
        if last(key) == last(unknown) {
            return 0.95;
        }
        let whole = strsim::normalized_damerau_levenshtein(unknown, key);
        // A word alone is short: a likeness by chance must not win.
        let word = strsim::normalized_damerau_levenshtein(&last(unknown), &last(key)) - 0.1;
        whole.max(word)
    };
    known
        .into_iter()
        .map(|key| (score(&key), key))
        .filter(|(score, _)| *score >= 0.55)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, key)| key)
}

/// The words after `unknown key`.
pub(super) fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |key| format!("; did you mean {key}?"))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_keys_share_an_environment_variable() {
        let names: HashSet<_> = KEYS
            .iter()
            .chain([&PEER, &ANNOUNCED])
            .map(|key| variable(key))
            .collect();
        assert_eq!(names.len(), KEYS.len() + ARRAYS.len());
        assert!(NO_KEYS.iter().all(|name| !names.contains(*name)));
    }

    #[test]
    fn the_nearest_key_is_the_one_that_was_meant() {
        for (unknown, meant) in [
            ("listen.admn", Some("listen.admin")),
            ("listen.apis", Some("listen.api")),
            ("admin", Some("listen.admin")),
            ("data_dir", Some("data-dir")),
            ("listen.maxbody", Some("listen.max-body")),
            ("health.raise", Some("health.rise")),
            ("bgp.as", Some("bgp.asn")),
            ("zebra", None),
        ] {
            assert_eq!(nearest(unknown, KEYS.iter().copied()), meant, "{unknown}");
        }
    }
}
