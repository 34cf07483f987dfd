"""Whatever users and clusters write stays a text, in every channel that the app knows. A new channel is here at once."""

from collections.abc import AsyncIterator

import pytest
from channel_rules import is_for_programs, rule_of, shape
from channels import WAYS, AnyChannel, serving
from hostile import ADDRESSES, ATTACKS, FIELDS, MARK, linked, marked, parcel, strings

from shared.providers.http import OutboundHttp

#: Channels that people read need not show these.
FOR_PROGRAMS = {"field for programs", "total", "what many have in common"}


@pytest.fixture
async def channel(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AnyChannel]:
    async with serving(tmp_path_factory.mktemp("tls")) as (serves, authority):
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        yield serves


@pytest.fixture
async def http() -> AsyncIterator[OutboundHttp]:
    http = OutboundHttp(timeout_seconds=10)
    yield http
    await http.close()


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way[0]}{' by token' if way[1] else ''}")
async def test_a_text_stays_a_text(channel: AnyChannel, http: OutboundHttp, way: tuple[str, str], field: str) -> None:
    kind, _ = way
    harmless = await channel.sent(http, way, parcel(field, marked("harmless")))
    for attack in ATTACKS:
        bodies = await channel.sent(http, way, parcel(field, marked(attack)))
        assert bodies
        for body in bodies:
            rule_of(kind)(body)
        if is_for_programs(kind):
            assert [shape(body) for body in bodies] == [shape(body) for body in harmless], attack
        elif field not in FOR_PROGRAMS:
            assert any(MARK in text for text in strings(bodies)), attack


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way[0]}{' by token' if way[1] else ''}")
async def test_an_address_becomes_no_link(channel: AnyChannel, http: OutboundHttp, way: tuple[str, str]) -> None:
    for address in ADDRESSES:
        for body in await channel.sent(http, way, linked(address)):
            rule_of(way[0])(body)
