//! Promotions without a line of HTTP: an in-memory platform with a request log, crashes, races and bad pipeline files.

mod crash;
mod disk;
mod fixture;
mod journal;
mod ledger;
mod plan;
mod rollback;
mod vocabulary;
mod world;
