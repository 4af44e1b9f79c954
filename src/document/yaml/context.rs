//! Where a scalar stands, as far as writing over it needs to know; packed into `Leaf::context` by the parser.

/// Where a scalar stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Context {
    /// Whether it stands in brackets, where `,`, `[` and `{` end a plain scalar.
    pub(super) flow: bool,
    /// Whether it is the missing value of a key that has no `:` (`{x}`, `? x`).
    pub(super) no_colon: bool,
    /// Whether a tag makes it text whatever it says (`!!str 5`).
    pub(super) tagged_text: bool,
    /// The column of the innermost block mapping or block list around it, -1 if there is none. A list in the column of
    /// its own key does not count: its column is its mapping's.
    pub(super) indent: i32,
}

impl Context {
    pub(super) fn pack(self) -> u32 {
        let flags = u32::from(self.flow) | u32::from(self.no_colon) << 1 | u32::from(self.tagged_text) << 2;
        let column = u32::try_from(self.indent.saturating_add(1)).unwrap_or(0);
        flags | column.min(u32::MAX >> 3) << 3
    }

    pub(super) fn unpack(packed: u32) -> Self {
        Self {
            flow: packed & 1 != 0,
            no_colon: packed & 2 != 0,
            tagged_text: packed & 4 != 0,
            indent: i32::try_from(packed >> 3).map_or(i32::MAX, |column| column - 1),
        }
    }
}
