"""Whatever is sent, to a receiver of whatever type: without its proof nothing happens, and with it nothing unexpected does."""

import asyncio

from builders import NOW
from hypothesis import assume, example, given
from hypothesis import strategies as st
from proofs import proof, secret_of, url_token
from recorded import DELIVERIES, Delivery
from worlds import World

from shared.config.loader import load_text
from shared.receivers import SENDERS
from shared.services.receive import Answer

ADDRESS = ", url: https://registry.contoso.example"  # of those that do not tell it
IDENTITY = ", identity: shared"  # so that any body can be proven; test_flux_receiver.py is about each cluster's own token
CONFIG = load_text(
    "apiVersion: sluice/v1\nreceivers:\n"
    + "".join(
        f"  - {{name: {name}, type: {name}, secretRef: kv://sluice/{name}, maxBodyBytes: 100000"
        f"{ADDRESS * ('url' in sender.required)}{IDENTITY * ('identity' in sender.options)}}}\n"
        for name, sender in SENDERS.items()
    )
)
#: Names that mean something to a sender, and one that does not.
NAMES = sorted({name.lower() for delivery in DELIVERIES for name in delivery.headers} | {"authorization", "webhook-signature", "x-other"})


def proves(name: str) -> bool:
    return "signature" in name or "token" in name or name == "authorization" or name.startswith("webhook-")


def a_world() -> World:
    world = World(config=CONFIG)
    world.clock.now = NOW
    world.secrets.known = {f"kv://sluice/{sender}": secret_of(sender) for sender in SENDERS}
    return world


def deliver(world: World, sender: str, headers: dict[str, str], body: bytes, token: str = "") -> Answer:
    return asyncio.run(world.receive()(sender, headers, body, token))


def own_headers(delivery: Delivery) -> dict[str, str]:
    lower = {name.lower(): value for name, value in delivery.headers.items()}
    return {name: value for name, value in lower.items() if not proves(name)}


@st.composite
def damaged(draw: st.DrawFn, body: bytes) -> bytes:
    """Some bytes of it changed, added or lost."""
    start = draw(st.integers(0, len(body) - 1))
    return body[:start] + draw(st.binary(max_size=9)) + body[start + draw(st.integers(0, 9)) :]


recorded = st.sampled_from(DELIVERIES)
any_headers = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=9).map(str.lower), st.text(max_size=30), max_size=6)
deliveries = recorded.flatmap(
    lambda delivery: st.tuples(
        st.just(delivery.sender), st.just(own_headers(delivery)), st.just(delivery.body) | damaged(delivery.body) | st.binary(max_size=200)
    )
)


@given(deliveries, st.sampled_from(sorted(SENDERS)) | st.none(), any_headers, st.text(max_size=9))
@example(("bitbucket-data-center", {"x-event-key": "diagnostics:ping", "x-request-id": "1"}, b"{}"), None, {}, "")
@example(("gitea", {"x-gitea-event": "push"}, DELIVERIES[0].body), None, {"x-gitea-signature": ""}, "")
def test_without_its_proof_nothing_is_accepted_and_nothing_stored(
    delivery: tuple[str, dict[str, str], bytes], other: str | None, more: dict[str, str], token: str
) -> None:
    sender, headers, body = delivery
    sender = other or sender
    assume(token != secret_of(sender))
    world = a_world()
    answer = deliver(world, sender, headers | more, body, token)
    assert answer.status == (404 if token and not SENDERS[sender].takes_token else 401)
    assert (answer.body, world.faults.writes, world.queue.sent) == (None, 0, [])


@given(deliveries, any_headers)
def test_with_its_proof_everything_is_received_or_refused_with_a_reason(
    delivery: tuple[str, dict[str, str], bytes], more: dict[str, str]
) -> None:
    sender, headers, body = delivery
    headers |= {name: value for name, value in more.items() if not proves(name)}
    world = a_world()
    answer = deliver(world, sender, headers | proof(sender, body, headers, identity="shared"), body, url_token(sender))
    assert answer.status in {200, 202, 400}
    assert answer.body
    assert (answer.status == 202) == bool(world.changes.kept.all())
