"""Signals on the command line, and control characters in what it prints."""

import ast
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from mat_files import tiny_vgg, write_matconvnet

from nst_tf.batch.__main__ import main as run_batches
from nst_tf.batch.progress import Progress
from nst_tf.jobs.job import Job
from nst_tf.report.__main__ import main as report
from nst_tf.run import main
from nst_tf.weights.__main__ import main as manage_weights

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
    time.sleep(600)  # the signal ends it
except KeyboardInterrupt:
    print("interrupted")
"""


def test_signal_during_tracing_interrupts_afterwards():
    command = [sys.executable, "-c", SIGNAL_WHILE_TRACING]
    options = {"cwd": ROOT, "capture_output": True, "text": True, "timeout": 120}
    done = subprocess.run(command, **options, check=True)
    assert done.stdout.split() == ["traced", "interrupted"]


def run_script(script, **options):
    command = [sys.executable, "-c", f"import signal\nfrom nst_tf.console import *\n{script}"]
    options = {"capture_output": True, "text": True, "check": False, **options}
    return subprocess.run(command, cwd=ROOT, timeout=60, **options)


def test_swallowed_interrupt_is_raised_between_steps():
    done = run_script("""
class Swallows:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)

from nst_tf.console import raise_if_interrupted
interrupt_once()
Swallows()
print("went on")
try:
    raise_if_interrupted()
except KeyboardInterrupt:
    print("interrupted", interrupted_status())
raise_if_interrupted()
""")
    assert done.stdout.splitlines() == ["went on", "interrupted 130"]


def test_deferred_signals_wait_for_the_next_step():
    done = run_script("""
from nst_tf.console import raise_if_interrupted, signals_deferred
interrupt_once()
try:
    with signals_deferred():
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGTERM])
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT, signal.SIGTERM])
        print("went on")
        raise_if_interrupted()
except KeyboardInterrupt:
    print("interrupted", interrupted_status())
""")
    assert done.stdout.splitlines() in (["went on", f"interrupted {n}"] for n in (130, 143))
    assert done.stderr == ""


def test_signal_while_saving_is_raised_afterwards():
    done = run_script("""
signal.signal(signal.SIGINT, signal.default_int_handler)  # it may be inherited as ignored
for _ in range(2):
    try:
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)
            print("saved")
        print("not reached")
    except KeyboardInterrupt:
        print("interrupted")
    interrupt_once()
""")
    assert done.stdout.split() == ["saved", "interrupted"] * 2


def test_late_second_signal_ends_the_process():
    done = run_script("""
import nst_tf.console, time
nst_tf.console.PATIENCE = 0.0
interrupt_once()
with nst_tf.console.signals_deferred():
    signal.raise_signal(signal.SIGTERM)
    time.sleep(0.01)
    print("went on", flush=True)
    signal.raise_signal(signal.SIGINT)
    print("not reached")
""")
    assert done.stdout.split() == ["went", "on"]
    assert done.returncode == -signal.SIGINT


@pytest.mark.parametrize("wait", [0.05, 0.15, 0.3])
def test_early_control_c_prints_no_traceback(wait):
    process = subprocess.Popen(
        [sys.executable, "-c", EARLY.format(wait=wait)], stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr
    assert "Traceback" not in stderr


# The child may not inherit that SIGINT is ignored, as it does under nohup or a shell's `&`.
EARLY = r"""
import signal, subprocess, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
child = subprocess.Popen([sys.executable, "-X", "importtime", "-m", "nst_tf.run"],
                         stderr=subprocess.PIPE, text=True)
for line in child.stderr:
    if "lazy_loader" in line or "nst_tf" in line:  # the package is being imported
        break
time.sleep({wait})
child.send_signal(signal.SIGINT)
rest = child.stderr.read()
status = child.wait()
print(*(line for line in rest.splitlines() if "import time" not in line), sep="\n", file=sys.stderr)
sys.exit(status not in (-signal.SIGINT, 130))
"""


HOSTILE = "a\x1b[2J\x9b\x7f\rb"  # clears the screen of a terminal
# print only texts of nst_tf itself, or of the cell of a notebook; `app` only its own address
PLAIN = {"callbacks.py", "run.py", "console.py", "weights/__main__.py", "notebook/compare.py"}
PLAIN |= {"notebook/lesson.py", "app/__main__.py"}


@pytest.fixture
def hostile(pictures):
    """Return the paths of two pictures with control characters in their names."""
    return [path.rename(path.with_stem(f"{HOSTILE}{path.stem}")) for path in pictures]


def check_printed(capsys, status, expected):
    captured = capsys.readouterr()
    assert status == expected, captured.err
    printed = captured.out + captured.err
    assert r"a\x1b[2J\x9b\x7f" in printed
    assert all(char.isprintable() or char == "\n" for char in printed)


def test_control_characters_are_escaped_in_all_output(hostile, tiny_mat, tmp_path, capsys):
    content, style = map(str, hostile)
    knobs = ["--weights", str(tiny_mat), "--size", "48", "--iterations", "1"]
    runs = tmp_path / HOSTILE
    check_printed(capsys, main([content, style, *knobs, "--output", str(runs / "1")]), 0)
    check_printed(capsys, main([content, style, *knobs, "--output", str(runs / "1")]), 2)
    check_printed(capsys, main(["--resume", str(runs / "1")]), 0)
    check_printed(capsys, report([str(runs / "1"), "--animate", "gif"]), 0)
    main([content, style, *knobs, "--output", str(runs / "2")])
    (runs / "2" / "config.json").write_text("{")
    check_printed(capsys, report([str(runs / "1"), str(runs / "2")]), 2)
    pairs = ["--content", content, "--style", style, *knobs]
    check_printed(capsys, run_batches([*pairs, "--output", str(tmp_path / f"{HOSTILE}3")]), 0)
    mat = tmp_path / f"{HOSTILE}.mat"
    write_matconvnet(mat, tiny_vgg(19))
    check_printed(capsys, manage_weights(["verify", str(mat)]), 0)


def test_control_characters_are_escaped_next_to_the_bar(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    progress = Progress([Job("\x9b", None)])
    progress.begin("\x9b2J")
    progress.note("\x9b2J")
    progress.close()
    printed = capsys.readouterr().err
    assert r"\x9b2J" in printed
    assert "\x9b" not in printed


def test_modules_print_by_print_line():
    for file in (ROOT / "nst_tf").rglob("*.py"):
        if file.relative_to(ROOT / "nst_tf").as_posix() not in PLAIN:
            tree = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            names = [node for node in tree if isinstance(node, ast.Name)]
            read = {node.id for node in names if isinstance(node.ctx, ast.Load)}
            assert "print" not in read, file  # a knob may have that name
