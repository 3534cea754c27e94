//! What happens to the files that people keep.

use rstest::rstest;

use crate::world::World;

const DEPLOYMENT: &str = "\
# who owns this: team web
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
      - name: app   # the app
        image: \"HOST/Public/App:dev\"
      - {name: side, image: 'HOST/public/app:dev'} # flow
";

fn pinned(text: &str) -> String {
    text.replace("Public/App", "public/app")
        .replace("app:dev", "app:dev@APP")
}

#[tokio::test(flavor = "multi_thread")]
async fn one_file_is_printed_with_its_images_pinned() {
    let world = World::start().await;
    world.write("d.yaml", DEPLOYMENT);
    let outcome = world.cotter(&["pin", "-f", "d.yaml"]);
    assert_eq!(outcome.stdout, pinned(DEPLOYMENT), "{}", outcome.stderr);
    assert_eq!(outcome.code, 0);
    assert_eq!(outcome.stderr, "2 images in 1 files: 2 changed\n");
    assert_eq!(world.read("d.yaml"), DEPLOYMENT, "the file itself stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn stdin_is_a_file_like_any_other() {
    let world = World::start().await;
    let text = DEPLOYMENT.replace("HOST", &world.registry.host());
    let outcome = world.cotter_with(&["pin", "-"], text.as_bytes());
    assert_eq!(outcome.stdout, pinned(DEPLOYMENT));
}

#[tokio::test(flavor = "multi_thread")]
async fn in_place_changes_a_tree_and_asks_for_each_image_once() {
    let world = World::start().await;
    for name in ["a.yaml", "deep/er/b.yml", "c.json", ".git/d.yaml", "e.txt"] {
        let text = if name == "c.json" {
            r#"{"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"image":"HOST/public/app:dev"}]}}"#
        } else {
            DEPLOYMENT
        };
        world.write(&format!("tree/{name}"), text);
    }
    world.registry.take_counts();
    let outcome = world.cotter(&["pin", "--in-place", "tree"]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert_eq!(world.registry.take_counts().heads, 1);
    for name in ["a.yaml", "deep/er/b.yml"] {
        assert_eq!(world.read(&format!("tree/{name}")), pinned(DEPLOYMENT));
    }
    assert!(world.read("tree/c.json").contains("app:dev@APP\"}]"));
    for name in [".git/d.yaml", "e.txt"] {
        assert_eq!(world.read(&format!("tree/{name}")), DEPLOYMENT);
    }
    let again = world.cotter(&["pin", "--in-place", "tree"]);
    assert_eq!((again.code, &*again.stdout), (0, ""));
}

#[rstest]
#[case::unpinned(DEPLOYMENT, 1)]
#[case::not_found(
    "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: 'HOST/public/app:none'}]}\n",
    1
)]
#[case::invalid("apiVersion: v1\nkind: Pod\nspec: {containers: [{image: 'a b'}]}\n", 1)]
#[case::no_images("apiVersion: v1\nkind: Service\n", 0)]
#[case::number("apiVersion: v1\nkind: Pod\nspec: {containers: [{image: 5}]}\n", 2)]
#[case::half("a: [1,\n", 2)]
#[tokio::test(flavor = "multi_thread")]
async fn check_ends_with(#[case] text: &str, #[case] code: i32) {
    let world = World::start().await;
    world.write("d.yaml", text);
    let outcome = world.cotter(&["pin", "--check", "d.yaml"]);
    assert_eq!(outcome.code, code, "{}{}", outcome.stdout, outcome.stderr);
    world.write("d.yaml", &pinned(text).replace("APP", &world.app));
    if code == 1 && text == DEPLOYMENT {
        assert_eq!(world.cotter(&["pin", "--check", "d.yaml"]).code, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_is_not_there_is_answered_with_tags_that_are() {
    let world = World::start().await;
    world.registry.move_tag("public/app", "dev2", &world.app);
    world
        .registry
        .move_tag("public/app", "sha-c6cd88e", &world.app);
    world
        .registry
        .move_tag("public/app", "something-else", &world.app);
    world.registry.move_tag("public/app", "v1", &world.app);
    world.write(
        "p.yaml",
        "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: 'HOST/public/app:dev3'}]}\n",
    );
    let outcome = world.cotter(&["pin", "--check", "p.yaml"]);
    assert_eq!(outcome.code, 1);
    let expected = "p.yaml:3:29: warning: HOST/public/app:dev3: the registry knows no such tag or repository; \
                    there is sha-c6cd88e, dev2, dev\n";
    assert!(outcome.stderr.starts_with(expected), "{}", outcome.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn compose_files_and_kustomizations_too() {
    let world = World::start().await;
    world.write(
        "c/compose.yaml",
        "services:\n  web:\n    image: HOST/public/app:dev\n",
    );
    world.write(
        "k/kustomization.yaml",
        "images:\n- name: app\n  newName: HOST/Public/app\n  newTag: dev\n",
    );
    let outcome = world.cotter(&["pin", "-i", "c", "k"]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert_eq!(
        world.read("c/compose.yaml"),
        "services:\n  web:\n    image: HOST/public/app:dev@APP\n"
    );
    let expected =
        "images:\n- name: app\n  newName: HOST/public/app\n  newTag: dev\n  digest: APP\n";
    assert_eq!(world.read("k/kustomization.yaml"), expected);
}
