"""A browser opens the dashboard: its page, the page's files, and who is looking. What it shows comes from the routes in `people`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import azure.functions as func

from functions import people
from functions.principal import asked_by
from shared import bootstrap

if TYPE_CHECKING:
    from functions.static_files import StaticFile

blueprint = func.Blueprint()

#: Only our own files run and are shown, only our own API is asked, and nobody puts the page into theirs (w3.org, Content Security Policy
#: Level 3; Trusted Types: no script may make markup of a text).
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'self'; require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Not no-referrer, which would make browsers send Origin: null with what the page posts.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


# Anonymous to the host: the page and its files are the same for everybody, and hold nothing of anybody.
@blueprint.route("dashboard", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def dashboard(req: func.HttpRequest) -> func.HttpResponse:
    """Looked for anew each time, and sent when it has changed."""
    from functions.static_files import page

    return _sent(req, page(), "no-cache")


@blueprint.route("dashboard/assets/{version}/{name}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def dashboard_asset(req: func.HttpRequest) -> func.HttpResponse:
    """Kept for good under its version. One of another version is asked for while an upgrade runs: it is not kept."""
    from functions.static_files import assets, version

    file = assets().get(req.route_params.get("name") or "")
    if file is None:
        return func.HttpResponse(status_code=404, headers=_HEADERS)
    is_current = req.route_params.get("version") == version()
    return _sent(req, file, "public, max-age=31536000, immutable" if is_current else "no-store")


@people.for_page(blueprint, "me", "GET")
async def me(req: func.HttpRequest) -> Mapping[str, object]:
    """Who is looking, and what they may do. `signsIn`: App Service says who; else nobody has been asked."""
    person = asked_by(req)
    signs_in = bootstrap.app().settings.signs_in
    return {"name": person.name, "signsIn": signs_in, "roles": sorted(person.roles), "holdsEveryRole": person.holds_every_role}


def _sent(req: func.HttpRequest, file: "StaticFile", kept: str) -> func.HttpResponse:
    headers = {**_HEADERS, "Cache-Control": kept, "ETag": file.etag}
    known = {each.strip().removeprefix("W/") for each in (req.headers.get("If-None-Match") or "").split(",")}
    if file.etag in known:
        return func.HttpResponse(status_code=304, headers=headers)
    return func.HttpResponse(file.content, headers=headers, mimetype=file.media_type, charset="utf-8")
