"""Reads sluice.yaml: the text becomes a checked `Config`, or an error that names line and reason."""

import re
from collections.abc import Callable, Iterator

import msgspec
import yaml

from shared.config.alert_checks import check_alerts
from shared.config.baseline_checks import check_baselines
from shared.config.channel_checks import check_programs
from shared.config.digest_checks import check_digests
from shared.config.fallback_checks import check_fallbacks
from shared.config.fields import Problem
from shared.config.models import EVERY_BRANCH, Config, Receiver, Route, Source
from shared.config.receiver_checks import check_receiver
from shared.config.report_checks import check_reports
from shared.config.requires_checks import check_requires
from shared.config.slack_checks import check_slack
from shared.config.strategy_checks import check_strategies
from shared.domain.errors import Malformed
from shared.domain.sources import canonical_url, is_bucket, source_type
from shared.domain.templates import parse_template
from shared.domain.versions import check_range
from shared.receivers import SENDERS

MAX_CONFIG_BYTES = 1024 * 1024
MAX_VALUES = 100_000  #: with every alias written out
_PATH = re.compile(r"\.(?P<key>[^.\[\]]+)|\[(?P<index>\d+)\]")
_UNKNOWN = re.compile(r"unknown field `(?P<key>[^`]+)`")

_GUESSED = frozenset(f"tag:yaml.org,2002:{tag}" for tag in ("int", "float", "timestamp"))


class _Loader(yaml.SafeLoader):
    """YAML 1.1 without its guesses that 17:00 is a number to base 60, and 2026-12-20 a date: both stay the texts that they are here."""

    def resolve(self, kind: type[yaml.Node], value: str | None, implicit: object) -> str:
        tag: str = super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]  # types-pyyaml leaves it out
        is_time = kind is yaml.ScalarNode and tag in _GUESSED and (":" in str(value) or tag.endswith("timestamp"))
        return self.DEFAULT_SCALAR_TAG if is_time else tag


def load_text(text: str, name: str = "sluice.yaml") -> Config:
    """The configuration in `text`. Raises Malformed with "name:line: reason" lines, one a problem."""
    if len(text) > MAX_CONFIG_BYTES:
        raise Malformed(f"{name}: larger than {MAX_CONFIG_BYTES} bytes")
    root, data = _parse(text, name)
    try:
        config = msgspec.convert(data, Config)
    except msgspec.ValidationError as error:
        raise Malformed(_located(root, name, [_problem(str(error))])) from None
    problems = list(_cross_checks(config))
    if problems:
        raise Malformed(_located(root, name, problems))
    return config


