//! Every parser under mutation: nothing panics, and nothing takes more memory than its input allows.

mod bounds;
mod runs;
mod targets;
