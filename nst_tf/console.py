"""Console output, signals and argument errors of the command lines."""

import argparse
import contextlib
import os
import shlex
import signal
import sys
import tempfile
import threading

HANGUP = getattr(signal, "SIGHUP", None)  # the terminal was closed; not on Windows
STOP_SIGNALS = tuple(filter(None, (signal.SIGINT, signal.SIGTERM, HANGUP)))
RETRY = 0.05  # seconds until a signal that arrived at a bad moment is raised again
_received = []  # numbers of the signals that `interrupt_once` received


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


def complain(message, status):
    """Print an error on one line, with its notes; return the exit status."""
    lines = [str(message), *getattr(message, "__notes__", ())]
    print(f"nst_tf: {'; '.join(map(on_one_line, lines))}", file=sys.stderr)
    return status


def print_line(line, **options):
    """Print a line with control characters escaped; `options` are those of `print`."""
    print(printable(str(line)), **options)


def to_type(*arguments):
    """Return the shell command that runs a job with these arguments."""
    return shlex.join(["python", "-m", "nst_tf.run", *map(str, arguments)])


def on_one_line(text):
    """Return a text on one line, with control characters escaped."""
    return printable(" ".join(text.split()))


def printable(text):
    """Return a text with control characters escaped.

    A message may quote a file or its name, which may contain any bytes: an escape sequence could
    change what the terminal shows.
    """
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


@contextlib.contextmanager
def uninterrupted():
    """Ignore stop signals while a file is saved; signals received meanwhile are lost."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: signal.signal(number, signal.SIG_IGN) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


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
    """Raise KeyboardInterrupt on the first Ctrl-C, SIGTERM or SIGHUP, and ignore later ones."""

    def interrupt(received, frame):
        if _tracing():
            threading.Timer(RETRY, signal.raise_signal, (received,)).start()
            return
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        _received.append(received)
        if received == HANGUP:
            _detach_closed_terminal()
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        for number in STOP_SIGNALS:
            if number != HANGUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup ignores it
                signal.signal(number, interrupt)


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
    return 128 + (_received[-1] if _received else signal.SIGINT)


class OneLineParser(argparse.ArgumentParser):
    """Argument parser that prints errors on one line, without the usage."""

    def error(self, message):
        """Print the message and exit with status 2."""
        if message.endswith(("expected one argument", "expected at least one argument")):
            flag = message.removeprefix("argument ").partition(":")[0]
            message += f"; write a value that begins with a dash as {flag}=-dash"
        self.exit(2, f"nst_tf: {on_one_line(message)}; see `{self.prog} --help`\n")
