"""sluice.yaml: a checked configuration, or an error that names the line."""

import re
from pathlib import Path
from textwrap import dedent

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from shared.config.fields import seconds
from shared.config.loader import MAX_CONFIG_BYTES, load_text, schema
from shared.config.models import Config
from shared.config.strategies import Stage
from shared.domain.errors import Malformed
from shared.receivers import SENDERS

ROOT = Path(__file__).parents[3]
SAMPLE = ROOT / "local" / "sluice.yaml"
FENCED_YAML = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WHOLE = dedent("""\
    apiVersion: sluice/v1
    receivers:
      - name: platform
        type: github
        secretRef: kv://sluice/github-platform
        previousSecretRef: env://SLUICE_SECRET_OLD
        events: [push, ping]
    strategies:
      - name: rings
        stages:
          - name: canary
            selector: {tags: {ring: canary}}
            maxConcurrency: 5
            afterStageWait: 10m
          - name: prod
            maxConcurrency: 25%
        success: {complianceWithin: 30m, maxFailures: 2}
    routes:
      - name: platform
        source:
          url: https://github.com/contoso/platform
          ref: refs/heads/main
        action: pin
        strategy: rings
    providers:
      - {name: ops-teams, type: msteams, addressRef: kv://sluice/teams-ops}
      - {name: ops-slack, type: slack, tokenRef: kv://sluice/slack, channel: "#ops"}
    alerts:
      - name: failures
        provider: ops-teams
        severity: error
        group: {by: [rollout, stage], interval: 30s}
""")


def refusal(text: str) -> str:
    with pytest.raises(Malformed) as malformed:
        load_text(text)
    return str(malformed.value)


def line_of(piece: str, text: str = WHOLE) -> int:
    (line,) = (number for number, line in enumerate(text.splitlines(), 1) if piece in line)
    return line


def test_a_whole_file_is_read() -> None:
    config = load_text(WHOLE)
    assert (receiver := config.receiver("platform")) is not None
    assert receiver.events == ("push", "ping")
    assert (provider := config.provider("ops-slack")) is not None
    assert provider.channel == "#ops"
    assert [stage.name for stage in config.strategy("rings").stages] == ["canary", "prod"]
    assert config.receiver("other") is None
    assert config.provider("other") is None


def test_the_sample_of_the_local_stack_loads() -> None:
    config = load_text(SAMPLE.read_text(), SAMPLE.name)
    (route,) = config.routes
    assert (route.action, route.source.ref, route.source.paths, route.configurations) == (
        "pin",
        "refs/heads/main",
        ("clusters/**",),
        ("platform",),
    )
    canary, prod = config.strategy(route.strategy).stages
    assert (canary.selector.tags, canary.concurrency(50)) == ({"ring": "canary"}, 5)
    assert (prod.selector.tags, prod.concurrency(50)) == ({"ring": "prod"}, 25)
    assert {provider.type for alert in config.alerts if (provider := config.provider(alert.provider))} == {"msteams", "slack"}


def test_the_sample_of_the_readme_loads_and_says_the_same_as_the_local_one() -> None:
    readme = (ROOT / "README.md").read_text()
    (sample,) = (block for block in FENCED_YAML.findall(readme) if block.startswith("apiVersion:"))
    shown, local = load_text(sample), load_text(SAMPLE.read_text())
    assert shown.receivers == local.receivers
    assert shown.routes == local.routes
    assert [(s.name, [(t.name, t.selector) for t in s.stages]) for s in shown.strategies] == [
        (s.name, [(t.name, t.selector) for t in s.stages]) for s in local.strategies
    ]
    assert shown.alerts


def test_every_receiver_that_the_guide_shows_loads() -> None:
    blocks = FENCED_YAML.findall((ROOT / "docs" / "receivers.md").read_text())
    shown = {receiver.type for block in blocks for receiver in load_text(f"apiVersion: sluice/v1\n{block}").receivers}
    assert {"github", "gitlab", "bitbucket-cloud", "bitbucket-data-center", "azure-devops", "gitea"} <= shown


