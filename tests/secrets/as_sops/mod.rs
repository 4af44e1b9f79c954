//! Called as `sops`, beside the real one: the same command lines in twin folders.

mod behaviours;
mod codes;
mod flags;
mod holders;
mod running;
mod twins;
