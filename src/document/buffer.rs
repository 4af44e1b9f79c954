//! A growing buffer that leaves no copy of itself behind.

use zeroize::Zeroizing;

/// Bytes that are wiped when they are dropped and whenever the buffer moves to grow.
#[derive(Default)]
pub(super) struct Buffer(Zeroizing<Vec<u8>>);

impl Buffer {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self(Zeroizing::new(Vec::with_capacity(capacity)))
    }

    pub(super) fn extend(&mut self, bytes: &[u8]) {
        let (length, capacity) = (self.0.len(), self.0.capacity());
        if capacity - length < bytes.len() {
            let mut grown = Zeroizing::new(Vec::with_capacity((capacity * 2).max(length + bytes.len()).max(64)));
            grown.extend_from_slice(&self.0);
            self.0 = grown;
        }
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn push(&mut self, byte: u8) {
        self.extend(&[byte]);
    }

    pub(super) fn into_bytes(self) -> Zeroizing<Vec<u8>> {
        self.0
    }
}

impl std::ops::Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Buffer;

    #[test]
    fn it_grows_by_doubling() {
        let mut buffer = Buffer::with_capacity(1);
        let mut capacities = Vec::new();
        for byte in 0..=255 {
            buffer.push(byte);
            capacities.push(buffer.0.capacity());
        }
        capacities.dedup();
        assert!(capacities.len() <= 4, "{capacities:?}");
        assert_eq!(buffer.into_bytes().as_slice(), (0..=255).collect::<Vec<u8>>());
    }
}
