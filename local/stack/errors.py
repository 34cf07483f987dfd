"""What can go wrong with the stack; every text is for people.

StackError
+-- ChildFailed     a part ended, or was not ready in time
+-- NoStack         no stack runs with this state directory
+-- SimulatorError  the Azure simulator refused, or could not be reached
+-- StateInUse      another stack runs with this state directory
"""


class StackError(Exception):
    """Base of the others."""


class ChildFailed(StackError):
    """A child ended, or was not ready in time. The text names it and ends with the last lines of its log."""


class NoStack(StackError):
    """No stack runs with this state directory."""


class SimulatorError(StackError):
    """The Azure simulator refused, or could not be reached."""


class StateInUse(StackError):
    """Another stack runs with the same state directory."""
