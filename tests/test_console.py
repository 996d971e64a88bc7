"""Signals on the command line, and control characters in what it prints."""

import ast
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
    time.sleep(60)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_signal_during_tracing_interrupts_afterwards():
    command = [sys.executable, "-c", SIGNAL_WHILE_TRACING]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert output.split() == ["traced", "interrupted"]


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
            names = {node.id for node in tree if isinstance(node, ast.Name)}
            assert "print" not in names, file