def test_what_the_guide_to_flux_alerts_shows_loads() -> None:
    blocks = FENCED_YAML.findall((ROOT / "docs" / "flux-alerts.md").read_text())
    receivers, routes, manifests = blocks
    assert [receiver.type for receiver in load_text(f"apiVersion: sluice/v1\n{receivers}").receivers] == ["flux"]
    assert load_text(f"apiVersion: sluice/v1\n{routes}").routes[0].substitute == {"CLUSTER_ID": "{clusterId}"}
    provider, alert = yaml.safe_load_all(manifests)
    assert (provider["spec"]["type"], alert["spec"]["eventMetadata"]) == ("generic-hmac", {"clusterArmId": "${CLUSTER_ID}"})


def test_the_guide_tells_of_every_sender_and_every_event() -> None:
    guide = (ROOT / "docs" / "receivers.md").read_text()
    for name, sender in SENDERS.items():
        assert f"`{name}`" in guide
        assert all(f"`{event}`" in guide for event in sender.events)


def test_without_routes_there_is_nothing_to_do() -> None:
    assert load_text("apiVersion: sluice/v1") == Config(api_version="sluice/v1")


#: What is put in place of what, and the line and the reason that must be told.
WRONG = {
    "misspelt section": ("routes:", "route:", "route:", "unknown field `route`"),
    "misspelt field": ("complianceWithin", "complianceWithn", "complianceWithn", "unknown field `complianceWithn`"),
    "field with a space": ("afterStageWait: 10m", "after wait: 10m", "after wait", "unknown field `after wait`"),
    "field with a dot": ("afterStageWait: 10m", "after.wait: 10m", "after.wait", "unknown field `after.wait`"),
    "snake case": ("secretRef", "secret_ref", "secret_ref", "unknown field `secret_ref`"),
    "missing field": ("    type: github\n", "", "- name: platform\n    secretRef", "missing required field `type`"),
    "wrong version": ("sluice/v1", "sluice/v2", "apiVersion", "Invalid enum value 'sluice/v2'"),
    "wrong type of a receiver": ("type: github", "type: githug", "githug", "there is no sender named githug; there are "),
    "misspelt event": ("events: [push, ping]", "events: [push, pong]", "pong", "github has no event pong that is of use here"),
    "option of another sender": ("    type: github", "    type: github\n    header: X-Key", "header:", "a github receiver has no header"),
    "credentials that a sender has no use for": (
        "    type: github",
        "    type: github\n    registryCredentialsRef: kv://sluice/robot",
        "registryCredentialsRef:",
        "a github receiver has no registryCredentialsRef",
    ),
    "no header name": ("    type: github", "    type: github\n    header: 'X Key'", "header:", "matching regex"),
    "compare by http": (
        "    type: github",
        "    type: github\n    compare: {url: http://ghe.example.com/api/v3}",
        "compare:",
        "an address begins with https://",
    ),
    "compare of a registry": ("    type: github", "    type: acr\n    compare: {}", "compare:", "a acr receiver has no compare"),
    "a rate of nothing": ("    type: github", "    type: github\n    rateLimit: 0/m", "rateLimit:", "matching regex"),
    "a rate by the day": ("    type: github", "    type: github\n    rateLimit: 600/d", "rateLimit:", "matching regex"),
    "number in place of a text": ("ring: canary", "ring: 5", "ring: 5", "Expected `str`, got `int`"),
    "number as a tag": ("ring: canary", "5: canary", "5: canary", "Expected `str`, got `int`"),
    "plain secret": ("secretRef: kv://sluice/github-platform", "secretRef: hunter2", "hunter2", "matching regex"),
    "any variable as a secret": ("env://SLUICE_SECRET_OLD", "env://PATH", "env://PATH", "matching regex"),
    "duration without a unit": ("afterStageWait: 10m", 'afterStageWait: "10"', 'afterStageWait: "10"', "matching regex"),
    "duration without end": ("afterStageWait: 10m", "afterStageWait: 999999999999d", "999999999999d", "matching regex"),
    "percentage above all": ("25%", "101%", "101%", "matching regex"),
    "percentage of none": ("25%", "0%", "0%", "matching regex"),
    "no concurrency": ("maxConcurrency: 5", "maxConcurrency: 0", "maxConcurrency: 0", ">= 1"),
    "negative failures": ("maxFailures: 2", "maxFailures: -1", "maxFailures: -1", ">= 0"),
    "upper-case name": ("name: canary", "name: Canary", "name: Canary", "matching regex"),
    "dangling strategy": ("strategy: rings", "strategy: ring", "strategy: ring", "there is no strategy named ring"),
    "dangling provider": ("provider: ops-teams", "provider: ops", "provider: ops", "there is no provider named ops"),
    "stage of the same name": ("name: prod", "name: canary", None, "the name canary is used twice"),
    "provider of the same name": ("name: ops-slack", "name: ops-teams", None, "the name ops-teams is used twice"),
    "short ref": ("ref: refs/heads/main", "ref: main", "ref: main", "a ref is written in full"),
    "no repository": ("https://github.com/contoso/platform", "https://github.com", "url:", "needs a host and a path"),
    "teams without address": (", addressRef: kv://sluice/teams-ops", "", "type: msteams", "needs addressRef"),
    "slack without channel": (', channel: "#ops"', "", "type: slack", "needs"),
    "plain http address": ("addressRef: kv://sluice/teams-ops", "address: http://teams", "http://teams", "begins with https://"),
    "misspelt selector": ("selector: {tags:", "selector: {tag:", "selector: {tag:", "unknown field `tag`"),
    "truth in place of a number": ("maxConcurrency: 5", "maxConcurrency: true", "maxConcurrency: true", "got `bool`"),
    "nothing in place of a list": ("    events: [push, ping]", "    events:", "    events:", "got `null`"),
    "a text in place of a list": ("events: [push, ping]", "events: push", "events: push", "Expected `array`, got `str`"),
    "digits of another script": ("afterStageWait: 10m", "afterStageWait: \u0661m", "afterStageWait", "matching regex"),
    "line feed after a name": ("name: canary", 'name: "canary\\n"', 'name: "canary', "matching regex"),
    "line feed after a secret": ("kv://sluice/github-platform", '"kv://sluice/github-platform\\n"', "github-platform", "matching regex"),
    "line feed after a duration": ("afterStageWait: 10m", 'afterStageWait: "10m\\n"', "afterStageWait", "matching regex"),
    "line feed after a percentage": ("25%", '"25%\\n"', '"25%', "matching regex"),
    "half a character": ("https://github.com/contoso/platform", '"https://github.com/\\ud800"', "url:", "half a character"),
    "half a character as a key": ("ring: canary", '"\\ud800": canary, "\\ud800": prod', "canary, ", "half a character"),
    "key twice": ("    type: github", "    type: github\n    type: github", None, "type stands here twice"),
}


