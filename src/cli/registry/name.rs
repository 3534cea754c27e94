//! What is the name of a `Registry`, and what a host or an image.

/// How kubectl writes a `Registry`, and how people shorten it.
const PREFIXES: [&str; 6] = [
    "registry/",
    "registries/",
    "reg/",
    "registry.cotter.dev/",
    "registries.cotter.dev/",
    "reg.cotter.dev/",
];

/// The name of the `Registry` that `text` means; `None` for a host or an image. A word without dot, colon and slash is a name,
/// and so is what stands behind `registry/`.
pub(super) fn of_registry(text: &str) -> Option<&str> {
    if let Some(name) = after_prefix(text) {
        return Some(name);
    }
    let is_letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let is_word = !text.is_empty() && text.bytes().all(is_letter);
    (is_word && text != "localhost").then_some(text)
}

/// The name where nothing else can be meant: with the prefix of kubectl or without.
pub(super) fn plain(text: &str) -> &str {
    after_prefix(text).unwrap_or(text)
}

fn after_prefix(text: &str) -> Option<&str> {
    PREFIXES
        .iter()
        .find_map(|prefix| text.strip_prefix(prefix))
        .filter(|name| !name.is_empty() && !name.contains(['/', ':', '@']))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::a_word("my-ghcr", Some("my-ghcr"))]
    #[case::as_kubectl_writes_it("registry.cotter.dev/my-ghcr", Some("my-ghcr"))]
    #[case::with_a_dot("reg/ghcr.io", Some("ghcr.io"))]
    #[case::a_host("ghcr.io", None)]
    #[case::a_port("registry:5000", None)]
    #[case::this_machine("localhost", None)]
    #[case::an_image("nginx:1.27", None)]
    #[case::a_path("acme/app", None)]
    #[case::an_image_of_somebody_called_registry("registry/app:dev", None)]
    #[case::a_url("https://ghcr.io", None)]
    #[case::upper_case("GHCR", None)]
    #[case::nothing("", None)]
    fn is_a_name(#[case] text: &str, #[case] name: Option<&str>) {
        assert_eq!(of_registry(text), name);
    }

    #[rstest]
    #[case::bare("ghcr.io", "ghcr.io")]
    #[case::prefixed("reg/ghcr.io", "ghcr.io")]
    fn where_only_a_name_fits(#[case] text: &str, #[case] name: &str) {
        assert_eq!(plain(text), name);
    }
}
