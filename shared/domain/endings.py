"""What became of targets in one step of a rollout, and what of it is worth telling. Pure."""

from collections.abc import Iterable

from shared.domain.alerting import Rule, takes_kind
from shared.domain.announcements import Severity
from shared.domain.messages import Ended
from shared.domain.observations import NON_COMPLIANT
from shared.domain.rollouts import Target

#: Event types, and how bad each is.
SEVERITIES: dict[str, Severity] = {"target.failed": "error", "target.recovered": "info", "target.compliant": "info"}


def are_wanted(rules: Iterable[Rule], types: Iterable[str]) -> bool:
    """Whether any alert may take an event of these types."""
    types = set(types)
    return any(takes_kind(rule, kind, SEVERITIES[kind]) for rule in rules for kind in types)


def endings(targets: Iterable[Target]) -> tuple[Ended, ...]:
    """Those of targets that came to an end just now that anyone may want to hear of, in the rollout's order."""
    told = (target for target in targets if target.state in ("failed", "compliant", "rolled-back"))
    ended = (
        Ended(target_id=target.id, state=target.state, dispatch=target.dispatch, recovered=_has_recovered(target))
        for target in sorted(told, key=lambda target: target.order)
    )
    return tuple(each for each in ended if kinds(each))


def kinds(ended: Ended) -> list[str]:
    """The event types that tell of it."""
    if ended.state == "failed":
        return ["target.failed"]
    recovered = ["target.recovered"] if ended.recovered else []
    return [*recovered, "target.compliant"] if ended.state == "compliant" else recovered


def _has_recovered(target: Target) -> bool:
    """What failed in this rollout is well again, at the new revision or the old one; or what was not well before it is now."""
    was_unwell = target.before is not None and target.before.compliance == NON_COMPLIANT
    return target.state != "failed" and (target.has_failed or (target.state == "compliant" and was_unwell))
