//! The commands and flags of SOPS, as data: parsing, help and completion walk these tables.
//!
//! *Source*: the SOPS format, section 9.2.

use super::call::Call;
use super::exit::Exit;
use super::flags::{Flag, Takes};
use super::{completion, edit, exec, file_status, groups, key_service, one_file, publish, rotate, set, update_keys};

/// What a command does, and the code that it ends with.
type Run = fn(&Call) -> Result<u8, Exit>;

/// One command.
pub(super) struct Command {
    pub(super) name: &'static str,
    /// What stands behind its flags.
    pub(super) arguments: &'static str,
    pub(super) help: &'static str,
    pub(super) flags: &'static [&'static [Flag]],
    /// What it does; nothing if it only has commands below it.
    pub(super) run: Option<Run>,
    pub(super) below: &'static [Self],
}

/// The command of that name.
pub(super) fn command(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name)
}

const fn flag(names: &'static [&'static str], variable: &'static str, takes: Takes, help: &'static str) -> Flag {
    Flag { names, variable, takes, help }
}

const fn switch(names: &'static [&'static str], help: &'static str) -> Flag {
    flag(names, "", Takes::Nothing, help)
}

const fn text(names: &'static [&'static str], help: &'static str) -> Flag {
    flag(names, "", Takes::Text, help)
}

const fn texts(names: &'static [&'static str], help: &'static str) -> Flag {
    flag(names, "", Takes::Texts, help)
}

pub(super) const HELP: &[Flag] = &[switch(&["help", "h"], "show this")];
const IN_PLACE: &[Flag] = &[switch(&["in-place", "i"], "write to the file itself")];
const OUTPUT: &[Flag] = &[text(&["output"], "write to this file")];
const NAME: &[Flag] = &[text(&["filename-override"], "choose types and rule as if the file had this name")];
const TYPES: &[Flag] = &[
    text(&["input-type"], "read it as yaml, json, dotenv, ini or binary"),
    text(&["output-type"], "write it as yaml, json, dotenv, ini or binary"),
];
const INPUT_TYPE: &[Flag] = &[text(&["input-type"], "read it as yaml, json, dotenv, ini or binary")];
const CONTEXT: &[Flag] = &[text(&["encryption-context"], "the context of AWS KMS keys: name:value, parted by commas")];
const PROFILE: &[Flag] = &[text(&["aws-profile"], "the profile of AWS KMS keys")];
const KEYS: &[Flag] = &[
    flag(&["kms", "k"], "SOPS_KMS_ARN", Takes::Text, "encrypt for these AWS KMS keys"),
    flag(&["gcp-kms"], "SOPS_GCP_KMS_IDS", Takes::Text, "encrypt for these GCP KMS keys"),
    flag(&["hckms"], "SOPS_HUAWEICLOUD_KMS_IDS", Takes::Text, "encrypt for these HuaweiCloud KMS keys (region:id)"),
    flag(&["azure-kv"], "SOPS_AZURE_KEYVAULT_URLS", Takes::Text, "encrypt for these keys of Azure Key Vault"),
    flag(&["hc-vault-transit"], "SOPS_VAULT_URIS", Takes::Text, "encrypt for these transit keys of Vault"),
    flag(&["pgp", "p"], "SOPS_PGP_FP", Takes::Text, "encrypt for these PGP fingerprints"),
    flag(&["age", "a"], "SOPS_AGE_RECIPIENTS", Takes::Text, "encrypt for these age recipients"),
];
const SELECTORS: &[Flag] = &[
    text(&["unencrypted-suffix"], "leave keys that end so in clear"),
    text(&["encrypted-suffix"], "encrypt only keys that end so"),
    text(&["unencrypted-regex"], "leave keys that match in clear"),
    text(&["encrypted-regex"], "encrypt only keys that match"),
];
const COMMENT_SELECTORS: &[Flag] = &[
    text(&["unencrypted-comment-regex"], "leave what such a comment stands above in clear"),
    text(&["encrypted-comment-regex"], "encrypt only what such a comment stands above"),
];
const THRESHOLD: &[Flag] =
    &[flag(&["shamir-secret-sharing-threshold"], "", Takes::Number, "how many key groups it takes to open it")];
const ORDER: &[Flag] =
    &[flag(&["decryption-order"], "SOPS_DECRYPTION_ORDER", Takes::Text, "the kinds of keys to try first")];
