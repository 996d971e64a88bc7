"""Read damaged files: `python tests/helpers/fuzzing.py FOLDER CASES SEED [KIND ...] [large]`.

Each case must end in a clear error or a correct result, within limits of CPU time and memory. Cases
run in a child forked from a process that has imported TensorFlow but not used it; hangs and crashes
of the child are detected. A summary is printed as JSON.

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
from damage import damaged, make_rng
from hostile import CANARY, HOSTILE, LARGE
from mat_files import tiny_vgg, write_matconvnet
from pictures import make_picture
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
TIMEOUT = 60  # seconds per file, for a busy machine
MAX_CPU_SECONDS = 10  # per file, in all threads: the largest pictures take 4
VALID_INPUTS = {"content": "content.png", "style": "style.png", "weights": "tiny.mat"}
MAX_MESSAGE = 6000  # characters of an error message, which may quote a file name


# ---------------------------------------------------------------------------- readers


def check_picture(path):
    image = read_picture(path, say=None)
    assert image.dtype == np.uint8
    assert image.ndim == 3
    assert image.shape[2] == 3
    assert min(image.shape[:2]) >= MIN_SIDE
    assert image.size <= 3 * MAX_PIXELS


def check_mask(path):
    values = load_mask(path, (37, 48), picture_size=(40, 52), say=None)
    assert values.dtype == np.float32
    assert values.shape == (37, 48)
    assert 0 <= values.min() <= values.max() <= 1


def check_trunk(path, load=load_model):
    """Load a trunk from the file itself, never from a cache of another case."""
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


def check_verify(path):
    call_main(weights.main, ["verify", path])


def check_config(path):
    config = JobConfig.load(path)
    assert JobConfig().changed(**json.loads(config.text())) == config


def check_job_list(path):
    """Read jobs: each is valid or has a problem, and its folder is inside the batch folder."""
    jobs = read_jobs(path)
    assert len({job.name.casefold() for job in jobs}) == len(jobs)
    for job in jobs:
        assert (job.config is None) == bool(job.problem), job
        assert (path.parent / job.name).resolve().parent == path.parent.resolve(), job.name
        (path.parent / job.name).mkdir()


def check_checkpoint(path):
    loaded = load_checkpoint(path)
    assert loaded.loop["image"].ndim == 4
    assert np.isfinite(loaded.loop["image"]).all()
    assert len({tuple(row) for row in loaded.history}) == 1


def check_report(path):
    read_record(path.parent)
    write_report(path.parent)
    page = (path.parent / "report.html").read_text(encoding="utf-8")
    assert "</html>" in page


def check_journal(path):
    assert isinstance(read_journal(path.parent), dict)


def call_main(main, args):
    """Call a command line; raise a rejection (one line and status 2) as a ConfigError."""
    stderr, stdout = io.StringIO(), io.StringIO()
    with contextlib.redirect_stderr(stderr), contextlib.redirect_stdout(stdout):
        try:
            status = main([str(arg) for arg in args])
        except SystemExit as exit_:  # argparse
            status = exit_.code
    if status != 0:
        assert status == 2, f"status {status}: {stderr.getvalue()}"
        lines = stderr.getvalue().splitlines()
        assert len(lines) == 1, lines
        assert lines[0].startswith("nst_tf: "), lines
        raise ConfigError(lines[0])


def check_run(path, *, role="content"):
    """Run a job without iterations, with the file as its content, style, weights or config."""
    folder = path.parents[1]
    files = {name: folder / f for name, f in VALID_INPUTS.items()} | {role: path}
    config_option = ["--config", path] if role == "config" else []
    options = ["--weights", files["weights"], "--iterations", "0", "--size", "48", "--quiet"]
    output = path.parent / "painted"
    pair = [files["content"], files["style"]]
    call_main(run.main, [*pair, *config_option, *options, "--output", output, "--overwrite"])
    with Image.open(output / "result.png") as result:
        assert max(result.size) == 48


def check_resume(path):
    call_main(run.main, ["--resume", path.parent, "--quiet"])
    with Image.open(path.parent / "result.png") as result:
        assert result.size == (48, 37)


def check_report_command(path):
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
        Suffix -> key of `damage.WRAPPINGS`, for damage to parts of a file.
    together : bool
        Whether each case has all files, one of them damaged.
    in_child : bool
        Whether to call `files` in a child, because it starts TensorFlow.
    """

    files: Callable
    read: Callable
    share: int
    max_mib: int
    wrappings: dict[str, str]
    together: bool = False
    in_child: bool = False


def pictures(*names):
    """Return a function that returns the named pictures, or all."""
    return lambda folder: {
        name: data for name, data in valid.pictures().items() if not names or name in names
    }


