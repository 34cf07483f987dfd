"""Access keys, kept in one JSON file that only its owner may read, and who may pass with which.

Levels and precedence are the Functions host's: the header x-functions-key wins over ?code=, a host key opens every
function, the master key opens everything, and a system key opens one extension's webhook.
"""

import hmac
import json
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from local.host.errors import HostError

EVENT_GRID_KEY: Final = "eventgrid_extension"


@dataclass(frozen=True)
class Keys:
    """Key values by name; `functions` by function name, then key name."""

    master: str
    host: Mapping[str, str]
    system: Mapping[str, str]
    functions: Mapping[str, Mapping[str, str]]


def load_or_generate_keys(path: Path, function_names: Iterable[str]) -> Keys:
    """Reads the key file; generates what it lacks and writes it back. HostError where it is not a key file."""
    try:
        found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        keys = Keys(
            master=found.get("master") or _new_key(),
            host=found.get("host") or {"default": _new_key()},
            system={EVENT_GRID_KEY: _new_key(), **found.get("system", {})},
            functions={
                **found.get("functions", {}),
                **{name: found.get("functions", {}).get(name) or {"default": _new_key()} for name in function_names},
            },
        )
    except (ValueError, TypeError, AttributeError) as error:
        raise HostError(f"{path} is not a key file: {error}") from error
    if vars(keys) != found:
        _write_private(path, json.dumps(vars(keys), indent=2))
    return keys


def _new_key() -> str:
    return secrets.token_urlsafe(40)


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


class Doorkeeper:
    """Says whether a request may pass. Not enforced, everybody may, as with `func start`."""

    def __init__(self, keys: Keys, *, enforced: bool) -> None:
        self.keys = keys
        self._enforced = enforced

    def admits_to_function(self, request: web.Request, function_name: str, level: str) -> bool:
        """`level` is the binding's authLevel, in any case."""
        level = level.lower()
        if level == "anonymous":
            return True
        if level == "admin":
            return self.admits_admin(request)
        own = self.keys.functions.get(function_name, {})
        return self._admits(request, *own.values(), *self.keys.host.values())

    def admits_system(self, request: web.Request, key_name: str) -> bool:
        return self._admits(request, self.keys.system[key_name])

    def admits_admin(self, request: web.Request) -> bool:
        return self._admits(request)

    def _admits(self, request: web.Request, *accepted: str) -> bool:
        if not self._enforced:
            return True
        presented = request.headers.get("x-functions-key") or request.query.get("code") or ""
        # every key is compared, so that the time taken says nothing of which one was close
        matches = [hmac.compare_digest(presented.encode(), key.encode()) for key in (self.keys.master, *accepted)]
        return any(matches)
