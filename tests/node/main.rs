//! cotter on a real node: what users of a cluster see.
#![allow(unreachable_pub, reason = "shared among the modules of one program")]

#[path = "../support/mod.rs"]
mod support;

fn main() -> std::process::ExitCode {
    use support::node::{Lab, sandbox};
    if !sandbox::inside() {
        let missing = sandbox::missing();
        if !missing.is_empty() {
            eprintln!("missing {missing:?}");
        }
        return sandbox::enter(&[], sandbox::Until::CallerEnds);
    }
    let started = std::time::Instant::now();
    let lab = Lab::start();
    eprintln!("ready in {:?}", started.elapsed());
    println!(
        "{}",
        lab.plane.kubectl(&["get", "nodes", "-o", "wide"]).ok()
    );
    lab.registry.push("public/app", "one", &["dev"]);
    println!(
        "{}",
        lab.plane
            .kubectl(&[
                "run",
                "web",
                "--image",
                &lab.registry.image("public/app:dev")
            ])
            .ok()
    );
    let started = std::time::Instant::now();
    println!(
        "{}",
        lab.plane
            .kubectl(&["wait", "--for=condition=Ready", "pod/web", "--timeout=30s"])
            .stdout
    );
    eprintln!("Pod in {:?}", started.elapsed());
    println!("{}", lab.plane.kubectl(&["describe", "pod", "web"]).ok());
    println!(
        "{}",
        lab.plane
            .kubectl(&["get", "endpointslices,svc,pods", "-A", "-o", "wide"])
            .ok()
    );
    if std::env::var_os("HOLD").is_some() {
        std::thread::sleep(std::time::Duration::from_secs(600));
    }
    std::process::ExitCode::SUCCESS
}
