//! Keys that somebody else holds: each vendor's client against the real thing or a stand-in, beside the real `sops`.

mod at_once;
pub mod aws;
pub mod aws_sources;
pub mod azure;
mod azure_sources;
mod both;
pub mod gcp;
mod gcp_grpc;
mod gcp_sources;
pub mod huawei;
mod huawei_sources;
mod keyservice;
pub mod lab;
mod laws;
mod metadata;
mod offering;
mod replay;
pub mod stand_in;
mod symmetric;
pub mod vault;
pub mod vault_sources;
