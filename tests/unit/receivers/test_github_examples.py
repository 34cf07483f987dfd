"""GitHub's own examples of its events, of npm's @octokit/webhooks-examples: every one is answered without an error."""

import json
from pathlib import Path

import pytest
from proofs import SECRET, an_inbound

from shared.receivers import github

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "local" / "node_modules" / "@octokit" / "webhooks-examples").glob("*/index.json"))


def events(catalogue: Path) -> list[tuple[str, bytes]]:
    return [(event["name"], json.dumps(body).encode()) for event in json.loads(catalogue.read_bytes()) for body in event["examples"]]


@pytest.mark.parametrize("catalogue", EXAMPLES, ids=lambda catalogue: catalogue.parent.name)
def test_every_example_is_received_and_only_a_push_is_a_change(catalogue: Path) -> None:
    for event, body in events(catalogue):
        headers = {"X-GitHub-Event": event, "X-GitHub-Delivery": "d", "Content-Type": "application/json"}
        received = github.receive(an_inbound("github", headers, body), [SECRET])
        assert received.event == event
        assert len(received.changes) == (event == "push")


def test_there_are_examples_of_nearly_every_event() -> None:
    assert EXAMPLES, "run: make setup"
    assert len({event for catalogue in EXAMPLES for event, _ in events(catalogue)}) >= 58
    assert sum(len(events(catalogue)) for catalogue in EXAMPLES) > 500
