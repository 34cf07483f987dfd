"""What an attempt to post a message came to."""

import pytest

from shared.domain.errors import Malformed, NotFound, Rejected, SluiceError, Throttled, Unavailable
from shared.domain.failures import Failure, not_connected, not_posted


@pytest.mark.parametrize(
    ("error", "kind", "text", "retry_after"),
    [
        (Throttled("slow", code="429", retry_after=7), "throttled", "Throttled 429", 7),
        (Unavailable("down", code="503", retry_after=9), "unavailable", "Unavailable 503", 9),
        (Unavailable("refused", code="ClientConnectorError"), "unavailable", "Unavailable ClientConnectorError", None),
        (
            Unavailable("late", code="TimeoutError", unanswered=True),
            "unanswered",
            "Unavailable TimeoutError: the channel may show it all the same",
            None,
        ),
        (Rejected("no", code="channel_not_found", retry_after=5), "rejected", "Rejected channel_not_found", None),
        (NotFound("it"), "unavailable", "NotFound", None),
        (Malformed("it"), "unavailable", "Malformed", None),
    ],
)
def test_an_answer_says_what_to_do_next(error: SluiceError, kind: str, text: str, retry_after: float | None) -> None:
    assert isinstance(error, Throttled | Unavailable | Rejected | NotFound | Malformed)
    failure = not_posted(error)
    assert (failure.kind, failure.text, failure.retry_after) == (kind, text, retry_after)
    assert (failure.final, failure.unanswered) == (kind == "rejected", kind == "unanswered")


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (NotFound("no such secret"), "NotFound"),
        (Rejected("the vault", code="403"), "Rejected 403"),
        (ValueError("a secret text"), "ValueError"),
        (Throttled("the vault", code="429", retry_after=3), "Throttled 429"),
    ],
)
def test_a_channel_that_was_not_asked_has_rejected_nothing(error: SluiceError | ValueError, name: str) -> None:
    failure = not_connected(error)
    assert failure.text == f"its address or token cannot be used ({name})"
    assert not failure.final
    assert not failure.slows_all


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (Failure(text="", kind="throttled"), True),
        (Failure(text="", kind="unavailable", retry_after=3), True),
        (Failure(text="", kind="unavailable"), False),
        (Failure(text="", kind="rejected"), False),
    ],
)
def test_who_asks_to_wait_means_all(failure: Failure, *, expected: bool) -> None:
    assert failure.slows_all is expected
