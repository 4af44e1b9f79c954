//! Backends whose words a pipeline file may use although nothing can speak with them yet: a plan that needs one stops and
//! names the line. Each moves into a file of its own when its client is written.

use std::time::Duration;

use crate::promote::{Descriptor, Shape, Word};

const TEXTS: Shape = Shape::List(&Shape::Text);
const FREE: Shape = Shape::Map(&Shape::Any);

/// A backend that nothing can speak with, before its words.
pub(super) const fn unserved(name: &'static str, about: &'static str, docs: &'static str) -> Descriptor {
    Descriptor {
        name,
        about,
        docs,
        address: Shape::Text,
        options: &[],
        credentials: &[],
        applies: &[],
        delivers: &[],
        checks: &[],
        facts: &[],
        verbs: &[],
        interval: Duration::from_secs(5),
        timeout: Duration::from_secs(600),
        host: None,
        client: None,
    }
}

/// A working copy of a git repository whose files are edited and committed.
pub static GIT: Descriptor = Descriptor {
    options: &[Word::plain("branch", "the branch that is edited", Shape::Text)],
    facts: &["commit"],
    verbs: &["edit"],
    ..unserved("git", "a second repository, edited and committed", "https://git-scm.com/docs")
};

/// Files below a directory of this repository's work tree.
pub static FILES: Descriptor = Descriptor {
    address: Shape::Either(&[Shape::Text, TEXTS]),
    delivers: &[Word::plain("*", "a directory, or `environment`", Shape::Any)],
    verbs: &["edit", "run"],
    ..unserved("files", "files beside the work tree", "https://git-scm.com/docs")
};

/// A Kubernetes cluster.
pub static KUBERNETES: Descriptor = Descriptor {
    options: &[Word::plain("namespace", "the namespace", Shape::Text)],
    applies: &[
        Word::plain("kustomize", "the overlay to build and apply", Shape::Text),
        Word::plain("prune", "kinds whose orphans are deleted", Shape::Either(&[TEXTS, Shape::Flag])),
        Word::plain("restart", "workloads to restart", TEXTS),
    ],
    checks: &[
        Word::plain("delivered", "a Secret and the store it is copied from", Shape::Map(&Shape::Text)),
        Word::plain("rollout", "workloads whose new pods are ready", TEXTS),
    ],
    facts: &["service/*.address"],
    verbs: &["run", "scale"],
    ..unserved("kubernetes", "a Kubernetes cluster", "https://kubernetes.io/docs/reference/")
};

/// Argo CD.
pub static ARGO_CD: Descriptor = Descriptor {
    options: &[Word::plain("login", "how to log in", Shape::Text)],
    applies: &[
        Word::plain("application", "the application to sync", Shape::Text),
        Word::plain("revision", "the commit to sync to", Shape::Text),
        Word::plain("prune", "whether what is no longer declared is deleted", Shape::Flag),
    ],
    checks: &[
        Word::plain("application", "the application", Shape::Text),
        Word::plain("synced", "live equals declared", Shape::Flag),
        Word::plain("healthy", "its resources are healthy", Shape::Flag),
    ],
    ..unserved("argo-cd", "applications that Argo CD syncs", "https://argo-cd.readthedocs.io/")
};

/// HashiCorp Vault.
pub static VAULT: Descriptor = Descriptor {
    options: &[
        Word::plain("login", "how to log in", Shape::Text),
        Word::plain("path", "the path below which secrets are", Shape::Text),
    ],
    delivers: &[Word::plain("*", "a secret's path", Shape::Any)],
    ..unserved("vault", "a key-value store of HashiCorp Vault", "https://developer.hashicorp.com/vault/docs")
};

