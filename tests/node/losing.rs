//! Replicas come and go while Pods are created, and no Pod notices.

use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::Test;
use crate::cotter::{enforced, pods_of, rolled_out};
use crate::lab::LIMIT;
use crate::load::{self, Created};
use crate::support::node::{Lab, install::NAMESPACE};
use crate::support::wait;

pub const TESTS: &[Test] = &[
    ("losing::in_order_nothing", in_order),
    (
        "losing::in_order_nothing_with_a_slow_registry",
        in_order_with_a_slow_registry,
    ),
    ("losing::by_force_no_more_than_was_in_flight", by_force),
];

/// What a registry far away takes for each answer.
const SLOW: Duration = Duration::from_millis(200);

/// How long Pods are created before and after a replica is lost.
const AROUND: Duration = Duration::from_secs(2);

fn in_order(lab: &Lab) {
    nothing_is_lost(lab, "losing");
}

fn in_order_with_a_slow_registry(lab: &Lab) {
    lab.registry.delay(SLOW);
    nothing_is_lost(lab, "losing-slow");
    lab.registry.delay(Duration::ZERO);
}

fn nothing_is_lost(lab: &Lab, name: &str) {
    let images = images(lab, name);
    let loads = [(10, 500), (100, 5000)].map(|(rate, number)| {
        let namespace = format!("{name}-{rate}");
        enforced(lab, &namespace);
        (namespace, rate, number)
    });
    let (images, over) = (&images, &AtomicBool::new(false));
    let all = thread::scope(|scope| {
        let loads = loads.each_ref().map(|(namespace, rate, number)| {
            let go_on = move |created| created < *number || !over.load(Ordering::Relaxed);
            scope.spawn(move || load::create(lab, namespace, *rate, images, go_on))
        });
        for happen in [delete, restart, scale_down, upgrade] {
            happen(lab);
        }
        over.store(true, Ordering::Relaxed);
        loads.map(|load| load.join().unwrap())
    });
    for ((namespace, ..), creates) in loads.iter().zip(&all) {
        load::forget(lab, namespace);
        let lost: Vec<_> = lost(creates).collect();
        assert_eq!(lost, [""; 0], "{namespace}: of {}", creates.len());
    }
}

/// How a replica is lost without being asked.
struct Force {
    name: &'static str,
    happen: fn(&Lab),
    /// How many containers have started again when it is over.
    restarted: usize,
}

const FORCE: [Force; 2] = [
    Force {
        name: "SIGKILL",
        happen: kill,
        restarted: 1,
    },
    Force {
        name: "delete --force",
        happen: delete_by_force,
        restarted: 0,
    },
];

fn by_force(lab: &Lab) {
    lab.registry.delay(SLOW);
    let images = images(lab, "losing-by-force");
    for rate in [10, 100] {
        let namespace = format!("losing-by-force-{rate}");
        enforced(lab, &namespace);
        for force in FORCE {
            let (creates, in_flight) = force.during(lab, &namespace, rate, &images);
            let (how, lost, of) = (force.name, lost(&creates).count(), creates.len());
            assert!(
                lost <= in_flight,
                "{how} at {rate}/s: {lost} of {of}, {in_flight} in flight"
            );
        }
        load::forget(lab, &namespace);
    }
    lab.registry.delay(Duration::ZERO);
}

impl Force {
    /// The creates around it, and how many of them were in flight when it happened.
    fn during(
        &self,
        lab: &Lab,
        namespace: &str,
        rate: u32,
        images: &[String],
    ) -> (Vec<Created>, usize) {
        let over = &AtomicBool::new(false);
        let (creates, from, to) = thread::scope(|scope| {
            let go_on = |_| !over.load(Ordering::Relaxed);
            let load = scope.spawn(move || load::create(lab, namespace, rate, images, go_on));
            thread::sleep(AROUND);
            let from = Instant::now();
            (self.happen)(lab);
            let to = Instant::now();
            ready(lab, self.restarted);
            thread::sleep(AROUND);
            over.store(true, Ordering::Relaxed);
            (load.join().unwrap(), from, to)
        });
        let in_flight = |one: &&Created| one.began <= to && from <= one.ended;
        let in_flight = creates.iter().filter(in_flight).count();
        (creates, in_flight)
    }
}

