"""Azure's HTTP answers as our errors."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from shared.domain.errors import Busy, Rejected, Throttled, Unavailable, Upstream
from shared.metrics import THROTTLED, count

if TYPE_CHECKING:
    from azure.core.exceptions import AzureError, HttpResponseError


@contextmanager
def azure_errors(service: str) -> Iterator[None]:
    """Raises Throttled, Unavailable, Busy or Rejected (with the service's code) in place of azure-core's errors."""
    from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

    try:
        yield
    except ClientAuthenticationError as error:
        if error.status_code is None:
            # The token could not be had, so the service was never asked: that is an outage of the identity endpoint.
            raise Unavailable(f"no token for {service}", code="ClientAuthenticationError") from error
        raise _meaning(service, error) from error
    except HttpResponseError as error:
        raise _meaning(service, error) from error
    except AzureError as error:
        raise Unavailable(f"{service} cannot be reached", code=type(error).__name__, unanswered=_was_sent(error)) from error


def _was_sent(error: "AzureError") -> bool:
    """Whether the request may have reached the service. azure-core calls a connection that broke a request error, as one never made."""
    from aiohttp import ClientConnectorError, ClientError
    from azure.core.exceptions import ServiceResponseError

    cause = getattr(error, "inner_exception", None)
    return isinstance(error, ServiceResponseError) or (isinstance(cause, ClientError) and not isinstance(cause, ClientConnectorError))


def _meaning(service: str, error: "HttpResponseError") -> Upstream:
    status = error.status_code or 0
    code = (error.error.code if error.error else None) or str(status)
    message = (error.error.message if error.error else None) or f"{service} answered {status}"
    retry_after = _seconds(error)
    if status == 429:
        count(THROTTLED, service=service)
        return Throttled(message, code=code, status=status, retry_after=retry_after)
    if status == 409:
        return Busy(message, code=code, status=status, retry_after=retry_after)
    if status in (0, 408) or status >= 500:
        return Unavailable(message, code=code, status=status, retry_after=retry_after)
    return Rejected(message, code=code, status=status)


def _seconds(error: "HttpResponseError") -> float | None:
    """Azure Resource Manager and Resource Graph give Retry-After in seconds."""
    headers: Mapping[str, str] = getattr(error.response, "headers", None) or {}
    value = headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else None
