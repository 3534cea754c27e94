//! A person at a terminal: what is asked, in which order, and what the terminal shows of it.

use crate::{
    home::{COTTER, Home},
    terminal::terminal,
};

#[test]
fn what_no_flag_says_is_asked_and_the_password_not_shown() {
    let home = Home::new();
    let mut terminal = terminal!(&home, &format!("{COTTER} pull-secret > made.yaml"));
    terminal.answer("Registry [https://index.docker.io/v1/]: ", "r.test\n");
    terminal.answer("User: ", "\n");
    terminal.answer("User: ", "u:v\n");
    terminal.answer("User: ", "bot\n");
    terminal.answer("Password or token (not shown): ", "hunter2\n");
    terminal.answer("Namespace (Enter: none): ", "Shop\n");
    terminal.answer("Namespace (Enter: none): ", "shop\n");
    terminal.answer("Name [regcred]: ", "\n");
    terminal.answer("Test it now? With which image (Enter: no test): ", "\n");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert!(
        !screen.contains("hunter2") && screen.contains("bot"),
        "{screen}"
    );
    assert!(screen.contains("warning: the user has a colon"), "{screen}");
    assert!(
        screen.contains("warning: a namespace has lower-case letters"),
        "{screen}"
    );
    let flags = [
        "pull-secret",
        "--server=r.test",
        "--username=bot",
        "--password-stdin",
        "-n",
        "shop",
    ];
    assert_eq!(home.read("made.yaml"), home.cotter(&flags, "hunter2").ok());
}

#[test]
fn what_a_flag_says_is_not_asked() {
    let home = Home::new();
    let flags = "--server r.test --username bot -n shop --name mine --test r.test/app";
    let mut terminal = terminal!(&home, &format!("{COTTER} pull-secret {flags} > made.yaml"));
    terminal.answer("Password or token (not shown): ", "hunter2\n");
    // There is no such host.
    terminal.answer("Write it all the same? (y/N): ", "y\n");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert!(
        screen.starts_with("Password") && screen.contains("the test failed"),
        "{screen}"
    );
    assert!(
        home.read("made.yaml")
            .contains("name: mine\n  namespace: shop")
    );
}

#[test]
fn ctrl_c_at_the_password_writes_nothing_and_leaves_the_terminal_as_it_was() {
    let home = Home::new();
    let line = format!(
        "stty -a > before; {COTTER} registry login r.test -u bot; echo code $?; stty -a > after"
    );
    let mut terminal = terminal!(&home, &line);
    terminal.answer("Password or token (not shown): ", "hun\u{3}");
    terminal.answer("code ", "");
    let (_, screen) = terminal.end();
    assert!(
        screen.contains("cotter: ") && screen.contains("code 2"),
        "{screen}"
    );
    assert_eq!(home.read("before"), home.read("after"));
    assert!(!home.file(".docker").exists());
}

#[test]
fn a_terminal_in_the_place_of_a_pipe_is_no_password() {
    let home = Home::new();
    let line = format!("{COTTER} pull-secret --username bot --password-stdin");
    let terminal = terminal!(&home, &line);
    let (code, screen) = terminal.end();
    assert_eq!(code, 2, "{screen}");
    assert!(
        screen.contains("--password-stdin reads what is piped in"),
        "{screen}"
    );
}
