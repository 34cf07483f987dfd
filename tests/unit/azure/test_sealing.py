"""Sealing with a local key-encryption key and a store in memory."""

import asyncio
import base64
import hashlib
import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from memory_key_store import Clock, CuttableWrapper, MemoryKeyStore

from shared.azure.data_keys import KeyRecord
from shared.azure.key_vault import KeyEncryptionKey
from shared.azure.sealing import DATA_LIMIT, EnvelopeSealer
from shared.domain.errors import Conflict, Malformed, NotFound, Sealed, Unavailable

SCOPE = "0b1f6471-1bf0-4dda-aec3-cb9272f09590"
PLACE = "configurations/cluster-1/platform"

# The fixtures hold keys only; one sealer for all examples is what production has too.
shared_fixtures = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


class TestRoundTrip:
    @shared_fixtures
    @given(data=st.binary(max_size=5000), binding=st.text())
    async def test_what_was_sealed_opens(self, sealer: EnvelopeSealer, data: bytes, binding: str) -> None:
        token = await sealer.seal(data, scope=SCOPE, binding=binding)
        assert await sealer.open(token, binding=binding) == data

    async def test_the_header_names_the_key_and_hides_the_place(self, sealer: EnvelopeSealer) -> None:
        token = await sealer.seal(b"data", scope=SCOPE, binding=PLACE)
        header, encrypted_key, *_ = token.split(".")
        place = base64.urlsafe_b64encode(hashlib.sha256(PLACE.encode()).digest()).rstrip(b"=").decode()
        expected = {"alg": "dir", "enc": "A256GCM", "kid": f"{SCOPE}.1", "bnd": place, "crit": ["bnd"]}
        assert json.loads(base64.urlsafe_b64decode(header + "==")) == expected
        assert encrypted_key == ""

    async def test_the_same_data_never_looks_the_same(self, sealer: EnvelopeSealer) -> None:
        assert len({await sealer.seal(b"data", scope=SCOPE, binding=PLACE) for _ in range(50)}) == 50

    async def test_the_largest_field_opens_and_a_larger_one_is_refused(self, sealer: EnvelopeSealer) -> None:
        data = bytes(DATA_LIMIT)
        assert await sealer.open(await sealer.seal(data, scope=SCOPE, binding=PLACE), binding=PLACE) == data
        with pytest.raises(Malformed):
            await sealer.seal(data + b"x", scope=SCOPE, binding=PLACE)

    @pytest.mark.parametrize("scope", ["", "a.1", "a/b", "x" * 129])
    async def test_a_scope_that_could_be_misread_is_refused(self, sealer: EnvelopeSealer, scope: str) -> None:
        with pytest.raises(Malformed):
            await sealer.seal(b"data", scope=scope, binding=PLACE)


