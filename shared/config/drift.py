"""Section `drift` of sluice.yaml: what is done about fluxConfigurations that depart from what was asked."""

from typing import Annotated, Literal

from msgspec import Meta

from shared.config.fields import Duration, Section, seconds
from shared.domain.drift import DriftPolicy, DriftRule
from shared.domain.selectors import Selector

Mode = Literal["report", "remediate"]
Budget = Annotated[int, Meta(ge=0, le=100, description="how often a day something on one cluster is put back, at most")]


class DriftRuleSection(Section, frozen=True):
    """What some fluxConfigurations have otherwise, field by field."""

    routes: tuple[str, ...] = ("*",)  #: patterns over the route that asked last
    selector: Selector = Selector()
    mode: Mode | None = None
    budget: Budget | None = None
    resume_suspended: bool | None = None


class DriftSection(Section, frozen=True):
    """The first rule that means a fluxConfiguration decides, else the section's own fields."""

    mode: Mode = "report"
    budget: Budget = 1
    resume_suspended: bool = False  #: put back also what someone has suspended
    settle: Duration = "5m"  #: after an update nothing counts as drift for so long: Resource Graph may still show what was before
    rules: tuple[DriftRuleSection, ...] = ()

    def policy(self) -> DriftPolicy:
        default = DriftRule(mode=self.mode, budget=self.budget, resume_suspended=self.resume_suspended)
        return DriftPolicy(rules=(*(self._rule(rule) for rule in self.rules), default), settle_seconds=seconds(self.settle))

    def _rule(self, rule: DriftRuleSection) -> DriftRule:
        return DriftRule(
            mode=rule.mode or self.mode,
            budget=self.budget if rule.budget is None else rule.budget,
            resume_suspended=self.resume_suspended if rule.resume_suspended is None else rule.resume_suspended,
            routes=rule.routes,
            selector=rule.selector,
        )
