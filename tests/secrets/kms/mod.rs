//! Keys that somebody else holds: each vendor's client against the real thing or a stand-in, beside the real `sops`.

mod at_once;
mod aws;
mod azure;
mod gcp;
mod gcp_grpc;
mod huawei;
mod keyservice;
mod lab;
mod replay;
mod stand_in;
mod symmetric;
mod vault;
