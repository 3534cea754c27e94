//! The reader's own file.

use std::{path::Path, time::Instant};

use crate::{
    admission::admit,
    lab::{Lab, is_pull_secret},
    manifests::{self, defaulted, map_texts, pod_spec, text_of, title},
    page::Page,
    registry::PLACEHOLDER,
    scenarios::Policy,
    tell,
};

/// What warnings mean here, by a part of them.
const HINTS: [(&str, &str); 3] = [
    (
        "not reachable",
        "A registry could not be reached from this machine. A Pod is admitted all the same, with its tag; in a cluster, \
         cotter asks again for the next Pod.",
    ),
    (
        "no such tag, or no access",
        "For a private image, put its pull secret into the same file: a Secret manifest of type \
         kubernetes.io/dockerconfigjson in the Pod's namespace.",
    ),
    (
        "refused here",
        "That host has a private address or a cluster's name. In your cotter.yaml you would list it under registries.",
    ),
];

/// Shows what cotter makes of each object of a file. Always `true`: whatever it is, it is no mistake of cotter's.
///
/// # Errors
/// A file that cannot be read, or parts that do not start.
pub(crate) async fn run(file: &Path) -> Result<bool, String> {
    let (objects, started, mut page) = (manifests::read(file)?, Instant::now(), Page::new());
    let (secrets, objects): (Vec<_>, Vec<_>) = objects.into_iter().partition(is_pull_secret);
    let secrets: Vec<_> = secrets.into_iter().map(defaulted).collect();
    let lab = Lab::start(false, &secrets).await?;
    lab.introduce(&mut page, started.elapsed());
    let name = file.display().to_string();
    for secret in &secrets {
        page.line(format_args!(
            "\n{}: used as a pull secret of its namespace",
            title(secret)
        ));
    }
    let mut said = String::new();
    for object in objects {
        let object = defaulted(map_texts(object, &|text| lab.registry.real(text)));
        if pod_spec(text_of(&object, "/kind")).is_none() {
            page.line(format_args!(
                "\n{}: holds no images; cotter is not asked about it",
                title(&object)
            ));
            continue;
        }
        let called = title(&object);
        let admission = admit(lab.cotter(Policy::Standard), object).await;
        let admission = admission.map_err(|error| format!("{name}: {called}: {error}"))?;
        page.admission(&title(&admission.before), &name, admission.took);
        tell(&lab, &admission, &mut page);
        said.extend(admission.warnings);
    }
    lab.stop().await?;
    for (_, hint) in HINTS.iter().filter(|(part, _)| said.contains(part)) {
        page.line("");
        page.paragraph(hint);
    }
    page.line("");
    page.paragraph(&format!(
        "Images of {PLACEHOLDER} come from the registry of this program: {PLACEHOLDER}/acme/checkout:dev, \
         {PLACEHOLDER}/public/tool. `make try` alone shows what it can do with them."
    ));
    Ok(true)
}
