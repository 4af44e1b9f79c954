//! Keys that somebody else holds: each vendor's client against the real thing or a stand-in, beside the real `sops`.

mod at_once;
pub(crate) mod aws;
mod azure;
mod gcp;
mod gcp_grpc;
mod huawei;
mod keyservice;
pub(crate) mod lab;
mod replay;
pub(crate) mod stand_in;
mod symmetric;
pub(crate) mod vault;
