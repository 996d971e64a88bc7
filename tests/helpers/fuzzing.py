"""Read damaged files: `python tests/helpers/fuzzing.py FOLDER CASES SEED [KIND ...] [large]`.

Every case must end in a clear error or a correct result, within limits of time and memory. The
cases run in a child forked from a process that has imported TensorFlow but not used it; a child
that hangs or crashes is detected by a timeout. The findings are printed as JSON.

To add a kind of file, add an entry to `KINDS`.
"""

import contextlib
import faulthandler
import io
import json
import os
import resource
import select
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import valid_files as valid
from damage import damaged, seeded
from hostile import CANARY, HOSTILE, LARGE
from mat_files import tiny_vgg, write_matconvnet
from PIL import Image

from nst_tf.console import hushed
from nst_tf.errors import ConfigError, NstError

with hushed():
    from nst_tf import run
    from nst_tf.batch.lists import read_jobs
    from nst_tf.config import JobConfig
    from nst_tf.image.io import read_picture
    from nst_tf.image.masks import load_mask
    from nst_tf.image.sizes import MAX_PIXELS, MIN_SIDE
    from nst_tf.models import load_model, load_vgg_model
    from nst_tf.models.readers.cache import cache_path
    from nst_tf.report import __main__ as report
    from nst_tf.report.render import write_report
    from nst_tf.rundir.checkpoint import load_checkpoint
    from nst_tf.rundir.journal import read_journal
    from nst_tf.rundir.record import read_record
    from nst_tf.weights import __main__ as weights

MIB = 2**20
SECONDS = 60  # timeout per file, for a busy machine
VALID_INPUTS = {"content": "content.png", "style": "style.png", "weights": "tiny.mat"}
LONGEST = 6000  # characters of an error message, which may quote a file name


# ---------------------------------------------------------------------------- readers


def picture(path):
    found = read_picture(path)
    assert found.dtype == np.uint8
    assert found.ndim == 3
    assert found.shape[2] == 3
    assert min(found.shape[:2]) >= MIN_SIDE
    assert found.size <= 3 * MAX_PIXELS


def mask(path):
    found = load_mask(path, (37, 48), picture_size=(40, 52))
    assert found.dtype == np.float32
    assert found.shape == (37, 48)
    assert 0 <= found.min() <= found.max() <= 1


def trunk(path, load=load_model):
    """Load a trunk from the file itself, never from a cache that another case has left."""
    try:
        model = load(path)
    finally:
        if path.suffix == ".mat":
            cache_path(path).unlink(missing_ok=True)
    assert all(np.isfinite(value) for value in model.space.mean)
    for name in model.convolutions:
        layer = model[name]
        for part in vars(layer).values() if hasattr(layer, "squeeze") else [layer]:
            assert np.isfinite(part.kernel.numpy()).all(), name
            assert np.isfinite(part.bias.numpy()).all(), name


def verified(path):
    call_main(weights.main, ["verify", path])


def config(path):
    found = JobConfig.load(path)
    assert JobConfig().changed(**json.loads(found.text())) == found


def job_list(path):
    """Read jobs: each is valid or has a problem, and its folder is inside that of the batch."""
    jobs = read_jobs(path)
    assert len({job.name.casefold() for job in jobs}) == len(jobs)
    for job in jobs:
        assert (job.config is None) == bool(job.problem), job
        assert (path.parent / job.name).resolve().parent == path.parent.resolve(), job.name
        (path.parent / job.name).mkdir()


def checkpoint(path):
    found = load_checkpoint(path)
    assert found.loop["image"].ndim == 4
    assert np.isfinite(found.loop["image"]).all()
    assert len({tuple(row) for row in found.history}) == 1


def reported(path):
    read_record(path.parent)
    write_report(path.parent)
    page = (path.parent / "report.html").read_text(encoding="utf-8")
    assert "</html>" in page


def journal(path):
    assert isinstance(read_journal(path.parent), dict)


def call_main(main, arguments):
    """Call a command line; raise a rejection, which must be one line and status 2, as an error."""
    stderr, stdout = io.StringIO(), io.StringIO()
    with contextlib.redirect_stderr(stderr), contextlib.redirect_stdout(stdout):
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as end:  # argparse
            status = end.code
    if status != 0:
        assert status == 2, f"status {status}: {stderr.getvalue()}"
        lines = stderr.getvalue().splitlines()
        assert len(lines) == 1, lines
        assert lines[0].startswith("nst_tf: "), lines
        raise ConfigError(lines[0])


