//! A plaintext that lies open in an editor, and what of it is put aside when it cannot be saved.

use std::ffi::OsStr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::editor::{Editor, Watch};
use super::private;
use crate::cli::{Context, Failed};
use crate::error::Class;
use crate::system::files::{self, Mode, Target};
use crate::system::memory::PrivateFolder;

/// An editor that returns sooner has probably only told another process to open the file.
const AT_ONCE: Duration = Duration::from_secs(1);

/// The plaintext in its private folder, watched over.
pub(crate) struct Desk {
    editor: Editor,
    file: PathBuf,
    /// Dropped before the folder.
    watch: Watch,
    _folder: PrivateFolder,
}

/// What an editor left.
pub(crate) struct Edited {
    pub(crate) text: Zeroizing<Vec<u8>>,
    /// Whether it returned so soon that nobody can have edited anything.
    pub(crate) at_once: bool,
}

impl Desk {
    /// Lays `plaintext` out under the name of the file that it belongs to.
    ///
    /// # Errors
    /// There is no editor, or no place for plaintext.
    pub(crate) fn lay(editor: Editor, folder: PrivateFolder, name: &OsStr, plaintext: &[u8]) -> Result<Self, Failed> {
        let watch = Watch::over(Some(folder.path().to_owned()))?;
        let file = folder.write(name, plaintext)?;
        Ok(Self { editor, file, watch, _folder: folder })
    }

    /// Opens the editor, at a line and column if there are any, and waits until it ends.
    ///
    /// # Errors
    /// It cannot be started or fails.
    pub(crate) fn open(&self, at: Option<(usize, usize)>) -> Result<Edited, Failed> {
        let before = Instant::now();
        self.editor.open(&self.file, at, &self.watch)?;
        Ok(Edited { text: self.read()?, at_once: before.elapsed() < AT_ONCE })
    }

    /// Reads what is there now.
    ///
    /// # Errors
    /// It is gone.
    pub(crate) fn read(&self) -> Result<Zeroizing<Vec<u8>>, Failed> {
        Ok(files::read(&self.file)?)
    }
}

/// Puts an encrypted text aside, in a folder of the user's state that is for nobody else.
///
/// # Errors
/// There is no home, or it cannot be written.
pub(crate) fn put_aside(context: &Context, name: &OsStr, text: &[u8]) -> Result<PathBuf, Failed> {
    let Some(folder) = private::state(context) else {
        return Err(Failed::new(Class::Usage, "there is no home folder to put anything aside in"));
    };
    let folder = folder.join("unsaved");
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
    made.map_err(|error| Failed::new(Class::World, format!("`{}` cannot be made: {error}", folder.display())))?;
    let moment = context.now().strftime("%Y%m%dT%H%M%S%.fZ").to_string();
    let mut file = name.to_owned();
    file.push(format!(".{moment}.unsaved"));
    let path = folder.join(file);
    Target::hold(&path)?.replace(text, None, Mode::Exactly(0o600))?;
    Ok(path)
}
