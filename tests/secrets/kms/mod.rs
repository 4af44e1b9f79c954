//! Keys that somebody else holds: each vendor's client against the real thing or a stand-in, beside the real `sops`.

mod at_once;
mod aws;
mod aws_sources;
mod azure;
mod azure_sources;
mod both;
mod gcp;
mod gcp_grpc;
mod gcp_sources;
mod huawei;
mod huawei_sources;
mod keyservice;
mod lab;
mod replay;
mod stand_in;
mod symmetric;
mod vault;
mod vault_sources;
