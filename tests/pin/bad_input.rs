//! Input that is wrong: it is named, the other files are still done, and nothing is half written.

use std::{
    fmt::Write as _,
    fs::{self, File},
    os::unix::fs::{PermissionsExt as _, symlink},
};

use rstest::rstest;

use crate::world::World;

const GOOD: &str =
    "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: 'HOST/public/app:dev'}]}\n";

fn nested(open: &str) -> Vec<u8> {
    open.repeat(100_000).into_bytes()
}

#[rstest]
#[case::not_yaml(b"a: 'b\n".to_vec(), "bad.yaml:")]
#[case::half(b"apiVersion: v1\nkind: Pod\nspec: {containers: [\n".to_vec(), "bad.yaml:3:20: error: not YAML: unclosed bracket")]
#[case::second_document(b"a: 1\n---\nb: [\n".to_vec(), "bad.yaml:3:4:")]
#[case::binary(vec![0xff, 0xfe, 0x00, 0x41], "bad.yaml: error: is not UTF-8 (at byte 0)")]
#[case::brackets(nested("["), "bad.yaml:1:")]
#[case::braces(nested("{a: "), "bad.yaml:1:")]
#[case::dashes(nested("- "), "bad.yaml:1:")]
#[case::number(b"apiVersion: v1\nkind: Pod\nspec: {containers: [{image: 5}]}\n".to_vec(), "bad.yaml:3:29: error: 5 is no text")]
#[tokio::test(flavor = "multi_thread")]
async fn a_bad_file_is_named_and_the_good_one_is_done(
    #[case] bad: Vec<u8>,
    #[case] expected: &str,
) {
    let world = World::start().await;
    world.write("t/a.yaml", GOOD);
    world.write("t/z.yaml", GOOD);
    let path = world.scratch.path().join("t/bad.yaml");
    fs::write(&path, &bad).unwrap();
    let outcome = world.cotter(&["pin", "-i", "t"]);
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains(&format!("t/{expected}")),
        "{}",
        outcome.stderr
    );
    for good in ["t/a.yaml", "t/z.yaml"] {
        assert!(world.read(good).contains("app:dev@APP"), "{good}");
    }
    assert_eq!(fs::read(&path).unwrap(), bad);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gigabyte_is_refused_unread() {
    let world = World::start().await;
    world.write("t/a.yaml", GOOD);
    let path = world.scratch.path().join("t/big.yaml");
    File::create(path).unwrap().set_len(1 << 30).unwrap();
    let outcome = world.cotter(&["pin", "-i", "t"]);
    assert_eq!(outcome.code, 2);
    assert!(
        outcome
            .stderr
            .contains("t/big.yaml: error: is larger than 128 MiB"),
        "{}",
        outcome.stderr
    );
    assert!(world.read("t/a.yaml").contains("app:dev@APP"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_must_not_be_written_is_not() {
    let world = World::start().await;
    world.write("t/a.yaml", GOOD);
    world.write("t/b.yaml", GOOD);
    let path = world.scratch.path().join("t/a.yaml");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    let outcome = world.cotter(&["pin", "-i", "t"]);
    assert_eq!(outcome.code, 2);
    assert!(
        outcome
            .stderr
            .contains("t/a.yaml: error: cannot be written: it is read-only"),
        "{}",
        outcome.stderr
    );
    assert_eq!(world.read("t/a.yaml"), GOOD);
    assert!(world.read("t/b.yaml").contains("app:dev@APP"));
}

#[tokio::test(flavor = "multi_thread")]
async fn links_lead_in_no_circle_and_are_kept() {
    let world = World::start().await;
    world.write("t/a.yaml", GOOD);
    let folder = world.scratch.path().join("t");
    symlink(".", folder.join("again")).unwrap();
    symlink("loop.yaml", folder.join("loop.yaml")).unwrap();
    symlink("a.yaml", folder.join("b.yaml")).unwrap();
    symlink("nowhere.yaml", folder.join("c.yaml")).unwrap();
    let outcome = world.cotter(&["pin", "-i", "t"]);
    assert_eq!(outcome.code, 2);
    for name in ["t/loop.yaml", "t/c.yaml"] {
        assert!(
            outcome
                .stderr
                .contains(&format!("{name}: error: cannot be read")),
            "{}",
            outcome.stderr
        );
    }
    assert!(folder.join("b.yaml").is_symlink());
    assert!(world.read("t/a.yaml").contains("app:dev@APP"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mode_of_a_file_is_kept() {
    let world = World::start().await;
    world.write("a.yaml", GOOD);
    let path = world.scratch.path().join("a.yaml");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    world.cotter(&["pin", "-i", "a.yaml"]).ok();
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o640
    );
    let left: Vec<_> = fs::read_dir(world.scratch.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 3, "nothing is left behind: {left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alias_bomb_costs_nothing() {
    let world = World::start().await;
    let mut text = GOOD.to_owned() + "a0: &a0 [x]\n";
    for level in 1..60 {
        let before = level - 1;
        let _ = writeln!(
            text,
            "a{level}: &a{level} [*a{before}, *a{before}, *a{before}, *a{before}]"
        );
    }
    world.write("values.yaml", &text);
    let started = std::time::Instant::now();
    world.cotter(&["pin", "-i", "values.yaml"]).ok();
    assert!(started.elapsed().as_secs() < 20);
    assert!(world.read("values.yaml").contains("app:dev@APP"));
}