def painted(path, *, role="content"):
    """Run a job of no iterations with the file as its content, style, weights or config."""
    folder = path.parents[1]
    files = {name: folder / f for name, f in VALID_INPUTS.items()} | {role: path}
    config = ["--config", path] if role == "config" else []
    options = ["--weights", files["weights"], "--iterations", "0", "--size", "48", "--quiet"]
    output = path.parent / "painted"
    pair = [files["content"], files["style"]]
    call_main(run.main, [*pair, *config, *options, "--output", output, "--overwrite"])
    with Image.open(output / "result.png") as result:
        assert max(result.size) == 48


def resumed(path):
    call_main(run.main, ["--resume", path.parent, "--quiet"])
    with Image.open(path.parent / "result.png") as result:
        assert result.size == (48, 37)


def reported_by_command(path):
    call_main(report.main, [path.parent])


# ---------------------------------------------------------------------------- kinds


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes
    ----------
    files : callable
        ``folder -> {name: bytes}``: valid files, each to be damaged.
    read : callable
        Reads a path as nst_tf does and checks the result.
    share : int
        Weight of this kind among all cases; the weights sum to about a hundred.
    max_mib : int
        Additional memory in MiB that reading one file may take.
    wrappings : dict
        By suffix: the wrapping (see `damage.py`) inside which files are also damaged.
    together : bool
        Whether the files belong together: each case then has all of them, one damaged.
    separate : bool
        Whether `files` starts TensorFlow, so that it needs a separate process.
    """

    files: Callable
    read: Callable
    share: int
    max_mib: int
    wrappings: dict[str, str]
    together: bool = False
    separate: bool = False


def of_pictures(*names):
    return lambda folder: {
        name: data for name, data in valid.pictures().items() if not names or name in names
    }


PICTURES = {".png": "png", ".webp": "riff"}
RUN = {".json": "json", ".csv": "lines"}
KINDS = {
    "picture": Kind(of_pictures(), picture, 30, 256, PICTURES),
    "mask": Kind(of_pictures("rgba.png", "palette.png", "plain.jpg"), mask, 5, 256, PICTURES),
    "mat": Kind(valid.mat_files, trunk, 12, 512, {".mat": "mat"}),
    "hdf5": Kind(valid.hdf5_files, trunk, 10, 512, {}),
    "npz": Kind(valid.npz_files, trunk, 6, 512, {".npz": "zip"}),
    "vgg npz": Kind(
        valid.vgg_npz_files, partial(trunk, load=load_vgg_model), 4, 512, {".npz": "zip"}
    ),
    "tensorflow": Kind(valid.tensorflow_files, trunk, 4, 512, {}, together=True, separate=True),
    "verify": Kind(valid.mat_files, verified, 2, 512, {".mat": "mat"}),
    "config": Kind(valid.config_files, config, 12, 128, {".json": "json"}),
    "job list": Kind(
        valid.job_lists,
        job_list,
        8,
        128,
        {".json": "json", ".csv": "lines", ".toml": "lines"},
    ),
    "settings": Kind(valid.settings_files, config, 4, 256, {".png": "png"}),
    "checkpoint": Kind(valid.checkpoint_files, checkpoint, 8, 128, {".npz": "zip"}),
    "journal": Kind(lambda folder: valid.run_folder(), journal, 3, 128, RUN, together=True),
    "report": Kind(lambda folder: valid.run_folder(), reported, 3, 256, RUN, together=True),
    "report by command": Kind(
        lambda folder: valid.run_folder(), reported_by_command, 1, 256, RUN, together=True
    ),
    "resume": Kind(
        valid.cut_off_run,
        resumed,
        1,
        512,
        RUN | {".npz": "zip"},
        together=True,
        separate=True,
    ),
    "run content": Kind(of_pictures("rgb.png", "plain.jpg"), painted, 1, 512, PICTURES),
    "run weights": Kind(valid.mat_files, partial(painted, role="weights"), 1, 512, {".mat": "mat"}),
    "run config": Kind(
        valid.config_files, partial(painted, role="config"), 1, 512, {".json": "json"}
    ),
}

MADE = HOSTILE | LARGE


def cases(count, seed, kinds=None):
    """Return about `count` cases (kind, number, seed), distributed by the shares of the kinds."""
    kinds = kinds or list(KINDS)
    total = sum(KINDS[kind].share for kind in kinds)
    return [
        (kind, number, seed)
        for kind in kinds
        for number in range(max(round(count * KINDS[kind].share / total), 1))
    ]


def write_case(folder, case, good):
    """Write the files of a case into an empty folder; return the damaged path and a description."""
    kind, number, seed = case
    if kind in MADE:
        return MADE[kind].write(folder), kind
    files = good[kind]
    rng = seeded(seed, kind, number)
    name = rng.choice(sorted(files))
    wrapping = KINDS[kind].wrappings.get(Path(name).suffix)
    data, changes = files[name], []
    for _ in range(rng.choice([1, 1, 1, 2])):
        change, data = damaged(data, rng, wrapping)
        changes.append(change)
    if KINDS[kind].together:
        for other in files.keys() - {name}:
            (folder / other).write_bytes(files[other])
    (folder / name).write_bytes(data)
    return folder / (name.removesuffix(".data-00000-of-00001")), f"{name}: {', '.join(changes)}"


# ---------------------------------------------------------------------------- one case


def outcome(case, folder, good):
    """Read the files of a case; return the outcome as a dict."""
    hostile = MADE.get(case[0])
    kind = hostile.kind if hostile else case[0]
    path, description = write_case(folder, case, good)
    found = {"case": case, "kind": kind, "done": description}
    before, began = start_measuring(), time.perf_counter()
    try:
        with warnings.catch_warnings(), captured_stderr() as captured:
            warnings.simplefilter("ignore")
            KINDS[kind].read(path)
        found["ended"] = "accepted"
    except NstError as error:
        text = str(error)
        clear = 10 < len(text) <= LONGEST and "Traceback" not in text
        found |= {"ended": "error" if clear else "unclear", "says": text[:300]}
    except MemoryError:  # the command line reports it for large arrays
        found |= {"ended": "traceback", "says": "MemoryError " + traceback.format_exc(limit=-3)}
    except BaseException:
        found |= {"ended": "traceback", "says": traceback.format_exc(limit=-6)[-1500:]}
    if found["ended"] in ("accepted", "error") and captured:
        found |= {"ended": "noise", "says": captured[0]}  # a library wrote to stderr itself
    if Path(CANARY).exists() or (folder / CANARY).exists():
        found["ended"] = "run"
    found["seconds"] = time.perf_counter() - began
    found["mebibytes"] = max(peak_memory() - before, 0) / MIB
    max_mib = hostile.max_mib if hostile else KINDS[kind].max_mib
    if found["ended"] in ("accepted", "error") and found["mebibytes"] > max_mib:
        found["ended"] = "memory"
    if hostile and hostile.refused and found["ended"] == "accepted":
        found["ended"] = "not refused"
    return found


@contextlib.contextmanager
def captured_stderr():
    """Yield a list that finally holds the text written to file descriptor 2, if any."""
    captured, stderr = [], os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield captured
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            file.seek(0)
            captured += filter(None, [file.read(500).decode(errors="replace")])


def start_measuring():
    """Reset the peak of memory; return the current use."""
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    return memory("VmRSS")


def peak_memory():
    return memory("VmHWM")


def memory(name):
    """Return a number of bytes from /proc/self/status; 0 if it is not available."""
    with contextlib.suppress(OSError), open("/proc/self/status") as file:
        for line in file:
            if line.startswith(name + ":"):
                return 1024 * int(line.split()[1])
    return 0


# ---------------------------------------------------------------------------- children


def survey(folder, wanted, progress=lambda found: None):
    """Read all cases in children; return the outcomes. A child that hangs is killed."""
    good = prepared(folder, {kind for kind, *_ in wanted if kind in KINDS})
    found, remaining = [], list(wanted)
    while remaining:
        child, pipe = started(folder, remaining, good)
        with os.fdopen(pipe, "rb", 0) as lines:
            for outcome_ in received(lines, child):
                found.append(outcome_)
                progress(outcome_)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        remaining = wanted[len(found) :]
        if remaining and status != 0:
            end, case = "hang" if status == -signal.SIGKILL else "crash", remaining[0]
            lost = {"case": case, "kind": case[0], "ended": end, "says": f"status {status}"}
            found.append(lost | {"done": "?", "seconds": SECONDS, "mebibytes": 0})
            progress(found[-1])
            remaining = remaining[1:]
    return found


def prepared(folder, kinds):
    """Write the inputs of the jobs; return the valid files of each kind."""
    for name, seed in (("content.png", 0), ("style.png", 1)):
        Image.fromarray(valid.make_picture(37, 48, seed)).save(folder / name)
    write_matconvnet(folder / "tiny.mat", tiny_vgg())
    good = {}
    for kind in sorted(kinds):
        scratch = folder / "scratch"
        scratch.mkdir(exist_ok=True)
        make = KINDS[kind].files
        good[kind] = in_child(make, scratch) if KINDS[kind].separate else make(scratch)
    return good


def in_child(work, folder):
    """Return the files that a function creates in a separate process."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(Exception), os.fdopen(write, "wb") as file:
            file.write(json.dumps({n: d.hex() for n, d in work(folder).items()}).encode())
            file.flush()
            os._exit(0)
        os._exit(1)
    os.close(write)
    with os.fdopen(read, "rb") as file:
        files = json.loads(file.read() or b"null")
    assert os.waitpid(child, 0)[1] == 0, "no valid files"
    return {name: bytes.fromhex(data) for name, data in files.items()}