/// Amazon Web Services.
pub static AWS: Descriptor = Descriptor {
    options: &[Word::plain("login", "how to log in", Shape::Text)],
    applies: &[
        Word::plain("repositories", "image repositories", FREE),
        Word::plain("user-pools", "Cognito user pools", TEXTS),
        Word::plain("buckets", "S3 buckets", TEXTS),
    ],
    delivers: &[Word::plain("*", "a secret of Secrets Manager", Shape::Any)],
    checks: &[
        Word::plain("service", "an ECS service, `cluster/service`", Shape::Text),
        Word::plain("stable", "the service has settled", Shape::Flag),
        Word::plain("image", "what the service's image must name", Shape::Text),
    ],
    ..unserved("aws", "Amazon Web Services", "https://docs.aws.amazon.com/")
};

/// Ceph's object gateway.
pub static CEPH: Descriptor = Descriptor {
    options: &[Word::plain("login", "how to log in", Shape::Text)],
    applies: &[
        Word::plain("bucket", "the bucket", Shape::Text),
        Word::plain("policy", "the file of its policy", Shape::Text),
        Word::plain("notify", "its notifications", FREE),
    ],
    checks: &[
        Word::plain("bucket", "the bucket", Shape::Text),
        Word::plain("notified", "the notification that is set", Shape::Text),
    ],
    ..unserved("ceph", "buckets of Ceph's object gateway", "https://docs.ceph.com/en/latest/radosgw/")
};

/// Docker Compose on a host.
pub static COMPOSE: Descriptor = Descriptor {
    options: &[
        Word::plain("project", "the project's name", Shape::Text),
        Word::plain("directory", "where the compose files are", Shape::Text),
        Word::plain("files", "the compose files, in order", Shape::Either(&[Shape::Text, TEXTS])),
        Word::plain("env", "the environment files, in order", Shape::Either(&[Shape::Text, TEXTS])),
    ],
    applies: &[Word::plain("services", "the services to bring up", TEXTS)],
    delivers: &[Word::plain("*", "a directory of secret files", Shape::Any)],
    checks: &[Word::plain("running", "services that run and are healthy", TEXTS)],
    verbs: &["run"],
    ..unserved("compose", "a host with Docker Compose", "https://docs.docker.com/reference/cli/docker/compose/")
};

/// A Prefect server.
pub static PREFECT: Descriptor = Descriptor {
    options: &[Word::plain("login", "how to log in", Shape::Text)],
    applies: &[
        Word::plain("variables", "the file of variables", Shape::Text),
        Word::plain("tag-limits", "how many tasks of a tag run at once", Shape::Map(&Shape::Number)),
        Word::plain("work-pools", "work pools", FREE),
    ],
    delivers: &[Word::plain("secret-blocks", "secret blocks", Shape::Any)],
    checks: &[
        Word::plain("ready", "the server answers", Shape::Flag),
        Word::plain("workers", "how many workers a pool has at least", Shape::Map(&Shape::Number)),
        Word::plain("deployments", "deployments that exist", TEXTS),
    ],
    ..unserved("prefect", "a Prefect server", "https://docs.prefect.io/")
};

/// Terraform or OpenTofu.
pub static TERRAFORM: Descriptor = Descriptor {
    options: &[Word::plain("workspace", "the workspace", Shape::Text)],
    applies: &[Word::plain("touches", "the only addresses that may change", TEXTS)],
    facts: &["*"],
    ..unserved("terraform", "a Terraform configuration", "https://developer.hashicorp.com/terraform/docs")
};

/// A host behind SSH, as a way through.
pub static SSH: Descriptor = Descriptor {
    options: &[
        Word::plain("key", "the secret that is the private key", Shape::Text),
        Word::plain("host-key", "the secret that is the host's public key", Shape::Text),
    ],
    verbs: &["run"],
    ..unserved("ssh", "a host behind SSH", "https://www.openssh.com/manual.html")
};

/// All of them but `he.net`, which stands with the other DNS providers.
pub static UNSERVED: &[&Descriptor] =
    &[&GIT, &FILES, &KUBERNETES, &ARGO_CD, &VAULT, &AWS, &CEPH, &COMPOSE, &PREFECT, &TERRAFORM, &SSH];
