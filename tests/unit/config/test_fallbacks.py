"""Channels and their fallbacks in sluice.yaml."""

import pytest

from shared.config.loader import load_text
from shared.domain.errors import Malformed

HEAD = "apiVersion: sluice/v1\nproviders:\n"


def chat(name: str, fallback: str = "") -> str:
    also = f", fallback: {fallback}" if fallback else ""
    return f"  - {{name: {name}, type: msteams, addressRef: kv://sluice/{name}{also}}}\n"


GIT = "  - {name: git, type: github, tokenRef: kv://sluice/git}\n"


def test_a_chain_of_fallbacks_is_fine() -> None:
    config = load_text(HEAD + chat("a", "b") + chat("b", "c") + chat("c"))
    assert [provider.fallback for provider in config.providers] == ["b", "c", None]


@pytest.mark.parametrize(
    ("providers", "reason"),
    [
        (chat("a", "nobody"), ":3: providers[0].fallback: there is no provider named nobody"),
        (chat("a", "a"), ":3: providers[0].fallback: it comes back to a: a -> a"),
        (chat("a", "b") + chat("b", "a"), ":3: providers[0].fallback: it comes back to a: a -> b -> a"),
        (chat("a", "git") + GIT, ":3: providers[0].fallback: git is a Git host: it takes no messages"),
        (
            chat("a") + GIT.replace("}", ", fallback: a}"),
            ":4: providers[1].fallback: a provider of type github has no fallback: commits are told by their own host",
        ),
    ],
)
def test_what_leads_nowhere_is_refused_with_its_line(providers: str, reason: str) -> None:
    with pytest.raises(Malformed) as refused:
        load_text(HEAD + providers)
    assert reason in str(refused.value)


def test_who_falls_back_into_a_ring_is_not_blamed_for_it() -> None:
    with pytest.raises(Malformed) as refused:
        load_text(HEAD + chat("a", "b") + chat("b", "c") + chat("c", "b"))
    assert "providers[0]" not in str(refused.value)
    assert "providers[1]" in str(refused.value)
