//! `sops exec-env` and `sops exec-file`.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::call::Call;
use super::exit::{self, Exit};
use crate::cli::report;
use crate::cli::secrets::child::{self, Child, NoEnvironment, Readable, User};
use crate::cli::secrets::private;
use crate::document::emit;
use crate::sops::SopsError;

/// The name that the command's file has if nobody names it.
const FILE: &str = "tmp-file";

/// The two positional arguments.
fn arguments(call: &Call) -> Result<(PathBuf, &str), Exit> {
    match call.flags.rest.as_slice() {
        [file, command] => Ok((call.context.path(Path::new(file)), command)),
        _ => Err(Exit::new(1, "error: missing file to decrypt")),
    }
}

fn user(call: &Call) -> Result<Option<User>, Exit> {
    let Some(name) = call.flags.value("user") else { return Ok(None) };
    match User::named(name) {
        Some(user) => Ok(Some(user)),
        None => {
            exit::log("EXEC", "fatal", &format!("user: unknown user {name}"));
            Err(Exit::silent(1))
        }
    }
}

fn warn_of_background(call: &Call, name: &str) -> bool {
    let background = call.flags.is_set("background");
    if background {
        let words =
            format!("{name}'s --background option is deprecated and will be removed in a future version of sops");
        exit::log("CMD", "warning", &words);
    }
    background
}

/// Runs it, and ends as it does.
fn ended(call: &Call, child: &Child, folder: Option<&Path>) -> Result<u8, Exit> {
    let status = child.run(&call.context, folder)?;
    if let Some(said) = child::said_by_go(status) {
        report::say(&said);
    }
    Ok(child::code_of(status))
}

pub(super) fn environment(call: &Call) -> Result<u8, Exit> {
    let (path, command) = arguments(call)?;
    call.rules(None)?;
    let background = warn_of_background(call, "exec-env");
    let (format, _) = call.formats(Some(&path));
    let loaded = call.load(Some(&path), format)?;
    let opened = call.open(loaded.file, &loaded.keys, &loaded.witness)?;
    if background && call.flags.is_set("same-process") {
        return Err(Exit::new(8, "Error: The --same-process flag cannot be used with --background"));
    }
    let document = opened.document().map_err(|error| Exit::decrypting(&error))?;
    let variables = child::variables(document).map_err(|error| match error {
        NoEnvironment::Value(error) => Exit::decrypting(&error),
        NoEnvironment::Complex(key) => {
            Exit::new(1, format!("cannot use complex value in environment; offending key {key}"))
        }
        NoEnvironment::Equals(key) => Exit::new(1, format!("cannot use keys with '=' in environment: {key}")),
        NoEnvironment::Nul(key) => Exit::new(1, format!("the value of {key} cannot stand in an environment")),
    })?;
    let child = Child {
        variables,
        pristine: call.flags.is_set("pristine"),
        user: user(call)?,
        ..Child::shell(command.as_ref())
    };
    if call.flags.is_set("same-process") {
        return Err(child.become_it(&call.context).into());
    }
    if background {
        child.start(&call.context)?;
        return Ok(0);
    }
    ended(call, &child, None)
}

pub(super) fn file(call: &Call) -> Result<u8, Exit> {
    let (path, command) = arguments(call)?;
    call.rules(None)?;
    let background = warn_of_background(call, "exec-file");
    let (format, output) = call.formats(Some(&path));
    let loaded = call.load(Some(&path), format)?;
    let opened = call.open(loaded.file, &loaded.keys, &loaded.witness)?;
    let content = if format == output {
        Zeroizing::new(opened.text().to_vec())
    } else {
        let tree = opened.tree().map_err(|error: SopsError| Exit::decrypting(&error))?;
        emit(output, &tree, None, call.emit_options(output)).map_err(Exit::emitting)?
    };
    let (name, user) = (call.flags.value("filename"), user(call)?);
    if name.is_some_and(|name| !Readable::is_local(name)) {
        return Err(Exit::new(1, "The provided filename is not a local path."));
    }
    let folder = private::folder_or_temporary(&call.context)?;
    let folder_path = folder.path().to_owned();
    let file = if call.flags.is_set("no-fifo") {
        let random = || format!("{FILE}{:010}", std::process::id());
        Readable::file(folder, &name.map_or_else(random, str::to_owned), user.as_ref(), &content)
    } else {
        Readable::fifo(folder, name.unwrap_or(FILE), user.as_ref(), content)
    };
    let file = file
        .map_err(|error| Exit::new(1, format!("open {}: {error}", folder_path.join(name.unwrap_or(FILE)).display())))?;
    let line = command.replace("{}", &file.path.display().to_string());
    let child = Child { user, ..Child::shell(line.as_ref()) };
    if background {
        child.start(&call.context)?;
        return Ok(0);
    }
    ended(call, &child, Some(file.folder()))
}
