//! A Kubernetes Secret in clear, wherever it stands: also inside a `kind: List`, also where no rule looks.

use std::collections::HashSet;

use base64::Engine as _;

use super::Check;
use crate::document::{Document, Format, LeafId, Visit};
use crate::guard::error::GuardError;
use crate::guard::finding::{At, Findings};
use crate::guard::placeholder::is_harmless;
use crate::guard::reading::{Reading, Worth, worth};
use crate::guard::subject::Subject;
use crate::guard::words::shown;

/// Looks at every staged YAML and JSON file.
pub(super) struct KubernetesSecret;

impl Check for KubernetesSecret {
    fn id(&self) -> &'static str {
        "kubernetes-secret"
    }

    fn about(&self) -> &'static str {
        "a Kubernetes Secret with a value in clear that is no placeholder, reference or template"
    }

    fn look(&self, subject: &Subject<'_>, found: &mut Findings) -> Result<(), GuardError> {
        let format = Format::of_path(&subject.path().text());
        if !subject.is_file() || !matches!(format, Format::Yaml | Format::Json) {
            return Ok(());
        }
        let Some(text) = subject.text()? else { return Ok(()) };
        if memchr::memmem::find(text, b"Secret").is_none() && memchr::memchr(0, text).is_none() {
            return Ok(());
        }
        match subject.reading()? {
            Some(Reading::Document(document)) => secrets(subject, document, found),
            Some(Reading::Unreadable(error)) if subject.governing.is_empty() && declares_secret(text) => found.add(
                At { line: error.line, column: error.column },
                format!("this declares a Kubernetes Secret, but is not readable as {}: {}", format.word(), error.kind),
                "mend the syntax; what cannot be read cannot be judged",
            ),
            _ => {}
        }
        Ok(())
    }
}

/// Whether a line says `kind: Secret`, in a text that is no template: those are no YAML before they are rendered.
fn declares_secret(text: &[u8]) -> bool {
    let kind =
        |line: &[u8]| matches!(line.trim_ascii(), b"kind: Secret" | b"\"kind\": \"Secret\"," | b"\"kind\": \"Secret\"");
    memchr::memmem::find(text, b"{{").is_none() && text.split(|byte| *byte == b'\n').any(kind)
}

/// A value of a mapping and which one of the document's mappings that is.
struct Entry {
    /// The mapping around it, and the key it has there.
    around: Option<(usize, String)>,
    leaf: LeafId,
    name: String,
}

fn secrets(subject: &Subject<'_>, document: &Document, found: &mut Findings) {
    let (entries, declared) = entries(document);
    let demand = subject.demand(document);
    for entry in &entries {
        let Some((around, part)) = &entry.around else { continue };
        let holds = part == "data" || part == "stringData";
        // What a rule wants encrypted is another check's finding.
        if !holds
            || !declared.contains(around)
            || demand.leaf(entry.leaf)
            || worth(document, entry.leaf) != Worth::Clear
        {
            continue;
        }
        let value = document.scalar(entry.leaf).map(|scalar| scalar.canonical.into_owned()).unwrap_or_default();
        let decoded = (part == "data")
            .then(|| base64::engine::general_purpose::STANDARD.decode(value.trim_ascii()).ok())
            .flatten();
        if is_harmless(&value) || decoded.is_some_and(|decoded| is_harmless(&decoded)) {
            continue;
        }
        found.add_value(
            At::of(document, document.outline().leaf(entry.leaf).range.start),
            format!("{} of a Kubernetes Secret is in clear", entry.name),
            "encrypt the file and bring it under a creation rule; if everybody may have it, allow the SHA-256 of the value in `.lockage.yaml`",
            &value,
        );
    }
}

/// Every scalar of every mapping, and the mappings that declare themselves a Secret.
fn entries(document: &Document) -> (Vec<Entry>, HashSet<usize>) {
    let mut open: Vec<(usize, String)> = Vec::new();
    let (mut count, mut entries, mut declared) = (0, Vec::new(), HashSet::new());
    let never: Result<(), std::convert::Infallible> = document.walk(|visit| {
        match visit {
            Visit::Enter { path, .. } => {
                let key = path.last_key().map_or_else(String::new, |key| document.key(key).to_owned());
                open.push((count, key));
                count += 1;
            }
            Visit::Leave => drop(open.pop()),
            Visit::Leaf { id, path } => {
                if let (Some((mapping, inner)), Some(key)) = (open.last(), path.last_key()) {
                    let key = document.key(key).to_owned();
                    if key == "kind" && document.scalar(id).is_ok_and(|scalar| *scalar.canonical == *b"Secret") {
                        declared.insert(*mapping);
                    }
                    let around = open.len().checked_sub(2).map(|at| (open[at].0, inner.clone()));
                    entries.push(Entry { around, leaf: id, name: shown(&path.to_key_path()) });
                }
            }
            _ => {}
        }
        Ok(())
    });
    let Ok(()) = never;
    (entries, declared)
}
