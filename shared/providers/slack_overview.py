"""A rollout as it is now, as one Slack message that is edited as it moves."""

from datetime import datetime

from shared.domain.commit_status import State
from shared.domain.interactions import Asked
from shared.domain.overviews import Overview, Question, StageView
from shared.providers.slack_blocks import (
    BUTTON,
    NOTIFICATION,
    context,
    header,
    links,
    notification,
    paragraph,
    plain,
    preformatted,
    rich,
    run,
)
from shared.providers.wording import Message, is_safe_link, line, more

TITLE, WHERE, WHO, WAIT, NEXT = 140, 200, 100, 500, 300  # UTF-16 units
STAGES, QUESTIONS, APPROVERS = 12, 3, 200
_CELLS, _NAME = 10, 20

_MARKS: dict[State, str] = {
    "pending": "\U0001f535",
    "running": "\U0001f535",
    "succeeded": "\U0001f7e2",
    "failed": "\U0001f534",
    "cancelled": "\u26aa",
}
_SIGNS: dict[State, str] = {"pending": "\u00b7", "running": "\u25b6", "succeeded": "\u2714", "failed": "\u2718", "cancelled": "\u2013"}


def render_overview(overview: Overview, *, asks: bool, opens_with: str = "") -> Message:
    """`asks`: whether its questions can be answered with buttons. `opens_with`: what people are notified of when it is first posted."""
    blocks = [
        header(line(f"{_mark(overview)} {overview.route}: {overview.words}", TITLE)),
        context(*_provenance(overview)),
        {"type": "section", "fields": _fields(overview)},
        rich([preformatted(_progress(overview)), *_words(overview)]),
        *(block for number, asked in enumerate(overview.questions[:QUESTIONS]) for block in _question(overview, asked, number, asks=asks)),
        *_foot(overview, asks=asks),
    ]
    return notification(line(opens_with, NOTIFICATION) or _in_a_line(overview), blocks)


def _mark(overview: Overview) -> str:
    if overview.words == "paused" or overview.failed:
        return _MARKS["failed"]
    return "\U0001f7e1" if overview.questions else _MARKS[overview.state]


def _in_a_line(overview: Overview) -> str:
    failed = f", {overview.failed:,} failed" if overview.failed else ""
    return line(f"{overview.route}: {overview.words}, {overview.done:,} of {_clusters(overview.total)}{failed}", NOTIFICATION)


def _provenance(overview: Overview) -> list[str]:
    """What moves, from where, and who moved it."""
    commit = f"{overview.commit}{' (force-pushed)' if overview.forced else ''} {overview.title}"
    author = line(overview.author, WHO)
    texts = [line(commit, WHERE), line(f"{overview.source} {overview.ref}", WHERE), f"by {author}" if author else ""]
    return [text for text in texts if text] or [overview.rollout]


def _fields(overview: Overview) -> list[Message]:
    """In mrkdwn, for its bold labels and its times in the reader's own zone: nothing but our own words and numbers is in it."""
    told = [("Clusters", f"{overview.done:,} of {overview.total:,}"), ("Since", _moment(overview.since))]
    told += [(label, f"{count:,}") for label, count in (("Failed", overview.failed), ("Offline", overview.offline)) if count]
    return [{"type": "mrkdwn", "text": f"*{label}*\n{value}", "verbatim": True} for label, value in told]


def _moment(at: datetime) -> str:
    """https://docs.slack.dev/messaging/formatting-message-text#date-formatting"""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{at:%Y-%m-%d %H:%M} UTC>"


def _progress(overview: Overview) -> str:
    shown = overview.stages[:STAGES]
    names = [line(stage.name, _NAME) for stage in shown]
    width = max(map(len, names), default=0)
    rows = [_row(stage, name.ljust(width)) for stage, name in zip(shown, names, strict=True)]
    left_out = len(overview.stages) - len(shown)
    return "\n".join([*rows, *([more(left_out)] if left_out else [])]) or "no clusters"


def _row(stage: StageView, name: str) -> str:
    told = [
        f"{count:,} {what}" for what, count in (("failed", stage.failed), ("offline", stage.offline), ("skipped", stage.skipped)) if count
    ]
    return "  ".join([f"{_SIGNS[stage.state]} {name}", _bar(stage), f"{stage.done:,}/{stage.total:,}", *told])


def _bar(stage: StageView) -> str:
    """What is done, what failed, and the rest. A cell is full only where all of it is, and one failure shows."""
    total = max(1, stage.total)
    failed = min(_CELLS, -(-stage.failed * _CELLS // total))
    done = min(stage.done * _CELLS // total, _CELLS - failed)
    return "\u2588" * done + "\u2592" * failed + "\u2591" * (_CELLS - done - failed)


def _words(overview: Overview) -> list[Message]:
    told = [
        ("Waits for: " if overview.words == "waiting" else "Because: ", overview.waiting_for, WAIT),
        ("Next: ", overview.next_step, NEXT),
    ]
    return [paragraph(run(label, bold=True), run(text)) for label, whole, limit in told if (text := line(whole, limit))]


def _question(overview: Overview, asked: Question, number: int, *, asks: bool) -> list[Message]:
    progress = f" ({asked.approved:,} of {asked.required:,})" if asked.required > 1 else ""
    whom = line(" or ".join(asked.approvers), APPROVERS)
    head = rich([paragraph(run(line(f"{asked.stage} / {asked.gate}", WHERE), bold=True), run(f" needs the approval of {whom}{progress}"))])
    if not asks:
        return [head]
    value = Asked(rollout=overview.rollout, stage=asked.stage, gate=asked.gate).encoded()
    buttons = [_button("Approve", "approve", value, style="primary"), _button("Reject", "reject", value, style="danger")]
    if is_safe_link(asked.link):
        buttons.append(_button("Open page", "page", value, url=asked.link))
    return [head, {"type": "actions", "block_id": f"gate.{number}", "elements": buttons}]


def _button(text: str, action: str, value: str, **more_of_it: str) -> Message:
    return {"type": "button", "text": plain(text[:BUTTON]), "action_id": action, "value": value, **more_of_it}


def _foot(overview: Overview, *, asks: bool) -> list[Message]:
    questions = () if asks else overview.questions  # their pages have buttons of their own
    approvals = [(f"Approval page of {asked.stage} / {asked.gate}", asked.link) for asked in questions]
    failures = [(f"{_clusters(overview.failed)} failed", overview.failures_link)] if overview.failed else []
    shown = links([*approvals[:2], *failures, ("Rollout", overview.link)])
    return [rich(shown)] if shown else []


def _clusters(count: int) -> str:
    return f"{count:,} {'cluster' if count == 1 else 'clusters'}"
