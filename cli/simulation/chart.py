"""A report as a picture: how many clusters were in each state over time, as one SVG that needs nothing else."""

from collections.abc import Iterable, Sequence
from html import escape

from cli.simulation.report import CHART_BEYOND, STATES, Moment, Report, StageReport
from cli.simulation.words import duration

_WIDTH, _HEIGHT = 960, 540
_LEFT, _RIGHT, _TOP, _BOTTOM = 76, 24, 136, 58
_PLOT_WIDTH, _PLOT_HEIGHT = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
_BAND_TOP, _BAND_HEIGHT = 101, 24
_LETTER, _TITLE_LETTER = 6.9, 10.5  #: about the width of one, in a label and in the title
_TICKS = 6  #: at most so many on the time axis
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800)
#: Distinct for the colour-blind too (Okabe and Ito's palette), on light and on dark.
_STYLE = """
  svg { --paper: #ffffff; --ink: #1f2328; --quiet: #59636e; --grid: #d8dee4; --band: #eef1f4;
        --compliant: #009e73; --failed: #d55e00; --offline: #cc79a7; --applied: #0072b2; --queued: #7cc4f0; --pending: #e4e7eb; }
  @media (prefers-color-scheme: dark) {
    svg { --paper: #0d1117; --ink: #e6edf3; --quiet: #9198a1; --grid: #2b323b; --band: #1b222b;
          --compliant: #14b88a; --failed: #f0883e; --offline: #d98cb8; --applied: #3a8fd0; --queued: #8fd0f5; --pending: #2a3038; }
  }
  text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: var(--ink); }
  .title { font-size: 19px; font-weight: 600; } .quiet { fill: var(--quiet); } .end { text-anchor: end; } .middle { text-anchor: middle; }
  .grid { stroke: var(--grid); } .axis { stroke: var(--quiet); } .band { fill: var(--band); stroke: var(--grid); }
  .border { stroke: var(--ink); stroke-opacity: 0.35; stroke-dasharray: 2 3; }
  .least { stroke: var(--ink); stroke-width: 2; stroke-dasharray: 7 4; }
"""


def svg(report: Report) -> str:
    """The whole document, as text."""
    span = _span(report)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-labelledby="title desc">',
        f'<title id="title">{_text(_heading(report))}</title>',
        f'<desc id="desc">{_text(_description(report))}</desc>',
        f"<style>{_STYLE}</style>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="var(--paper)"/>',
        f'<text class="title" x="{_LEFT}" y="32">{_text(_fitting(_outcome(report), _PLOT_WIDTH, _TITLE_LETTER))}</text>',
        f'<text class="quiet" x="{_LEFT}" y="54">{_text(_fitting(_fleet(report), _PLOT_WIDTH))}</text>',
        *_legend(report),
        *_grid(report.targets),
        *_areas(report, span),
        *_time_axis(span),
        *_stages(report.stages, span),
        *_least(report, span),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _span(report: Report) -> float:
    """Seconds that the chart shows: to the end of the rollout, and of its theory. What comes back later is told in words."""
    last = report.makespan_seconds or (report.series[-1].at if report.series else 0.0)
    return max(last, report.least_seconds or 0.0, 1.0) * CHART_BEYOND


def _heading(report: Report) -> str:
    return f"{_outcome(report)}: {_fleet(report)}"


def _outcome(report: Report) -> str:
    if report.makespan_seconds is None:
        return f"Simulated rollout: {report.state}"
    ratio = f", {report.ratio:.1%} of the theoretical time" if report.ratio else ""
    return f"Simulated rollout: {duration(report.makespan_seconds)}{ratio}"


def _fleet(report: Report) -> str:
    fleet = f"{report.targets:,} clusters in {report.model.subscriptions:,} subscription{'s'[: report.model.subscriptions != 1]}"
    return f"{fleet}, strategy {report.strategy}, {report.updates:,} updates, {report.throttled:,} refused as too fast"


def _description(report: Report) -> str:
    stages = "; ".join(f"stage {stage.name}: {_in_words(stage.counts)}" for stage in report.stages)
    return f"Stacked areas over time of the clusters in each state. At the end: {_in_words(report.counts)}. {stages}."


