//! The `cotter` program.

fn main() {}
