"""Plain webhooks: whatever is posted is kept with its headers, the secret ones left out."""

import json
from typing import Any

from aiohttp import web

from local.azure.journal import Journal

CHANNEL = "hooks"
SECRET_HEADERS = {"authorization", "cookie", "x-functions-key"}


class Hooks:
    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/hooks/{name:.+}", self.handle)]

    async def handle(self, request: web.Request) -> web.Response:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in SECRET_HEADERS}
        text = (await request.read()).decode(errors="replace")
        self._journal.keep(CHANNEL, name=request.match_info["name"], headers=headers, body=_as_json(text), raw=text)
        return web.Response(status=200, text="ok")


def _as_json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
