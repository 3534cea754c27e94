//! `make bench`: one table of ratios, measured in one run on this machine.
//!
//! The baseline is an echo of the same reviews over the same TLS. The measure of a warm admission is the CPU of the server's
//! process, since on a small machine the caller's own CPU flatters a ratio of throughputs.

mod answer;
mod audit;
mod bare;
mod cold;
mod cpu;
mod creates;
mod echo;
mod files;
mod first_pods;
mod image;
mod lab;
mod load;
mod manifests;
mod memory;
mod process;
mod pull_secrets;
mod registry;
mod replica;
mod reviews;
mod startup;
mod support;
mod table;
mod tls;
mod warm;

use std::{env, io, path::Path, process::ExitCode};

use anyhow::Result;
use table::Table;
use tokio::runtime::Runtime;

// What cotter uses: the echo shall not be slower for its allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [first, address, cert, key, patch] = arguments.as_slice()
        && first == process::ECHO
    {
        echo::serve(address, [cert, key, patch].map(Path::new))?;
    }
    if let [first, filter] = arguments.as_slice()
        && first == replica::INSIDE
    {
        let table = Table::go_on(filter.clone());
        runtime()?.block_on(replica::measure(&table))?;
        return Ok(ExitCode::SUCCESS);
    }
    // `cargo test --all-targets` runs this program too, without the argument that `cargo bench` gives.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return Ok(ExitCode::SUCCESS);
    }
    let filter = arguments.into_iter().find(|a| !a.starts_with("--"));
    runtime()?.block_on(measure(filter.unwrap_or_default()))
}

fn runtime() -> io::Result<Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.enable_all().build()
}

/// Measures every row that was asked for, whatever becomes of the others.
async fn measure(filter: String) -> Result<ExitCode> {
    let table = Table::start(filter)?;
    let results = [
        ("warm admissions", warm::rows(&table).await),
        ("cold admissions", cold::rows(&table).await),
        ("first Pods", first_pods::rows(&table).await),
        ("memory", memory::rows(&table).await),
        ("start to ready", startup::rows(&table)),
        ("files", files::rows(&table).await),
        ("audit", audit::rows(&table).await),
        ("Pod creates", creates::rows(&table).await),
        ("pull secrets", pull_secrets::rows(&table).await),
        ("replica", replica::rows(&table)),
        ("image", image::rows(&table)),
    ];
    let mut code = ExitCode::SUCCESS;
    for (what, result) in results {
        if let Err(error) = result {
            Table::failed(what, &error)?;
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}
