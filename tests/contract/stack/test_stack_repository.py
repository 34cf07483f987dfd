"""The demo's repository, and the webhook built from it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from local.demo import push
from local.stack import repository
from local.stack.repository import Repository
from shared.domain.errors import Refused
from shared.receivers import github
from shared.receivers.inbound import Inbound, Received

SECRET = "s3cret"


@pytest.fixture
def created(tmp_path: Path) -> Repository:
    return repository.create(tmp_path / "repository")


def test_it_is_a_repository_on_main_with_one_commit(created: Repository) -> None:
    assert created.git("branch", "--show-current") == "main"
    assert created.git("log", "--format=%an <%ae>: %s") == "Sluice demo <demo@example.com>: Add the till to every shop"
    assert created.git("status", "--porcelain") == ""


def test_every_manifest_is_yaml_and_every_kustomization_names_what_is_there(created: Repository) -> None:
    manifests = list(created.path.glob("clusters/**/*.yaml"))
    assert len(manifests) >= 5
    for manifest in manifests:
        content = yaml.safe_load(manifest.read_text())
        assert content["kind"]
        for resource in content.get("resources", []):
            assert (manifest.parent / resource).exists()


def test_making_it_again_starts_over(created: Repository) -> None:
    created.commit({"clusters/base/till.yaml": repository.deployment("9")}, "later")
    again = repository.create(created.path)
    assert again.git("rev-list", "--count", "HEAD") == "1"


def test_the_users_own_git_settings_have_no_effect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, created: Repository) -> None:
    settings = tmp_path / "gitconfig"
    settings.write_text("[user]\nname = Somebody\n[commit]\ngpgsign = true\n[core]\nhooksPath = /nonexistent\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody")
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    created.commit({"a": "b"}, "with foreign settings about")
    assert created.git("log", "-1", "--format=%an") == "Sluice demo"


def receive(body: bytes, headers: dict[str, str]) -> Received:
    lowered = {name.lower(): value for name, value in headers.items()}
    return github.receive(Inbound(receiver="platform", headers=lowered, body=body, received_at=datetime.now(UTC)), [SECRET])


def test_the_apps_own_receiver_takes_the_push(created: Repository) -> None:
    before = created.head()
    created.commit({"clusters/base/till.yaml": repository.deployment("1.1.0")}, "Second\n\nwith a body")
    created.git("rm", "--quiet", "clusters/prod/settings.yaml")
    after = created.commit({"clusters/grün/new.yaml": "a: 1\n"}, "Third")
    body = push.encode(push.payload(created, before, after))
    received = receive(body, push.signed_headers(body, SECRET, event="push", delivery="d-1"))
    assert (received.delivery, received.event) == ("d-1", "push")
    (change,) = received.changes
    assert (change.ref, change.revision) == ("refs/heads/main", after)
    payload = push.payload(created, before, after)
    assert payload["before"] == before
    assert [commit["message"] for commit in payload["commits"]] == ["Second\n\nwith a body", "Third"]
    assert payload["commits"][1]["added"] == ["clusters/grün/new.yaml"]
    assert payload["commits"][1]["removed"] == ["clusters/prod/settings.yaml"]
    assert payload["commits"][0]["modified"] == ["clusters/base/till.yaml"]
    assert payload["head_commit"]["id"] == after


def test_a_changed_byte_breaks_the_signature(created: Repository) -> None:
    before = created.head()
    after = created.commit({"a": "b"}, "Second")
    body = push.encode(push.payload(created, before, after))
    with pytest.raises(Refused):
        receive(body + b" ", push.signed_headers(body, SECRET, event="push"))
