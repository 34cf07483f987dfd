"""What stops the host. The message is for the person at the console; the exit status is 1."""


class HostError(Exception):
    """The app or its settings cannot be served."""


class IndexingFailedError(HostError):
    """The worker library could not load the function app; the message holds the end of the traceback."""


class UnsupportedBindingError(HostError):
    """A function uses something that this host does not carry out, and that it will not pretend to."""
