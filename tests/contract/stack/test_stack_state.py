"""What the stack writes: its state, its description, its configuration and the app settings."""

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from local.stack import configuration, description, environment, seed
from local.stack.description import Description
from local.stack.errors import NoStack, StateInUse
from local.stack.state import State
from local.stack.storage import urls
from shared.config.loader import load_text

DESCRIPTION = Description(
    host="http://127.0.0.1:1",
    azure="https://127.0.0.1:2",
    cosmos="https://127.0.0.1:3",
    storage_blob="http://127.0.0.1:4/devstoreaccount1",
    storage_queue="http://127.0.0.1:5/devstoreaccount1",
    storage_table="http://127.0.0.1:6/devstoreaccount1",
    authority="a.pem",
    configuration="sluice.yaml",
    repository="repository",
    logs="logs",
    settings="secrets/app-settings.json",
    receivers={"platform": "secrets/github-platform"},
    pids={"host": os.getpid()},
)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_state_directory_has_one_stack_at_a_time(tmp_path: Path) -> None:
    first, second = State(tmp_path), State(tmp_path)
    first.claim()
    with pytest.raises(StateInUse, match="--state"):
        second.claim()
    first.release()
    second.claim()
    second.release()


def test_secrets_are_for_their_owner_only(tmp_path: Path) -> None:
    state = State(tmp_path / "state")
    state.claim()
    tls = state.prepare()
    value = state.keep_secret("github-platform")
    assert state.secret_file("github-platform").read_text() == value
    assert len(value) == 64
    assert mode(state.secret_file("github-platform")) == 0o600
    state.keep_settings({"COSMOS_KEY": "secret"})
    assert mode(state.settings_file) == 0o600
    assert mode(tls.key) == 0o600
    assert mode(state.path) == 0o700
    state.release()


def test_logs_of_a_part_started_again_are_kept_apart(tmp_path: Path) -> None:
    state = State(tmp_path)
    state.claim()
    state.prepare()
    first = state.next_log("host")
    first.write_text("killed")
    assert (first.name, state.next_log("host").name) == ("host.log", "host-2.log")
    state.prepare()
    assert list(state.logs.iterdir()) == []
    state.release()


def test_a_description_is_found_again(tmp_path: Path) -> None:
    DESCRIPTION.write(tmp_path)
    assert description.read(tmp_path) == DESCRIPTION
    assert mode(tmp_path / "stack.json") == 0o600
    assert "http://127.0.0.1:1/api/receivers/platform" in DESCRIPTION.table()


def test_no_stack_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(NoStack, match="sluice up"):
        description.read(tmp_path)
    (tmp_path / "stack.json").write_text("{}")
    with pytest.raises(NoStack, match="not the description"):
        description.read(tmp_path)
    replace(DESCRIPTION, pids={"host": 2**22 + 1}).write(tmp_path)  # above Linux's highest process id
    with pytest.raises(NoStack, match="has ended"):
        description.read(tmp_path)


def test_the_filled_configuration_is_valid_and_posts_to_the_simulator(tmp_path: Path) -> None:
    filled = configuration.write_filled(tmp_path / "sluice.yaml", "https://127.0.0.1:2")
    config = load_text(filled.read_text())
    slack = config.provider("ops-slack")
    assert slack is not None
    assert slack.address == "https://127.0.0.1:2/slack/api/chat.postMessage"
    assert "slack.com" not in filled.read_text()


def test_a_stack_with_flux_alerts_has_a_receiver_for_them(tmp_path: Path) -> None:
    plain = load_text(configuration.write_filled(tmp_path / "plain.yaml", "https://127.0.0.1:2").read_text())
    config = load_text(configuration.write_filled(tmp_path / "sluice.yaml", "https://127.0.0.1:2", flux_alerts=True).read_text())
    flux, *others = config.receivers
    assert (flux.type, flux.secret_ref, others) == ("flux", "kv://sluice/flux-alerts", list(plain.receivers))
    assert "flux-alerts" in seed.vault_secrets("https://127.0.0.1:2", "one", "two")


def test_a_developers_own_azure_settings_do_not_reach_the_app() -> None:
    inherited = environment.inherited(
        {
            "PATH": "/bin",
            "AZURE_CLIENT_SECRET": "real",
            "IDENTITY_ENDPOINT": "real",
            "AzureWebJobsStorage": "real",
            "SLUICE_HOST_LEASE_SECONDS": "5",
            "NO_PROXY": "example.com",
        }
    )
    assert "real" not in inherited.values()
    assert inherited["PATH"] == "/bin"
    assert inherited["SLUICE_HOST_LEASE_SECONDS"] == "5"
    assert inherited["NO_PROXY"] == "example.com,127.0.0.1,localhost"


def test_azurites_addresses_become_a_connection_string() -> None:
    printed = "".join(
        f"Azurite {service} service is successfully listening at http://127.0.0.1:{port}\n"
        for service, port in (("Blob", 1), ("Queue", 2), ("Table", 3))
    )
    connection = urls(printed).connection_string()
    assert "QueueEndpoint=http://127.0.0.1:2/devstoreaccount1;" in connection