PICTURES = {".png": "png", ".webp": "riff"}  # wrappings of pictures, and of run files
RUN = {".json": "json", ".csv": "lines"}
KINDS = {
    "picture": Kind(pictures(), check_picture, 30, 256, PICTURES),
    "mask": Kind(pictures("rgba.png", "palette.png", "plain.jpg"), check_mask, 5, 256, PICTURES),
    "mat": Kind(valid.mat_files, check_trunk, 12, 512, {".mat": "mat"}),
    "hdf5": Kind(valid.hdf5_files, check_trunk, 10, 512, {".keras": "zip"}, in_child=True),
    "npz": Kind(valid.npz_files, check_trunk, 6, 512, {".npz": "zip"}),
    "vgg npz": Kind(
        valid.vgg_npz_files, partial(check_trunk, load=load_vgg_model), 4, 512, {".npz": "zip"}
    ),
    "tensorflow": Kind(
        valid.tensorflow_files, check_trunk, 4, 512, {}, together=True, in_child=True
    ),
    "verify": Kind(valid.mat_files, check_verify, 2, 512, {".mat": "mat"}),
    "config": Kind(valid.config_files, check_config, 12, 128, {".json": "json"}),
    "job list": Kind(
        valid.job_lists,
        check_job_list,
        8,
        128,
        {".json": "json", ".csv": "lines", ".toml": "lines"},
    ),
    "settings": Kind(valid.settings_files, check_config, 4, 256, {".png": "png"}),
    "checkpoint": Kind(valid.checkpoint_files, check_checkpoint, 8, 128, {".npz": "zip"}),
    "journal": Kind(lambda folder: valid.run_files(), check_journal, 3, 128, RUN, together=True),
    "report": Kind(lambda folder: valid.run_files(), check_report, 3, 256, RUN, together=True),
    "report by command": Kind(
        lambda folder: valid.run_files(), check_report_command, 1, 256, RUN, together=True
    ),
    "resume": Kind(
        valid.interrupted_run_files,
        check_resume,
        1,
        512,
        RUN | {".npz": "zip"},
        together=True,
        in_child=True,
    ),
    "run content": Kind(pictures("rgb.png", "plain.jpg"), check_run, 1, 512, PICTURES),
    "run weights": Kind(
        valid.mat_files, partial(check_run, role="weights"), 1, 512, {".mat": "mat"}
    ),
    "run config": Kind(
        valid.config_files, partial(check_run, role="config"), 1, 512, {".json": "json"}
    ),
}

CRAFTED = HOSTILE | LARGE


def make_cases(count, seed, kinds=None):
    """Return about `count` cases (kind, number, seed), distributed by the kinds' shares."""
    kinds = kinds or list(KINDS)
    total = sum(KINDS[kind].share for kind in kinds)
    return [
        (kind, number, seed)
        for kind in kinds
        for number in range(max(round(count * KINDS[kind].share / total), 1))
    ]


def write_case(folder, case, originals):
    """Write the files of a case into an empty folder; return the damaged path and a description."""
    kind, number, seed = case
    if kind in CRAFTED:
        return CRAFTED[kind].write(folder), kind
    files = originals[kind]
    rng = make_rng(seed, kind, number)
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


def run_case(case, folder, originals):
    """Read the files of a case; return its result as a dict."""
    hostile = CRAFTED.get(case[0])
    kind = hostile.kind if hostile else case[0]
    path, description = write_case(folder, case, originals)
    result = {"case": case, "kind": kind, "description": description}
    before, start, cpu_start = start_measuring(), time.perf_counter(), time.process_time()
    try:
        with warnings.catch_warnings(), captured_stderr() as captured:
            warnings.simplefilter("ignore")
            KINDS[kind].read(path)
        result["outcome"] = "accepted"
    except NstError as error:
        text = str(error)
        clear = 10 < len(text) <= MAX_MESSAGE and "Traceback" not in text
        result |= {"outcome": "error" if clear else "unclear", "text": text[:300]}
    except MemoryError:  # the command line reports it for large arrays
        result |= {"outcome": "traceback", "text": "MemoryError " + traceback.format_exc(limit=-3)}
    except BaseException:
        result |= {"outcome": "traceback", "text": traceback.format_exc(limit=-6)[-1500:]}
    if result["outcome"] in ("accepted", "error") and captured:
        result |= {"outcome": "noise", "text": captured[0]}  # a library wrote to stderr itself
    if Path(CANARY).exists() or (folder / CANARY).exists():
        result["outcome"] = "executed"
    result["seconds"] = time.perf_counter() - start
    result["cpu_seconds"] = time.process_time() - cpu_start
    result["mib"] = max(peak_memory() - before, 0) / MIB
    max_mib = hostile.max_mib if hostile else KINDS[kind].max_mib
    if result["outcome"] in ("accepted", "error") and result["mib"] > max_mib:
        result["outcome"] = "memory"
    if result["outcome"] in ("accepted", "error") and result["cpu_seconds"] > MAX_CPU_SECONDS:
        result["outcome"] = "slow"
    if hostile and hostile.rejected and result["outcome"] == "accepted":
        result["outcome"] = "not rejected"
    return result


@contextlib.contextmanager
def captured_stderr():
    """Yield a list that receives the text written to file descriptor 2, if any, at the end."""
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
    """Reset the peak memory; return the current memory."""
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    return memory("VmRSS")


