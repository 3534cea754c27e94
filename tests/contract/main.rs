//! What the API server does with a webhook's answers, row by row on a real one, and what cotter's answers keep of it.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop where it stands"
)]
#![expect(
    clippy::needless_pass_by_value,
    clippy::similar_names,
    unreachable_pub,
    reason = "tables of JSON read best where values are written in place"
)]

#[path = "../support/mod.rs"]
mod support;

mod answers;
mod applying;
mod calling;
mod configuring;
mod creating;
mod evanphx;
mod hook;
mod hooks;
mod ours;
mod patches;
mod pods;
mod rows;
mod scripted;
mod seen;
mod selecting;
mod site;
mod updating;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

use rows::Row;

// Most rows wait for the API server or for a timeout that they are about, not for a processor.
const THREADS: usize = 16;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(THREADS);
    let mut rows = Row::contract();
    // What takes half a minute starts first.
    rows.sort_by_key(|row| !row.is_long());
    let mut trials: Vec<Trial> = rows.into_iter().map(live).collect();
    trials.extend(patches::trials());
    trials.extend(ours::trials());
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A trial that replays a row on a real API server.
fn live(row: Row) -> Trial {
    Trial::ignorable_test(row.title(), move || {
        rows::with_parts(|| match row.hook() {
            Some(hook) => hooks::replay(&row, hook),
            None => scenario(&row),
        })
    })
}

fn scenario(row: &Row) {
    let tables = [
        creating::SCENARIOS,
        updating::SCENARIOS,
        configuring::SCENARIOS,
        calling::SCENARIOS,
        selecting::SCENARIOS,
        applying::SCENARIOS,
    ];
    let mut all = tables.into_iter().flatten();
    let found = all.find(|(name, _)| row.case().starts_with(name));
    let (_, replay) = found.unwrap_or_else(|| panic!("no scenario for {:?}", row.case()));
    replay(row).check(row.expected());
}