def schema() -> dict[str, object]:
    """The JSON Schema of sluice.yaml, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "sluice.yaml", **msgspec.json.schema(Config)}


def _parse(text: str, name: str) -> tuple[yaml.Node, object]:
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        if root is None:
            raise Malformed(f"{name}:1: the file is empty; it needs at least `apiVersion: sluice/v1`")
        _check_tree(root, name)
        return root, loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Malformed(f"{name}:{line}: not valid YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, RecursionError) as error:
        # PyYAML meets a value that does not fit its tag (`!!int ""`) with whatever Python raises.
        raise Malformed(f"{name}: not valid YAML: {type(error).__name__}") from None


def _check_tree(root: yaml.Node, name: str) -> None:
    """Refuses what YAML allows and nobody means: a key twice, of which one would be lost, half a character, and aliases without end."""
    sizes: dict[int, int] = {}

    def size(node: yaml.Node) -> int:
        if id(node) not in sizes:
            sizes[id(node)] = MAX_VALUES  # until it is known: a node that contains itself has no end
            if isinstance(node, yaml.ScalarNode):
                _check_text(node, name)
            sizes[id(node)] = min(MAX_VALUES, 1 + sum(map(size, _children(node))))
            if isinstance(node, yaml.MappingNode):
                _check_keys(node, name)
        return sizes[id(node)]

    if size(root) >= MAX_VALUES:
        raise Malformed(f"{name}: more than {MAX_VALUES} values, aliases written out")


def _check_keys(node: yaml.MappingNode, name: str) -> None:
    seen: set[str] = set()
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode) and key.value in seen:
            raise Malformed(f"{name}:{key.start_mark.line + 1}: {key.value} stands here twice, so that one of them would be lost")
        seen.add(str(key.value))


def _check_text(node: yaml.ScalarNode, name: str) -> None:
    r"""Refuses a lone surrogate (`"\ud800"`): no document, message or digest could hold it."""
    try:
        node.value.encode()
    except UnicodeEncodeError:
        raise Malformed(f"{name}:{node.start_mark.line + 1}: the text holds half a character, which is not Unicode") from None


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key
            yield value
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


def _problem(message: str) -> Problem:
    reason, _, path = message.partition(" - at `")
    path = path.removeprefix("key` in `").removesuffix("`") or "$"
    unknown = _UNKNOWN.search(reason)
    return (f"{path}.{unknown['key']}" if unknown else path), reason


def _located(root: yaml.Node, name: str, problems: list[Problem]) -> str:
    return "\n".join(f"{name}:{_line(root, path)}: {path.removeprefix('$.')}: {reason}" for path, reason in problems)


def _line(node: yaml.Node, path: str) -> int:
    """The line of the deepest part of `path` that the file has."""
    line = node.start_mark.line
    for step in _PATH.finditer(path):
        if isinstance(node, yaml.MappingNode) and step["key"]:
            # An unknown field stands last, and may look like a path itself. Of merged fields the one's own comes last.
            names = (step["key"], path[step.start() + 1 :])
            found = next(((key, value) for key, value in reversed(node.value) if key.value in names), None)
            if found is None:
                break
            line, node = found[0].start_mark.line, found[1]
        elif isinstance(node, yaml.SequenceNode) and step["index"] and int(step["index"]) < len(node.value):
            node = node.value[int(step["index"])]
            line = node.start_mark.line
    return line + 1


def _cross_checks(config: Config) -> Iterator[Problem]:
    for section in ("receivers", "strategies", "routes", "baselines", "providers", "alerts", "digests"):
        yield from _duplicates(section, [item.name for item in getattr(config, section)])
    for index, strategy in enumerate(config.strategies):
        yield from _duplicates(f"strategies[{index}].stages", [stage.name for stage in strategy.stages])
    yield from _check_receivers(config)
    yield from _check_routes(config)
    yield from check_requires(config)
    yield from _check_channels(config)
    yield from check_programs(config)
    yield from check_strategies(config)
    yield from check_reports(config)
    yield from check_fallbacks(config)
    yield from check_baselines(config)
    yield from check_alerts(config)
    yield from check_digests(config)
    yield from check_slack(config)


def _duplicates(section: str, names: list[str]) -> Iterator[Problem]:
    for index, name in enumerate(names):
        if name in names[:index]:
            yield f"$.{section}[{index}].name", f"the name {name} is used twice"


def _check_receivers(config: Config) -> Iterator[Problem]:
    for index, receiver in enumerate(config.receivers):
        path = f"$.receivers[{index}]"
        if receiver.type not in SENDERS:
            yield f"{path}.type", f"there is no sender named {receiver.type}; there are {', '.join(SENDERS)}"
            continue
        for position, event in enumerate(receiver.events):
            if event not in receiver.sender.events:
                yield (
                    f"{path}.events[{position}]",
                    f"{receiver.type} has no event {event} that is of use here; of use are {_list(receiver)}",
                )
        for option, value in _options(receiver).items():
            if value and option not in receiver.sender.options:
                yield f"{path}.{option}", f"a {receiver.type} receiver has no {option}"
            if not value and option in receiver.sender.required:
                yield path, f"a {receiver.type} receiver needs {option}"
        yield from _check_addresses(path, receiver)


def _options(receiver: Receiver) -> dict[str, object]:
    return {
        "header": receiver.header,
        "url": receiver.url,
        "registryCredentialsRef": receiver.registry_credentials_ref,
        "compare": receiver.compare,
        "identity": receiver.identity,
    }


def _check_addresses(path: str, receiver: Receiver) -> Iterator[Problem]:
    api = receiver.compare.url if receiver.compare else ""
    for field, address in (("url", receiver.url), ("compare.url", api)):
        if address and not _is_base(address):
            yield f"{path}.{field}", "an address begins with https:// and names a host"
    if receiver.compare and not api and "compare.url" in receiver.sender.required:
        yield f"{path}.compare", f"a {receiver.type} receiver's compare needs url, the address of its API"


def _list(receiver: Receiver) -> str:
    return ", ".join(receiver.sender.events)


def _is_base(url: str) -> bool:
    """Whether addresses of repositories can be made by adding a path."""
    try:
        return url.startswith("https://") and bool(canonical_url(f"{url}/project/repository"))
    except Malformed:
        return False


def _check_routes(config: Config) -> Iterator[Problem]:
    strategies = {strategy.name for strategy in config.strategies}
    for index, route in enumerate(config.routes):
        if route.strategy is not None and route.strategy not in strategies:
            yield f"$.routes[{index}].strategy", f"there is no strategy named {route.strategy}"
        yield from _check_source(f"$.routes[{index}].source", route)
        yield from check_receiver(f"$.routes[{index}]", route, config.strategy(route.strategy))
        for name, template in route.substitute.items():
            yield from _check(f"$.routes[{index}].substitute.{name}", parse_template, template)


def _check_source(path: str, route: Route) -> Iterator[Problem]:
    source, kind = route.source, source_type(route.source.url)
    is_artifact = kind == "oci"
    yield from _check(f"{path}.url", canonical_url, source.url)
    if is_bucket(kind):
        yield from _check_bucket(path, source)
    elif not source.ref.startswith(("refs/", "*")):
        yield f"{path}.ref", "a ref is written in full, for example refs/heads/main or refs/tags/v*"
    elif (is_artifact or source.semver is not None) and not source.ref.startswith(("refs/tags/", "*")):
        yield f"{path}.ref", f"{'an artifact has only tags' if is_artifact else 'semver chooses among tags'}: for example refs/tags/*"
    if is_artifact and source.paths:
        yield f"{path}.paths", "a registry does not tell which files an artifact changes"
    if source.semver is not None:
        yield from _check(f"{path}.semver", check_range, source.semver)


def _check_bucket(path: str, source: Source) -> Iterator[Problem]:
    if source.ref != EVERY_BRANCH:
        yield f"{path}.ref", "a bucket has no refs"
    if source.semver is not None:
        yield f"{path}.semver", "a bucket has no versions"


def _check(path: str, read: Callable[[str], object], text: str) -> Iterator[Problem]:
    try:
        read(text)
    except Malformed as error:
        yield path, str(error)


def _check_channels(config: Config) -> Iterator[Problem]:
    providers = {provider.name for provider in config.providers}
    for index, alert in enumerate(config.alerts):
        if alert.provider not in providers:
            yield f"$.alerts[{index}].provider", f"there is no provider named {alert.provider}"
    for index, provider in enumerate(config.providers):
        if provider.type == "msteams" and not (provider.address_ref or provider.address):
            yield f"$.providers[{index}]", "an msteams provider needs addressRef: the Workflows webhook is itself a secret"
        if provider.address and not provider.address.startswith("https://"):
            yield f"$.providers[{index}].address", "an address begins with https://"
        if provider.type == "slack" and provider.token_ref and not provider.channel:
            yield f"$.providers[{index}]", "a slack provider with tokenRef needs channel"
        if provider.type == "slack" and not (provider.address_ref or (provider.token_ref and provider.channel)):
            yield f"$.providers[{index}]", "a slack provider needs tokenRef and channel, or addressRef for an incoming webhook"