const SERVICES: &[Flag] = &[
    flag(
        &["enable-local-keyservice"],
        "SOPS_ENABLE_LOCAL_KEYSERVICE",
        Takes::NothingOn,
        "use the keys of this process",
    ),
    flag(
        &["keyservice"],
        "SOPS_KEYSERVICE",
        Takes::Texts,
        "use this key service as well: tcp://HOST:PORT, unix:///PATH",
    ),
];
const IGNORE_MAC: &[Flag] = &[switch(&["ignore-mac"], "do not insist on the authentication code")];
const EXTRACT: &[Flag] = &[text(&["extract"], "only what is at this path: [\"a\"][0]")];
const IDEMPOTENT: &[Flag] = &[switch(&["idempotent"], "write nothing if nothing changes")];
const SHOW_KEYS: &[Flag] = &[switch(&["show-master-keys", "s"], "show the metadata in the editor")];
const VERBOSE: &[Flag] = &[switch(&["verbose"], "say more")];
const YES: &[Flag] = &[switch(&["yes", "y"], "do not ask")];
const CHANGES: &[Flag] = &[
    text(&["add-age"], "add these age recipients"),
    text(&["rm-age"], "remove these age recipients"),
    text(&["add-azure-kv"], "add these keys of Azure Key Vault"),
    text(&["rm-azure-kv"], "remove these keys of Azure Key Vault"),
    text(&["add-gcp-kms"], "add these GCP KMS keys"),
    text(&["rm-gcp-kms"], "remove these GCP KMS keys"),
    text(&["add-hc-vault-transit"], "add these transit keys of Vault"),
    text(&["rm-hc-vault-transit"], "remove these transit keys of Vault"),
    text(&["add-hckms"], "add these HuaweiCloud KMS keys"),
    text(&["rm-hckms"], "remove these HuaweiCloud KMS keys"),
    text(&["add-kms"], "add these AWS KMS keys"),
    text(&["rm-kms"], "remove these AWS KMS keys"),
    text(&["add-pgp"], "add these PGP fingerprints"),
    text(&["rm-pgp"], "remove these PGP fingerprints"),
];
const GROUP_KEYS: &[Flag] = &[
    texts(&["pgp"], "a PGP fingerprint of the new group"),
    texts(&["kms"], "an AWS KMS key of the new group"),
    texts(&["gcp-kms"], "a GCP KMS key of the new group"),
    texts(&["hckms"], "a HuaweiCloud KMS key of the new group"),
    texts(&["azure-kv"], "a key of Azure Key Vault of the new group"),
    texts(&["hc-vault-transit"], "a transit key of Vault of the new group"),
    texts(&["age"], "an age recipient of the new group"),
];
const FILE: &[Flag] = &[text(&["file", "f"], "the file")];
const PRISTINE: &[Flag] = &[
    switch(&["background"], "do not wait for the command"),
    switch(&["pristine"], "pass no variable on but those of the file"),
    text(&["user"], "run the command as this user"),
    switch(&["same-process"], "become the command"),
];
const FIFO: &[Flag] = &[
    switch(&["background"], "do not wait for the command"),
    switch(&["no-fifo"], "use a regular file"),
    text(&["user"], "run the command as this user"),
    text(&["filename"], "the name of the file that the command reads"),
];
const PUBLISH: &[Flag] = &[
    switch(&["omit-extensions"], "leave the file's last ending off"),
    switch(&["recursive"], "publish a whole folder"),
];
const LISTEN: &[Flag] = &[
    text(&["network", "net"], "tcp or unix"),
    text(&["address", "addr"], "where to listen"),
    switch(&["prompt"], "ask before each answer"),
];
const VALUE: &[Flag] = &[
    switch(&["value-file"], "the value is a path to a file with the JSON"),
    switch(&["value-stdin"], "read the JSON from stdin"),
];
const GLOBAL: &[Flag] = &[
    flag(&["config"], "SOPS_CONFIG", Takes::Text, "the rules file"),
    flag(&["indent"], "", Takes::Number, "columns of one level in YAML and JSON"),
    switch(&["mac-only-encrypted"], "the authentication code covers encrypted values only"),
    flag(&["disable-version-check"], "SOPS_DISABLE_VERSION_CHECK", Takes::Nothing, "accepted; nothing is ever asked"),
    switch(&["check-for-updates"], "accepted; nothing is ever asked"),
    switch(&["version", "v"], "print the version"),
];
const LEGACY: &[Flag] = &[
    switch(&["decrypt", "d"], "decrypt a file"),
    switch(&["encrypt", "e"], "encrypt a file"),
    switch(&["rotate", "r"], "renew the data key of a file"),
    text(&["set"], "change one value: '[\"a\"][0] \"value\"'"),
];

