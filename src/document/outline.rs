//! What a syntax finds in a text, as flat lists of ranges.

use std::ops::Range;

use super::scalar::Kind;
use super::tree::Tree;

/// Index of a leaf in [`Outline::leaves`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LeafId(pub u32);

/// Index of a mapping key in [`Outline::keys`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub u32);

/// Index of a comment in [`Outline::comments`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CommentId(pub u32);

/// One step of the document, in the order in which SOPS walks its tree.
///
/// A YAML stream is a run of root mappings: each is an `Open { list: false }` at depth 0 with its `Close`.
/// The `sops` metadata block and everything in it is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    /// A mapping or a list begins.
    Open {
        /// Whether it is a list.
        list: bool,
    },
    /// The innermost open container ends.
    Close,
    /// A mapping key; the next `Open` or `Leaf` (comments aside) is its value.
    Key(KeyId),
    /// A scalar value or list item.
    Leaf(LeafId),
    /// A comment, at the place where SOPS has it in its tree.
    Comment(CommentId),
}

/// How a scalar is written, which its replacement keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// No quotes. Dotenv, INI and JSON numbers, booleans and null are plain, too.
    Plain,
    /// `'…'`.
    SingleQuoted,
    /// `"…"`. JSON strings are double-quoted.
    DoubleQuoted,
    /// A literal block, `|`.
    Literal,
    /// A folded block, `>`.
    Folded,
    /// An alias to an anchored scalar (`*name`): has the anchor's value.
    Alias,
    /// Nothing stands there (`key:`): null.
    Empty,
    /// A whole binary file.
    Whole,
}

/// One scalar value or list item.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// The scalar itself: quotes or block header included, tag and anchor excluded.
    pub range: Range<usize>,
    /// What the value is.
    pub kind: Kind,
    /// How it is written.
    pub style: Style,
    /// Whether a token in this place can be written: false where SOPS would refuse (`!!int` on a string token).
    pub tagged: bool,
    /// Private to the syntax that found it.
    pub(crate) context: u32,
}

/// One mapping key.
#[derive(Clone, Debug)]
pub struct Key {
    /// Where it stands, quotes included.
    pub range: Range<usize>,
    /// Its name, unescaped, in the outline's `names`.
    name: (u32, u32),
}

/// One comment line.
#[derive(Clone, Debug)]
pub struct Comment {
    /// The text after the `#`, to the line break.
    pub range: Range<usize>,
    /// Whether SOPS has it as the line comment of a value.
    pub inline: bool,
    /// Whether SOPS drops it, so that it would stay readable in the encrypted file.
    pub dropped: bool,
    /// Whether it stands as a list item (`- ENC[…,type:comment]`), as SOPS writes comments in lists.
    pub item: bool,
}

/// The `sops` block.
#[derive(Clone, Debug)]
pub struct Metadata {
    /// All bytes of the block, from the start of its first line to behind its last line break.
    pub range: Range<usize>,
    /// Its content; scalars remember where they stand.
    pub tree: Tree,
}

/// One document of a YAML stream, for its metadata block.
#[derive(Clone, Debug)]
pub(crate) struct Extent {
    /// What its root is.
    pub(crate) root: Root,
    /// From behind the document before to the start of the token that ends this one.
    pub(crate) range: Range<usize>,
}

/// The root of a document.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Root {
    /// A block mapping in that column.
    Block(u32),
    /// A block list in that column.
    List(u32),
    /// A mapping in braces, at that offset.
    Braces(usize),
    /// No root, but perhaps comments.
    Nothing,
    /// Something else, at that offset.
    Other(usize),
}

