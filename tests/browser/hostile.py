"""What users and clusters might write, and every place where an announcement carries what they wrote."""

from collections.abc import Callable
from typing import Any

import told
from msgspec.structs import replace

from shared.domain.announcements import Announcement
from shared.domain.deliveries import Parcel

#: Stands before every attack: where it shows, the attack shows beside it.
MARK = "Mark1"
OWN = "https://sluice.contoso.example"

ATTACKS: dict[str, str] = {
    "harmless": "a harmless text",
    "mention of a Slack channel": "<!channel> <!here|here> <!everyone> <!subteam^S1|leads> @channel @here",
    "mention in Slack": "<@U012AB3CD> <@W1|boss> <#C024BE7LR|general>",
    "date of Slack": "<!date^1392734382^{date_num} {time_secs}^https://evil.example/|yesterday>",
    "link of Slack": "<https://evil.example|https://contoso.example> <mailto:ceo@evil.example|mail>",
    "mrkdwn": "*bold* _italic_ ~gone~ `code` ```block``` > quote\n&gt; quote\n• item :rotating_light:",
    "escapes of mrkdwn": "&lt;!channel&gt; &amp;lt;@U1&amp;gt; &#60;!here&#62;",
    "mention in Teams": "<at>everyone</at> <at id='0'>Channel</at> <AT>x</AT> <\u200bat>y</at>",
    "Markdown": "[x](javascript:attacked=true) [y](https://evil.example) ![z](https://evil.example/z.png) <https://evil.example>",
    "Markdown in lines": "# h\n\n- **b**\n- _i_\n\n---\n> quote\n\n    code\n\n| a | b |\n| - | - |",
    "Markdown reference": "[x][1]\n\n[1]: https://evil.example",
    "bare addresses": "https://evil.example/?a=1&b=2 www.evil.example mailto:ceo@evil.example file:///etc/passwd",
    "HTML": "<a href='https://evil.example'>x</a><b>y</b><br><img src=x onerror='attacked=true'>",
    "script": "</span></div><script>attacked=true</script><svg onload=attacked=true><iframe srcdoc='<script>top.attacked=true</script>'>",
    "HTML in entities": "&lt;img src=x onerror=attacked=true&gt; &#x3c;script&#x3e;attacked=true&#x3c;/script&#x3e;",
    "function of cards": "{{DATE(2026-11-28T14:05:00Z, LONG)}} {{TIME(2026-11-28T14:05:00Z)}} {{{DATE(2026-11-28T14:05:00Z)}}}",
    "template": "${$root.secret} ${if(true, 'x', 'y')} {{#each}} @{triggerBody()} @{variables('x')} %{x} {{ .Values.token }}",
    "end of JSON": '"}],"msteams":{"entities":[{"type":"mention","text":"x"}]},"x":[{"text":"',
    "JSON": '{"type":"TextBlock","text":"[x](https://evil.example)"}',
    "field": "value\nSeverity: info\nApproved: yes\tby: alice\r\nX-Header: 1",
    "right to left": "\u202efdp.exe\u202c \u2067abc\u2069 \u200fabc\u200e \u061c",
    "no width": "ev\u200bil\u200c\u200d\u2060\ufeff\u00ad\u180e \U000e0041\U000e007f",
    "controls": "a\x00b\x1b[31mred\x1b[0m\x07\x08\x7f\x85\u2028\u2029\x9b",
    "surrogates": "\ud83d\udc4d \ud800 \udfff \ud800\udbff emoji \U0001f469\u200d\U0001f4bb \U0001f1e9\U0001f1ea",
    "private use": "\ue000 \uf8ff \U000f0000 \U0010ffff \ufffe\uffff",
    "combining": "Z" + "\u0301\u0489\u0334" * 200,
    "long": "word " * 20_000,
    "long without a space": "W" * 100_000,
    "long emoji": "\U0001f600" * 25_000,
    "many lines": "line\n" * 20_000,
    "formula": "=HYPERLINK('https://evil.example')",
}

#: What a hostile author makes of addresses; none of these may become a link.
ADDRESSES: tuple[str, ...] = (
    "javascript:attacked=true",
    "JAVASCRIPT:attacked=true//https://contoso.example",
    "data:text/html,<script>attacked=true</script>",
    "vbscript:x",
    "http://evil.example/",
    "//evil.example/",
    "https://contoso.example@evil.example/",
    "https://contoso.example\\@evil.example/",
    "https://evil.example/|x> <!channel>",
    'https://evil.example/"onclick="attacked=true',
    "https://evil.example/\u202egnp.x",
    "https://evil.example/\n\nx",
    "https://evil.example/" + "x" * 100_000,
    "msteams:/l/chat/0/0",
    "slack://open",
    "file:///etc/passwd",
    "",
)

Placed = Callable[[Announcement, str], Announcement]


def _first(announcement: Announcement, **changes: str) -> Announcement:
    return replace(announcement, clusters=(replace(announcement.clusters[0], **changes), *announcement.clusters[1:]))


#: Where the app puts what others wrote: names of clusters, branches, routes, secrets; commits' titles and authors; Flux's messages; ...
#: Not here: `id`, `kind` and `subject`, which are made of ids and words of the app's own.
FIELDS: dict[str, Placed] = {
    "title": lambda announcement, text: replace(announcement, title=text),
    "summary": lambda announcement, text: replace(announcement, summary=text),
    "label of a fact": lambda announcement, text: replace(announcement, facts=((text, "value"),)),
    "value of a fact": lambda announcement, text: replace(announcement, facts=(("Commit", text), ("By", text), ("Source", text))),
    "name of a cluster": lambda announcement, text: _first(announcement, name=text),
    "reason of a cluster": lambda announcement, text: _first(announcement, reason=text),
    "what to do": lambda announcement, text: replace(announcement, next_step=text),
    "text of a link": lambda announcement, text: replace(announcement, links=((text, f"{OWN}/api/dashboard"),)),
    "field for programs": lambda announcement, text: replace(announcement, fields=announcement.fields | {"route": text, "stage": text}),
    "total": lambda announcement, text: replace(announcement, fields=announcement.fields | {"total": text, "compliant": text}),
    "what many have in common": lambda announcement, text: replace(announcement, many=text),
}


def ordinary() -> Announcement:
    return told.of_rollout("stage.failed", failures=3)


def parcel(field: str, text: str) -> Parcel:
    """The text in the heading and in the section below it."""
    placed = FIELDS[field](ordinary(), text)
    return Parcel(id="parcel-1", announcements=(placed, replace(placed, id="another")))


def linked(address: str) -> Parcel:
    return Parcel(id="parcel-1", announcements=(replace(ordinary(), links=(("Open", address),)),))


def marked(attack: str) -> str:
    return f"{MARK} {ATTACKS[attack]}"


def strings(node: Any) -> list[str]:
    if isinstance(node, dict):
        return [text for value in node.values() for text in strings(value)]
    if isinstance(node, list):
        return [text for value in node for text in strings(value)]
    return [node] if isinstance(node, str) else []


def objects(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, dict):
        return [node, *(found for value in node.values() for found in objects(value))]
    return [found for value in node for found in objects(value)] if isinstance(node, list) else []
