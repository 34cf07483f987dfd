"""sluice.yaml in force: re-read when the file changes; a broken new version is refused and the last good one stays."""

import logging
from dataclasses import dataclass
from pathlib import Path

from shared.config.loader import load_text
from shared.config.models import Config
from shared.domain.errors import Malformed

log = logging.getLogger("sluice.config")


@dataclass(frozen=True)
class _Version:
    modified_ns: int
    size: int


class ConfigFile:
    """A local file. Each look costs one stat; the text is read again only when time or size changed."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._seen: _Version | None = None
        self._config: Config | None = None
        #: why the newest version is refused; "" when it is in force
        self.problem = ""

    def current(self) -> Config:
        """The configuration in force. Raises Malformed when there has never been a good one."""
        version = self._version()
        if version != self._seen or self._config is None:
            self._seen = version
            self._reload()
        if self._config is None:
            raise Malformed(self.problem)
        return self._config

    async def check(self) -> None:
        """Raises Malformed when there is no configuration, or when its newest version is refused."""
        self.current()
        if self.problem:
            raise Malformed(self.problem)

    def _version(self) -> _Version | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return _Version(found.st_mtime_ns, found.st_size)

    def _reload(self) -> None:
        try:
            self._config = load_text(self._path.read_text("utf-8"), self._path.name)
        except OSError as error:
            self._refuse(f"{self._path.name} cannot be read: {error.strerror}; app setting SLUICE_CONFIG names it")
        except UnicodeDecodeError:
            self._refuse(f"{self._path.name} is not UTF-8 text")
        except Malformed as error:
            self._refuse(str(error))
        else:
            self.problem = ""
            log.info("config.loaded", extra={"file": self._path.name})

    def _refuse(self, problem: str) -> None:
        self.problem = problem
        log.error("config.refused", extra={"problem": problem, "last_good": self._config is not None})
