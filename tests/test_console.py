"""Tests of signal handling on the command line."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

SIGNAL_WHILE_TRACING = """
import signal, time
import tensorflow as tf
from nst_tf.console import interrupt_once

@tf.function
def double(x):
    signal.raise_signal(signal.SIGTERM)
    time.sleep(0.2)  # the signal is raised again meanwhile
    print("traced")
    return 2 * x

interrupt_once()
try:
    double(tf.constant(3.0))
    time.sleep(60)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_signal_during_tracing_interrupts_afterwards():
    command = [sys.executable, "-c", SIGNAL_WHILE_TRACING]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert output.split() == ["traced", "interrupted"]
