"""`sluice events`: every event that programs may get, as docs/events.md has it, or as a JSON Schema."""

import argparse
import json
from collections.abc import Iterator

from cli.options import Verbs

_HEAD = """\
# Events

What Sluice tells programs ([channels.md](channels.md): webhooks and Event Grid) is an event in the JSON format of
[CloudEvents 1.0](https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md), the same in every channel, and at
most 20 KB of it. [events.schema.json](events.schema.json) is its JSON Schema (draft 2020-12). Chats, PagerDuty and Opsgenie are told of
the same events in their own words; `alerts[].events` in sluice.yaml chooses by the kind, which is the `type` without `sluice.` before it.

This page is made by `sluice events > docs/events.md`, and the schema by `sluice events --schema > docs/events.schema.json`.

| attribute | holds |
|---|---|
| `id` | the same for every attempt, and in every channel: what comes twice is known by it |
| `source` | the address of the app that tells it (app setting `SLUICE_URL`, or its host name in Azure; `/sluice` where neither is set) |
| `type` | `sluice.` and the kind, for example `sluice.stage.failed` |
| `subject` | where it happened, as a path: `rollouts/ID`, `rollouts/ID/stages/NAME`; left out where it is about no single thing |
| `time` | when it happened, in UTC; left out where nobody knows |
| `data.severity` | `info` or `error` |
| `data.title`, `data.summary`, `data.nextStep`, `data.facts` | for people, in words that may change: do not parse them |
| `data.thread` | the same for all that is told of one thing, such as a rollout; empty where an event stands alone |
| `data.clusters`, `data.moreClusters` | the first clusters that it is about, each with a reason, and how many more there are |
| `data.links` | `text` and `url` of pages for people |
| `data.fields` | the facts for programs, by name: see below |

Texts hold whatever users and clusters wrote (names, commit messages, errors of controllers), without control characters and cut to a
length: treat them as text. What happened to many clusters at once is one event for each 25 of them, or fewer: `data.clusters` names them
with their ARM ids, and of `data.fields` those stand there that hold for all of them, and `count`. Kinds, attributes and fields may be
added; ignore those that you do not know. **Order:** events may arrive out of order, and twice: go by `time` and `id`.

## Fields
"""


def add_to(verbs: Verbs) -> None:
    parser = verbs.add_parser("events", help="print the catalogue of events, or their JSON Schema")
    parser.add_argument("--schema", action="store_true", help="the JSON Schema")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from shared.domain.event_schema import events_schema

    print(json.dumps(events_schema(), indent=2) if options.schema else catalogue())
    return 0


def catalogue() -> str:
    """docs/events.md, without its last line feed."""
    return "\n".join([_HEAD, *_fields(), "", "## Kinds", *_kinds()])


def _fields() -> Iterator[str]:
    from shared.domain.event_schema import fields_for_programs, type_of

    yield "| field | type | meaning |"
    yield "|---|---|---|"
    for name, field in fields_for_programs().items():
        yield f"| `{name}` | {type_of(field)} | {field.meaning} |"


def _kinds() -> Iterator[str]:
    from shared.domain.event_catalogue import EVENTS
    from shared.domain.event_schema import example

    family = ""
    for kind, known in EVENTS.items():
        if kind.partition(".")[0] != family:
            family = kind.partition(".")[0]
            yield f"\n### {family}"
        shown = example(kind)
        severity = "`info` or `error`" if known.severity == "either" else f"`{known.severity}`"
        yield f"\n**`sluice.{kind}`** {known.meaning}.\n"
        yield f"- severity: {severity}"
        yield f"- subject: {_pattern(shown.get('subject', ''))}"
        yield f"- fields: {_names(known.fields)}"
        if known.of_one:
            yield f"- and of a single cluster, as far as they are known: {_names(known.of_one)}"
        yield f"\n<details><summary>example</summary>\n\n```json\n{json.dumps(shown, indent=1, ensure_ascii=False)}\n```\n\n</details>"


def _names(fields: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in fields)


def _pattern(subject: str) -> str:
    """`rollouts/ROLLOUT/stages/STAGE`."""
    places = subject.split("/")[::2]
    return "/".join(f"{place}/{place.removesuffix('s').upper()}" for place in places).join("``") if subject else "none"
