"""`/metrics`: what Prometheus scrapes, under the names that `[http] metrics` chooses; each choice also has an address of its own.

`?target=NAME` shows one target alone, and may be given several times.
"""

from flask import Blueprint, Response, abort, current_app, request

from watchdog.web.site import current_site

__all__ = ["metrics"]

metrics = Blueprint("metrics", __name__)


@metrics.get("/metrics")
def configured() -> Response:
    """Under the names that are configured."""
    site = current_site()
    return _scraped("watchdog" if site.settings.http is None else site.settings.http.metrics)


@metrics.get("/metrics/<any('watchdog', 'celery-exporter'):form>")
def named(form: str) -> Response:
    """Under the names that the address says."""
    return _scraped(form)


def _scraped(form: str) -> Response:
    from watchdog.web.metrics.exposition import Exposition  # noqa: PLC0415 - prometheus-client takes 0.1 s; only scrapes need it

    site = current_site()
    wanted = request.args.getlist("target") or site.targets
    if unknown := [target for target in wanted if target not in site.targets]:
        abort(404, f"Expected the name of a target ({', '.join(site.targets)}), found {unknown[0][:100]!r}.")
    exposition: Exposition = current_app.extensions.setdefault("metrics", Exposition())
    body, content_type = exposition.exposed(site, form, wanted, request.headers.get("Accept", ""))
    return Response(body, content_type=content_type)
