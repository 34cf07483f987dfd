"""sluice.yaml in force: re-read when it changes, and the last good version stays."""

import os
from pathlib import Path

import pytest

from shared.config.source import ConfigFile
from shared.domain.errors import Malformed

GOOD = "apiVersion: sluice/v1\n"
BETTER = GOOD + "receivers: [{name: platform, type: github, secretRef: kv://sluice/github}]\n"
BROKEN = GOOD + "recievers: []\n"


class File:
    """A file whose time of change goes on with every write, however fast they follow each other."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writes = 0

    def write(self, text: str | bytes) -> None:
        self.path.write_bytes(text if isinstance(text, bytes) else text.encode())
        self._writes += 1
        os.utime(self.path, ns=(self._writes, self._writes))


@pytest.fixture
def file(tmp_path: Path) -> File:
    return File(tmp_path / "sluice.yaml")


async def test_a_good_file_is_in_force_and_stays_the_same_until_it_changes(file: File) -> None:
    file.write(GOOD)
    config = ConfigFile(str(file.path))
    first = config.current()
    assert config.current() is first
    assert await config.latest() is first
    await config.check()
    file.write(BETTER)
    assert config.current().receiver("platform")


@pytest.mark.parametrize(
    ("broken", "problem"),
    [(BROKEN, "sluice.yaml:2: "), (b"\xff\xfe", "not UTF-8"), ("", "is empty"), (GOOD + "routes: [", "not valid YAML")],
)
async def test_a_broken_version_is_refused_and_the_last_good_one_stays(file: File, broken: str | bytes, problem: str) -> None:
    file.write(BETTER)
    config = ConfigFile(str(file.path))
    good = config.current()
    file.write(broken)
    assert config.current() is good
    assert problem in config.problem
    with pytest.raises(Malformed, match=problem):
        await config.check()
    file.write(GOOD)
    assert config.current() is not good
    assert config.problem == ""
    await config.check()


async def test_a_check_looks_at_the_file_as_it_is_now(file: File) -> None:
    file.write(GOOD)
    config = ConfigFile(str(file.path))
    await config.check()
    file.write(BROKEN)
    with pytest.raises(Malformed, match=r"sluice\.yaml:2: recievers"):
        await config.check()
    file.write(BETTER)
    await config.check()


async def test_a_file_that_is_gone_is_told_and_the_last_good_version_stays(file: File) -> None:
    file.write(BETTER)
    config = ConfigFile(str(file.path))
    good = config.current()
    file.path.unlink()
    assert config.current() is good
    with pytest.raises(Malformed, match="cannot be read"):
        await config.check()


def test_without_a_good_version_ever_nothing_is_in_force(file: File) -> None:
    config = ConfigFile(str(file.path))
    with pytest.raises(Malformed, match="SLUICE_CONFIG"):
        config.current()
    file.write(BROKEN)
    with pytest.raises(Malformed, match=r"sluice\.yaml:2"):
        config.current()
    file.write(GOOD)
    assert config.current().api_version == "sluice/v1"
