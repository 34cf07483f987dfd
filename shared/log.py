"""Log lines: a constant event name and its fields, `receiver.refused reason=signature-wrong status=401`.

The fields are part of the text, since the Functions worker sends nothing else of a record to Application Insights. They hold ids, states
and names from our own configuration; never what a sender wrote, a token or an address.
"""

import json
import logging
import re
from collections.abc import MutableMapping
from typing import Any, cast

_PLAIN = re.compile(r"[\w.:/@+-]+")


class EventLogger(logging.LoggerAdapter[logging.Logger]):
    """Use as a logger: the event's name as message, its fields as `extra`."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        fields = cast("dict[str, object]", kwargs.pop("extra", None) or {})
        return " ".join([str(msg), *(f"{name}={_text(value)}" for name, value in fields.items())]), kwargs


def event_logger(name: str) -> EventLogger:
    return EventLogger(logging.getLogger(name), {})


def _text(value: object) -> str:
    """Quoted unless plain, so that no value can forge another field or another line."""
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text)
