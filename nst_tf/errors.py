"""Errors caused by user input; each message says what to do."""


class NstError(Exception):
    """Base class of errors that the user, not the programmer, can fix.

    The command line prints the message on one line and exits with status 2.
    """


class ImageError(NstError):
    """A picture that can't be read, sized or written."""


class WeightsError(NstError):
    """A weights file that is missing, damaged or for another network."""


class ConfigError(NstError, ValueError):
    """An unknown setting, or an invalid value of a setting."""


class Busy(ConfigError):
    """A directory that another process is using."""


class DeviceError(NstError):
    """A requested device that is not available."""


class Diverged(NstError):
    """The loss became NaN or infinite; `result` holds the last good picture."""

    def __init__(self, message, result):
        super().__init__(message)
        self.result = result


class OutOfMemory(Diverged):
    """Memory ran out in the middle of a run; `result` holds the picture reached."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during a run; `result` holds the current picture.

    A KeyboardInterrupt, so a notebook or script that does not catch it stops as usual.
    """

    def __init__(self, result, message=None):
        super().__init__(message or f"interrupted after {result.iterations} iterations")
        self.result = result


def check_choice(argument, value, choices):
    """Return `value` if it is among `choices`, else raise `ConfigError` with the choices."""
    if value not in choices:
        raise ConfigError(f"`{argument}` is {value!r:.60}; choose from {', '.join(choices)}")
    return value