def started(folder, wanted, good):
    """Start a child that reads the cases one by one; return its process id and a pipe from it."""
    read, write = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child:
        os.close(write)
        return child, read
    faulthandler.disable()
    resource.setrlimit(resource.RLIMIT_AS, (memory("VmSize") + 16 * 2**30, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warm_up(folder)
    os.chdir(folder)  # where a canary would appear
    with os.fdopen(write, "wb", 0) as pipe:
        for number, case in enumerate(wanted):
            place = folder / f"{case[0]}-{number}".replace(" ", "-").replace("/", "-")[:100]
            place.mkdir(exist_ok=True)
            pipe.write(json.dumps(outcome(case, place, good)).encode() + b"\n")
            remove(place)
    os._exit(0)


def warm_up(folder):
    """Start TensorFlow and other one-time work, so that it doesn't count for a case."""
    load_model(folder / "tiny.mat")
    cache_path(folder / "tiny.mat").unlink(missing_ok=True)
    read_picture(folder / "content.png")


def remove(place):
    for path in sorted(place.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    place.rmdir()


def received(lines, child):
    """Yield the outcomes of a child until it ends; kill it after `SECONDS` without any."""
    while select.select([lines], [], [], SECONDS)[0]:
        line = lines.readline()
        if not line:
            return
        yield json.loads(line)
    os.kill(child, signal.SIGKILL)


def figures(found):
    """Summarize outcomes: counts by kind, the slowest case, the case with the most memory."""
    kinds = {}
    for case in found:
        counts = kinds.setdefault(case["kind"], {})
        counts[case["ended"]] = counts.get(case["ended"], 0) + 1
    slowest = max(found, key=lambda case: case["seconds"])
    largest = max(found, key=lambda case: case["mebibytes"])
    return {
        "files": len(found),
        "errors": sum(case["ended"] == "error" for case in found),
        "accepted": sum(case["ended"] == "accepted" for case in found),
        "slowest": [round(slowest["seconds"], 2), slowest["kind"], slowest["done"]],
        "largest": [round(largest["mebibytes"]), largest["kind"], largest["done"]],
        "kinds": kinds,
    }


def bad(found):
    """Return the outcomes that are failures."""
    return [case for case in found if case["ended"] not in ("accepted", "error")]


def main(folder, count, seed, kinds):
    folder = Path(folder)
    wanted = cases(count, seed, [kind for kind in kinds if kind in KINDS] or None) if count else []
    if not set(kinds) & KINDS.keys():
        wanted += [(name, 0, seed) for name in HOSTILE]
    wanted += [(name, 0, seed) for name in LARGE if "large" in kinds]
    found = survey(folder.resolve(), wanted)
    for case in bad(found):
        print(json.dumps(case), file=sys.stderr)
    (folder / "outcomes.json").write_text(json.dumps(found, indent=1))
    print(json.dumps(figures(found)))
    return 1 if bad(found) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]))
