"""The one way in which code learns the time: it is given a clock."""

from collections.abc import Callable
from datetime import datetime

#: Answers with the current time, aware and in UTC.
Clock = Callable[[], datetime]
