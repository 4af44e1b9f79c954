//! `sops completion`, and what its scripts ask for.

use super::call::Call;
use super::exit::Exit;
use super::flags::Flag;
use super::grammar::{APP, COMMANDS, Command, HELP, command};
use crate::cli::report;

/// The last word of a command line that asks for candidates.
pub(super) const ASK: &str = "--generate-bash-completion";

const BASH: &str = "\
# Asks the program itself for what may follow.
_sops_words() {
    local word=${COMP_WORDS[COMP_CWORD]} line=(\"${COMP_WORDS[@]:0:COMP_CWORD}\")
    [[ $word == -* ]] && line+=(\"$word\")
    COMPREPLY=($(compgen -W \"$(\"${line[@]}\" --generate-bash-completion 2>/dev/null)\" -- \"$word\"))
}
complete -o bashdefault -o default -o nospace -F _sops_words sops
";

const ZSH: &str = "\
#compdef sops
# Asks the program itself for what may follow.
_sops_words() {
    local word=${words[CURRENT]}
    local -a line=(\"${(@)words[1,CURRENT-1]}\") found
    [[ $word == -* ]] && line+=(\"$word\")
    found=(\"${(@f)$(\"${line[@]}\" --generate-bash-completion 2>/dev/null)}\")
    if [[ -n ${found[1]} ]]; then _describe 'values' found; else _files; fi
}
compdef _sops_words sops
";

pub(super) fn bash(_: &Call) -> Result<u8, Exit> {
    report::data(BASH.as_bytes())?;
    Ok(0)
}

pub(super) fn zsh(_: &Call) -> Result<u8, Exit> {
    report::data(ZSH.as_bytes())?;
    Ok(0)
}

/// What may follow these words, one a line.
pub(super) fn candidates(words: &[String]) -> String {
    let last = words.last().map_or("", String::as_str);
    let mut found: Vec<String> = Vec::new();
    let positional = || words.iter().filter(|word| !word.starts_with('-'));
    let here = positional().next().and_then(|word| command(word));
    let below = here.and_then(|here| {
        let name = positional().nth(1)?;
        here.below.iter().find(|below| below.name == *name)
    });
    if last.starts_with('-') {
        let tables: Vec<&[&[Flag]]> = match (here, below) {
            (Some(_), Some(below)) => vec![&[HELP], below.flags],
            (Some(here), None) if !here.below.is_empty() => vec![here.flags],
            (Some(here), None) => vec![APP, here.flags],
            (None, _) => vec![APP],
        };
        for flag in tables.into_iter().flatten().flat_map(|table| table.iter()) {
            let dashed =
                flag.names.iter().map(|name| if name.len() == 1 { format!("-{name}") } else { format!("--{name}") });
            found.extend(dashed.filter(|name| name.starts_with(last) && (last == "-" || name.len() > 2)));
        }
        found.dedup();
    } else {
        let commands: &[Command] = match here {
            None => COMMANDS,
            Some(here) => here.below,
        };
        found.extend(commands.iter().map(|command| command.name.to_owned()));
        if !commands.is_empty() {
            found.extend(["help".to_owned(), "h".to_owned()]);
        }
    }
    found.into_iter().map(|word| word + "\n").collect()
}
