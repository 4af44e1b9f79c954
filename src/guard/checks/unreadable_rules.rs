//! Rules that cannot be read: then nothing that is under them can be judged.

use super::Check;
use crate::guard::error::GuardError;
use crate::guard::finding::{At, Findings};
use crate::guard::world::World;
use crate::repo::RepoPath;

/// Looks at every tracked rules file.
pub(super) struct UnreadableRules;

impl Check for UnreadableRules {
    fn id(&self) -> &'static str {
        "unreadable-rules"
    }

    fn about(&self) -> &'static str {
        "a `.sops.yaml` that cannot be read, or with a pattern that would be ignored"
    }

    fn look_around(&self, world: &World<'_>) -> Result<Vec<(RepoPath, Findings)>, GuardError> {
        let finding = |(path, fault): (&RepoPath, &_)| {
            let mut found = Findings::new(path);
            let message = format!("these creation rules cannot be used: {fault}");
            found.of(self.id()).add(At::TOP, message, "mend the file; until then what is under it cannot be judged");
            (path.clone(), found)
        };
        Ok(world.broken_rules().map(finding).collect())
    }
}
