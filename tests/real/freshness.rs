//! A tag means what it means now.

use std::time::Duration;

use crate::{
    lab::{lab, pinned, unique},
    support::image::Image,
};

/// The default `resolve.fresh`.
const FRESH: Duration = Duration::from_secs(2);

#[test]
fn a_tag_that_moved_between_two_creates() {
    let lab = lab!();
    let ns = lab.enforced();
    let repository = format!("public/{}", unique("moved"));
    let image = lab.image(&format!("{repository}:dev"));
    let push = |seed: &str| {
        lab.tokens
            .push(&repository, &Image::new(seed).build(), &["dev"])
    };
    let first = push("first");
    assert_eq!(ns.pin(&image), pinned(&image, &first));
    let second = push("second");
    std::thread::sleep(FRESH + Duration::from_millis(100));
    assert_ne!(first, second);
    assert_eq!(ns.pin(&image), pinned(&image, &second));
}

/// Whoever pushes and creates at once gets the new build, also where the tag was asked for a while ago.
#[test]
fn a_push_and_a_create_within_100_ms() {
    let lab = lab!();
    let ns = lab.enforced();
    let repository = format!("public/{}", unique("pushed"));
    let image = lab.image(&format!("{repository}:dev"));
    lab.tokens
        .push(&repository, &Image::new("old").build(), &["dev"]);
    ns.pin(&image);
    std::thread::sleep(FRESH + Duration::from_millis(100));
    let new = lab
        .tokens
        .push(&repository, &Image::new("new").build(), &["dev"]);
    assert_eq!(ns.pin(&image), pinned(&image, &new));
}

/// A tag that did not exist a moment ago is not remembered as missing.
#[test]
fn the_first_push_of_a_tag_right_after_a_failed_create() {
    let lab = lab!();
    let ns = lab.enforced();
    let repository = format!("public/{}", unique("born"));
    let image = lab.image(&format!("{repository}:dev"));
    ns.run(&image).warns("not pinned");
    std::thread::sleep(FRESH + Duration::from_millis(100));
    let digest = lab
        .tokens
        .push(&repository, &Image::new("born").build(), &["dev"]);
    assert_eq!(ns.pin(&image), pinned(&image, &digest));
}
