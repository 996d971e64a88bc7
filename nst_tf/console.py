"""What a command line says, and keeps to itself."""

import argparse
import contextlib
import os
import signal
import sys
import tempfile
import threading

ENDINGS = (signal.SIGINT, signal.SIGTERM)
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


def on_one_line(text):
    """Return a text on one line; what a terminal would obey is shown by its number instead.

    A message may quote a file, and a file may hold any bytes.
    """
    text = " ".join(text.split())
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


@contextlib.contextmanager
def uninterrupted():
    """Put Ctrl-C and SIGTERM off while something is saved; a signal then is lost, not the file."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.signal(each, signal.SIG_IGN) for each in ENDINGS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def interrupt_once():
    """Let the first Ctrl-C or SIGTERM interrupt; those after it wait until the picture is saved."""

    def interrupt(number, frame):
        for each in ENDINGS:
            signal.signal(each, signal.SIG_IGN)
        _interrupts.append(number)
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        for each in ENDINGS:
            signal.signal(each, interrupt)


def interrupted_status():
    """Return what a shell expects of a process that a signal has ended: 130 after Ctrl-C."""
    return 128 + (_interrupts[-1] if _interrupts else signal.SIGINT)


class OneLineParser(argparse.ArgumentParser):
    """Says what is wrong on one line, without the page of usage."""

    def error(self, message):
        """Exit with status 2."""
        self.exit(2, f"nst_tf: {on_one_line(message)}; see `{self.prog} --help`\n")