@pytest.mark.parametrize("case", WRONG)
def test_every_error_names_the_line_and_the_reason(case: str) -> None:
    old, new, marker, reason = WRONG[case]
    assert old in WHOLE
    text = WHOLE.replace(old, new, 1)
    told = refusal(text)
    if marker is None:
        line = max(number for number, line in enumerate(text.splitlines(), 1) if new.splitlines()[-1].strip() in line)
    else:
        line = text[: text.index(marker)].count("\n") + 1
    assert told.startswith(f"sluice.yaml:{line}: ")
    assert reason in told
    assert "` in `" not in told


def test_a_sender_that_does_not_tell_its_registry_needs_its_address() -> None:
    without = "apiVersion: sluice/v1\nreceivers:\n  - {name: nexus, type: nexus, secretRef: kv://sluice/nexus}"
    assert refusal(without) == "sluice.yaml:3: receivers[0]: a nexus receiver needs url"
    with_it = load_text(without.replace("}", ", url: 'https://nexus.contoso.example:8443', registryCredentialsRef: kv://sluice/robot}"))
    assert with_it.receivers[0].registry_credentials_ref == "kv://sluice/robot"


def test_a_host_without_a_public_api_needs_the_address_of_its_own_to_compare() -> None:
    without = "apiVersion: sluice/v1\nreceivers:\n  - {name: forge, type: gitea, secretRef: kv://sluice/forge, compare: {}}"
    assert refusal(without) == "sluice.yaml:3: receivers[0].compare: a gitea receiver's compare needs url, the address of its API"
    assert load_text(without.replace("{}", "{url: https://git.contoso.example/api/v1}")).receivers[0].compare


