"""What can go wrong through a user's input, each with a message that says what to do."""


class NstError(Exception):
    """Base of every error that the user, not the programmer, can mend.

    The command line prints its message on one line and ends with status 2.
    """


class ImageError(NstError):
    """A picture that can't be read, sized or written."""


class WeightsError(NstError):
    """A weights file that is missing, damaged or of another network."""


class ConfigError(NstError, ValueError):
    """A setting that does not exist or has a value that it can't have."""


class Busy(ConfigError):
    """A folder that another process is at work in."""


class DeviceError(NstError):
    """A processor that was asked for and is not there."""


class Diverged(NstError):
    """The loss became NaN or infinite; `result` holds the last good picture."""

    def __init__(self, message, result):
        super().__init__(message)
        self.result = result


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during a run; `result` holds the picture that was reached.

    It is a KeyboardInterrupt, so a notebook or script that does not catch it stops as usual.
    """

    def __init__(self, result, message=None):
        super().__init__(message or f"interrupted after {result.iterations} iterations")
        self.result = result


def check_choice(argument, value, choices):
    """Return `value`, or list the choices that it is not among; a table lists its keys."""
    if value not in choices:
        raise ConfigError(f"`{argument}` is {value!r:.60}; choose from {', '.join(choices)}")
    return value
