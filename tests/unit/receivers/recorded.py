"""The recorded deliveries under tests/payloads/<sender>/<event>/<case>/."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PAYLOADS = Path(__file__).parents[2] / "payloads"
EVENTS = "azure_events"  # no sender: Event Grid brings them


@dataclass(frozen=True)
class Delivery:
    """What was sent, and what it must become: `expected` names the event and the fields of each change, check and report."""

    sender: str
    name: str
    headers: dict[str, str]
    body: bytes
    expected: dict[str, Any]

    @property
    def options(self) -> dict[str, str]:
        """What the receiver's configuration says beside type and secret."""
        return self.expected.get("receiver", {})


def read(folder: Path) -> Delivery:
    (body,) = folder.glob("body.*")
    return Delivery(
        sender=folder.relative_to(PAYLOADS).parts[0],
        name=str(folder.relative_to(PAYLOADS)),
        headers=json.loads((folder / "headers.json").read_text()),
        body=body.read_bytes(),
        expected=json.loads((folder / "expected.json").read_text()),
    )


DELIVERIES = [read(path.parent) for path in sorted(PAYLOADS.glob("*/*/*/expected.json")) if path.relative_to(PAYLOADS).parts[0] != EVENTS]
