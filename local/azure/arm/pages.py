"""Lists in pages, as ARM gives them."""

from aiohttp import web

from local.azure.answers import AzureError, json_response
from local.azure.resources import JsonObject


def page(request: web.Request, items: list[JsonObject], size: int) -> web.Response:
    """One page, with the link to the next. Raises AzureError 400 for a skip token that is not ours."""
    token = request.query.get("$skiptoken", "0")
    if not token.isdecimal():
        raise AzureError(400, "InvalidSkipToken", "The skip token is not valid.")
    end = int(token) + size
    body: JsonObject = {"value": items[int(token) : end]}
    if end < len(items):
        body["nextLink"] = str(request.url.update_query({"$skiptoken": str(end)}))
    return json_response(body)
