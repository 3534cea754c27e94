//! A person at a terminal: what is asked, in which order, and what the terminal shows of it.

use std::{
    io::{Read as _, Write as _},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::{
    home::{COTTER, Home},
    support::{parts, wait},
};

const PATIENCE: Duration = Duration::from_secs(20);

/// A shell line at a terminal of its own, by `script` of util-linux. The terminal echoes what is typed unless the program
/// says otherwise.
struct Terminal {
    child: Child,
    keyboard: Option<ChildStdin>,
    screen: Arc<Mutex<String>>,
    /// How much of the screen was waited for already.
    seen: usize,
}

/// Ends the test, as passed, where `script` cannot give a terminal.
macro_rules! terminal {
    ($home:expr, $line:expr) => {{
        fn here() {}
        if parts::find("script").is_none() {
            parts::skip(std::any::type_name_of_val(&here), "script of util-linux");
            return;
        }
        Terminal::open($home, $line)
    }};
}

impl Terminal {
    fn open(home: &Home, line: &str) -> Self {
        let mut child = Command::new("script")
            .args(["-q", "-e", "-f", "-E", "always", "-c", line, "/dev/null"])
            .env_clear()
            .env("PATH", home.search_path())
            .env("HOME", home.path())
            .env("TERM", "dumb")
            .current_dir(home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (keyboard, mut output) = (child.stdin.take(), child.stdout.take().unwrap());
        let screen = Arc::new(Mutex::new(String::new()));
        let shown = screen.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 1024];
            while let Ok(read @ 1..) = output.read(&mut bytes) {
                let text = String::from_utf8_lossy(&bytes[..read]).into_owned();
                shown.lock().unwrap().push_str(&text);
            }
        });
        Self {
            child,
            keyboard,
            screen,
            seen: 0,
        }
    }

    /// Waits for a question and types an answer.
    fn answer(&mut self, question: &str, answer: &str) {
        let screen = self.screen.clone();
        let seen = self.seen;
        let at = || {
            let screen = screen.lock().unwrap();
            let at = screen.get(seen..)?.find(question)?;
            Some(seen + at + question.len())
        };
        let started = std::time::Instant::now();
        self.seen = loop {
            if let Some(at) = at() {
                break at;
            }
            let shown = self.screen();
            assert!(
                started.elapsed() < PATIENCE,
                "waited for {question:?}:\n{shown}"
            );
            std::thread::sleep(Duration::from_millis(20));
        };
        // The program has asked; that it has also silenced the terminal takes it a moment.
        std::thread::sleep(Duration::from_millis(200));
        let keyboard = self.keyboard.as_mut().unwrap();
        keyboard.write_all(answer.as_bytes()).unwrap();
        keyboard.flush().unwrap();
    }

    fn screen(&self) -> String {
        self.screen.lock().unwrap().clone()
    }

    /// The exit code, and all that the terminal has shown.
    fn end(mut self) -> (i32, String) {
        let child = &mut self.child;
        let status = wait::until("the program's end", PATIENCE, || child.try_wait().unwrap());
        std::thread::sleep(Duration::from_millis(100));
        (status.code().unwrap_or(-1), self.screen())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        drop(self.keyboard.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

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
