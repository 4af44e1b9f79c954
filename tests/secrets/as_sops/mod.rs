//! Called as `sops`, beside the real one: the same command lines in twin folders.

mod bad_files;
mod behaviours;
mod codes;
mod flags;
mod running;
mod twins;
