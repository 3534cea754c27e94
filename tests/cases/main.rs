//! Every row of `tests/fixtures/cases/*.json` as a test of its own name. A file of rows has a module here that knows
//! what its rows mean: `cargo test --test cases keyring`.

mod auth_field;
mod keyring;
mod kubectl_secret;
mod reference;
mod registry_kinds;
mod registry_types;
mod support;

use libtest_mimic::Arguments;

fn main() {
    let mut trials = reference::trials();
    trials.extend(keyring::trials());
    trials.extend(auth_field::trials());
    trials.extend(kubectl_secret::trials());
    trials.extend(registry_types::trials());
    trials.extend(registry_kinds::trials());
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
