"""One local key-encryption key for all tests: an RSA key takes long to make."""

from pathlib import Path

import pytest
from memory_key_store import Clock, CuttableWrapper, MemoryKeyStore

from shared.azure.key_vault import KeyEncryptionKey
from shared.azure.sealing import EnvelopeSealer


@pytest.fixture(scope="session")
def key_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from shared.azure.key_vault import _read_or_create

    path = tmp_path_factory.mktemp("keys") / "kek.pem"
    _read_or_create(path)
    return path


@pytest.fixture
def store() -> MemoryKeyStore:
    return MemoryKeyStore()


@pytest.fixture
def wrapper(key_path: Path) -> CuttableWrapper:
    return CuttableWrapper(KeyEncryptionKey(str(key_path)))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sealer(store: MemoryKeyStore, wrapper: CuttableWrapper, clock: Clock) -> EnvelopeSealer:
    return EnvelopeSealer(store, wrapper, key_seconds=600, outage_seconds=3600, monotonic=clock)
