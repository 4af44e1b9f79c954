//! Which request is answered by what.

use serde_json::json;

use super::{Answer, Answered, Heroku, Refusal, Request};

/// What a route asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sandbox) enum Access {
    /// The account's token, and the version in `Accept`.
    Account,
    /// Nothing but the address, which is hard to guess: uploads and output streams.
    Address,
}

/// What the route of this path asks of its caller.
pub(in crate::sandbox) fn access(path: &str) -> Access {
    if path.starts_with("/streams/") || path.starts_with("/uploads/") { Access::Address } else { Access::Account }
}

impl Heroku<'_> {
    /// Answers one request.
    pub(in crate::sandbox) fn answer(&mut self, request: &Request) -> Answer {
        self.route(request).unwrap_or_else(Answer::from)
    }

    fn route(&mut self, request: &Request) -> Answered {
        let segments = request.segments();
        let path: Vec<&str> = segments.iter().map(String::as_str).collect();
        match (request.method.as_str(), path.as_slice()) {
            ("GET", ["account"] | ["users", "~"]) => Ok(self.account()),
            ("GET", ["account", "rate-limits"]) => Ok(Answer::ok(json!({ "remaining": self.remaining }))),
            ("GET", ["account", "features", name]) => Ok(self.account_feature(name)),

            ("GET", ["apps"]) => self.list_apps(request),
            ("POST", ["apps"]) => self.create_app(request),
            ("POST", ["filters", "apps"]) => self.filter_apps(request),
            ("GET", ["apps", app]) => self.show_app(app),
            ("PATCH", ["apps", app]) => self.update_app(app, request),
            ("POST", ["apps", app, "acm"]) => self.enable_acm(app),
            ("PATCH", ["apps", app, "acm"]) => self.refresh_acm(app),
            ("DELETE", ["apps", app, "acm"]) => self.disable_acm(app),
            ("GET", ["apps", app, "sni-endpoints"]) => self.list_sni_endpoints(app, request),

            ("GET", ["apps", app, "config-vars"]) => self.show_config(app),
            ("PATCH", ["apps", app, "config-vars"]) => self.update_config(app, request),
            ("GET", ["apps", app, "releases", release, "config-vars"]) => self.show_release_config(app, release),

            ("GET", ["apps", app, "releases"]) => self.list_releases(app, request),
            ("POST", ["apps", app, "releases"]) => self.create_release(app, request),
            ("GET", ["apps", app, "releases", release]) => self.show_release(app, release),
            ("GET", ["streams", stream]) => self.stream(stream),

            ("POST", ["sources"]) => Ok(self.create_source()),
            ("POST", ["apps", app, "sources"]) => self.app(app).map(|_| self.create_source()),
            ("PUT", ["uploads", source]) => self.upload(source, request),
            ("GET", ["apps", app, "builds"]) => self.list_builds(app, request),
            ("POST", ["apps", app, "builds"]) => self.create_build(app, request),
            ("GET", ["apps", app, "builds", build]) => self.show_build(app, build),
            ("POST", ["apps", app, "slugs"]) => self.create_slug(app, request),
            ("GET", ["apps", app, "slugs", slug]) => self.show_slug(app, slug),
            ("GET", ["apps", app, "oci-images", image]) => self.show_images(app, image),

            ("GET", ["apps", app, "formation"]) => self.list_formation(app, request),
            ("PATCH", ["apps", app, "formation"]) => self.update_formation(app, request),
            ("GET", ["apps", app, "formation", kind]) => self.show_process(app, kind),
            ("PATCH", ["apps", app, "formation", kind]) => self.update_process(app, kind, request),
            ("GET", ["apps", app, "dynos"]) => self.list_dynos(app, request),
            ("POST", ["apps", app, "dynos"]) => self.run_dyno(app, request),
            ("DELETE", ["apps", app, "dynos"]) => self.restart_dynos(app),

            ("GET", ["apps", app, "domains"]) => self.list_domains(app, request),
            ("POST", ["apps", app, "domains"]) => self.create_domain(app, request),
            ("GET", ["apps", app, "domains", domain]) => self.show_domain(app, domain),
            ("PATCH", ["apps", app, "domains", domain]) => self.update_domain(app, domain),
            ("DELETE", ["apps", app, "domains", domain]) => self.delete_domain(app, domain),

            ("GET", ["apps", app, "addons"]) => self.list_addons(app, request),
            ("POST", ["apps", app, "addons"]) => self.create_addon(app, request),
            ("GET", ["apps", app, "addons", addon]) => self.show_addon(app, addon),

            ("GET", ["apps", app, "pipeline-couplings"]) => self.show_coupling_of(app),
            ("GET", ["apps", app, "review-app"]) => self.show_review_app_of(app),
            ("GET", ["pipelines"]) => self.list_pipelines(request),
            ("POST", ["pipelines"]) => self.create_pipeline(request),
            ("GET", ["pipelines", pipeline]) => self.show_pipeline(pipeline),
            ("GET", ["pipelines", pipeline, "pipeline-couplings"]) => self.list_couplings(pipeline, request),
            ("GET", ["pipelines", pipeline, "latest-releases"]) => self.list_latest_releases(pipeline, request),
            ("GET", ["pipelines", pipeline, "latest-builds"]) => self.list_latest_builds(pipeline, request),
            ("GET", ["pipelines", pipeline, "review-apps"]) => self.list_review_apps(pipeline, request),
            ("GET", ["pipelines", pipeline, "repo"]) => self.show_repository(pipeline),
            (method @ ("GET" | "POST" | "PATCH" | "DELETE"), ["pipelines", pipeline, "review-app-config"]) => {
                self.review_app_config(method, pipeline, request)
            }
            ("GET", ["pipelines", pipeline, "test-runs"]) => self.list_test_runs(pipeline, request),
            ("GET", ["pipelines", pipeline, "test-runs", number]) => self.show_test_run_of(pipeline, number),
            ("POST", ["test-runs"]) => self.create_test_run(request),
            ("GET", ["test-runs", test_run]) => self.show_test_run(test_run),
            ("GET", ["review-apps", review_app]) => self.show_review_app(review_app),
            ("POST", ["pipeline-couplings"]) => self.create_coupling(request),
            ("GET", ["pipeline-couplings", coupling]) => self.show_coupling(coupling),
            ("PATCH", ["pipeline-couplings", coupling]) => self.update_coupling(coupling, request),
            ("DELETE", ["pipeline-couplings", coupling]) => self.delete_coupling(coupling),

            ("POST", ["pipeline-promotions"]) => self.promote(request),
            ("GET", ["pipeline-promotions", promotion]) => self.show_promotion(promotion),
            ("GET", ["pipeline-promotions", promotion, "promotion-targets"]) => self.list_targets(promotion, request),

            _ => Err(Refusal {
                status: 404,
                id: "not_found",
                message: "The requested API endpoint was not found. Are you using the right HTTP verb?".to_owned(),
            }),
        }
    }
}
