"""The trend as a picture: small, transparent, and of what is known."""

from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from shared.domain.trend import STEP, Counts, Point
from shared.providers.trend_picture import HEIGHT, WIDTH, paint

END = datetime(2026, 11, 28, 7, tzinfo=UTC)
MOST_BYTES = 8 * 1024
GREEN = (38, 152, 98)


def points(*shares: float | None) -> list[Point]:
    """Six hours apart, the last one at END."""
    first = END - (len(shares) - 1) * STEP
    counts = [
        Counts() if share is None else Counts(compliant=int(share * 1000), non_compliant=1000 - int(share * 1000)) for share in shares
    ]
    return [Point(at=first + index * STEP, counts=each) for index, each in enumerate(counts)]


def opened(png: bytes) -> Image.Image:
    image = Image.open(BytesIO(png))
    assert (image.format, image.size) == ("PNG", (WIDTH, HEIGHT))
    return image.convert("RGBA")


def drawn(image: Image.Image, box: tuple[int, int, int, int]) -> int:
    """How many pixels of the line there are in a part."""
    pixels = list(image.crop(box).get_flattened_data())
    return sum(alpha > 200 and all(abs(value - wanted) < 30 for value, wanted in zip(rgb, GREEN, strict=True)) for *rgb, alpha in pixels)


@settings(deadline=None, max_examples=15)
@given(shares=st.lists(st.none() | st.floats(0, 1), max_size=340), weeks=st.sampled_from([2, 12]))
def test_whatever_the_trend_it_is_a_small_transparent_png(shares: list[float | None], weeks: int) -> None:
    png = paint(points(*shares), END - timedelta(weeks=weeks), END, "Europe/Berlin")
    assert len(png) <= MOST_BYTES
    image = opened(png)
    assert image.getpixel((0, 0))[3] == 0  # type: ignore[index] # RGBA has four
    assert image.getpixel((WIDTH - 1, HEIGHT - 1))[3] == 0  # type: ignore[index] # as above


def test_a_dip_is_below_the_top_where_it_was() -> None:
    image = opened(paint(points(*[1.0] * 28, *[0.5] * 14, *[1.0] * 15), END - timedelta(days=14), END, "UTC"))
    assert drawn(image, (60, 8, 300, 30)) > 200, "all was well in the first week"
    assert drawn(image, (330, 8, 430, 30)) == 0, "and not in the third quarter"
    assert drawn(image, (330, 115, 430, 140)) > 50


def test_where_nobody_looked_nothing_is_drawn() -> None:
    seen = points(*[0.8] * 57)
    gap = [point for point in seen if not END - timedelta(days=9) < point.at < END - timedelta(days=5)]
    start = END - timedelta(days=14)
    assert drawn(opened(paint(seen, start, END, "UTC")), (270, 0, 360, HEIGHT)) > 100
    assert drawn(opened(paint(gap, start, END, "UTC")), (270, 0, 360, HEIGHT)) == 0


@pytest.mark.parametrize("shares", [(0.97,), (0.97, None)])
def test_a_single_point_can_be_seen(shares: tuple[float | None, ...]) -> None:
    assert drawn(opened(paint(points(*shares), END - timedelta(days=14), END, "UTC")), (400, 0, WIDTH, HEIGHT)) > 20
