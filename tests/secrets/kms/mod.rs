//! Keys that somebody else holds: each vendor's client against the real thing or a stand-in, beside the real `sops`.

mod aws;
mod keyservice;
mod lab;
mod vault;
