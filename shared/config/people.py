"""People, as a chat knows them and as Microsoft Entra ID does: so that an answer from a chat counts as its person's."""

from typing import Annotated

from msgspec import Meta

from shared.config.fields import Section
from shared.config.strategies import Role
from shared.domain.interactions import SlackUser as Whom
from shared.domain.people import Person, known_person

Identity = Annotated[
    str,
    Meta(
        pattern=r"^([^\s@]{1,128}@[^\s@]{1,127}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$(?!\n)",
        description="the name that someone signs in with, or an object id",
        examples=["alice@contoso.example"],
    ),
]
TeamId = Annotated[str, Meta(pattern=r"^[TE][A-Z0-9]{2,30}$(?!\n)", description="the id of a Slack workspace", examples=["T0123ABCD"])]
UserId = Annotated[str, Meta(pattern=r"^[UW][A-Z0-9]{2,30}$(?!\n)", description="a member's id in Slack", examples=["U0123ABCD"])]


class SlackUser(Section, frozen=True):
    """A member of a workspace. The id, not the name, which everybody may change."""

    team: TeamId
    user: UserId


class Member(Section, frozen=True):
    """Someone who may answer from Slack, with the roles of theirs that count there."""

    identity: Identity  #: as the API names them, so that nobody counts twice
    slack: Annotated[tuple[SlackUser, ...], Meta(min_length=1)]
    roles: tuple[Role, ...] = ()  #: as `approvers` names them: app roles, or ids of groups

    def is_known_as(self, user: Whom) -> bool:
        return any((known.team, known.user) == (user.team, user.id) for known in self.slack)

    @property
    def person(self) -> Person:
        return known_person(self.identity, self.roles)
