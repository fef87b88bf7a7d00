"""`/metrics`: what Prometheus scrapes. `?target=NAME` shows one target alone, and may be given several times."""

from flask import Blueprint, Response, abort, current_app, request

from watchdog.web.site import Site

__all__ = ["metrics"]

metrics = Blueprint("metrics", __name__)


@metrics.get("/metrics")
def scraped() -> Response:
    """Everything, or what is known of the targets that are asked for."""
    from watchdog.web.metrics.exposition import exposed  # noqa: PLC0415 - prometheus-client takes 0.1 s; only scrapes need it

    site: Site = current_app.extensions["site"]
    wanted = request.args.getlist("target") or site.targets
    if unknown := [target for target in wanted if target not in site.targets]:
        abort(404, f"Expected the name of a target ({', '.join(site.targets)}), found {unknown[0][:100]!r}.")
    body, content_type = exposed(site, "watchdog", wanted, request.headers.get("Accept", ""))
    return Response(body, content_type=content_type)
