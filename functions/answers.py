"""HTTP answers."""

from collections.abc import Awaitable, Mapping

import azure.functions as func

from shared.log import event_logger

log = event_logger("sluice.http")


def answer(status: int, body: Mapping[str, object] | None = None, retry_after: int = 0) -> func.HttpResponse:
    """JSON, or an empty body; never cached and never guessed at by a browser. `retry_after`: seconds, 0 for none."""
    import msgspec

    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    if retry_after:
        headers["Retry-After"] = str(retry_after)
    content = b"" if body is None else msgspec.json.encode(body)
    return func.HttpResponse(content, status_code=status, headers=headers, mimetype="application/json")


async def answer_people(work: Awaitable[Mapping[str, object]]) -> func.HttpResponse:
    """200 with what the work gives; else why it could not be done, in words, and in the status that fits.

    A fault of ours is left to the host: it answers 500 and logs what happened.
    """
    from shared.domain.errors import NotAllowed, NotFound, Refused, Upstream

    try:
        return answer(200, await work)
    except Refused as refused:
        log.warning("request.refused", extra={"status": refused.status})
        return answer(refused.status, {"error": refused.reason} if refused.explain else None)
    except NotFound as error:
        return answer(404, {"error": str(error)})
    except NotAllowed as error:
        return answer(409, {"error": str(error)})
    except Upstream as error:
        log.exception("request.unavailable", extra={"error": type(error).__name__})
        return answer(503, {"error": "a dependency is unavailable: ask again"})
