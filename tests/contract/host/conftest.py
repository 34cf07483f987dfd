"""Azurite and one open host for the session, and fixtures that start others."""

import contextlib
import json
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ResourceExistsError
from host_processes import REPOSITORY, SAMPLE, Ended, Host, StartHost, Storage, connection_string, environment_of, host_command, spawn

from local import node


@pytest.fixture(scope="session")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    flags = "--silent --skipApiVersionCheck --disableTelemetry --inMemoryPersistence"
    ports = "--blobPort 0 --queuePort 0 --tablePort 0"
    script = node.package_script("azurite", "dist/src/azurite.js")
    command = [node.node(), script, *flags.split(), *ports.split()]
    with spawn(command, cwd=tmp_path_factory.mktemp("azurite"), stdout=subprocess.PIPE) as process:
        yield Storage(connection_string(process))
        process.terminate()


@pytest.fixture(scope="session")
def start_host(storage: Storage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartHost]:
    """Starts hosts of the sample app, each with queues of its own. `function_timeout` replaces that of host.json; other
    names are settings. All are ended with the session.
    """
    started: list[Host] = []

    def start(*arguments: str, function_timeout: str = "00:00:10", **settings: str) -> Host:
        folder = tmp_path_factory.mktemp("host")
        work_queue = settings.setdefault("WORK_QUEUE", new_queue_name())
        storage.queue(work_queue).create_queue()
        app = copy_sample(folder, {"functionTimeout": function_timeout}, settings)
        with (folder / "stderr.log").open("w") as stderr:
            process = spawn(
                host_command(app, "--state", str(folder / "state"), *arguments),
                cwd=REPOSITORY,
                env=environment_of(storage, {"SLUICE_HOST_LEASE_SECONDS": "2"}),
                stdout=subprocess.PIPE,
                stderr=stderr,
            )
        line = process.stdout.readline()
        assert line.startswith("ready: http://127.0.0.1:"), (folder / "stderr.log").read_text()
        started.append(Host(process, line.split()[1], folder, work_queue, storage))
        return started[-1]

    yield start
    for host in started:
        host.process.kill()
        host.process.wait()
        host.process.stdout.close()


def copy_sample(folder: Path, host_json: dict[str, Any], settings: dict[str, str]) -> Path:
    app = shutil.copytree(SAMPLE, folder / "app", ignore=shutil.ignore_patterns("__pycache__"))
    document = json.loads((app / "host.json").read_text()) | host_json
    (app / "host.json").write_text(json.dumps(document))
    values = {"AzureWebJobs.switched_off.Disabled": "true", **settings}
    (app / "local.settings.json").write_text(json.dumps({"IsEncrypted": False, "Values": values}))
    return app


@pytest.fixture(scope="session")
def host(start_host: StartHost) -> Host:
    """One host without keys for the whole session."""
    return start_host()


@pytest.fixture(scope="session")
def guarded_host(start_host: StartHost, storage: Storage) -> Host:
    """A host that enforces keys, limits a function to a second, and finds a past: a timer run that was missed, and a
    message that was tried too often.
    """
    work_queue = new_queue_name()
    wear_out(storage, f"{work_queue}-late", tries=4)
    write_timer_status(storage, "guarded", "yearly", last="2020-01-01", next_="2021-01-01")
    return start_host("--auth", function_timeout="00:00:01", WORK_QUEUE=work_queue, AzureFunctionsWebHost__hostid="guarded")


def wear_out(storage: Storage, queue_name: str, *, tries: int) -> None:
    queue = storage.queue(queue_name)
    queue.create_queue()
    queue.send_message("worn")
    for _ in range(tries):
        message = queue.receive_message()
        queue.update_message(message, visibility_timeout=0)
    assert message.dequeue_count == tries


def write_timer_status(storage: Storage, host_id: str, function: str, *, last: str, next_: str) -> None:
    status = {"Last": f"{last}T00:00:00Z", "Next": f"{next_}T00:00:00Z", "LastUpdated": f"{last}T00:00:00Z"}
    with storage.blobs() as blobs:
        container = blobs.get_container_client("azure-webjobs-hosts")
        with contextlib.suppress(ResourceExistsError):
            container.create_container()
        container.upload_blob(f"timers/{host_id}/Host.Functions.{function}/status", json.dumps(status))


def new_queue_name() -> str:
    return f"work-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def run_host(storage: Storage, tmp_path: Path) -> Callable[..., Ended]:
    """Runs a host of an app given as text, which is expected not to start."""

    def run(function_app: str, host_json: str = '{"version": "2.0"}', **environment: str) -> Ended:
        (tmp_path / "function_app.py").write_text(function_app)
        (tmp_path / "host.json").write_text(host_json)
        ended = subprocess.run(
            host_command(tmp_path),
            cwd=REPOSITORY,
            env=environment_of(storage, environment),
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    return run
