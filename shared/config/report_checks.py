"""What must fit between the routes that report and the Git hosts that they report to."""

from collections.abc import Iterator

from shared.config.fields import Problem
from shared.config.git_hosts import GIT_HOSTS, GitHost
from shared.config.models import Config, Provider, Report, Route
from shared.domain.errors import Malformed
from shared.domain.sources import canonical_url, source_type


def check_reports(config: Config) -> Iterator[Problem]:
    """Problems of providers that are Git hosts, of alerts that would go to one, and of routes that report."""
    for index, provider in enumerate(config.providers):
        yield from _check_provider(f"$.providers[{index}]", provider)
    for index, alert in enumerate(config.alerts):
        named = config.provider(alert.provider)
        if named is not None and named.type in GIT_HOSTS:
            yield f"$.alerts[{index}].provider", f"{named.name} is a Git host: a route reports to it, with report.provider"
    for index, route in enumerate(config.routes):
        if route.report is not None:
            yield from _check_route(f"$.routes[{index}]", route, route.report, config.provider(route.report.provider))


def _check_provider(path: str, provider: Provider) -> Iterator[Problem]:
    host = GIT_HOSTS.get(provider.type)
    if provider.app is not None and not (host and host.has_apps):
        yield f"{path}.app", f"a provider of type {provider.type} has no app"
    if host is None:
        return
    for option, value in (("addressRef", provider.address_ref), ("channel", provider.channel)):
        if value:
            yield f"{path}.{option}", f"a provider of type {provider.type} has no {option}"
    if not (provider.address or host.public_host):
        yield path, f"a provider of type {provider.type} needs address: where its API is"
    if provider.token_ref and provider.app:
        yield f"{path}.app", "tokenRef and app are two ways to do the same: one of them is needed"
    if host.needs_token and not (provider.token_ref or provider.app):
        yield path, f"a provider of type {provider.type} needs tokenRef{' or app' if host.has_apps else ''}"


def _check_route(path: str, route: Route, report: Report, provider: Provider | None) -> Iterator[Problem]:
    host = GIT_HOSTS.get(provider.type) if provider else None
    if provider is None or host is None:
        reason = f"there is no provider named {report.provider}" if provider is None else f"{report.provider} is not a Git host"
        yield f"{path}.report.provider", reason
        return
    if route.action != "pin":
        yield f"{path}.report", "a route that only observes has no rollouts to report"
    if report.deployments and not host.has_deployments:
        yield f"{path}.report.deployments", f"a provider of type {provider.type} makes no deployments"
    yield from _check_repository(path, route, provider, host)


def _check_repository(path: str, route: Route, provider: Provider, host: GitHost) -> Iterator[Problem]:
    if source_type(route.source.url) == "oci":
        yield f"{path}.report", "an artifact has no commit to report to"
        return
    try:
        found = canonical_url(route.source.url).partition("/")[0]
    except Malformed:
        return  # told by the check of the source
    if not provider.address and found != host.public_host:
        yield f"{path}.report.provider", f"the source is not at {host.public_host}: give {provider.name} the address of its API"