@pytest.mark.parametrize(
    ("section", "item"),
    [
        ("receivers", "type: github, secretRef: kv://v/s"),
        ("strategies", "stages: [{name: all}]"),
        ("routes", "source: {url: https://github.com/contoso/platform}"),
        ("providers", "type: msteams, addressRef: kv://v/s"),
        ("alerts", "provider: other"),
    ],
)
def test_a_name_stands_once_in_its_section(section: str, item: str) -> None:
    more = "" if section == "providers" else "providers: [{name: other, type: msteams, addressRef: kv://v/s}]\n"
    twice = f"apiVersion: sluice/v1\n{more}{section}:\n  - {{name: same, {item}}}\n"
    load_text(f"{twice}  - {{name: other, {item}}}\n")
    told = refusal(f"{twice}  - {{name: same, {item}}}\n")
    assert told == f"sluice.yaml:{5 if more else 4}: {section}[1].name: the name same is used twice"


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ("type: slack, tokenRef: kv://v/s, channel: ops", ""),
        ("type: slack, tokenRef: kv://v/s, channel: ops, address: https://slack.example/api", ""),
        ("type: slack, addressRef: kv://v/s", ""),
        ("type: slack", "needs tokenRef and channel"),
        ("type: slack, channel: ops", "needs tokenRef and channel"),
        ("type: slack, address: https://slack.example/api", "needs tokenRef and channel"),
        ("type: slack, tokenRef: kv://v/s", "with tokenRef needs channel"),
        ("type: slack, tokenRef: kv://v/s, addressRef: kv://v/s", "with tokenRef needs channel"),
        ("type: slack, tokenRef: kv://v/s, channel: ops, address: http://slack.example", "begins with https://"),
        ("type: msteams, addressRef: kv://v/s", ""),
        ("type: msteams, address: https://teams.example", ""),
        ("type: msteams", "needs addressRef"),
        ("type: msteams, tokenRef: kv://v/s, channel: ops", "needs addressRef"),
        ("type: msteams, address: teams.example", "begins with https://"),
    ],
)
def test_a_provider_says_where_it_sends_and_with_what(fields: str, problem: str) -> None:
    text = f"apiVersion: sluice/v1\nproviders:\n  - {{name: ops, {fields}}}\n"
    if not problem:
        assert load_text(text).provider("ops")
        return
    told = refusal(text)
    assert told.startswith("sluice.yaml:3: providers[0]")
    assert problem in told


@pytest.mark.parametrize(
    ("fields", "accepted", "ignored"),
    [
        ("type: github", ["push", "ping"], ["create", "workflow_run"]),
        ("type: github, events: []", ["push", "ping"], ["create"]),
        ("type: github, events: [push, create]", ["push", "create"], ["ping"]),
        ("type: gitlab", ["Push Hook", "Tag Push Hook"], ["System Hook", "push"]),
        ("type: gitlab, events: [System Hook]", ["System Hook"], ["Push Hook"]),
        ("type: bitbucket-cloud", ["repo:push"], ["repo:fork"]),
        ("type: gitea", ["push", "delete"], ["create"]),
    ],
)
def test_a_receiver_accepts_the_events_of_its_sender_or_those_that_are_named(fields: str, accepted: list[str], ignored: list[str]) -> None:
    (receiver,) = load_text(f"apiVersion: sluice/v1\nreceivers:\n  - {{name: r, secretRef: kv://v/s, {fields}}}\n").receivers
    assert all(receiver.accepts(event) for event in accepted)
    assert not any(receiver.accepts(event) for event in ignored)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ("type: gitlab, events: [push]", "events[0]: gitlab has no event push that is of use here; of use are Push Hook, Tag Push Hook"),
        ("type: azure-devops, header: X-Sluice-Key", ""),
        ("type: azure-devops, header: 'X-Sluice-Key:'", "header: "),
        ("type: generic-hmac, header: X-Contoso-Signature", ""),
        ("type: gitea, header: Authorization", "header: a gitea receiver has no header"),
        ("type: bitbucket-data-center, url: https://bitbucket.contoso.example", ""),
        ("type: bitbucket-data-center, url: https://bitbucket.contoso.example:8443/git/", ""),
        ("type: bitbucket-data-center, url: http://bitbucket.contoso.example", "url: an address begins with https://"),
        ("type: bitbucket-data-center, url: 'https://'", "url: an address begins with https:// and names a host"),
        ("type: bitbucket-data-center, url: 'https://[::1'", "url: an address begins with https:// and names a host"),
        ("type: github, url: https://github.contoso.example", "url: a github receiver has no url"),
        ("type: github, automationAuthors: [renovate*]", ""),
    ],
)
def test_a_receiver_has_the_options_of_its_sender(fields: str, problem: str) -> None:
    text = f"apiVersion: sluice/v1\nreceivers:\n  - {{name: r, secretRef: kv://v/s, {fields}}}\n"
    if not problem:
        assert load_text(text).receiver("r")
        return
    assert refusal(text).startswith(f"sluice.yaml:3: receivers[0].{problem}")


