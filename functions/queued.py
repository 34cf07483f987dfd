"""A queue message whose work cannot be done now is put back, however often: an outage must not bury what is in order."""

from collections.abc import Awaitable
from datetime import timedelta

import azure.functions as func

from shared import bootstrap

_AGAIN_AFTER_SECONDS = 60.0


async def put_back_when_unavailable(queue: str, message: func.QueueMessage, work: Awaitable[None]) -> None:
    """Does the work. Where a service is throttling or unavailable, the same message is sent again, for when the service asked, and
    so it is while there is no usable sluice.yaml.

    Everything else fails the invocation: the host tries again, and buries the message in the end.
    """
    from shared.domain.errors import NotConfigured, Upstream

    try:
        await work
    except NotConfigured:
        await _send_again(queue, message, None)
    except Upstream as error:
        if not error.retryable:
            raise
        await _send_again(queue, message, error.retry_after)


async def _send_again(queue: str, message: func.QueueMessage, retry_after: float | None) -> None:
    again_at = bootstrap.app().clock() + timedelta(seconds=retry_after or _AGAIN_AFTER_SECONDS)
    await bootstrap.app().queue.send_text(queue, message.get_body().decode(), not_before=again_at)
