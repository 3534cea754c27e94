//! A person at a terminal makes, rotates and deletes a Registry.

use crate::{
    desk::{ANNA, desk},
    support::registry_part::ALICE,
    terminal::terminal,
};

#[test]
fn only_what_the_type_needs_is_asked_and_nothing_secret_is_shown() {
    let desk = desk!();
    let _cotter = desk.cotter();
    let shop = desk.namespace("shop");
    let mut terminal = terminal!(&desk.home, &desk.line("add"));
    terminal.answer("Name of the Registry: ", &format!("{}\n", desk.name));
    terminal.answer("Type: GHCR, ", "harbor\n");
    terminal.answer("Type: GHCR, ", "custom\n");
    terminal.answer("Host, as images spell it: ", "https://r.test\n");
    terminal.answer(
        "Host, as images spell it: ",
        &format!("{}\n", desk.registry.host()),
    );
    terminal.answer("User: ", &format!("{}\n", ALICE.0));
    terminal.answer("Password (not shown): ", &format!("{}\n", ALICE.1));
    terminal.answer(
        "Namespaces that get a pull secret, with commas (Enter: none yet): ",
        &format!("{shop}\n"),
    );
    terminal.answer("(Enter: test the login): ", "acme/app:dev\n");
    terminal.answer("Make this? (y/N): ", "y\n");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert!(!screen.contains(ALICE.1), "{screen}");
    assert!(
        screen.contains("password: …") && screen.contains("cotter.dev/host:"),
        "{screen}"
    );
    assert!(screen.contains("is ready"), "{screen}");
    assert_eq!(desk.user_in(&shop).as_deref(), Some(ALICE.0));

    let mut terminal = terminal!(&desk.home, &desk.line(&format!("rotate {}", desk.name)));
    terminal.answer("User [alice]: ", &format!("{}\n", ANNA.0));
    terminal.answer("Password (not shown): ", &format!("{}\n", ANNA.1));
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert_eq!(desk.user_in(&shop).as_deref(), Some(ANNA.0));
}

#[test]
fn no_at_the_end_makes_and_deletes_nothing() {
    let desk = desk!();
    let host = desk.registry.host();
    let flags = format!(
        "add {} --type Custom --host {host} --username alice --namespaces default --probe acme/app:dev",
        desk.name
    );
    let mut terminal = terminal!(&desk.home, &desk.line(&flags));
    terminal.answer("Password (not shown): ", &format!("{}\n", ALICE.1));
    terminal.answer("Make this? (y/N): ", "\n");
    let (code, screen) = terminal.end();
    assert_eq!((code, desk.object()), (1, None), "{screen}");

    desk.add(&["--no-wait"]).ok();
    let line = desk.line(&format!("delete {}", desk.name));
    let line = line.split(" --config").next().unwrap();
    let mut terminal = terminal!(&desk.home, line);
    terminal.answer(&format!("Delete Registry {}? (y/N): ", desk.name), "\n");
    let (code, screen) = terminal.end();
    assert_eq!(code, 1, "{screen}");
    assert!(
        screen.contains("0 namespaces lose their pull secret"),
        "{screen}"
    );
    assert!(desk.object().is_some());
}
