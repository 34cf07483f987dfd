"""What our Adaptive Cards are made of: elements of version 1.5 that show texts from outside as they are.

- RichTextBlock and TextRun take no Markdown (https://learn.microsoft.com/adaptive-cards/authoring-cards/text-features). TextBlock and
  FactSet do, and their backslash escapes show on some devices (https://github.com/microsoft/AdaptiveCards/issues/5590): so facts
  are a table.
- `<at>` mentions someone only in a TextBlock or FactSet, and only with an entity beside the card, of which we send none:
  https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-format#mention-support-within-adaptive-cards
- Microsoft's renderer for browsers computes {{DATE(..)}} and {{TIME(..)}} in a TextRun too, Teams itself in TextBlocks only
  (https://github.com/microsoft/AdaptiveCards/issues/6194): in texts from outside they are broken up, and our own stand in a TextBlock.
  Teams for desktops may have another time zone in mind than the reader (https://github.com/MicrosoftDocs/AdaptiveCards/issues/504), and
  Microsoft's pages do not promise these functions for Teams: UTC stands beside them.
- Links are buttons: Teams has shown a TextRun with an action as plain text (https://github.com/microsoft/AdaptiveCards/issues/9100).
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from shared.providers.wording import Message

Style = Literal["attention", "good", "warning", "accent", "emphasis", "default"]
BAR_CELLS = 16  # with a few words behind it fits on a phone
_FULL, _EMPTY = "\u25a0", "\u25a1"

_FUNCTION = re.compile(r"\{(?=\{\s*(?:DATE|TIME)\b)", re.IGNORECASE)
# The text for old clients may be read as Markdown, and addresses in it become links: of it only words are kept.
_NO_WORD = re.compile(r"[^\w\s,:;%+-]|_")


class Part(NamedTuple):
    """A share of a bar."""

    color: Style
    size: int


def text(*runs: Message, **layout: object) -> Message:
    return {"type": "RichTextBlock", "inlines": list(runs), **layout}


def run(words: str, **style: object) -> Message:
    """`words` as they are."""
    return {"type": "TextRun", "text": _FUNCTION.sub("{ ", words), **style}


def plain_words(words: str) -> str:
    return " ".join(_NO_WORD.sub(" ", words).split())


def moment(at: datetime, before: str) -> Message:
    """When, by the reader's own clock and in UTC. `before` is a word of ours: this is the one text that is read as Markdown."""
    utc = at.astimezone(UTC)
    stamp = f"{utc:%Y-%m-%dT%H:%M:%SZ}"
    words = f"{before} {{{{DATE({stamp}, SHORT)}}}} {{{{TIME({stamp})}}}} ({utc:%d %b %H:%M} UTC)"
    return {"type": "TextBlock", "text": words, "wrap": True, "isSubtle": True, "size": "Small", "spacing": "None"}


def container(items: list[Message], **layout: object) -> Message:
    return {"type": "Container", "items": items, **layout}


def facts(rows: Sequence[tuple[str, str]]) -> list[Message]:
    """Labels and values."""
    lines = [_row([run(label, isSubtle=True)], [run(value)]) for label, value in rows]
    return [_table(["96px", 1], lines, headed=False)] if lines else []


def reasons(clusters: Sequence[tuple[str, str]]) -> list[Message]:
    """Names of clusters and why they are named, a reason once. Each name has a line of its own, so that none can pass for several."""
    alike: dict[str, list[str]] = {}
    for name, reason in clusters:
        alike.setdefault(reason, []).append(name)
    lines = [_row([run(name, weight="Bolder") for name in names], [run(reason)]) for reason, names in alike.items()]
    head = _row([run("Cluster", isSubtle=True, size="Small")], [run("Why", isSubtle=True, size="Small")])
    return [_table([2, 3], [head, *lines], headed=True)] if lines else []


def _table(widths: Sequence[str | int], rows: list[Message], *, headed: bool) -> Message:
    """The schema knows firstRowAsHeader, Microsoft's renderer firstRowAsHeaders."""
    columns = [{"width": width} for width in widths]
    head = {"firstRowAsHeader": headed, "firstRowAsHeaders": headed, "showGridLines": False}
    return {"type": "Table", "columns": columns, **head, "rows": rows}


def _row(*cells: list[Message]) -> Message:
    return {"type": "TableRow", "cells": [{"type": "TableCell", "items": [_line(words) for words in cell]} for cell in cells]}


def _line(words: Message) -> Message:
    return text(words, spacing="None")


def bar(parts: Sequence[Part], total: int, words: str) -> Message:
    """How the parts of `total` are, in colours and in words."""
    cells = _cells([part.size for part in parts], total)
    blocks = [run(_FULL * length, color=part.color) for part, length in zip(parts, cells, strict=True) if length]
    rest = BAR_CELLS - sum(cells)
    return text(*blocks, *([run(_EMPTY * rest, isSubtle=True)] if rest else []), run(f"  {words}", size="Small"))


def _cells(sizes: Sequence[int], total: int) -> list[int]:
    """Cells of each part, together as many as their share. What is there shows, however little; what is missing too."""
    ends = [round(sum(sizes[: index + 1]) * BAR_CELLS / total) for index in range(len(sizes))]
    cells = [max(end - start, 1 if size else 0) for start, end, size in zip([0, *ends], ends, sizes, strict=False)]
    room = BAR_CELLS if sum(sizes) >= total else BAR_CELLS - 1
    while sum(cells) > room:
        cells[cells.index(max(cells))] -= 1
    return cells


def buttons(links: Sequence[tuple[str, str]]) -> list[Message]:
    """`links` must be safe. The first is the one to press."""
    actions: list[Message] = [{"type": "Action.OpenUrl", "title": title, "url": url} for title, url in links]
    return [{"type": "ActionSet", "actions": actions}] if actions else []
