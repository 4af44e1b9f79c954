//! `lockage check`.

mod files;
mod rules;
