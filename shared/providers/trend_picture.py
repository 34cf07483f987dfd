"""The trend of compliance as a small PNG, by Pillow.

Transparent, in tones that can be read on white and on black: nobody tells which of them a chat shows.
"""

from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from shared.domain.trend import STEP, Point, floor

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

WIDTH, HEIGHT = 600, 160  # pixels
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 588, 14, 132  # of the plot
_FINE = 3  # drawn so many times larger and made smaller, for smooth edges
_TEXT_SIZE = 14
_LINE, _AREA, _GRID, _TEXT = (38, 152, 98, 255), (38, 152, 98, 70), (128, 128, 128, 90), (125, 130, 136, 255)
_COLOURS = 48
_BREAK = 3 * STEP  # without a point for so long the line is broken

Spot = tuple[float, float]


class _Frame(NamedTuple):
    """Where a moment and a share are, in fine pixels."""

    start: datetime
    end: datetime
    bottom: float

    def spot(self, at: datetime, share: float) -> Spot:
        x = (at - self.start) / (self.end - self.start)
        y = (share - self.bottom) / (1 - self.bottom)
        return _FINE * (_LEFT + x * (_RIGHT - _LEFT)), _FINE * (_BOTTOM - y * (_BOTTOM - _TOP))


def paint(points: Sequence[Point], start: datetime, end: datetime, zone: str) -> bytes:
    """Implements ports.TrendPainter. Pillow is imported here: a cold start does not pay for it."""
    from PIL import Image, ImageDraw

    known = [(point.at, share) for point in points if (share := point.counts.share) is not None and start <= point.at <= end]
    frame = _Frame(start, end, floor(share for _, share in known))
    image = Image.new("RGBA", (WIDTH * _FINE, HEIGHT * _FINE), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    _grid(draw, frame, ZoneInfo(zone))
    for stretch in _stretches(known):
        _draw(image, [frame.spot(at, share) for at, share in stretch])
    if known:
        _dot(draw, frame.spot(*known[-1]))
    return _png(image)


def _png(image: "Image") -> bytes:
    from PIL import Image

    small = image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    packed = BytesIO()
    small.quantize(_COLOURS, Image.Quantize.FASTOCTREE).save(packed, "PNG", optimize=True)
    return packed.getvalue()


def _grid(draw: "ImageDraw", frame: _Frame, zone: ZoneInfo) -> None:
    for share in (frame.bottom, (1 + frame.bottom) / 2, 1.0):
        left, y = frame.spot(frame.start, share)
        draw.line([(left, y), (_FINE * _RIGHT, y)], fill=_GRID, width=_FINE)
        _write(draw, (left - 8 * _FINE, y), f"{share * 100:.4g} %", "rm")
    span = frame.end - frame.start
    for part, anchor in ((0, "la"), (1, "ma"), (2, "ra")):
        at = frame.start + part * span / 2
        x, _ = frame.spot(at, 1)
        _write(draw, (x, _FINE * (_BOTTOM + 8)), _day(at.astimezone(zone)), anchor)


def _write(draw: "ImageDraw", at: Spot, text: str, anchor: str) -> None:
    from PIL import ImageFont

    draw.text(at, text, fill=_TEXT, font=ImageFont.load_default(_TEXT_SIZE * _FINE), anchor=anchor)


def _day(local: datetime) -> str:
    return f"{local.day} {local:%b}"


def _stretches(known: Sequence[tuple[datetime, float]]) -> list[list[tuple[datetime, float]]]:
    """What hangs together: where nobody looked, nothing is drawn."""
    stretches: list[list[tuple[datetime, float]]] = []
    last: datetime | None = None
    for at, share in known:
        if last is None or at - last > _BREAK:
            stretches.append([])
        stretches[-1].append((at, share))
        last = at
    return stretches


def _draw(image: "Image", spots: list[Spot]) -> None:
    """One that stands alone is a dot, so that it can be seen."""
    from PIL import Image, ImageDraw

    draw = ImageDraw.Draw(image)
    if len(spots) == 1:
        _dot(draw, spots[0])
        return
    area = Image.new("RGBA", image.size, (0, 0, 0, 0))
    ImageDraw.Draw(area).polygon([(spots[0][0], _FINE * _BOTTOM), *spots, (spots[-1][0], _FINE * _BOTTOM)], fill=_AREA)
    image.alpha_composite(area)
    draw.line(spots, fill=_LINE, width=3 * _FINE, joint="curve")


def _dot(draw: "ImageDraw", spot: Spot) -> None:
    (x, y), radius = spot, 4 * _FINE
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_LINE)