@pytest.mark.parametrize(
    ("reference", "is_one"),
    [
        ("kv://vault/name", True),
        ("kv://vault-1/Name-2/0123abcd", True),
        ("env://SLUICE_SECRET_GITHUB_1", True),
        ("env://SLUICE_SECRET_", False),
        ("env://SLUICE_SECRET_a", False),
        ("env://COSMOS_KEY", False),
        ("env://X_SLUICE_SECRET_A", False),
        ("kv://vault", False),
        ("kv://vault/", False),
        ("kv:///name", False),
        ("kv://vault/name/version/more", False),
        ("kv://vault.example/name", False),
        ("kv://user@vault/name", False),
        ("kv://vault/name?x=1", False),
        ("kv://vault/../name", False),
        ("file:///etc/passwd", False),
        ("https://vault.example/secrets/name", False),
        (" kv://vault/name", False),
        ("KV://vault/name", False),
        ("", False),
    ],
)
def test_a_secret_is_only_ever_a_reference(reference: str, is_one: bool) -> None:
    text = f'apiVersion: sluice/v1\nreceivers:\n  - {{name: r, type: github, secretRef: "{reference}"}}\n'
    if is_one:
        assert load_text(text).receivers[0].secret_ref == reference
    else:
        assert refusal(text).startswith("sluice.yaml:3: receivers[0].secretRef: ")


def test_a_secret_in_the_wrong_place_is_not_repeated() -> None:
    assert "hunter2" not in refusal(WHOLE.replace("kv://sluice/github-platform", "hunter2"))


def test_a_file_of_a_windows_editor_is_read() -> None:
    assert load_text("\ufeff" + WHOLE.replace("\n", "\r\n")) == load_text(WHOLE)


def test_all_cross_references_that_dangle_are_told_at_once() -> None:
    told = refusal(WHOLE.replace("strategy: rings", "strategy: ring").replace("provider: ops-teams", "provider: ops")).splitlines()
    assert [line.split(":")[1] for line in told] == [str(line_of("strategy: rings")), str(line_of("provider: ops-teams"))]


def test_the_name_of_the_file_is_told() -> None:
    with pytest.raises(Malformed, match=r"^fleet\.yaml:2: "):
        load_text("apiVersion: sluice/v1\nfleet: []", "fleet.yaml")


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing yet\n", "---\n"])
def test_an_empty_file_is_told_what_it_needs(text: str) -> None:
    assert "apiVersion" in refusal(text) or "Expected `object`" in refusal(text)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("apiVersion: sluice/v1\nroutes: [", 2),
        ("apiVersion: sluice/v1\n\troutes: []", 2),
        ("apiVersion: sluice/v1\nroutes: *unknown", 2),
        ("apiVersion: sluice/v1\n? [a]\n: b", 2),
        ("apiVersion: sluice/v1\nroutes: !!python/object/apply:os.system [id]", 2),
        ("apiVersion: sluice/v1\n---\napiVersion: sluice/v1", 2),
        ("- apiVersion", 1),
        ("sluice", 1),
    ],
)
def test_what_is_no_yaml_mapping_is_refused_with_its_line(text: str, line: int) -> None:
    assert refusal(text).startswith(f"sluice.yaml:{line}: ")


