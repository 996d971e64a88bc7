"""An iteration of ours against one of every other program that is to be had."""

import sys

from benchmarks import bars
from benchmarks.parts.common import CONTENT, SHAPE, STYLE, ours
from benchmarks.peers.environment import Unavailable, peers_python
from benchmarks.place import ROOT, folder
from benchmarks.report import Part, add_ratio, add_times
from benchmarks.workers import Worker, WorkerFailed, alternate

PYTORCH = "benchmarks.peers.pytorch"
# Groups, because so many programs do not fit into memory together; ours is timed in each anew.
FLOAT32 = {
    "torch eager": (PYTORCH, {}),
    "torch channels_last": (PYTORCH, {"channels_last": True}),
    "torch.compile": (PYTORCH, {"channels_last": True, "compiled": True}),
}
MIXED = {
    "torch bfloat16": (PYTORCH, {"channels_last": True, "bfloat16": True}),
    "torch.compile bfloat16": (
        PYTORCH,
        {"channels_last": True, "bfloat16": True, "compiled": True},
    ),
}
OTHERS = {
    "neural-style": ("benchmarks.peers.neural_style", {}),
    "tutorial's session": ("benchmarks.peers.tutorial_session", {}),
    "Keras example": ("benchmarks.peers.keras_example", {}),
}
NEEDS_TENSORFLOW = ("tutorial's session", "Keras example")


def measure(options):
    """Time the peers that can be installed; say why others could not."""
    part = Part("peers", f"one iteration at {options.size}, 19-layer shape, against others")
    try:
        data = exported(options.size)
    except WorkerFailed as error:
        part.skipped["all"] = str(error)
        return part
    python = _python_of_peers(options, part)
    for reference, precision, peers, held in (
        ("ours float32", "float32", FLOAT32, bars.FLOAT32_TO_PEER),
        ("ours mixed", "mixed", MIXED, bars.MIXED_TO_PEER),
        ("ours float32 again", "float32", OTHERS, {}),
    ):
        programs = {reference: ours(options.size, precision)}
        programs |= _workers(peers, data, python)
        if len(programs) > 1:
            timings, failed = alternate(programs, options.rounds, options.iterations)
            part.skipped |= failed
            add_times(part, timings)
            for peer in peers:
                add_ratio(part, timings, reference, peer, held.get(peer))
    return part


def exported(size, trunk=SHAPE):
    """Return the file with weights and pictures for other frameworks."""
    path = folder("peers") / f"{trunk}_{size}.npz"
    with Worker("export", "benchmarks.programs.export", {"trunk": trunk}) as worker:
        worker.ready()
        worker.ask(path=str(path), content=CONTENT, style=STYLE, size=size)
    return path


def session_worker(data):
    """Return the worker that is the tutorial's own program."""
    module, given = OTHERS["tutorial's session"]
    return {"module": module, "given": {"data": str(data), **given}}


def _python_of_peers(options, part):
    try:
        return options.peers_python or peers_python(ROOT / "benchmarks")
    except Unavailable as error:
        part.skipped["PyTorch"] = str(error)
        return None


def _workers(peers, data, python):
    """Return the arguments of those workers whose environment is there."""
    workers = {}
    for name, (module, given) in peers.items():
        where = sys.executable if name in NEEDS_TENSORFLOW else python
        if where:
            given = {"data": str(data), **given}
            workers[name] = {"module": module, "given": given, "python": where}
    return workers