/// Before a subcommand, and without one.
pub(super) const APP: &[&[Flag]] = &[
    LEGACY,
    GLOBAL,
    VERBOSE,
    IN_PLACE,
    EXTRACT,
    OUTPUT,
    NAME,
    TYPES,
    SHOW_KEYS,
    KEYS,
    PROFILE,
    CONTEXT,
    SELECTORS,
    COMMENT_SELECTORS,
    CHANGES,
    IGNORE_MAC,
    THRESHOLD,
    ORDER,
    SERVICES,
    HELP,
];

/// Every subcommand, in the order of SOPS's help.
pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "completion",
        arguments: "",
        help: "print a shell's completion script",
        flags: &[HELP],
        run: None,
        below: &[
            Command {
                name: "bash",
                arguments: "",
                help: "for bash",
                flags: &[],
                run: Some(completion::bash),
                below: &[],
            },
            Command { name: "zsh", arguments: "", help: "for zsh", flags: &[], run: Some(completion::zsh), below: &[] },
        ],
    },
    Command {
        name: "exec-env",
        arguments: "[file to decrypt] [command to run]",
        help: "run a command with the values in its environment",
        flags: &[PRISTINE, ORDER, SERVICES],
        run: Some(exec::environment),
        below: &[],
    },
    Command {
        name: "exec-file",
        arguments: "[file to decrypt] [command to run]",
        help: "run a command with the plaintext in a temporary file",
        flags: &[FIFO, TYPES, ORDER, SERVICES],
        run: Some(exec::file),
        below: &[],
    },
    Command {
        name: "publish",
        arguments: "file",
        help: "send a file to where the rules say",
        flags: &[YES, PUBLISH, VERBOSE, ORDER, SERVICES],
        run: Some(publish::run),
        below: &[],
    },
    Command {
        name: "keyservice",
        arguments: "",
        help: "serve the keys of this user to others",
        flags: &[LISTEN, VERBOSE],
        run: Some(key_service::run),
        below: &[],
    },
    Command {
        name: "filestatus",
        arguments: "file",
        help: "say whether a file is encrypted",
        flags: &[INPUT_TYPE],
        run: Some(file_status::run),
        below: &[],
    },
    Command {
        name: "groups",
        arguments: "",
        help: "add or delete a key group of a file",
        flags: &[HELP],
        run: None,
        below: &[
            Command {
                name: "add",
                arguments: "",
                help: "add a key group",
                flags: &[FILE, GROUP_KEYS, PROFILE, IN_PLACE, THRESHOLD, CONTEXT, SERVICES],
                run: Some(groups::add),
                below: &[],
            },
            Command {
                name: "delete",
                arguments: "[index]",
                help: "delete a key group",
                flags: &[FILE, IN_PLACE, THRESHOLD, SERVICES],
                run: Some(groups::delete),
                below: &[],
            },
        ],
    },
    Command {
        name: "updatekeys",
        arguments: "file",
        help: "make the keys of files those of their rules",
        flags: &[YES, INPUT_TYPE, SERVICES],
        run: Some(update_keys::run),
        below: &[],
    },
    Command {
        name: "decrypt",
        arguments: "[file]",
        help: "decrypt a file or stdin",
        flags: &[IN_PLACE, EXTRACT, OUTPUT, TYPES, IGNORE_MAC, NAME, ORDER, SERVICES],
        run: Some(one_file::decrypt),
        below: &[],
    },
    Command {
        name: "encrypt",
        arguments: "[file]",
        help: "encrypt a file or stdin",
        flags: &[IN_PLACE, OUTPUT, KEYS, PROFILE, TYPES, SELECTORS, CONTEXT, THRESHOLD, NAME, SERVICES],
        run: Some(one_file::encrypt),
        below: &[],
    },
    Command {
        name: "rotate",
        arguments: "file",
        help: "renew the data key of a file",
        flags: &[IN_PLACE, OUTPUT, TYPES, CONTEXT, CHANGES, NAME, ORDER, SERVICES],
        run: Some(rotate::run),
        below: &[],
    },
    Command {
        name: "edit",
        arguments: "file",
        help: "open a file in an editor",
        flags: &[KEYS, PROFILE, TYPES, SELECTORS, CONTEXT, THRESHOLD, SHOW_KEYS, IGNORE_MAC, ORDER, SERVICES],
        run: Some(edit::run),
        below: &[],
    },
    Command {
        name: "set",
        arguments: "file index [value]",
        help: "change one value of a file",
        flags: &[TYPES, VALUE, THRESHOLD, IGNORE_MAC, IDEMPOTENT, ORDER, SERVICES],
        run: Some(set::set),
        below: &[],
    },
    Command {
        name: "unset",
        arguments: "file index",
        help: "remove one value from a file",
        flags: &[TYPES, THRESHOLD, IGNORE_MAC, IDEMPOTENT, ORDER, SERVICES],
        run: Some(set::unset),
        below: &[],
    },
];
