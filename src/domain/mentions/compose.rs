//! Compose files: `services.*.image`.

use super::{Found, Path, Remark};
use crate::domain::yaml::View;

pub(super) fn find(root: View<'_, '_>, found: &mut Found) {
    let services = root.get("services").into_iter().flat_map(View::entries);
    for (name, service) in services {
        let Some(name) = name.scalar() else { continue };
        let Some(image) = service.get("image") else {
            continue;
        };
        let path = Path::default().key("services").key(name).key("image").0;
        if service.get("build").is_some_and(|build| !build.is_null()) {
            found.remarks.push(Remark {
                path,
                place: image.meant().place(),
                said: "this service builds its image, so the image is left alone".to_owned(),
                wrong: false,
            });
            continue;
        }
        let never = service.get("pull_policy").and_then(View::string) == Some("never");
        found.whole(image, path, Some(format!("service/{name}")), never);
    }
}