BOMB = "a: &a {k: v}\n" + "".join(f"{chr(98 + n)}: &{chr(98 + n)} {{<<: [{', '.join([f'*{chr(97 + n)}'] * 10)}]}}\n" for n in range(9))
LAUGHS = "a: &a [x, x]\n" + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 10)}]\n" for n in range(9))
HOSTILE = {
    "merges of merges": BOMB,
    "aliases of aliases": LAUGHS,
    "a list in itself": "apiVersion: sluice/v1\nroutes: &a [*a]",
    "a mapping in itself": "&a {*a : *a}",
    "merged into itself": "a: &a {<<: *a}",
    "nested without end": "[" * 50_000,
    "nested mappings without end": "{a: " * 20_000,
    "too large": "#" * (MAX_CONFIG_BYTES + 1),
    "no number": "apiVersion: !!int ''",
    "no fraction": "apiVersion: !!float ''",
    "no truth": "apiVersion: !!bool maybe",
    "no time": "apiVersion: !!timestamp now",
    "no base64": "apiVersion: !!binary ü",
    "no date": "apiVersion: 2026-99-99",
    "a set": "apiVersion: sluice/v1\nroutes: !!set {a}",
    "a lone surrogate": 'apiVersion: "\\ud800"',
    "a lone surrogate as a key": '"\\ud800": sluice/v1',
    "a control character": "apiVersion: \x00",
    "a directive": "%YAML 9.9\n---\napiVersion: sluice/v1",
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_text_is_malformed(case: str) -> None:
    assert refusal(HOSTILE[case]).startswith("sluice.yaml:")


@pytest.mark.parametrize(
    "case", ["merges of merges", "aliases of aliases", "a list in itself", "a mapping in itself", "merged into itself"]
)
def test_aliases_without_end_are_told_as_such(case: str) -> None:
    assert "more than 100000 values" in refusal(HOSTILE[case])


def test_a_file_has_a_size_up_to_which_it_is_read() -> None:
    start = "apiVersion: sluice/v1\n#"
    largest = start + "x" * (MAX_CONFIG_BYTES - len(start))
    assert load_text(largest).api_version == "sluice/v1"
    assert refusal(largest + "x") == f"sluice.yaml: larger than {MAX_CONFIG_BYTES} bytes"


pieces = st.sampled_from(
    [
        *"\n :-[]{}&*!|>'\"#%?,<",
        "  ",
        "- ",
        ": ",
        "&a ",
        "*a",
        "<<: ",
        "!!int ",
        "!!set ",
        "apiVersion: sluice/v1\n",
        "routes",
        "5",
        "name",
        "~",
    ]
)


@given(st.text(max_size=200) | st.lists(pieces, max_size=30).map("".join) | st.lists(pieces, max_size=20).map(lambda p: WHOLE + "".join(p)))
@example("{" + ", ".join(f"{n}: 1" for n in range(50)) + "}")
def test_any_text_is_a_configuration_or_malformed(text: str) -> None:
    try:
        config = load_text(text)
    except Malformed as malformed:
        assert str(malformed).startswith("sluice.yaml:")  # noqa: PT017 -- both ways out are right, each with its own condition
        return
    assert config.api_version == "sluice/v1"


@given(st.data())
def test_a_file_that_lost_a_line_is_a_configuration_or_malformed(data: st.DataObject) -> None:
    lines = WHOLE.splitlines(keepends=True)
    del lines[data.draw(st.integers(0, len(lines) - 1))]
    text = "".join(lines)
    try:
        load_text(text)
    except Malformed as malformed:
        for line in str(malformed).splitlines():
            assert 1 <= int(line.split(":")[1]) <= len(lines)


def test_anchors_are_fine_as_long_as_they_end() -> None:
    text = WHOLE.replace("success: {complianceWithin: 30m, maxFailures: 2}", "success: &calm {complianceWithin: 30m, maxFailures: 2}")
    text = text.replace("routes:", "  - name: same\n    stages: [{name: all}]\n    success: {<<: *calm, maxFailures: 7}\nroutes:")
    success = load_text(text).strategy("same").success
    assert (success.compliance_within, success.max_failures) == ("30m", 7)


def test_a_wrong_value_over_a_merged_one_is_told_at_its_own_line() -> None:
    text = WHOLE.replace("success: {complianceWithin: 30m, maxFailures: 2}", "success: &calm {complianceWithin: 30m, maxFailures: 2}")
    text = text.replace(
        "routes:", "  - name: same\n    stages: [{name: all}]\n    success:\n      <<: *calm\n      maxFailures: -7\nroutes:"
    )
    assert refusal(text).startswith(f"sluice.yaml:{line_of('maxFailures: -7', text)}: ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90s", 90), ("10m", 600), ("1h30m", 5400), ("2d", 172_800), ("250ms", 0.25), ("1.5h", 5400), ("0s", 0), ("99999d", 99999 * 86400)],
)
def test_a_duration_is_so_many_seconds(text: str, expected: float) -> None:
    assert seconds(text) == pytest.approx(expected)
    config = load_text(WHOLE.replace("afterStageWait: 10m", f"afterStageWait: {text}"))
    assert config.strategy("rings").planned(0, 1, 300).after_wait_seconds == expected


