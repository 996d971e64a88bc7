"""The program that reads and paints the films of the page: `python -m nst_tf.app.film_program`.

It is a separate process: films are decoded by native code, and memory and time can be limited only
for a process. Computing for many minutes would also block visitors' requests.
"""

import functools
import json
import os
import signal
import sys
import threading
from pathlib import Path

from nst_tf.cli import reported
from nst_tf.console import hushed, interrupt_once, print_line

CHECK_MEMORY = 3 * 2**30  # bytes of addresses, libraries included
CHECK_SECONDS = 20  # of a processor


def main(arguments):
    """Do one of the `ACTIONS` with the arguments that follow its name; return the exit status.

    0; 2 for bad input, with the error on one line; 130 if it was stopped.
    """
    action, *rest = arguments
    return reported(lambda: ACTIONS[action](*rest))


def check(settings, picture):
    """Save the first frame of a film as a picture; print facts about the film as JSON."""
    limit_process(CHECK_MEMORY, CHECK_SECONDS)
    from nst_tf.image.io import save_image
    from nst_tf.video.config import VideoConfig
    from nst_tf.video.flow import find_flow
    from nst_tf.video.reading import Film

    config = VideoConfig.load(settings)
    find_flow(config.flow)
    film = Film(config, lambda line: None)
    first = next(iter(film)).picture
    save_image(Path(picture), first)
    print_line(json.dumps({"frames": film.expected, "size": first.shape[:2]}))
    return 0


def paint(settings, folder):
    """Paint the film of a film.json into a directory."""
    from nst_tf.video.config import VideoConfig

    return _run("run_film", VideoConfig.load(settings), folder)


def resume(folder):
    """Resume the film of a directory."""
    return _run("resume_film", folder)


ACTIONS = {"check": check, "paint": paint, "resume": resume}


def _run(name, *arguments):
    threading.Thread(target=_stop_with, args=(sys.stdin,), daemon=True).start()
    with hushed():
        from nst_tf.video import film
    getattr(film, name)(*arguments, say=functools.partial(print_line, flush=True))
    return 0


def _stop_with(stream):
    """Interrupt this process when a stream ends: the page closes it, or has died."""
    stream.read()
    os.kill(os.getpid(), signal.SIGTERM)


def limit_process(memory, seconds):
    """Limit the memory, in bytes of addresses, and the processor time of this process.

    Windows has no such limits.
    """
    try:
        import resource
    except ModuleNotFoundError:
        return
    for limit, value in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, seconds)):
        _, most = resource.getrlimit(limit)
        value = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(limit, (value, most))


if __name__ == "__main__":
    interrupt_once()
    sys.exit(main(sys.argv[1:]))
