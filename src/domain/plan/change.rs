//! Writes a plan down: as a patch and its records, or as warnings where nothing may be changed (design §2.5).

use crate::domain::{
    explain,
    images::{Changes, Unpinned},
    object::{IMAGES, PINNED, UNPINNED},
    revision::Revision,
    scope::Reach,
    slots::Slot,
    warning::Weight,
};

use super::{Inputs, Plan};

/// Kubernetes' limit on the annotations of one object, keys and values together.
const MOST_ANNOTATION_BYTES: usize = 256 * 1024;

impl Inputs<'_> {
    /// Writes the patch.
    pub(super) fn change(&self, texts: &[(Slot<'_>, String)], plan: &mut Plan) {
        if plan.denial.is_some() {
            return;
        }
        let mut changes = self.standing_changes();
        for (slot, text) in texts.iter().filter(|(slot, text)| slot.image != text) {
            plan.patch.replace(slot.pointer(self.kind), text.clone());
            changes.record(slot.key(), slot.image, text.clone());
        }
        if self.reach == Some(Reach::Whole) {
            plan.patch
                .add_pull_secrets(&self.object.spec, &self.injection.secrets);
        }
        plan.changes_text = (!changes.is_empty()).then(|| changes.to_text());
        plan.changes = changes;
        if self.reach != Some(Reach::ImagesOnly) {
            self.record(plan);
        }
    }

    /// The changes that the object's annotation records and that are still true of it.
    fn standing_changes(&self) -> Changes {
        let Some(annotation) = self.object.metadata.annotations.images.as_deref() else {
            return Changes::default();
        };
        let mut changes = Changes::read(Some(annotation));
        let now: Vec<_> = Slot::all(&self.object.spec).collect();
        changes.retain(|key, change| now.iter().any(|s| s.image == change.to && s.key() == key));
        changes
    }

    /// Writes what was done into annotations and the label; a caller's own words there do not stay.
    fn record(&self, plan: &mut Plan) {
        let annotations = &self.object.metadata.annotations;
        let mut unpinned = match self.reach {
            Some(Reach::Whole) => Unpinned::default(),
            _ => Unpinned::read(annotations.unpinned.as_deref()),
        };
        if !unpinned.is_empty() {
            for assessed in self.assessed {
                unpinned.forget(&assessed.slot.key());
            }
        }
        unpinned.merge(&plan.unpinned);
        let unpinned = (!unpinned.is_empty()).then(|| unpinned.to_text());
        let wanted = [
            (
                IMAGES,
                annotations.images.as_deref(),
                plan.changes_text.as_deref(),
            ),
            (
                UNPINNED,
                annotations.unpinned.as_deref(),
                unpinned.as_deref(),
            ),
        ];
        let mut bytes = annotations.bytes;
        let mut edits = Vec::new();
        let mut recorded = true;
        for (key, now, mut text) in wanted {
            if now == text {
                continue;
            }
            bytes -= now.map_or(0, |now| key.len() + now.len()).min(bytes);
            let more = text.map_or(0, |text| key.len() + text.len());
            if text.is_some() && bytes + more > MOST_ANNOTATION_BYTES {
                let line = format!(
                    "annotation {key} is left off: the annotations of this object would pass 256 KiB"
                );
                plan.warnings.push(Weight::Note, line);
                recorded &= key != IMAGES;
                text = None;
            } else {
                bytes += more;
            }
            if now.is_some() || text.is_some() {
                edits.push((key, text));
            }
        }
        plan.patch.annotate(&self.object.metadata, &edits);
        self.mark_pinned(recorded && plan.changes.pinned_any(), plan);
    }

    /// The label by which the Pods of one revision are found.
    fn mark_pinned(&self, pinned: bool, plan: &mut Plan) {
        let labels = &self.object.metadata.labels;
        if self.reach != Some(Reach::Whole) {
            return;
        }
        let sticky = pinned && Revision::of(&self.object.metadata).is_some();
        let wanted = sticky.then_some("true");
        if labels.pinned.as_deref() != wanted {
            plan.patch.label(&self.object.metadata, &[(PINNED, wanted)]);
        }
    }

    /// Says what would be changed.
    pub(super) fn preview(&self, texts: &[(Slot<'_>, String)], plan: &mut Plan) {
        let subject = match self.reach {
            Some(_) => "audit".to_owned(),
            None => format!("Pods of this {}", self.kind_name),
        };
        if let Some(denial) = plan.denial.take() {
            plan.would_deny = true;
            plan.warnings.push(
                Weight::Fatal,
                format!("{subject}: would be denied: {denial}"),
            );
        }
        for (slot, text) in texts.iter().filter(|(slot, text)| slot.image != text) {
            let (from, to) = (explain::shown(slot.image), explain::shown(text));
            plan.warnings.push(
                Weight::Change,
                format!("{subject}: {slot}: {from} would become {to}"),
            );
            plan.changes.record(slot.key(), slot.image, text.clone());
        }
        for secret in &self.injection.secrets {
            let line = format!("{subject}: pull secret {secret:?} would be injected");
            plan.warnings.push(Weight::Change, line);
        }
    }
}
