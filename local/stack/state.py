"""The state directory: one stack at a time writes logs, certificates, the repository and secrets below it."""

import fcntl
import json
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from local import tls
from local.stack import description, repository
from local.stack.errors import StateInUse
from local.stack.repository import Repository
from local.tls import TlsFiles


class State:
    """Everything is made anew by `prepare`: the databases live in memory, so nothing old would fit."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.logs = self.path / "logs"
        self.configuration = self.path / "sluice.yaml"
        self.repository = Repository(self.path / "repository")
        self._secrets = self.path / "secrets"
        self._lock: IO[str] | None = None

    def claim(self) -> None:
        """Raises StateInUse. The kernel lets go of the claim when this process ends."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (self.path / "lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise StateInUse(f"a stack already runs with state in {self.path}: stop it, or name another with --state") from None
        self._lock = lock

    def release(self) -> None:
        if self._lock:
            description.remove(self.path)
            self._lock.close()
            self._lock = None

    def prepare(self) -> TlsFiles:
        """Makes folders, certificates and the repository. Needs the claim."""
        for folder in (self.logs, self._secrets):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o700)
        repository.create(self.repository.path)
        return tls.create(self.path / "tls")

    def keep_secret(self, name: str) -> str:
        """A new random secret, kept in a file that its owner alone may read."""
        value = secrets.token_hex(32)
        self.secret_file(name).touch(mode=0o600)
        self.secret_file(name).write_text(value)
        return value

    def keep_settings(self, settings: Mapping[str, str]) -> None:
        """The app settings, for commands that work on the running stack's database. Its account key is in them."""
        self.settings_file.touch(mode=0o600)
        self.settings_file.write_text(json.dumps(dict(settings), indent=2))

    @property
    def settings_file(self) -> Path:
        return self._secrets / "app-settings.json"

    def secret_file(self, name: str) -> Path:
        return self._secrets / name

    def next_log(self, name: str) -> Path:
        """host.log, then host-2.log, ...: a part that is started again keeps what it said before."""
        earlier = len(list(self.logs.glob(f"{name}*.log")))
        return self.logs / (f"{name}-{earlier + 1}.log" if earlier else f"{name}.log")
