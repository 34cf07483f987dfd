"""What the reports of a cluster's Flux make of a target: an observation within seconds, long before Azure shows the same."""

from collections.abc import Mapping
from datetime import datetime

from msgspec.structs import replace

from shared.domain.flux_reports import FluxReport
from shared.domain.observations import COMPLIANT, NON_COMPLIANT, Observation
from shared.domain.revisions import contains_commit
from shared.domain.rollouts import Target


def concerns(target: Target, kustomization: str, report: FluxReport) -> bool:
    """Whether the report is of an object of the target's fluxConfiguration: of a kustomization, or "" for the source."""
    return report.namespace == target.namespace and (not kustomization or kustomization in target.kustomizations)


def is_early(target: Target, report: FluxReport, now: datetime) -> bool:
    """Whether it may be the outcome of an update of which ARM's answer is not recorded yet: a fast cluster is faster than that."""
    if target.state != "queued" or target.slot is None or target.slot > now:
        return False
    return report.is_outcome and report.is_since(target.slot) and _is_of_asked(target, report)


def reported(target: Target, kustomization: str, report: FluxReport, now: datetime) -> Target:
    """The target with the report kept, and with a new observation where all that was reported amounts to one.

    Itself where the report says nothing new of what was asked: it is of another revision, from before the update, older than
    what is known of that kustomization, or no outcome. The order in which reports arrive does not matter.
    """
    if kustomization not in target.kustomizations or not report.is_outcome or not _is_of_update(target, report):
        return target
    if not report.is_newer_than(target.reports.get(kustomization)):
        return target
    told = replace(target, reports={**target.reports, kustomization: report})
    compliance, message = _outcome(told)
    if not compliance and _outcome(target)[0] == NON_COMPLIANT:
        compliance = "Pending"  # what had failed is well again, and the others have not been heard of
    newest = _moment(told, now)
    if not compliance or _is_known_better(target.observation, newest):
        return told
    return replace(told, observation=_observation(target.observation, compliance, report.revision, newest, now, message))


def _is_of_update(target: Target, report: FluxReport) -> bool:
    return target.applied_at is not None and report.is_since(target.applied_at) and _is_of_asked(target, report)


def _is_of_asked(target: Target, report: FluxReport) -> bool:
    return target.asked is not None and contains_commit(report.revision, target.asked.revision)


def _of_update(target: Target) -> Mapping[str, FluxReport]:
    """What an earlier update left behind is of no use any more."""
    return {name: report for name, report in target.reports.items() if _is_of_update(target, report)}


def _outcome(target: Target) -> tuple[str, str]:
    """Compliance and message; ("", "") as long as not every kustomization has been heard of."""
    reports = _of_update(target)
    failed = [f"{name}: {reports[name].message or reports[name].reason}" for name in sorted(reports) if reports[name].has_failed]
    if failed:
        return NON_COMPLIANT, failed[0]
    return (COMPLIANT, "") if len(reports) == len(target.kustomizations) else ("", "")


def _moment(target: Target, now: datetime) -> datetime:
    """When the newest report was made. Whole seconds may seem to be before the update; a clock that is ahead is not believed, or
    nothing that Azure shows would be newer for a while.
    """
    newest = min(max(each.at for each in _of_update(target).values()), now)
    return max(newest, target.applied_at or newest)


def _is_known_better(known: Observation | None, at: datetime) -> bool:
    """Whether Azure shows a later report of the same cluster."""
    return known is not None and known.reported_at is not None and known.reported_at > at


def _observation(known: Observation | None, compliance: str, revision: str, at: datetime, now: datetime, message: str) -> Observation:
    """A cluster that speaks is connected, whatever Azure knew of it last."""
    return Observation(
        compliance=compliance,
        revision=revision,
        provisioning=known.provisioning if known else "",
        connectivity="Connected" if known is None or known.is_away else known.connectivity,
        observed_at=now,
        reported_at=at,
        message=message,
    )
