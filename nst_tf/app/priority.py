"""Priorities: computing yields the processor to visitors' requests."""

import os
import sys
import threading

NICENESS = 10  # of what computes


def give_way(process=None):
    """Let a process by its number, or this thread, and the threads that it starts later, give way.

    For threads that compute without holding Python's interpreter, as TensorFlow's do. Only Linux
    has priorities of threads.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, process or threading.get_native_id(), NICENESS)
