//! Admissions in-process: the handler over scripted ports.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod bad_input;
mod candidates;
mod final_keyring;
mod freshness;
mod idempotence;
mod look_ups;
mod oracle;
mod policies;
mod ports;
mod report;
mod siblings;
mod support;
mod updates;
