"""sluice.yaml in force: a broken new version is refused, and the last good one stays."""

from dataclasses import dataclass
from pathlib import Path

from shared.config.loader import load_text
from shared.config.models import Config
from shared.domain.errors import Malformed, NotConfigured
from shared.log import event_logger

log = event_logger("sluice.config")


class ConfigInForce:
    """The last good version, and what is wrong with the newest one."""

    def __init__(self) -> None:
        self._config: Config | None = None
        #: why the newest version is refused; "" when it is in force
        self.problem = ""

    @property
    def is_loaded(self) -> bool:
        return self._config is not None

    def current(self) -> Config:
        """Raises NotConfigured when there has never been a good version."""
        if self._config is None:
            raise NotConfigured(self.problem)
        return self._config

    def offer(self, content: bytes, name: str) -> None:
        """Puts a new version in force, or refuses it."""
        try:
            self._config = load_text(content.decode(), name)
        except UnicodeDecodeError:
            self.refuse(f"{name} is not UTF-8 text")
        except Malformed as error:
            self.refuse(str(error))
        else:
            self.problem = ""
            log.info("config.loaded", extra={"file": name})

    def refuse(self, problem: str) -> None:
        self.problem = problem
        log.error("config.refused", extra={"problem": problem, "last_good": self.is_loaded})


@dataclass(frozen=True)
class _Version:
    modified_ns: int
    size: int


class ConfigFile:
    """A local file. Each look costs one stat; the text is read again only when time or size changed."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._seen: _Version | None = None
        self._in_force = ConfigInForce()

    @property
    def problem(self) -> str:
        return self._in_force.problem

    def current(self) -> Config:
        """The configuration in force. Raises Malformed when there has never been a good one."""
        version = self._version()
        if version != self._seen or not self._in_force.is_loaded:
            self._seen = version
            self._reload()
        return self._in_force.current()

    async def latest(self) -> Config:
        """The same, as every source of configuration gives it."""
        return self.current()

    async def check(self) -> None:
        """Raises Malformed when there is no configuration, or when its newest version is refused."""
        self.current()
        if self.problem:
            raise Malformed(self.problem)

    async def close(self) -> None:
        """Nothing is held open."""

    def _version(self) -> _Version | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return _Version(found.st_mtime_ns, found.st_size)

    def _reload(self) -> None:
        try:
            content = self._path.read_bytes()
        except OSError as error:
            self._in_force.refuse(f"{self._path.name} cannot be read: {error.strerror}; app setting SLUICE_CONFIG names it")
        else:
            self._in_force.offer(content, self._path.name)
