"""The strategies that need no file. They tolerate every failure, so that the whole timeline is seen."""

from shared.config.models import Config
from shared.config.strategies import Stage, Strategy, Success
from shared.domain.selectors import Selector

_TOLERATE_ALL = Success(max_failures="100%")

ALL = Strategy(name="all", stages=(Stage(name="all"),), success=_TOLERATE_ALL)
RINGS = Strategy(
    name="rings",
    stages=tuple(Stage(name=ring, selector=Selector(tags={"ring": ring})) for ring in ("canary", "early", "prod")),
    success=_TOLERATE_ALL,
)
BUILT_IN = Config(api_version="sluice/v1", strategies=(ALL, RINGS))