def _in_words(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {state}" for state, count in counts.items() if count) or "no clusters"


def _legend(report: Report) -> list[str]:
    """The states that there were, with how many were in them when the chart ends."""
    seen = [state for state in reversed(STATES) if any(moment.counts.get(state) for moment in report.series)]
    parts, x = [], float(_LEFT)
    for state in seen:
        parts.append(f'<rect x="{x:.1f}" y="69" width="13" height="13" rx="3" fill="var(--{state})" stroke="var(--grid)"/>')
        parts.append(f'<text x="{x + 19:.1f}" y="80">{state}</text>')
        x += 19 + len(state) * _LETTER + 24
    return parts


def _grid(total: int) -> list[str]:
    parts = []
    for value in _even_values(total):
        y = _y(value, total)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="quiet end" x="{_LEFT - 10}" y="{y + 4:.1f}">{value:,}</text>')
    middle = _TOP + _PLOT_HEIGHT / 2
    parts.append(f'<text class="quiet middle" transform="translate(18 {middle:.1f}) rotate(-90)">clusters</text>')
    return parts


def _even_values(total: int) -> list[int]:
    """0 and up to five round numbers up to `total`."""
    step = next(base * 10**power for power in range(12) for base in (1, 2, 5) if base * 10**power * 5 >= total)
    return list(range(0, total + 1, step))


def _areas(report: Report, span: float) -> list[str]:
    """The states on top of each other: what is done at the bottom."""
    moments = [moment for moment in report.series if moment.at <= span] or list(report.series[:1])
    below = [0] * len(moments)
    parts = []
    for state in STATES:
        above = [under + moment.counts.get(state, 0) for under, moment in zip(below, moments, strict=True)]
        if above != below:
            points = [*_line(moments, above, report.targets, span), *reversed(_line(moments, below, report.targets, span))]
            parts.append(f'<polygon fill="var(--{state})" points="{" ".join(points)}"><title>{state}</title></polygon>')
        below = above
    return parts


def _line(moments: Sequence[Moment], values: Iterable[int], total: int, span: float) -> list[str]:
    """Drawn on to the edge: nothing changes after the last moment."""
    points = [f"{_x(moment.at, span):.1f},{_y(value, total):.1f}" for moment, value in zip(moments, values, strict=True)]
    return [*points, f"{_WIDTH - _RIGHT:.1f},{points[-1].partition(',')[2]}"]


def _time_axis(span: float) -> list[str]:
    step = next((step for step in _STEPS if span / step <= _TICKS), _STEPS[-1] * max(1, int(span / _STEPS[-1] / _TICKS) + 1))
    bottom = _TOP + _PLOT_HEIGHT
    parts = [f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{bottom}" y2="{bottom}"/>']
    for number in range(int(span / step) + 1):
        x = _x(number * step, span)
        parts.append(f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{bottom}" y2="{bottom + 5}"/>')
        parts.append(f'<text class="quiet middle" x="{x:.1f}" y="{bottom + 21}">{duration(number * step)}</text>')
    parts.append(f'<text class="quiet middle" x="{_LEFT + _PLOT_WIDTH / 2:.1f}" y="{_HEIGHT - 12}">time since the rollout began</text>')
    return parts


def _stages(stages: Sequence[StageReport], span: float) -> list[str]:
    parts = []
    for stage in stages:
        if stage.opened_at is None:
            continue
        left, right = _x(stage.opened_at, span), _x(min(span, span if stage.closed_at is None else stage.closed_at), span)
        words = _text(f"stage {stage.name}, {_in_words(stage.counts)}")
        band = f'x="{left:.1f}" y="{_BAND_TOP}" width="{max(1.0, right - left):.1f}" height="{_BAND_HEIGHT}" rx="4"'
        parts += [
            f'<rect class="band" {band}><title>{words}</title></rect>',
            f'<text class="middle" x="{(left + right) / 2:.1f}" y="{_BAND_TOP + 16}">{_text(_fitting(stage.name, right - left))}</text>',
            f'<line class="border" x1="{right:.1f}" x2="{right:.1f}" y1="{_BAND_TOP + _BAND_HEIGHT}" y2="{_TOP + _PLOT_HEIGHT}"/>',
        ]
    return parts


def _fitting(words: str, width: float, letter: float = _LETTER) -> str:
    room = int((width - 8) / letter)
    if len(words) <= room:
        return words
    return f"{words[: room - 1]}…" if room > 1 else ""


def _least(report: Report, span: float) -> list[str]:
    if report.least_seconds is None:
        return []
    x, y = _x(report.least_seconds, span), _TOP + _PLOT_HEIGHT - 14
    label = f"theoretical {duration(report.least_seconds)}"
    width = len(label) * _LETTER + 16
    return [
        f'<line class="least" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{_TOP + _PLOT_HEIGHT}"/>',
        f'<rect x="{x - width - 8:.1f}" y="{y - 17}" width="{width:.1f}" height="25" rx="5" fill="var(--paper)" fill-opacity="0.85"/>',
        f'<text class="end" x="{x - 16:.1f}" y="{y}">{label}</text>',
    ]


def _x(at: float, span: float) -> float:
    return _LEFT + _PLOT_WIDTH * max(0.0, at) / span


def _y(value: int, total: int) -> float:
    return _TOP + _PLOT_HEIGHT * (1 - value / max(1, total))


def _text(words: str) -> str:
    """Any text as XML: escaped, and without the characters that XML 1.0 does not allow at all (2.2, Char)."""
    return escape("".join(letter if _is_allowed(ord(letter)) else "\ufffd" for letter in words))


def _is_allowed(code: int) -> bool:
    return code in (0x9, 0xA, 0xD) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or 0x10000 <= code <= 0x10FFFF
