//! Values that are no secret: placeholders, references to where the secret is, templates.

/// Words that stand for a value still to come.
const STAND_INS: &[&str] = &[
    "changeme",
    "change-me",
    "changeit",
    "replaceme",
    "replace-me",
    "placeholder",
    "redacted",
    "todo",
    "tbd",
    "fixme",
    "dummy",
    "example",
    "sample",
    "none",
    "null",
    "nil",
    "undefined",
    "empty",
    "unset",
    "insert-here",
    "fill-me-in",
    "secret-goes-here",
    "password-goes-here",
];

/// What a reference into a store begins with.
const REFERENCES: &[&str] = &[
    "op://",
    "vault:",
    "ref+",
    "secretref:",
    "awssm:",
    "arn:aws:secretsmanager:",
    "arn:aws:ssm:",
    "projects/",
    "keyvault:",
    "akvs:",
    "gcpsm:",
    "bws:",
    "doppler:",
    "keepassxc:",
];

/// Whether `value` is no secret by its grammar alone.
pub(super) fn is_harmless(value: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(value) else { return false };
    let text = text.trim();
    text.is_empty() || is_template(text) || is_reference(text) || is_stand_in(text)
}

/// A text that is wholly one template expression or variable: `{{ .x }}`, `${X}`, `$(X)`, `<% x %>`, `%X%`.
fn is_template(text: &str) -> bool {
    let wrapped = |open: &str, close: &str| {
        text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)).is_some_and(|inner| !inner.contains(close))
    };
    let variable =
        |text: &str| !text.is_empty() && text.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_');
    wrapped("{{", "}}")
        || wrapped("${", "}") && !text.contains(":-")
        || wrapped("$(", ")")
        || wrapped("<%", "%>")
        || text.strip_prefix('%').and_then(|rest| rest.strip_suffix('%')).is_some_and(variable)
        || text.strip_prefix('$').is_some_and(variable)
}

fn is_reference(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let path = text.strip_prefix("<path:").is_some_and(|rest| rest.ends_with('>'));
    path || REFERENCES.iter().any(|start| lower.starts_with(start)) && !text.contains(char::is_whitespace)
}

fn is_stand_in(text: &str) -> bool {
    let inner = |open: char, close: char| {
        text.strip_prefix(open)
            .and_then(|rest| rest.strip_suffix(close))
            .is_some_and(|inner| inner.chars().all(|letter| letter.is_ascii_alphabetic() || "-_. ".contains(letter)))
    };
    let repeated = text.chars().all(|letter| "xX*.-_?#".contains(letter));
    let word: String = text.to_ascii_lowercase().replace(['_', ' '], "-");
    let word = word.trim_end_matches(['!', '.']);
    let yours = word.strip_prefix("your-").or_else(|| word.strip_prefix("my-")).is_some_and(|rest| {
        rest.split('-')
            .all(|part| super::words::says_secret(part) || matches!(part, "here" | "api" | "db" | "access" | "value"))
    });
    repeated || inner('<', '>') || inner('[', ']') || yours || STAND_INS.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_references_and_templates_are_harmless() {
        let harmless = [
            "",
            "  ",
            "changeme",
            "CHANGE_ME",
            "<your password>",
            "xxxxxxxx",
            "***",
            "{{ .Values.password }}",
            "${DB_PASSWORD}",
            "$(DB_PASSWORD)",
            "op://vault/item/field",
            "vault:secret/data/x#key",
            "<path:secret/data/x#key>",
            "your-api-key-here",
            "ref+awsssm://x",
            "$DB_PASSWORD",
            "TODO",
        ];
        for text in harmless {
            assert!(is_harmless(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn passwords_are_not() {
        let secret = [
            "blue-house-42",
            "hunter2",
            "x7f",
            "pre-${A}-post",
            "${A:-blue-house-42}",
            "{{a}} blue-house-42 {{b}}",
            "<blue-house-42>",
            "$2b$12$abcdef",
            "your-blue-house",
            "vault: blue-house-42",
        ];
        for text in secret {
            assert!(!is_harmless(text.as_bytes()), "{text}");
        }
    }
}
