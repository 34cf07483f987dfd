"""The app put together from the settings of the local stack, and what importing it costs."""

import inspect
import json
import secrets
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from local import tls
from local.stack import configuration, environment, host
from local.stack.storage import StorageUrls
from shared import bootstrap
from shared.azure.cosmos.database import CONTAINERS
from shared.bootstrap import App
from shared.config.settings import Settings, read
from shared.domain.messages import QUEUES

#: Each costs a cold start more than the app itself.
HEAVY = {"aiohttp", "azure.core", "azure.cosmos", "azure.identity", "azure.keyvault", "azure.mgmt", "azure.storage"}
HEAVY |= {"cryptography", "joserfc", "msal", "msgspec", "opentelemetry", "requests", "yaml"}
IMPORTED = "import json, sys; before = set(sys.modules); import function_app; print(json.dumps(sorted(set(sys.modules) - before)))"
#: What App offers beside its use cases.
NOT_USE_CASES = {"connect", "connect_converser", "connect_dialog", "connect_git_host", "close", "clock"}


@pytest.fixture
def settings(
    cosmos: str, origin: str, storage: StorageUrls, tls_files: tls.TlsFiles, account_key: str, key_file: Path, tmp_path: Path
) -> Settings:
    path = tmp_path / "sluice.yaml"
    configuration.write_filled(path, origin)
    given = environment.app_settings(
        storage=storage,
        cosmos=cosmos,
        cosmos_key=account_key,
        azure=origin,
        identity_header=secrets.token_hex(),
        configuration=path,
        tls=tls_files,
    )
    key = {"KEY_ENCRYPTION_KEY": f"file:{key_file}"}
    return read({**given, **key, "COSMOS_DATABASE": f"wiring-{uuid.uuid4().hex[:8]}"})


@pytest.fixture
def process_app(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> App:
    """The process's app, as `sluice init` finds it."""
    made = App(settings)
    monkeypatch.setattr(bootstrap, "_app", made)
    return made


def test_importing_the_app_imports_no_sdk() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORTED], cwd=host.ROOT, capture_output=True, text=True, check=True)
    imported: list[str] = json.loads(done.stdout)
    assert "azure.functions" in imported
    assert [name for name in imported if any(f"{name}.".startswith(f"{heavy}.") for heavy in HEAVY)] == []


async def test_every_use_case_is_made(settings: Settings) -> None:
    app = App(settings)
    makers = [name for name, _ in inspect.getmembers(App, inspect.isfunction) if not name.startswith("_")]
    assert {"receive", "plan", "step", "apply", "observe", "post", "readiness"} <= set(makers)
    for name in set(makers) - NOT_USE_CASES:
        made = getattr(app, name)()
        assert (await made if inspect.isawaitable(made) else made) is not None
    await app.close()


async def test_all_is_made_once_and_a_second_time_changes_nothing(process_app: App) -> None:
    queues = [name for queue in QUEUES for name in (queue, f"{queue}-poison")]
    made = await bootstrap.create_database()
    assert made == [*(container.name for container in CONTAINERS), *queues]
    assert await bootstrap.create_database() == made
    await process_app.database.check()
    await process_app.queue.check()
    await process_app.close()


async def test_closing_what_was_never_opened_is_fine(settings: Settings) -> None:
    await App(settings).close()