class TestRefusal:
    @shared_fixtures
    @given(binding=st.text(), other=st.text())
    async def test_a_moved_field_does_not_open(self, sealer: EnvelopeSealer, binding: str, other: str) -> None:
        if binding == other:
            return
        token = await sealer.seal(b"data", scope=SCOPE, binding=binding)
        with pytest.raises(Sealed):
            await sealer.open(token, binding=other)

    async def test_no_character_can_be_changed(self, sealer: EnvelopeSealer) -> None:
        token = await sealer.seal(b"some data", scope=SCOPE, binding=PLACE)
        for position, character in enumerate(token):
            for other in {"A", "B", "_", ".", "!", "="} - {character}:
                with pytest.raises(Sealed):
                    await sealer.open(token[:position] + other + token[position + 1 :], binding=PLACE)

    @pytest.mark.parametrize("end", [1, 5, 30])
    async def test_a_cut_field_does_not_open(self, sealer: EnvelopeSealer, end: int) -> None:
        token = await sealer.seal(b"some data", scope=SCOPE, binding=PLACE)
        with pytest.raises(Sealed):
            await sealer.open(token[:-end], binding=PLACE)

    @shared_fixtures
    @given(token=st.one_of(st.text(), st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode() + "....")))
    async def test_nonsense_does_not_open(self, sealer: EnvelopeSealer, token: str) -> None:
        with pytest.raises(Sealed):
            await sealer.open(token, binding=PLACE)

    @pytest.mark.parametrize(
        "change", [{"zip": "DEF"}, {"alg": "A256KW"}, {"enc": "A128GCM"}, {"crit": ["bnd", "exp"]}, {"kid": f"{SCOPE}.2"}]
    )
    async def test_another_header_does_not_open(self, sealer: EnvelopeSealer, change: dict[str, object]) -> None:
        header, *rest = (await sealer.seal(b"some data", scope=SCOPE, binding=PLACE)).split(".")
        changed = json.loads(base64.urlsafe_b64decode(header + "==")) | change
        forged = base64.urlsafe_b64encode(json.dumps(changed).encode()).rstrip(b"=").decode()
        with pytest.raises(Sealed):
            await sealer.open(".".join([forged, *rest]), binding=PLACE)

    async def test_a_field_of_another_scope_does_not_open_under_this_one(self, sealer: EnvelopeSealer) -> None:
        token = await sealer.seal(b"data", scope="a", binding=PLACE)
        await sealer.seal(b"data", scope="b", binding=PLACE)
        header, *rest = token.split(".")
        forged = base64.urlsafe_b64encode(base64.urlsafe_b64decode(header + "==").replace(b"a.1", b"b.1")).rstrip(b"=").decode()
        with pytest.raises(Sealed):
            await sealer.open(".".join([forged, *rest]), binding=PLACE)


