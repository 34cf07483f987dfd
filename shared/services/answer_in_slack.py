"""Somebody clicks Approve or Reject below a message in Slack, says why, and it counts as if they had said so at the API."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from shared.config.fields import limit
from shared.config.models import Config, Provider
from shared.domain.asks import check_reason
from shared.domain.clock import Clock
from shared.domain.errors import NotAllowed, NotFound, Refused, SluiceError, Upstream
from shared.domain.interactions import MAX_BODY_BYTES, REASON_BLOCK, Click, SlackUser, Submission, read_interaction
from shared.domain.people import Person
from shared.log import event_logger
from shared.ports import Dialog, Secrets
from shared.receivers.verification import verify_slack
from shared.services.person_answers import PersonAnswers
from shared.services.refusals import Refusals

log = event_logger("sluice.slack")

#: Slack waits for 3 seconds (docs.slack.dev/interactivity/handling-user-interaction, acknowledgment response).
DEADLINE_SECONDS = 2.6
_RATE = "60/m"  #: refusals that are logged
_UNKNOWN = "unknown"
_SLOW = "Sluice did not answer in time. What you said may count already; say it once more to be sure."

Body = Mapping[str, object]
ToldModal = Callable[[str, str], Body]


@dataclass(frozen=True)
class Reply:
    """An HTTP answer; `body` is JSON, None where there is nothing to say."""

    status: int
    body: Body | None = None
    retry_after: int = 0


@dataclass(frozen=True)
class AnswerInSlack:
    """The use case behind POST /api/slack/interactions/{provider}.

    A click only opens a dialog. The answer is given with the dialog, checked by `PersonAnswers` as one at the API is, and is the same
    however often it is sent: a request that is replayed within the five minutes of its signature says what was said already.
    """

    config: Config
    secrets: Secrets
    answer: PersonAnswers
    dialog: Callable[[Provider], Awaitable[Dialog]]
    told_modal: ToldModal  #: what stands in the dialog's place in the end
    refusals: Refusals
    clock: Clock

    async def __call__(self, name: str, headers: Mapping[str, str], body: bytes) -> Reply:
        try:
            provider, interaction = await self._proven(name, headers, body)
        except Refused as refused:
            wait = self.refusals.note(f"slack-{name}" if self._provider(name) else _UNKNOWN, limit(_RATE), refused)
            return Reply(429, retry_after=wait) if wait else Reply(refused.status)
        except SluiceError as error:
            log.exception("slack.unavailable", extra={"error": type(error).__name__})
            return Reply(503)
        match interaction:
            case Click() as click:
                await self._clicked(provider, click)
                return Reply(200)
            case Submission() as submission:
                return Reply(200, await self._submitted(submission))
        return Reply(200)

    def _provider(self, name: str) -> Provider | None:
        provider = self.config.provider(name)
        return provider if provider and provider.converses and provider.signing_secret_ref else None

    async def _proven(self, name: str, headers: Mapping[str, str], body: bytes) -> tuple[Provider, object]:
        """Limits first, then the proof, and only then what it says."""
        provider = self._provider(name)
        if provider is None:
            raise Refused(404, "provider-unknown")
        if len(body) > MAX_BODY_BYTES:
            raise Refused(413, "body-too-large")
        lowered = {key.lower(): value for key, value in headers.items()}
        verify_slack(lowered, body, await self._secrets_of(provider), self.clock())
        return provider, read_interaction(body)

    async def _secrets_of(self, provider: Provider) -> list[str]:
        """A previous secret that is deleted already is no longer valid; a missing current one is an error."""
        secrets = [await self.secrets.get(provider.signing_secret_ref or "")]
        if provider.previous_signing_secret_ref:
            with contextlib.suppress(NotFound):
                secrets.append(await self.secrets.get(provider.previous_signing_secret_ref))
        return secrets

    async def _clicked(self, provider: Provider, click: Click) -> None:
        """Opens the dialog, or says to the one who clicked why not."""
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                dialog = await self.dialog(provider)
                try:
                    await self._ask(dialog, click)
                except (Refused, NotFound, NotAllowed) as error:
                    log.warning("slack.refused", extra={"provider": provider.name, "error": type(error).__name__})
                    await dialog.whisper(click.channel, click.user.id, f"Sluice cannot {click.answering} it: {error}.")
        except (TimeoutError, SluiceError) as error:
            code = error.code if isinstance(error, Upstream) else ""
            log.warning("slack.not-asked", extra={"provider": provider.name, "error": type(error).__name__, "code": code})

    async def _ask(self, dialog: Dialog, click: Click) -> None:
        person, asked = self._person(click.user), click.asked
        approved = click.answering == "approve"
        rollout = await self.answer.may(asked.rollout, asked.stage, asked.gate, person, approved=approved)
        await dialog.ask(click.trigger, click.answering, asked, rollout)

    async def _submitted(self, submission: Submission) -> Body:
        """What the dialog shows next: what came of it, or beside the reason why nothing did."""
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                return await self._answer(submission)
        except (Refused, NotFound, NotAllowed) as error:
            log.warning("slack.refused", extra={"error": type(error).__name__})
            return _beside_the_reason(str(error))
        except (TimeoutError, SluiceError) as error:
            log.warning("slack.unanswered", extra={"error": type(error).__name__})
            return _beside_the_reason(_SLOW)

    async def _answer(self, submission: Submission) -> Body:
        person, asked = self._person(submission.user), submission.asked
        approved = submission.answering == "approve"
        reason = check_reason(submission.reason.strip())
        place = (asked.rollout, asked.stage, asked.gate)
        await self.answer(*place, person, approved=approved, reason=reason, via=f"Slack {submission.user.team}/{submission.user.id}")
        done = "Approved" if approved else "Rejected"
        return {"response_action": "update", "view": self.told_modal(done, f"{done} as {person.name}: {reason}")}

    def _person(self, user: SlackUser) -> Person:
        """Raises Refused where sluice.yaml does not know them: being in a channel gives nobody a role."""
        member = self.config.member(user)
        if member is None:
            raise Refused(403, f"you ({user.id} of {user.team}) are not among the people of sluice.yaml", explain=True)
        return member.person


def _beside_the_reason(text: str) -> Body:
    return {"response_action": "errors", "errors": {REASON_BLOCK: text[:300]}}
