"""What is wrong with the baselines of a file though each field by itself is right."""

from collections.abc import Iterator, Sequence

from shared.config.baselines import AzureBlob, Baseline, Bucket, Extension, FluxConfiguration, GitRepository, Kustomization, OCIRepository
from shared.config.fields import Problem
from shared.config.models import Config
from shared.domain.errors import Malformed
from shared.domain.selectors import Selector, matches_name
from shared.domain.sources import canonical_url, source_type
from shared.domain.templates import parse_template

_OWN_SETTINGS = ("-controller.enabled", "multiTenancy.enforce")


def check_baselines(config: Config) -> Iterator[Problem]:
    for index, baseline in enumerate(config.baselines):
        path = f"$.baselines[{index}]"
        yield from _check_place(path, baseline, config.baselines[:index])
        yield from _check_extension(f"{path}.extension", baseline.extension)
        names = [each.name for each in baseline.configurations]
        for number, configuration in enumerate(baseline.configurations):
            where = f"{path}.configurations[{number}]"
            if configuration.name in names[:number]:
                yield f"{where}.name", f"there are two configurations named {configuration.name}"
            yield from _check_source(f"{where}.source", configuration)
            yield from _check_kustomizations(f"{where}.kustomizations", configuration)
            yield from _check_values(where, configuration, config)


def _check_place(path: str, baseline: Baseline, before: Sequence[Baseline]) -> Iterator[Problem]:
    """A cluster has the first baseline that selects it, so that two never want the same fluxConfiguration otherwise."""
    if baseline.selector.configuration != "*":
        yield f"{path}.selector.configuration", "a baseline selects clusters, which it gives their fluxConfigurations"
    for earlier in before:
        if earlier.selector in (Selector(), baseline.selector):
            yield f"{path}.selector", f"baseline {earlier.name} before it has every cluster that this selects"
            return


def _check_extension(path: str, extension: Extension) -> Iterator[Problem]:
    for needed in ("source", "kustomize"):
        if needed not in extension.controllers:
            yield f"{path}.controllers", f"without the {needed} controller no fluxConfiguration can be applied"
    if "image-automation" in extension.controllers and "image-reflector" not in extension.controllers:
        yield f"{path}.controllers", "image-automation needs image-reflector, which tells it of new images"
    for setting in extension.settings:
        if setting.endswith(_OWN_SETTINGS):
            yield f"{path}.settings.{setting}", "that is what controllers and multiTenancy say"


def _check_source(path: str, configuration: FluxConfiguration) -> Iterator[Problem]:
    protected = set(configuration.protected_settings)
    match configuration.source:
        case GitRepository() as source:
            yield from _check_url(path, source.url, "git")
            if not any((source.branch, source.tag, source.semver, source.commit)):
                yield path, "a Git repository is followed at a branch, a tag, a semver range or a commit"
            if source.commit and not source.branch:
                yield f"{path}.commit", "Azure wants a commit together with its branch"
            allowed = {"sshPrivateKey", "httpsKey"}
        case OCIRepository() as source:
            yield from _check_url(path, source.url, "oci")
            allowed = set()
        case Bucket() as source:
            if bool(source.access_key) != ("bucketSecretKey" in protected):
                yield path, "accessKey and the protected setting bucketSecretKey belong together"
            allowed = {"bucketSecretKey"}
        case AzureBlob() as source:
            if source.account_key_ref and source.sas_token_ref:
                yield path, "either accountKeyRef or sasTokenRef"
            allowed = set()
    for name in sorted(protected - allowed):
        where = path.removesuffix(".source")
        yield f"{where}.protectedSettings.{name}", f"a source of kind {type(source).__name__} has no {name}"


def _check_url(path: str, url: str, kind: str) -> Iterator[Problem]:
    try:
        canonical_url(url)
    except Malformed as error:
        yield f"{path}.url", str(error)
        return
    if (source_type(url) == "oci") != (kind == "oci"):
        yield f"{path}.url", "an artifact is written oci://, and a Git repository is not"


def _check_kustomizations(path: str, configuration: FluxConfiguration) -> Iterator[Problem]:
    names = [each.name for each in configuration.kustomizations]
    for index, each in enumerate(configuration.kustomizations):
        where = f"{path}[{index}]"
        if each.name in names[:index]:
            yield f"{where}.name", f"there are two kustomizations named {each.name}"
        for position, other in enumerate(each.depends_on):
            if other not in names:
                yield f"{where}.dependsOn[{position}]", f"there is no kustomization named {other} in configuration {configuration.name}"
        circle = _circle(each.name, configuration.kustomizations)
        if circle and each.name == min(circle):
            yield f"{where}.dependsOn", f"each would wait for the other: {' > '.join([*circle, circle[0]])}"
        for name, template in each.post_build.substitute.items():
            try:
                parse_template(template)
            except Malformed as error:
                yield f"{where}.postBuild.substitute.{name}", str(error)


def _circle(name: str, listed: Sequence[Kustomization]) -> list[str]:
    """The kustomizations on a way from this one back to itself; [] where there is none."""
    needs = {each.name: each.depends_on for each in listed}
    ways = [[name]]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        for other in needs.get(way[-1], ()):
            if other == name:
                return way
            if other not in seen:
                seen.add(other)
                ways.append([*way, other])
    return []


def _check_values(path: str, configuration: FluxConfiguration, config: Config) -> Iterator[Problem]:
    """A value that a rollout sets too would be written back and forth."""
    for number, each in enumerate(configuration.kustomizations):
        for route in config.routes:
            if route.action != "pin" or not matches_name(configuration.name, route.configurations):
                continue
            both = sorted(set(each.post_build.substitute) & set(route.substitute))
            if both and matches_name(each.name, route.kustomizations):
                where = f"{path}.kustomizations[{number}].postBuild.substitute.{both[0]}"
                yield where, f"route {route.name} sets {both[0]} as well: one of them has to go"
