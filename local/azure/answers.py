"""Answers in the shapes Azure gives them."""

import json
import uuid
from typing import Any

from aiohttp import web


class AzureError(Exception):
    """Ends a request with a status and ARM's error body.

    https://learn.microsoft.com/azure/azure-resource-manager/management/common-deployment-errors
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: list[dict[str, Any]] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.headers = headers or {}

    def response(self) -> web.Response:
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.details is not None:
            error["details"] = self.details
        return json_response({"error": error}, status=self.status, headers=self.headers)


def json_response(body: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    stamped = {"x-ms-request-id": str(uuid.uuid4()), **(headers or {})}
    return web.json_response(body, status=status, headers=stamped)


async def read_json(request: web.Request) -> Any:
    """Raises AzureError 400 InvalidRequestContent when the body is not JSON."""
    try:
        return json.loads(await request.read())
    except (ValueError, UnicodeDecodeError) as error:
        raise AzureError(
            400, "InvalidRequestContent", f"The request content was invalid and could not be deserialized: '{error}'."
        ) from error


async def read_object(request: web.Request) -> dict[str, Any]:
    body = await read_json(request)
    if not isinstance(body, dict):
        raise AzureError(400, "InvalidRequestContent", "The request content must be a JSON object.")
    return body


def require_api_version(request: web.Request) -> str:
    version = request.query.get("api-version")
    if not version:
        raise AzureError(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    return version
