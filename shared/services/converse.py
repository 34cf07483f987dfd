"""One message a rollout that shows it as it is now, and what happened in the thread below it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec.structs import replace

from shared.config.models import Config
from shared.config.models import Provider as ProviderConfig
from shared.domain.announcements import Announcement
from shared.domain.clock import Clock
from shared.domain.conversations import (
    Conversation,
    after_failed_edit,
    after_telling,
    conversation_id,
    due_at,
    edited,
    found,
    is_resting,
    lost,
    must_wake,
    not_opened,
    opened,
    released,
    take,
    untold,
)
from shared.domain.deliveries import Parcel
from shared.domain.errors import Conflict, Malformed, NotFound, Rejected, SluiceError, Throttled, Unavailable, Upstream
from shared.domain.messages import NOTIFICATIONS, ShowRollout
from shared.domain.overviews import fingerprint, milestone, overview
from shared.domain.rollouts import Rollout
from shared.log import event_logger
from shared.ports import Conversations, Converser, Queue, Rollouts

log = event_logger("sluice.converse")

#: Most turns are over within a second; one whose holder died is not.
_LOOK_AGAIN_AFTER_SECONDS = 3.0
#: The head tells it already.
_BEGINS = "rollout.started"

Connect = Callable[[ProviderConfig], Awaitable[Converser]]


@dataclass
class _Turn:
    """One attempt at one conversation, with the ETag that lets it keep what it has done so far."""

    conversation: Conversation
    etag: str
    rollout: Rollout
    doubtful_since: datetime | None  #: an attempt that died may have posted the head since then
    again_at: datetime | None = None


@dataclass(frozen=True)
class Converse:
    """Writes into conversations, one attempt at a time, and what it shows is read from the rollout during its turn: messages may come
    twice, late and in any order.
    """

    rollouts: Rollouts
    conversations: Conversations
    queue: Queue
    clock: Clock
    public_url: str  #: this app's own address; "" where no setting tells it

    async def tell(self, provider: ProviderConfig, chat: Converser, parcel: Parcel) -> None:
        """Each announcement about a rollout into its conversation, the others as a message of their own. Raises Upstream with the ids of
        those that stand there already.
        """
        groups: dict[str, list[Announcement]] = {}
        for announcement in parcel.announcements:
            groups.setdefault(announcement.subject, []).append(announcement)
        taken: set[str] = set()
        try:
            for subject, told in groups.items():
                await self._tell_of(subject, provider, chat, Parcel(id=parcel.id, announcements=tuple(told)))
                taken |= {each.id for each in told}
        except Upstream as error:
            error.taken = frozenset(taken)
            raise

    async def _tell_of(self, subject: str, provider: ProviderConfig, chat: Converser, part: Parcel) -> None:
        rollout = await self.rollouts.get(subject) if subject else None
        if rollout is None:
            await chat.post(part)
        else:
            await self._tell(provider, chat, rollout[0].id, part)

    async def _tell(self, provider: ProviderConfig, chat: Converser, rollout_id: str, parcel: Parcel) -> None:
        turn = await self._take(provider, rollout_id)
        try:
            if turn.conversation.head is None:
                await self._open(turn, chat, parcel.announcements)
            else:
                await self._refresh(turn, chat)
            await self._reply(turn, chat, provider, parcel)
        finally:
            await self._end(turn)

    async def show(self, provider: ProviderConfig, connect: Connect, rollout_id: str) -> None:
        """Brings the head up to date. Where nothing was told yet there is none: the first thing that is told makes it."""
        kept = await self.conversations.get(conversation_id(provider.name, rollout_id))
        if kept is None or is_resting(kept[0], self.clock()):
            return
        due = self._due(kept[0], await self._rollout(rollout_id))
        if due is None or (due > self.clock() and not must_wake(kept[0], due, self.clock())):
            return
        try:
            turn = await self._take(provider, rollout_id)
        except Throttled:
            again_at = self.clock() + timedelta(seconds=_LOOK_AGAIN_AFTER_SECONDS)
            await self.queue.send(NOTIFICATIONS, ShowRollout(rollout_id=rollout_id), not_before=again_at)
            return
        try:
            chat = await connect(provider)
            await (self._refresh(turn, chat) if turn.conversation.head else self._open(turn, chat, ()))
        except (NotFound, Malformed, Upstream) as error:
            self._postpone(turn, error)
        finally:
            await self._end(turn)

    async def _take(self, provider: ProviderConfig, rollout_id: str) -> _Turn:
        """Raises Throttled while someone else has it."""
        key = conversation_id(provider.name, rollout_id)
        while True:
            before, etag = await self.conversations.get(key) or (Conversation(id=key), "")
            held = take(before, self.clock())
            if held is None:
                raise Throttled("another message of the same rollout is being written", code="Busy", retry_after=_LOOK_AGAIN_AFTER_SECONDS)
            try:
                etag = await self.conversations.save(held, etag)
            except Conflict:
                continue
            return _Turn(held, etag, await self._rollout(rollout_id), before.opening_since)

    async def _rollout(self, rollout_id: str) -> Rollout:
        """As it is now: a newer message may have been answered since the one at hand was read."""
        kept = await self.rollouts.get(rollout_id)
        if kept is None:
            raise NotFound(f"rollout {rollout_id} does not exist")
        return kept[0]

    def _due(self, conversation: Conversation, rollout: Rollout) -> datetime | None:
        return due_at(conversation, fingerprint(rollout), milestone(rollout), self.clock())

    async def _open(self, turn: _Turn, chat: Converser, announcements: tuple[Announcement, ...]) -> None:
        """Posts the head, unless an attempt that died has done so."""
        key, rollout = turn.conversation.id, turn.rollout
        posted = await chat.find(key, turn.doubtful_since) if turn.doubtful_since else None
        if posted is not None:
            await self._keep(turn, found(turn.conversation, posted))
            await self._refresh(turn, chat)
            return
        started = next((each for each in announcements if each.kind == _BEGINS), None)
        opens_with = f"{started.title}: {started.summary}" if started else ""
        try:
            head = await chat.open(overview(rollout, self.public_url), key=key, opens_with=opens_with)
        except (Throttled, Rejected):
            turn.conversation = not_opened(turn.conversation)
            raise
        log.info("conversation.opened", extra={"rollout": rollout.id})
        await self._keep(turn, opened(turn.conversation, head, fingerprint(rollout), milestone(rollout), self.clock()))

    async def _refresh(self, turn: _Turn, chat: Converser) -> None:
        """Edits the head where that is due. A head that is deleted is made anew; what the channel does not take is tried later, since
        nothing that people wait for is lost with it.
        """
        due, head, rollout = self._due(turn.conversation, turn.rollout), turn.conversation.head, turn.rollout
        if due is None or head is None:
            return
        if due > self.clock():
            turn.again_at = due
            return
        try:
            await chat.edit(head, overview(rollout, self.public_url))
        except NotFound:
            await self._keep(turn, replace(lost(turn.conversation), opening_since=self.clock()))
            await self._open(turn, chat, ())
        except Upstream as error:
            self._postpone(turn, error)
        else:
            await self._keep(turn, edited(turn.conversation, fingerprint(rollout), milestone(rollout), self.clock()))

    def _postpone(self, turn: _Turn, error: SluiceError) -> None:
        """What is refused for good is left, for example where the workspace lets nobody edit what is old: the thread goes on."""
        code, retry_after = (error.code, error.retry_after) if isinstance(error, Upstream) else ("", None)
        log.warning("conversation.not-edited", extra={"rollout": turn.rollout.id, "error": type(error).__name__, "code": code})
        if not isinstance(error, Rejected):
            turn.conversation, turn.again_at = after_failed_edit(turn.conversation, retry_after, self.clock())

    async def _reply(self, turn: _Turn, chat: Converser, provider: ProviderConfig, parcel: Parcel) -> None:
        new = untold(turn.conversation, parcel.announcements)
        said = tuple(each for each in new if each.kind != _BEGINS)
        if said and turn.conversation.head:
            try:
                await chat.reply(turn.conversation.head, Parcel(id=parcel.id, announcements=said), broadcast=_is_loud(provider, said))
            except NotFound:
                turn.conversation = lost(turn.conversation)
                raise Unavailable("the thread is gone: it is begun anew", code="ThreadGone", retry_after=1) from None
        if new:
            await self._keep(turn, after_telling(turn.conversation, new))

    async def _keep(self, turn: _Turn, conversation: Conversation) -> None:
        """At once, so that a crash finds as little as possible undone. Whoever loses a race for it was away for longer than its turn."""
        turn.conversation = conversation
        try:
            turn.etag = await self.conversations.save(conversation, turn.etag)
        except Conflict:
            raise Throttled("the turn was over", code="Late", retry_after=_LOOK_AGAIN_AFTER_SECONDS) from None

    async def _end(self, turn: _Turn) -> None:
        """The message goes first, so that a crash leaves one more rather than none."""
        conversation = released(turn.conversation)
        if turn.again_at is not None and must_wake(conversation, turn.again_at, self.clock()):
            await self.queue.send(NOTIFICATIONS, ShowRollout(rollout_id=turn.rollout.id), not_before=turn.again_at)
            conversation = replace(conversation, wake_at=turn.again_at)
        try:
            await self.conversations.save(conversation, turn.etag)
        except Conflict:
            log.warning("conversation.too-late", extra={"rollout": turn.rollout.id})
            await self.queue.send(NOTIFICATIONS, ShowRollout(rollout_id=turn.rollout.id))


def _is_loud(provider: ProviderConfig, announcements: tuple[Announcement, ...]) -> bool:
    errors = "error" in provider.broadcast and any(each.severity == "error" for each in announcements)
    return errors or ("question" in provider.broadcast and any(each.kind == "gate.waiting" for each in announcements))


@dataclass(frozen=True)
class Conversing:
    """Implements ports.Provider: what is to be posted goes into conversations."""

    converse: Converse
    provider: ProviderConfig
    chat: Converser

    async def post(self, parcel: Parcel) -> None:
        await self.converse.tell(self.provider, self.chat, parcel)


@dataclass(frozen=True)
class ShowOn:
    """The use case behind a `ShowRollout` message: every message that shows the rollout shows it as it is."""

    config: Config
    converse: Converse
    connect: Connect

    async def __call__(self, message: ShowRollout) -> None:
        for provider in self.config.conversing:
            await self.converse.show(provider, self.connect, message.rollout_id)
