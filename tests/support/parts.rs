//! Where the real parts are, and what a test says that has to go without one.

use std::env;
use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The program of a part: from `COTTER_PARTS`, else from `make parts`, else from the PATH.
pub fn find(part: &str) -> Option<PathBuf> {
    let brought = env::var_os("COTTER_PARTS").map(PathBuf::from);
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/parts/bin");
    let on_path = env::var_os("PATH").unwrap_or_default();
    brought
        .into_iter()
        .chain([built])
        .chain(env::split_paths(&on_path))
        .map(|folder| folder.join(part))
        .find(|program| program.is_file())
}

/// The program of a part that [`require!`] has already asked for.
pub fn program(part: &str) -> PathBuf {
    find(part).unwrap_or_else(|| panic!("needs {part}; run make parts (Go \u{2265} 1.26)"))
}

/// Ends the test, as passed and with a line that names it, where a part is missing. With `CI=true` it fails.
macro_rules! require {
    ($($part:expr),+ $(,)?) => {{
        fn here() {}
        if !$crate::support::parts::are_here(std::any::type_name_of_val(&here), &[$($part),+]) {
            return;
        }
    }};
}
pub(crate) use require;

#[doc(hidden)]
pub fn are_here(within: &str, parts: &[&str]) -> bool {
    let missing: Vec<&str> = parts
        .iter()
        .copied()
        .filter(|part| find(part).is_none())
        .collect();
    if missing.is_empty() {
        return true;
    }
    skip(
        within,
        &format!("{}; run make parts (Go \u{2265} 1.26)", missing.join(", ")),
    );
    false
}

/// Says that this test goes without what it needs. With `CI=true` it fails.
pub fn skip(within: &str, needs: &str) {
    let line = format!("skipped {}: needs {needs}", test_name(within));
    assert!(
        env::var_os("CI").as_deref() != Some(OsStr::new("true")),
        "{line}"
    );
    // Straight to the stream: the test harness hides what a passing test prints with the macros.
    let _ = writeln!(std::io::stderr(), "{line}");
}

// The harness names a test's thread after it (a case of a table too), unless it runs all tests on the main thread.
fn test_name(within: &str) -> String {
    match std::thread::current().name() {
        Some(name) if name != "main" && !name.starts_with("tokio") => name.to_owned(),
        _ => within
            .trim_end_matches("::here")
            .trim_end_matches("::{{closure}}")
            .to_owned(),
    }
}