class TestKeys:
    async def test_two_processes_that_meet_at_the_first_use_agree(self, store: MemoryKeyStore, wrapper: CuttableWrapper) -> None:
        sealers = [EnvelopeSealer(store, wrapper) for _ in range(4)]
        tokens = await asyncio.gather(*(sealer.seal(b"data", scope=SCOPE, binding=PLACE) for sealer in sealers for _ in range(5)))
        for sealer in sealers:
            assert {await sealer.open(token, binding=PLACE) for token in tokens} == {b"data"}
        assert store.created == 1

    async def test_one_process_unwraps_once_however_many_ask(self, sealer: EnvelopeSealer, wrapper: CuttableWrapper) -> None:
        await asyncio.gather(*(sealer.seal(b"data", scope=SCOPE, binding=PLACE) for _ in range(100)))
        assert (wrapper.wraps, wrapper.unwraps) == (1, 1)

    async def test_after_a_rotation_the_old_still_opens_and_the_new_uses_the_new_key(
        self, sealer: EnvelopeSealer, store: MemoryKeyStore, wrapper: CuttableWrapper, clock: Clock
    ) -> None:
        other = EnvelopeSealer(store, wrapper, key_seconds=600, monotonic=clock)
        old = await sealer.seal(b"old", scope=SCOPE, binding=PLACE)
        assert await other.open(old, binding=PLACE) == b"old"
        assert await sealer.rotate(SCOPE) == 2
        new = await sealer.seal(b"new", scope=SCOPE, binding=PLACE)
        assert f'"{SCOPE}.2"' in base64.urlsafe_b64decode(new.split(".")[0] + "==").decode()
        for each in (sealer, other):
            assert [await each.open(token, binding=PLACE) for token in (old, new)] == [b"old", b"new"]

    async def test_a_rotation_that_lost_a_race_is_a_conflict(self, sealer: EnvelopeSealer, store: MemoryKeyStore) -> None:
        await sealer.seal(b"data", scope=SCOPE, binding=PLACE)
        results = await asyncio.gather(sealer.rotate(SCOPE), sealer.rotate(SCOPE), return_exceptions=True)
        assert sorted(map(type, results), key=str) == sorted([int, Conflict], key=str)
        assert [version.n for version in store.records[SCOPE][0].versions] == [1, 2]

    async def test_a_scope_without_a_key_cannot_be_rotated(self, sealer: EnvelopeSealer) -> None:
        with pytest.raises(NotFound):
            await sealer.rotate(SCOPE)

    async def test_rewrapping_moves_to_the_new_key_encryption_key(self, store: MemoryKeyStore, key_path: Path, tmp_path: Path) -> None:
        old, new = KeyEncryptionKey(str(key_path)), KeyEncryptionKey(str(tmp_path / "new.pem"))
        token = await EnvelopeSealer(store, old).seal(b"data", scope=SCOPE, binding=PLACE)

        class Both(CuttableWrapper):
            """As a vault with two versions: wraps with the newest, unwraps with the one named."""

            async def unwrap(self, wrapped):
                return await (old if wrapped.kid == first else new).unwrap(wrapped)

        first = store.records[SCOPE][0].versions[0].kid_of_kek
        await EnvelopeSealer(store, Both(new)).rewrap(SCOPE)
        assert store.records[SCOPE][0].versions[0].kid_of_kek != first
        assert await EnvelopeSealer(store, new).open(token, binding=PLACE) == b"data"
        with pytest.raises(Sealed):
            await EnvelopeSealer(store, old).open(token, binding=PLACE)

    async def test_shredding_closes_for_good(self, sealer: EnvelopeSealer, store: MemoryKeyStore, clock: Clock) -> None:
        token = await sealer.seal(b"data", scope=SCOPE, binding=PLACE)
        store.shred(SCOPE)
        clock.seconds += 601
        with pytest.raises(Sealed):
            await sealer.open(token, binding=PLACE)
        await sealer.seal(b"data", scope=SCOPE, binding=PLACE)
        with pytest.raises(Sealed):
            await sealer.open(token, binding=PLACE)

    async def test_the_record_keeps_its_stored_shape(self, sealer: EnvelopeSealer, store: MemoryKeyStore) -> None:
        await sealer.seal(b"data", scope=SCOPE, binding=PLACE)
        record = store.records[SCOPE][0]
        stored = msgspec.to_builtins(record)
        assert set(stored) == {"scope", "versions"}
        assert set(stored["versions"][0]) == {"n", "kid_of_kek", "wrapped", "createdAt"}
        assert msgspec.convert(json.loads(json.dumps(stored)), KeyRecord) == record


class TestOutage:
    async def test_without_the_vault_the_old_opens_and_nothing_new_is_sealed(
        self, sealer: EnvelopeSealer, wrapper: CuttableWrapper, clock: Clock
    ) -> None:
        token = await sealer.seal(b"data", scope=SCOPE, binding=PLACE)
        wrapper.is_down = True
        assert await sealer.open(await sealer.seal(b"more", scope=SCOPE, binding=PLACE), binding=PLACE) == b"more"
        clock.seconds += 601
        assert await sealer.open(token, binding=PLACE) == b"data"
        with pytest.raises(Unavailable):
            await sealer.seal(b"data", scope=SCOPE, binding=PLACE)
        clock.seconds += 3600
        with pytest.raises(Unavailable):
            await sealer.open(token, binding=PLACE)
        wrapper.is_down = False
        assert await sealer.open(token, binding=PLACE) == b"data"

    async def test_without_the_store_the_old_opens(self, sealer: EnvelopeSealer, store: MemoryKeyStore, clock: Clock) -> None:
        token = await sealer.seal(b"data", scope=SCOPE, binding=PLACE)
        store.is_down = True
        clock.seconds += 601
        assert await sealer.open(token, binding=PLACE) == b"data"

    async def test_a_first_key_needs_the_vault(self, sealer: EnvelopeSealer, store: MemoryKeyStore, wrapper: CuttableWrapper) -> None:
        wrapper.is_down = True
        with pytest.raises(Unavailable):
            await sealer.seal(b"data", scope=SCOPE, binding=PLACE)
        assert store.records == {}
