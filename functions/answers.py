"""HTTP answers."""

from collections.abc import Mapping

import azure.functions as func


def answer(status: int, body: Mapping[str, object] | None = None) -> func.HttpResponse:
    """JSON, or an empty body; never cached and never guessed at by a browser."""
    import msgspec

    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    content = b"" if body is None else msgspec.json.encode(body)
    return func.HttpResponse(content, status_code=status, headers=headers, mimetype="application/json")
