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


class Stopped:
    """Base class of the exceptions that hold the `Result` of a run that stopped early.

    IPython calls `_render_traceback_` for an exception that no cell has caught. Only then is the
    result kept, one for the whole process.
    """

    _shown = None  # the newest result that IPython has shown

    def _render_traceback_(self):
        """Return what a notebook or IPython shows in place of a traceback."""
        lines = [f"{type(self).__name__}: {self}", *getattr(self, "__notes__", ())]
        if self.result is not None:
            Stopped._shown = self.result
            lines.append(
                "`nst_tf.stopped_result()` returns the result reached, with its `picture`, "
                "`image` and `history`"
            )
        return lines


def stopped_result():
    """Return what the last run reached that ended with an error in a notebook or IPython.

    One result is kept, and only of a run whose exception was shown below its cell. A program that
    catches the exception uses its attribute `result`.

    Returns
    -------
    Result
        Of the run that was interrupted, diverged or ran out of memory: `picture` (H, W, 3) uint8,
        `image` to start another run from, and `history`.

    Raises
    ------
    ConfigError
        No run ended in this way since the kernel started.
    """
    if Stopped._shown is None:
        raise ConfigError(
            "no run was interrupted or failed since this kernel started; a run that ends as "
            "planned returns its result"
        )
    return Stopped._shown


class Diverged(Stopped, NstError):
    """The loss became NaN or infinite; `result` holds the last good picture."""

    def __init__(self, message, result):
        super().__init__(message)
        self.result = result


class OutOfMemory(Diverged):
    """Memory ran out in the middle of a run; `result` holds the picture reached."""


class Interrupted(Stopped, KeyboardInterrupt):
    """Ctrl-C during a run; `result` holds the current picture.

    A KeyboardInterrupt, so a notebook or script that does not catch it stops as usual.
    """

    def __init__(self, result, message=None):
        super().__init__(message or f"interrupted after {result.iterations} iterations")
        self.result = result


def check_choice(argument, value, choices):
    """Return `value` if it is among `choices`, else raise `ConfigError` with the choices."""
    if value not in choices:
        raise ConfigError(
            f"`{argument}` is {value!r:.60}; choose from {', '.join(map(str, choices))}"
        )
    return value