@given(st.integers(1, 100), st.integers(0, 20_000))
def test_a_percentage_of_a_stage_is_at_least_one_and_never_more_than_all(percent: int, total: int) -> None:
    room = Stage(name="s", max_concurrency=f"{percent}%").concurrency(total)
    assert room == max(1, total * percent // 100)
    assert room <= max(1, total)


def test_a_number_is_that_many_at_once() -> None:
    assert Stage(name="s", max_concurrency=5).concurrency(2) == 5


def test_without_a_strategy_all_clusters_are_one_stage() -> None:
    strategy = load_text("apiVersion: sluice/v1").strategy(None)
    assert [(stage.name, stage.concurrency(7)) for stage in strategy.stages] == [("all", 7)]


def test_the_schema_offers_every_sender() -> None:
    definitions = schema()["$defs"]
    assert isinstance(definitions, dict)
    assert definitions["Receiver"]["properties"]["type"]["enum"] == list(SENDERS)


def test_the_schema_knows_every_section() -> None:
    definitions = schema()["$defs"]
    assert isinstance(definitions, dict)
    assert set(definitions["Config"]["properties"]) == {
        "apiVersion",
        "receivers",
        "strategies",
        "routes",
        "baselines",
        "providers",
        "alerts",
        "digests",
        "drift",
        "people",
    }
    assert definitions["Config"]["additionalProperties"] is False


ROUTE = """\
apiVersion: sluice/v1
routes:
  - name: platform
    source:
      url: https://github.com/contoso/platform
      ref: refs/tags/v*
      semver: ">=1.2 <2"
    substitute:
      SITE: "{tags.site}"
      RING: "{tags.ring:none}"
    kustomizations: ["app*"]
    action: pin
"""


def test_a_route_names_its_versions_and_its_values() -> None:
    (route,) = load_text(ROUTE).routes
    assert route.source.semver == ">=1.2 <2"
    assert route.substitute == {"SITE": "{tags.site}", "RING": "{tags.ring:none}"}
    assert route.kustomizations == ("app*",)
    (plain,) = load_text(ROUTE.replace('    kustomizations: ["app*"]\n', "")).routes
    assert plain.kustomizations == ("*",)


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("SITE: ", "SI-TE: ", 8, "Expected `str` matching regex"),
        ("SITE: ", "1SITE: ", 8, "Expected `str` matching regex"),
        ("{tags.site}", "{tags.site", 9, "a brace at character 1 has no other end"),
        ("{tags.ring:none}", "{ring}", 10, "there is no field {ring}; there are cluster"),
        ("{tags.site}", "a\\nb", 9, "a value is one line"),
        ('">=1.2 <2"', "latest", 7, "not a range of versions"),
        ('">=1.2 <2"', '""', 7, "not a range of versions"),
        ("refs/tags/v*", "refs/heads/main", 6, "semver chooses among tags"),
        ("https://github.com/contoso/platform", "oci://contoso.azurecr.io", 5, "an artifact's URL is a registry and a repository"),
        ("https://github.com/contoso/platform\n      ref: refs/tags/v*", "oci://r.example/a\n      ref: refs/heads/main", 6, "only tags"),
        ("semver:", "paths: [a]\n      semver:", 7, "a registry does not tell which files"),
    ],
)
def test_a_mistake_in_a_route_is_named_with_its_line(old: str, new: str, line: int, reason: str) -> None:
    text = ROUTE.replace(old, new)
    if "registry does not" in reason:
        text = text.replace("https://github.com", "oci://ghcr.io")
    assert refusal(text).startswith(f"sluice.yaml:{line}: ")
    assert reason in refusal(text)


def test_an_artifact_is_followed_by_its_tags() -> None:
    (route,) = load_text(ROUTE.replace("https://github.com/contoso/platform", "oci://contoso.azurecr.io/platform")).routes
    assert route.source.url == "oci://contoso.azurecr.io/platform"
    assert "an artifact has only tags" in refusal("apiVersion: sluice/v1\nroutes:\n  - {name: a, source: {url: oci://r.example/a}}\n")
