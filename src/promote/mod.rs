//! Promotion: plan, apply, verify, roll back. Knows no vendor and no file format of secrets.

mod change;
mod descriptor;
mod platform;
mod platform_error;
mod source;

pub use change::{Build, Change, FactRef, RecordSet, Resource, Stack, State, Value};
pub use descriptor::{Client, Connection, Credential, Descriptor, Reading, Shape, Word};
pub use platform::{
    Act, Check, Connector, Fate, Observed, PlatformError, PlatformFault, Query, Reader, Receipt, Settled, Target,
    Verdict, Watermark, Writer,
};
pub use source::{Source, SourceError};
