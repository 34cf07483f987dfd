"""What tells people, and programs."""

from typing import TYPE_CHECKING

from shared.adapters import Adapters

if TYPE_CHECKING:
    from shared.config.models import Config
    from shared.config.models import Provider as ProviderConfig
    from shared.ports import Provider
    from shared.services.bury import Bury
    from shared.services.converse import Converse, ShowOn
    from shared.services.make_digest import MakeDigest
    from shared.services.post import Post
    from shared.services.remind import Remind
    from shared.services.report_commit import ReportOn
    from shared.services.resend import Resend
    from shared.services.send_digests import ReportDigest, SendDigests
    from shared.services.tell import Tell, TellEvent
    from shared.services.tell_targets import TellEnded
    from shared.services.watch_config import WatchConfig


class Telling(Adapters):
    """Use cases are made anew with the configuration in force."""

    async def tell(self) -> "Tell":
        from shared.services.tell import Tell

        return Tell(await self.config.latest(), self.deliveries, self.queue, self.clock, self.settings.sluice_url)

    async def tell_event(self) -> "TellEvent":
        from shared.services.tell import TellEvent

        return TellEvent(self.rollouts, await self.tell(), self.settings.sluice_url)

    async def tell_targets(self) -> "TellEnded":
        from shared.services.tell_targets import TellEnded

        return TellEnded(self.rollouts, await self.tell())

    async def post(self) -> "Post":
        from shared.services.post import Post
        from shared.services.undelivered import Undelivered

        undelivered = Undelivered(self.deliveries, self.audit, self.queue)
        return Post(
            await self.config.latest(), self.deliveries, self.queue, self.clock, self._connect_to_tell, self.channel_pacer, undelivered
        )

    async def resend(self) -> "Resend":
        from shared.services.resend import Resend

        return Resend(await self.config.latest(), self.deliveries, self.audit, self.queue, self.clock)

    async def _connect_to_tell(self, provider: "ProviderConfig") -> "Provider":
        """Where messages can be edited, what is posted goes into the conversation about its rollout."""
        from shared.services.converse import Conversing

        if not provider.converses:
            return await self.connect(provider)
        return Conversing(self._converse(), provider, await self.connect_converser(provider))

    def _converse(self) -> "Converse":
        from shared.services.converse import Converse

        return Converse(self.rollouts, self.conversations, self.queue, self.clock, self.settings.sluice_url)

    async def show(self) -> "ShowOn":
        from shared.services.converse import ShowOn

        return ShowOn(await self.config.latest(), self._converse(), self.connect_converser)

    async def report_commit(self) -> "ReportOn":
        from shared.services.report_commit import ReportOn

        config, connect = await self.config.latest(), self.connect_git_host
        return ReportOn(config, self.rollouts, self.commit_reports, self.audit, self.queue, self.clock, connect, self.settings.sluice_url)

    def bury(self) -> "Bury":
        from shared.services.bury import Bury

        return Bury(self.audit, self.tell, self.queue, self.clock)

    async def remind(self) -> "Remind":
        from shared.services.remind import Remind

        return Remind(self.rollouts, await self.tell())

    async def watch_config(self) -> "WatchConfig":
        from shared.services.watch_config import WatchConfig

        tell = await self.tell()
        return WatchConfig(self.config.problem, tell)

    async def send_digests(self) -> "SendDigests":
        from shared.services.send_digests import SendDigests

        config = await self.config.latest()
        return SendDigests(config, self.digest_marks, self._make_digest(config), self.deliveries, self.queue, self.clock)

    async def report_digest(self) -> "ReportDigest":
        from shared.services.send_digests import ReportDigest

        config = await self.config.latest()
        return ReportDigest(config, self.digest_marks, self._make_digest(config), self.clock)

    def _make_digest(self, config: "Config") -> "MakeDigest":
        from shared.providers.trend_picture import paint
        from shared.services.make_digest import MakeDigest

        stores = (self.fleet_pages, self.fleet_pages, self.rollouts, self.onboardings, self.deliveries)
        return MakeDigest(config, *stores, self.secrets, paint, self.settings.sluice_url, self.clock)