fn lost(creates: &[Created]) -> impl Iterator<Item = &str> {
    creates.iter().filter_map(|one| one.lost.as_deref())
}

/// So many tags that none is asked for again while its last answer is fresh.
fn images(lab: &Lab, repository: &str) -> Vec<String> {
    let tags: Vec<String> = (0..250).map(|number| format!("dev-{number}")).collect();
    let repository = format!("public/{repository}");
    let names: Vec<&str> = tags.iter().map(String::as_str).collect();
    lab.registry.push(&repository, "load", &names);
    let image = |tag: &String| lab.registry.image(&format!("{repository}:{tag}"));
    tags.iter().map(image).collect()
}

fn replicas(lab: &Lab) -> Vec<Value> {
    pods_of(lab, NAMESPACE, "app.kubernetes.io/name=cotter")
}

fn delete(lab: &Lab) {
    let name = replicas(lab)[0]["metadata"]["name"].clone();
    let delete = ["-n", NAMESPACE, "delete", "pod", name.as_str().unwrap()];
    lab.plane.kubectl(&delete).ok();
    ready(lab, 0);
}

fn delete_by_force(lab: &Lab) {
    // One that a kill has started again: the next time the kubelet would let it wait.
    let all = replicas(lab);
    let again = |pod: &&Value| restarts(pod) > 0;
    let name = all.iter().find(again).unwrap()["metadata"]["name"].clone();
    let delete = ["-n", NAMESPACE, "delete", "pod", name.as_str().unwrap()];
    let by_force = ["--force", "--grace-period=0"];
    lab.plane.kubectl(&[&delete[..], &by_force].concat()).ok();
}

fn restarts(pod: &Value) -> u64 {
    pod["status"]["containerStatuses"][0]["restartCount"]
        .as_u64()
        .unwrap_or(0)
}

fn restart(lab: &Lab) {
    let restart = ["-n", NAMESPACE, "rollout", "restart", "deployment/cotter"];
    lab.plane.kubectl(&restart).ok();
    rolled_out(lab, NAMESPACE, "cotter");
}

fn scale_down(lab: &Lab) {
    for replicas in [3, 1, 2] {
        let mut values = lab.values(tag(lab));
        values["replicaCount"] = json!(replicas);
        lab.upgrade_cotter(&values);
    }
}

/// The tag of the image that replicas run.
fn tag(lab: &Lab) -> &'static str {
    let image = &replicas(lab)[0]["spec"]["containers"][0]["image"];
    if image.as_str().unwrap().ends_with(":dev") {
        "dev"
    } else {
        "next"
    }
}

fn upgrade(lab: &Lab) {
    let tag = match tag(lab) {
        "dev" => "next",
        _ => "dev",
    };
    lab.push_cotter(tag);
    lab.upgrade_cotter(&lab.values(tag));
}

/// Waits until there are two replicas, both are ready, and so many of them have been started again.
fn ready(lab: &Lab, restarted: usize) {
    wait::until("two replicas", LIMIT, || {
        let all = replicas(lab);
        let ready = |pod: &&Value| pod["status"]["containerStatuses"][0]["ready"] == true;
        let again = all.iter().filter(|pod| restarts(pod) > 0).count();
        (all.len() == 2 && all.iter().filter(ready).count() == 2 && again == restarted)
            .then_some(())
    });
}

/// Kills one replica's process as the kernel would that is out of memory.
fn kill(_: &Lab) {
    let process = fs::read_dir("/proc").unwrap().find_map(|entry| {
        let entry = entry.ok()?;
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        line.starts_with(b"/cotter\0").then(|| entry.file_name())
    });
    let process = process.unwrap();
    let killed = Command::new("kill").arg("-KILL").arg(process).status();
    assert!(killed.unwrap().success());
}