def peak_memory():
    return memory("VmHWM")


def memory(name):
    """Return an entry of /proc/self/status in bytes, or 0 if it is not available."""
    with contextlib.suppress(OSError), open("/proc/self/status") as file:
        for line in file:
            if line.startswith(name + ":"):
                return 1024 * int(line.split()[1])
    return 0


# ---------------------------------------------------------------------------- children


def run_cases(folder, cases, progress=lambda result: None):
    """Run all cases in children; return the results. A child that hangs is killed."""
    originals = prepare(folder, {kind for kind, *_ in cases if kind in KINDS})
    results, remaining = [], list(cases)
    while remaining:
        child, pipe = start_child(folder, remaining, originals)
        with os.fdopen(pipe, "rb", 0) as stream:
            for result in receive(stream, child):
                results.append(result)
                progress(result)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        remaining = cases[len(results) :]
        if remaining and status != 0:
            ending, case = "hang" if status == -signal.SIGKILL else "crash", remaining[0]
            failure = {"case": case, "kind": case[0], "outcome": ending, "text": f"status {status}"}
            results.append(failure | {"description": "?", "seconds": TIMEOUT, "mib": 0})
            progress(results[-1])
            remaining = remaining[1:]
    return results


def prepare(folder, kinds):
    """Write the jobs' inputs; return the valid files of each kind."""
    for name, seed in (("content.png", 0), ("style.png", 1)):
        Image.fromarray(make_picture(37, 48, seed)).save(folder / name)
    write_matconvnet(folder / "tiny.mat", tiny_vgg())
    originals = {}
    for kind in sorted(kinds):
        scratch = folder / "scratch"
        scratch.mkdir(exist_ok=True)
        make = KINDS[kind].files
        originals[kind] = files_from_child(make, scratch) if KINDS[kind].in_child else make(scratch)
    return originals


def files_from_child(make_files, folder):
    """Return the files that a function creates in a separate process."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(Exception), os.fdopen(write, "wb") as file:
            file.write(json.dumps({n: d.hex() for n, d in make_files(folder).items()}).encode())
            file.flush()
            os._exit(0)
        os._exit(1)
    os.close(write)
    with os.fdopen(read, "rb") as file:
        files = json.loads(file.read() or b"null")
    assert os.waitpid(child, 0)[1] == 0, "no valid files"
    return {name: bytes.fromhex(data) for name, data in files.items()}


def start_child(folder, cases, originals):
    """Start a child that runs the cases in order; return its process id and a pipe from it."""
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
        for number, case in enumerate(cases):
            case_folder = folder / f"{case[0]}-{number}".replace(" ", "-").replace("/", "-")[:100]
            case_folder.mkdir(exist_ok=True)
            pipe.write(json.dumps(run_case(case, case_folder, originals)).encode() + b"\n")
            remove(case_folder)
    os._exit(0)


def warm_up(folder):
    """Do one-time work such as starting TensorFlow, so that no case is charged for it."""
    load_model(folder / "tiny.mat")
    cache_path(folder / "tiny.mat").unlink(missing_ok=True)
    read_picture(folder / "content.png")


def remove(case_folder):
    for path in sorted(case_folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    case_folder.rmdir()


def receive(stream, child):
    """Yield the results of a child until it ends; kill it after `TIMEOUT` without any."""
    while select.select([stream], [], [], TIMEOUT)[0]:
        line = stream.readline()
        if not line:
            return
        yield json.loads(line)
    os.kill(child, signal.SIGKILL)


def summarize(results):
    """Return counts by kind, the slowest case and the case with the most memory."""
    kinds = {}
    for case in results:
        counts = kinds.setdefault(case["kind"], {})
        counts[case["outcome"]] = counts.get(case["outcome"], 0) + 1
    slowest = max(results, key=lambda case: case["seconds"])
    largest = max(results, key=lambda case: case["mib"])
    return {
        "files": len(results),
        "errors": sum(case["outcome"] == "error" for case in results),
        "accepted": sum(case["outcome"] == "accepted" for case in results),
        "slowest": [round(slowest["seconds"], 2), slowest["kind"], slowest["description"]],
        "largest": [round(largest["mib"]), largest["kind"], largest["description"]],
        "kinds": kinds,
    }


def failures(results):
    """Return the results that are failures."""
    return [case for case in results if case["outcome"] not in ("accepted", "error")]


def main(folder, count, seed, kinds):
    folder = Path(folder)
    cases = make_cases(count, seed, [k for k in kinds if k in KINDS] or None) if count else []
    if not set(kinds) & KINDS.keys():
        cases += [(name, 0, seed) for name in HOSTILE]
    cases += [(name, 0, seed) for name in LARGE if "large" in kinds]
    results = run_cases(folder.resolve(), cases)
    for case in failures(results):
        print(json.dumps(case), file=sys.stderr)
    (folder / "outcomes.json").write_text(json.dumps(results, indent=1))
    print(json.dumps(summarize(results)))
    return 1 if failures(results) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]))
