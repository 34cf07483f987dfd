"""What people ask has two ways in: programs show the host a function key, and the dashboard's page, which has none, shows the app where
it comes from. Behind both is the same handler, which asks who it is and for a role.
"""

from collections.abc import Awaitable, Callable, Mapping

import azure.functions as func

from functions.answers import answer_people
from shared import bootstrap

Handler = Callable[[func.HttpRequest], Awaitable[Mapping[str, object]]]

_PAGE = "dashboard/data"


def route(blueprint: func.Blueprint, path: str, method: str) -> Callable[[Handler], Handler]:
    """Registers the handler under its own name at /api/{path}, for whoever holds a key, and as `for_page` does."""

    def register(handler: Handler) -> Handler:
        async def with_key(req: func.HttpRequest) -> func.HttpResponse:
            return await answer_people(handler(req))

        with_key.__name__ = handler.__name__
        blueprint.route(path, methods=[method], auth_level=func.AuthLevel.FUNCTION)(with_key)
        return for_page(blueprint, path, method)(handler)

    return register


def for_page(blueprint: func.Blueprint, path: str, method: str) -> Callable[[Handler], Handler]:
    """Registers the handler as dashboard_{its name} at /api/dashboard/data/{path}, for the dashboard's page and nobody else."""

    def register(handler: Handler) -> Handler:
        # Anonymous to the host, since a browser has no function key: `_from_page` is the door.
        async def from_page(req: func.HttpRequest) -> func.HttpResponse:
            return await answer_people(_from_page(req, handler))

        from_page.__name__ = f"dashboard_{handler.__name__}"
        blueprint.route(f"{_PAGE}/{path}", methods=[method], auth_level=func.AuthLevel.ANONYMOUS)(from_page)
        return handler

    return register


async def _from_page(req: func.HttpRequest, handler: Handler) -> Mapping[str, object]:
    from shared.domain.people import check_page

    settings = bootstrap.app().settings
    site = req.headers.get("Sec-Fetch-Site") or ""
    check_page(site, req.url, signs_in=settings.signs_in, without_sign_in=settings.dashboard_without_sign_in)
    return await handler(req)
