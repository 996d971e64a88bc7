"""What a command line says, and keeps to itself."""

import argparse
import contextlib
import os
import shlex
import signal
import sys
import tempfile
import threading

HANGUP = getattr(signal, "SIGHUP", None)  # a terminal was closed; Windows has no such signal
ENDINGS = tuple(filter(None, (signal.SIGINT, signal.SIGTERM, HANGUP)))
_interrupts = []  # the signals that `interrupt_once` has seen


@contextlib.contextmanager
def hushed():
    """Keep TensorFlow's start-up news (processor features, missing CUDA) off the screen.

    They are written by C++ straight to file descriptor 2. Set TF_CPP_MIN_LOG_LEVEL to see them;
    when something fails in here, they are shown after all.
    """
    if "TF_CPP_MIN_LOG_LEVEL" in os.environ:
        yield
        return
    sys.stderr.flush()
    screen = os.dup(2)
    with tempfile.TemporaryFile() as news:
        os.dup2(news.fileno(), 2)
        try:
            yield
        except ImportError:
            news.seek(0)
            os.write(screen, news.read())
            raise
        finally:
            os.dup2(screen, 2)
            os.close(screen)


@contextlib.contextmanager
def silenced():
    """Keep off the screen what a library in C writes to file descriptor 2 about a damaged file."""
    sys.stderr.flush()
    screen = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(screen, 2)
        os.close(screen)


def complain(message, status):
    """Print an error on one line, with its notes; return the exit status."""
    lines = [str(message), *getattr(message, "__notes__", ())]
    print(f"nst_tf: {'; '.join(map(on_one_line, lines))}", file=sys.stderr)
    return status


def to_type(*words):
    """Return what to type to run a job with these words, quoted for a shell."""
    return shlex.join(["python", "-m", "nst_tf.run", *map(str, words)])


def on_one_line(text):
    """Return a text on one line; what a terminal would obey is shown by its number instead.

    A message may quote a file, and a file may hold any bytes.
    """
    text = " ".join(text.split())
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


@contextlib.contextmanager
def uninterrupted():
    """Put off what ends a run while something is saved; a signal then is lost, not the file."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.signal(each, signal.SIG_IGN) for each in ENDINGS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextlib.contextmanager
def handlers_kept():
    """Put the handlers of signals back that a library replaces while it starts."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.getsignal(each) for each in ENDINGS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def interrupt_once():
    """Let the first Ctrl-C, SIGTERM or SIGHUP interrupt; later ones wait until all is saved."""

    def interrupt(number, frame):
        for each in ENDINGS:
            signal.signal(each, signal.SIG_IGN)
        _interrupts.append(number)
        if number == HANGUP:
            _leave_closed_terminal()
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        for each in ENDINGS:
            if each != HANGUP or signal.getsignal(each) != signal.SIG_IGN:  # nohup wants it ignored
                signal.signal(each, interrupt)


def _leave_closed_terminal():
    """Say nothing more to a terminal that is gone: each word there is an error."""
    for screen in (1, 2):
        try:
            os.write(screen, b"")
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), screen)


def interrupted_status():
    """Return what a shell expects of a process that a signal has ended: 130 after Ctrl-C."""
    return 128 + (_interrupts[-1] if _interrupts else signal.SIGINT)


class OneLineParser(argparse.ArgumentParser):
    """Says what is wrong on one line, without the page of usage."""

    def error(self, message):
        """Exit with status 2."""
        if message.endswith(("expected one argument", "expected at least one argument")):
            flag = message.removeprefix("argument ").partition(":")[0]
            message += f"; one that begins with a dash is written {flag}=-dash"
        self.exit(2, f"nst_tf: {on_one_line(message)}; see `{self.prog} --help`\n")
