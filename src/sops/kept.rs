//! The tokens of a file's older version, so that what has not changed keeps its ciphertext byte for byte.

use std::collections::{HashMap, VecDeque};

use ring::digest::{Context, SHA256};

use crate::cipher::{DataKey, Label};

/// Tokens by place and plaintext; equal ones (two equal items of a list) in their order.
pub(super) struct Kept {
    key: DataKey,
    tokens: HashMap<[u8; 32], VecDeque<Box<[u8]>>>,
}

impl Kept {
    /// No tokens yet, of the file with that data key.
    pub(super) fn new(key: DataKey) -> Self {
        Self { key, tokens: HashMap::new() }
    }

    /// Remembers the token of a plaintext in a place.
    pub(super) fn put(&mut self, label: Label, plaintext: &[u8], associated_data: &str, token: &[u8]) {
        let digest = self.digest(label, plaintext, associated_data);
        self.tokens.entry(digest).or_default().push_back(token.into());
    }

    /// The next token of that plaintext in that place.
    pub(super) fn take(&mut self, label: Label, plaintext: &[u8], associated_data: &str) -> Option<Box<[u8]>> {
        let digest = self.digest(label, plaintext, associated_data);
        self.tokens.get_mut(&digest)?.pop_front()
    }

    /// Salted with the data key, so that memory left behind tells nothing about a guessed plaintext.
    fn digest(&self, label: Label, plaintext: &[u8], associated_data: &str) -> [u8; 32] {
        let mut context = Context::new(&SHA256);
        context.update(self.key.expose_secret());
        context.update(label.word().as_bytes());
        context.update(&associated_data.len().to_le_bytes());
        context.update(associated_data.as_bytes());
        context.update(plaintext);
        let mut digest = [0; 32];
        digest.copy_from_slice(context.finish().as_ref());
        digest
    }
}