/// What a syntax found in a text.
#[derive(Clone, Debug, Default)]
pub struct Outline {
    /// The walk.
    pub nodes: Vec<Node>,
    /// The leaves.
    pub leaves: Vec<Leaf>,
    /// The mapping keys.
    pub keys: Vec<Key>,
    /// The comments, in source order.
    pub comments: Vec<Comment>,
    /// The `sops` block of the first document.
    pub metadata: Option<Metadata>,
    /// The `sops` blocks of later YAML documents, which SOPS repeats.
    pub more_metadata: Vec<std::ops::Range<usize>>,
    /// Whether any alias or merge key stands in the text.
    pub aliases: bool,
    /// Whether every line of a YAML text is a comment, or a key or an item with a scalar that ends with it: tokens in the
    /// places of leaves and comments, and metadata blocks behind them, change nothing but those.
    pub(crate) plain_lines: bool,
    /// The documents of a YAML stream.
    pub(crate) documents: Vec<Extent>,
    /// The names of all keys, one behind the other: one allocation instead of one for each.
    pub(crate) names: String,
    /// What the scalar aliases stand for; their `context` is an index into this.
    pub(crate) targets: Vec<Leaf>,
}

impl Outline {
    /// The leaf of that index.
    #[must_use]
    pub fn leaf(&self, id: LeafId) -> &Leaf {
        &self.leaves[id.0 as usize]
    }

    /// The leaf that holds the value of the leaf of that index: itself, or what its alias stands for.
    pub(crate) fn holder(&self, id: LeafId) -> &Leaf {
        let leaf = self.leaf(id);
        if leaf.style == Style::Alias { self.targets.get(leaf.context as usize).unwrap_or(leaf) } else { leaf }
    }

    /// The name of the key of that index.
    #[must_use]
    pub fn key(&self, id: KeyId) -> &str {
        let (start, end) = self.keys[id.0 as usize].name;
        &self.names[start as usize..end as usize]
    }

    /// Whether the name of any key holds `part`.
    #[must_use]
    pub fn has_key_with(&self, part: &str) -> bool {
        (0..self.keys.len()).any(|key| self.key(KeyId(clamp(key))).contains(part))
    }

    /// Makes room for so many keys with names of so many bytes in all.
    pub(crate) fn reserve_keys(&mut self, keys: usize, bytes: usize) {
        self.keys.reserve(keys);
        self.names.reserve(bytes);
    }

    /// Adds a key. Texts have at most 2 GiB, of which a name is a part, so 32 bits hold every offset.
    pub(crate) fn push_key(&mut self, range: Range<usize>, name: &str) -> KeyId {
        let id = KeyId(clamp(self.keys.len()));
        let start = clamp(self.names.len());
        self.names.push_str(name);
        self.keys.push(Key { range, name: (start, clamp(self.names.len())) });
        id
    }

    /// Forgets all keys but so many, whose names are so many bytes.
    pub(crate) fn truncate_keys(&mut self, keys: usize, names: usize) {
        self.keys.truncate(keys);
        self.names.truncate(names);
    }

    /// Adds a key of the same name as an earlier one, which an alias may repeat at will.
    pub(crate) fn push_key_again(&mut self, range: Range<usize>, earlier: KeyId) -> KeyId {
        let id = KeyId(clamp(self.keys.len()));
        let name = self.keys[earlier.0 as usize].name;
        self.keys.push(Key { range, name });
        id
    }

    /// Goes on with the leaves, keys and comments of what follows in the text.
    pub(crate) fn append(&mut self, next: Self) {
        let (leaves, keys, names) = (clamp(self.leaves.len()), clamp(self.keys.len()), clamp(self.names.len()));
        let comments = clamp(self.comments.len());
        self.nodes.extend(next.nodes.into_iter().map(|node| match node {
            Node::Key(id) => Node::Key(KeyId(id.0 + keys)),
            Node::Leaf(id) => Node::Leaf(LeafId(id.0 + leaves)),
            Node::Comment(id) => Node::Comment(CommentId(id.0 + comments)),
            other => other,
        }));
        self.leaves.extend(next.leaves);
        self.comments.extend(next.comments);
        let moved = |key: Key| Key { name: (key.name.0 + names, key.name.1 + names), ..key };
        self.keys.extend(next.keys.into_iter().map(moved));
        self.names.push_str(&next.names);
    }

    /// The comment of that index.
    #[must_use]
    pub fn comment(&self, id: CommentId) -> &Comment {
        &self.comments[id.0 as usize]
    }
}

fn clamp(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}
