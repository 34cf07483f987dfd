"""The key-encryption key as a local file."""

import asyncio
import json
import stat
from pathlib import Path

import pytest
from joserfc.jwk import RSAKey

from shared.azure.key_vault import KeyEncryptionKey, Wrapped
from shared.domain.errors import Malformed, Rejected, Sealed

DATA_KEY = bytes(range(32))


@pytest.fixture
def rsa_key(key_path: Path) -> RSAKey:
    return RSAKey.import_key(key_path.read_bytes())


async def test_a_missing_file_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "kek.pem"
    wrapped = await asyncio.gather(*(KeyEncryptionKey(str(path)).wrap(DATA_KEY) for _ in range(3)))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["kek.pem"]
    assert len({each.kid for each in wrapped}) == 1
    assert len({each.ciphertext for each in wrapped}) == 3
    for each in wrapped:
        assert await KeyEncryptionKey(str(path)).unwrap(each) == DATA_KEY


async def test_a_jwk_file_is_the_same_key(key_path: Path, tmp_path: Path, rsa_key: RSAKey) -> None:
    jwk = tmp_path / "kek.json"
    jwk.write_text(json.dumps(rsa_key.as_dict(private=True)))
    wrapped = await KeyEncryptionKey(str(key_path)).wrap(DATA_KEY)
    assert wrapped.kid.startswith("local:")
    assert await KeyEncryptionKey(str(jwk)).unwrap(wrapped) == DATA_KEY


async def test_a_changed_or_foreign_data_key_stays_sealed(key_path: Path) -> None:
    key = KeyEncryptionKey(str(key_path))
    wrapped = await key.wrap(DATA_KEY)
    changed = bytes([wrapped.ciphertext[0] ^ 1]) + wrapped.ciphertext[1:]
    for broken in (Wrapped(wrapped.kid, changed), Wrapped("local:other", wrapped.ciphertext), Wrapped("https://a/keys/b/c", b"x")):
        with pytest.raises(Sealed):
            await key.unwrap(broken)


async def test_a_file_without_a_private_key_is_malformed(tmp_path: Path, rsa_key: RSAKey) -> None:
    public = tmp_path / "public.pem"
    public.write_bytes(rsa_key.as_pem(private=False))
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nonsense")
    for path in (public, nonsense):
        with pytest.raises(Malformed):
            await KeyEncryptionKey(str(path)).wrap(DATA_KEY)


async def test_what_rsa_cannot_wrap_is_rejected(key_path: Path) -> None:
    with pytest.raises(Rejected):
        await KeyEncryptionKey(str(key_path)).wrap(bytes(4096))


def test_a_vault_key_needs_a_credential() -> None:
    with pytest.raises(ValueError, match="credential"):
        KeyEncryptionKey("https://v.vault.azure.net/keys/k")
