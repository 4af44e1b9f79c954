//! The attribution of comments to containers.

use super::token::{Container, Place, Scan};

/// Where each of `scan.comments` goes, in their order.
pub(super) fn attribute(_text: &[u8], scan: &Scan) -> Vec<Place> {
    scan.comments
        .iter()
        .map(|_| Place { container: Container::Root(0), index: 0, inline: false, dropped: true })
        .collect()
}
