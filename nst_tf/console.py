"""Console output, signals and argument errors of the command lines."""

import argparse
import contextlib
import itertools
import os
import re
import shlex
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

from nst_tf.suggestions import suggestion, takes_precedence

HANGUP = getattr(signal, "SIGHUP", None)  # the terminal was closed; not on Windows
STOP_SIGNALS = tuple(filter(None, (signal.SIGINT, signal.SIGTERM, HANGUP)))
RETRY = 0.05  # seconds until a signal that arrived at a bad moment is raised again
PATIENCE = 2.0  # seconds after which a second signal ends the process at once
NUMBER = re.compile(r"-\.?\d.*")  # an argument that is a value, not an option
END = "--\0"  # takes the place of "--"; nobody can type it


class _Received:
    """The signals that `interrupt_once` received."""

    number = None  # of the first one
    time = 0.0  # of the first one
    pending = False  # KeyboardInterrupt is due, or was raised where nothing could catch it
    deferred = 0  # blocks of `signals_deferred` that are active


@contextlib.contextmanager
def hushed():
    """Hide TensorFlow's start-up messages (processor features, missing CUDA).

    C++ code writes them directly to file descriptor 2. Set TF_CPP_MIN_LOG_LEVEL to show them.
    They are also shown if an import fails.
    """
    if "TF_CPP_MIN_LOG_LEVEL" in os.environ:
        yield
        return
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as messages:
        os.dup2(messages.fileno(), 2)
        try:
            yield
        except ImportError:
            messages.seek(0)
            os.write(stderr, messages.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


@contextlib.contextmanager
def silenced():
    """Discard what a C library writes to file descriptor 2 about a damaged file."""
    sys.stderr.flush()
    stderr = os.dup(2)
    try:
        with open(os.devnull, "wb") as null:
            os.dup2(null.fileno(), 2)
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


def open_closed_streams():
    """Open the null device in place of closed standard streams (``2>&-``, as of some cron jobs).

    Otherwise the next file that is opened takes the number, and libraries print into it.
    """
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(descriptor)
        except OSError:
            null = os.open(os.devnull, os.O_RDWR)  # the lowest free number: this one
            setattr(sys, name, os.fdopen(null, "r" if name == "stdin" else "w", closefd=False))


def complain(message, status):
    """Print an error on one line, with its notes; return the exit status."""
    lines = [str(message), *getattr(message, "__notes__", ())]
    print(f"nst_tf: {'; '.join(map(on_one_line, lines))}", file=sys.stderr)
    return status


def print_line(line, **options):
    """Print a line with control characters escaped; `options` are those of `print`."""
    print(printable(str(line)), **options)


def to_type(*arguments, command="run"):
    """Return the shell command that runs a job, or a film (`command`), with these arguments."""
    return shlex.join(["python", "-m", f"nst_tf.{command}", *map(str, arguments)])


def on_one_line(text):
    """Return a text on one line, with control characters escaped."""
    return printable(" ".join(text.split()))


def printable(text):
    """Return a text with control characters escaped.

    A message may quote a file or its name, which may contain any bytes: an escape sequence could
    change what the terminal shows.
    """
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def without_directories(text, paths=()):
    """Return a text with absolute paths reduced to file names, for pages that are sent to others.

    Parameters
    ----------
    text : str
    paths : sequence of path
        That it may contain. Of others a part may remain if a directory has a space in its name,
        but never the home directory.
    """
    folders = [Path("~").expanduser(), *(Path(path).absolute().parent for path in paths)]
    for folder in sorted(map(str, folders), key=len, reverse=True):
        text = text.replace(folder.rstrip(os.sep) + os.sep, os.sep)
    text = re.sub(r"(?<![\w.~:/-])(?:/[^\s/:'\"`]+)*/(?=[^\s/:'\"`])", "", text)
    return re.sub(r"\b[A-Za-z]:\\(?:[^\s\\:'\"`]+\\)*", "", text)


@contextlib.contextmanager
def uninterrupted():
    """Save a file without interruption; a signal that comes meanwhile is raised afterwards."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came = []

    def remember(received, frame):
        came.append(received)

    handlers = {}
    for number in STOP_SIGNALS:
        if signal.getsignal(number) not in (signal.SIG_IGN, None):
            handlers[number] = signal.signal(number, remember)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if came:
        signal.raise_signal(came[0])


@contextlib.contextmanager
def handlers_kept():
    """Restore the signal handlers that a library replaces during start-up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def interrupt_once():
    """Raise KeyboardInterrupt on the first Ctrl-C, SIGTERM or SIGHUP.

    Others that come soon after it are ignored; a later one ends the process at once.
    """

    def interrupt(received, frame):
        if _Received.number is not None:
            if time.monotonic() - _Received.time > PATIENCE:
                signal.signal(received, signal.SIG_DFL)
                signal.raise_signal(received)
            return
        if _tracing() and not _Received.deferred:
            threading.Timer(RETRY, _raise_in_main_thread, (received,)).start()
            return
        _Received.number, _Received.time = received, time.monotonic()
        _Received.pending = True
        if received == HANGUP:
            _detach_closed_terminal()
        if not _Received.deferred:
            raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        for number in STOP_SIGNALS:
            if number != HANGUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup ignores it
                signal.signal(number, interrupt)


@contextlib.contextmanager
def signals_deferred():
    """Let signals wait for `raise_if_interrupted`, which is called between steps.

    An exception that a handler raises can come in a `__del__` or a callback of a library, where
    Python discards it.
    """
    here = threading.current_thread() is threading.main_thread()
    _Received.deferred += here
    try:
        yield
    finally:
        _Received.deferred -= here


def raise_if_interrupted(*_):
    """Raise KeyboardInterrupt if a signal came that was not raised yet, or was swallowed."""
    if _Received.pending and threading.current_thread() is threading.main_thread():
        _Received.pending = False
        raise KeyboardInterrupt


def _raise_in_main_thread(number):
    """Raise a signal where Python handles it: raised in another thread, it would end no wait."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident, number)
    else:  # Windows
        signal.raise_signal(number)


def _tracing():
    """Return whether TensorFlow traces a function, where an exception can become a SystemError."""
    return getattr(sys.modules.get("tensorflow"), "inside_function", lambda: False)()


def _detach_closed_terminal():
    """Redirect stdout and stderr of a closed terminal to the null device: writes would fail."""
    for descriptor in (1, 2):
        try:
            os.write(descriptor, b"")
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


def interrupted_status():
    """Return the exit status for the signal that ended the process: 130 after Ctrl-C."""
    return 128 + (_Received.number or signal.SIGINT)


class OneLineParser(argparse.ArgumentParser):
    """Argument parser that prints errors on one line, without the usage.

    An unknown option is an error with a suggestion. After ``--``, every argument is a file name.
    """

    def error(self, message):
        """Print the message and exit with status 2."""
        if message.endswith(("expected one argument", "expected at least one argument")):
            flag = message.removeprefix("argument ").partition(":")[0]
            message += f"; write a value that begins with a dash as {flag}=-dash"
        self.exit(2, f"nst_tf: {on_one_line(message)}; see `{self.prog} --help`\n")

    def parse_known_args(self, args=None, namespace=None):
        """Parse arguments; an unknown option is an error."""
        return super().parse_known_args(self._checked(args), namespace)

    def parse_known_intermixed_args(self, args=None, namespace=None):
        """Parse arguments with options between the positional ones."""
        args = self._checked(args)
        if "--" in args:  # argparse loses it between two passes
            end = args.index("--")
            if END not in self._option_string_actions:
                self.add_argument(END, action=_Nothing, nargs=0, help=argparse.SUPPRESS)
            args = [*args[:end], END, *map(_undashed, args[end + 1 :])]
        return super().parse_known_intermixed_args(args, namespace)

    def _checked(self, args):
        """Return the arguments; stop at an option that is unknown, or is another program's."""
        args = list(sys.argv[1:] if args is None else args)
        if self._subparsers is None:  # a subcommand's parser checks its own
            for arg in itertools.takewhile(lambda arg: arg != "--", args):
                if arg.startswith("-") and " " not in arg and not NUMBER.fullmatch(arg):
                    self._check_option(arg)
        return args

    def _check_option(self, arg):
        name, known = arg.partition("=")[0], self._option_string_actions
        is_prefix = name.startswith("--") and any(flag.startswith(name) for flag in known)
        if name in ("-", *known) or (is_prefix and not takes_precedence(name, known)):
            return
        positional = [action.dest for action in self._actions if not action.option_strings]
        hint = suggestion(name, known, positional)
        if positional and not name.startswith("--") and "." in name:
            hint = f"write a file name that begins with a dash as ./{arg}, or after --"
        if hint:
            self.error(f"unrecognized arguments: {arg}; {hint}")


class _Nothing(argparse.Action):
    """An option without effect: it ends the values of the option before it."""

    def __init__(self, option_strings, dest, **options):
        super().__init__(option_strings, argparse.SUPPRESS, default=argparse.SUPPRESS, **options)

    def __call__(self, *_):
        pass


def _undashed(path):
    """Return the path of a file in a form that does not look like an option."""
    return f"./{path}" if path.startswith("-") else path
