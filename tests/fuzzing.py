"""Reads damaged files: `python tests/fuzzing.py FOLDER CASES SEED [KIND ...] [large]`.

Every case must end in a clear error or in a result that is right, in time and in little memory.
The cases run in a child, forked from a process that has imported TensorFlow and not used it yet;
one that hangs or dies is found out by its silence. What was found is printed as JSON.

A new kind of file is a line in `KINDS`.
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

import goodfiles
import numpy as np
from damage import damaged, seeded
from hostile import CANARY, HOSTILE, LARGE
from matfiles import tiny_vgg, write_matconvnet
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
SECONDS = 60  # for one file, on a busy machine
LONGEST = 6000  # letters of an error, which may quote a name of a file


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
    """Load a trunk from the file itself, never from what another case has left beside it."""
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
    main_says(weights.main, ["verify", path])


def config(path):
    found = JobConfig.load(path)
    assert JobConfig().changed(**json.loads(found.text())) == found


def job_list(path):
    """Read jobs: each is sound or says why it is not, and its folder lies where it should."""
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


def main_says(main, words):
    """Call a command line; what it refuses must be status 2 and one line, raised as an error."""
    said, out = io.StringIO(), io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(out):
        try:
            status = main([str(word) for word in words])
        except SystemExit as end:  # argparse
            status = end.code
    if status != 0:
        assert status == 2, f"status {status}: {said.getvalue()}"
        lines = said.getvalue().splitlines()
        assert len(lines) == 1, lines
        assert lines[0].startswith("nst_tf: "), lines
        raise ConfigError(lines[0])


def painted(path, *, what="content"):
    """Run a job of no iterations whose content, style, weights or config the file is."""
    sound = {"content": "content.png", "style": "style.png", "weights": "tiny.mat"}
    files = {name: path.parents[1] / name for name in sound.values()}
    words = {name: files[file] for name, file in sound.items()} | {what: path}
    also = ["--config", path] if what == "config" else []
    options = ["--weights", words["weights"], "--iterations", "0", "--size", "48", "--quiet"]
    output = path.parent / "painted"
    pair = [words["content"], words["style"]]
    main_says(run.main, [*pair, *also, *options, "--output", output, "--overwrite"])
    with Image.open(output / "result.png") as found:
        assert max(found.size) == 48


def resumed(path):
    main_says(run.main, ["--resume", path.parent, "--quiet"])
    with Image.open(path.parent / "result.png") as found:
        assert found.size == (48, 37)


def reported_by_command(path):
    main_says(report.main, [path.parent])


# ---------------------------------------------------------------------------- kinds


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes
    ----------
    files : callable
        ``folder -> {name: bytes}``: sound files, each to be damaged.
    read : callable
        Reads a path as nst_tf does and checks what comes of it.
    share : int
        How many of a hundred or so cases are of this kind.
    most : int
        MiB that reading one may take beside what was there before.
    inside : dict
        By ending: the wrapping (see `damage.py`) within which it is damaged, too.
    beside : bool
        Whether the files belong together, and each case has them all, one damaged.
    apart : bool
        Whether `files` starts TensorFlow, so that it needs a process of its own.
    """

    files: Callable
    read: Callable
    share: int
    most: int
    inside: dict[str, str]
    beside: bool = False
    apart: bool = False


def of_pictures(*names):
    return lambda folder: {
        name: data for name, data in goodfiles.pictures().items() if not names or name in names
    }


PICTURES = {".png": "png", ".webp": "riff"}
RUN = {".json": "json", ".csv": "lines"}
KINDS = {
    "picture": Kind(of_pictures(), picture, 30, 256, PICTURES),
    "mask": Kind(of_pictures("rgba.png", "palette.png", "plain.jpg"), mask, 5, 256, PICTURES),
    "mat": Kind(goodfiles.mat_files, trunk, 12, 512, {".mat": "mat"}),
    "hdf5": Kind(goodfiles.hdf5_files, trunk, 10, 512, {}),
    "npz": Kind(goodfiles.npz_files, trunk, 6, 512, {".npz": "zip"}),
    "vgg npz": Kind(
        goodfiles.vgg_npz_files, partial(trunk, load=load_vgg_model), 4, 512, {".npz": "zip"}
    ),
    "tensorflow": Kind(goodfiles.tensorflow_files, trunk, 4, 512, {}, beside=True, apart=True),
    "verify": Kind(goodfiles.mat_files, verified, 2, 512, {".mat": "mat"}),
    "config": Kind(goodfiles.config_files, config, 12, 128, {".json": "json"}),
    "job list": Kind(
        goodfiles.job_lists, job_list, 8, 128, {".json": "json", ".csv": "lines", ".toml": "lines"}
    ),
    "settings": Kind(goodfiles.settings_files, config, 4, 256, {".png": "png"}),
    "checkpoint": Kind(goodfiles.checkpoint_files, checkpoint, 8, 128, {".npz": "zip"}),
    "journal": Kind(lambda folder: goodfiles.run_folder(), journal, 3, 128, RUN, beside=True),
    "report": Kind(lambda folder: goodfiles.run_folder(), reported, 3, 256, RUN, beside=True),
    "report by command": Kind(
        lambda folder: goodfiles.run_folder(), reported_by_command, 1, 256, RUN, beside=True
    ),
    "resume": Kind(
        goodfiles.cut_off_run, resumed, 1, 512, RUN | {".npz": "zip"}, beside=True, apart=True
    ),
    "run content": Kind(of_pictures("rgb.png", "plain.jpg"), painted, 1, 512, PICTURES),
    "run weights": Kind(
        goodfiles.mat_files, partial(painted, what="weights"), 1, 512, {".mat": "mat"}
    ),
    "run config": Kind(
        goodfiles.config_files, partial(painted, what="config"), 1, 512, {".json": "json"}
    ),
}

MADE = HOSTILE | LARGE


def cases(count, seed, kinds=None):
    """Return (kind, number, seed): so many, by the kinds' shares, each to be made anew from it."""
    kinds = kinds or list(KINDS)
    whole = sum(KINDS[kind].share for kind in kinds)
    return [
        (kind, number, seed)
        for kind in kinds
        for number in range(max(round(count * KINDS[kind].share / whole), 1))
    ]


def write_case(folder, case, good):
    """Write the files of a case into an empty folder; return the damaged one and what was done."""
    kind, number, seed = case
    if kind in MADE:
        return MADE[kind].write(folder), kind
    files = good[kind]
    random_from = seeded(seed, kind, number)
    name = random_from.choice(sorted(files))
    inside = KINDS[kind].inside.get(Path(name).suffix)
    data, done = files[name], []
    for _ in range(random_from.choice([1, 1, 1, 2])):
        what, data = damaged(data, random_from, inside)
        done.append(what)
    if KINDS[kind].beside:
        for other in files.keys() - {name}:
            (folder / other).write_bytes(files[other])
    (folder / name).write_bytes(data)
    return folder / (name.removesuffix(".data-00000-of-00001")), f"{name}: {', '.join(done)}"


# ---------------------------------------------------------------------------- one case


def outcome(case, folder, good):
    """Read a case; return what came of it, as a dict."""
    made = MADE.get(case[0])
    kind = made.kind if made else case[0]
    path, done = write_case(folder, case, good)
    found = {"case": case, "kind": kind, "done": done}
    before, began = start_measuring(), time.perf_counter()
    try:
        with warnings.catch_warnings(), heard_screen() as screen:
            warnings.simplefilter("ignore")
            KINDS[kind].read(path)
        found["ended"] = "accepted"
    except NstError as error:
        text = str(error)
        clear = 10 < len(text) <= LONGEST and "Traceback" not in text
        found |= {"ended": "error" if clear else "unclear", "says": text[:300]}
    except MemoryError:  # the command line has a line for it, where arrays are really large
        found |= {"ended": "traceback", "says": "MemoryError " + traceback.format_exc(limit=-3)}
    except BaseException:
        found |= {"ended": "traceback", "says": traceback.format_exc(limit=-6)[-1500:]}
    if found["ended"] in ("accepted", "error") and screen:
        found |= {"ended": "noise", "says": screen[0]}  # a library speaks past us
    if Path(CANARY).exists() or (folder / CANARY).exists():
        found["ended"] = "run"
    found["seconds"] = time.perf_counter() - began
    found["mebibytes"] = max(most_memory() - before, 0) / MIB
    most = made.most if made else KINDS[kind].most
    if found["ended"] in ("accepted", "error") and found["mebibytes"] > most:
        found["ended"] = "memory"
    if made and made.refused and found["ended"] == "accepted":
        found["ended"] = "not refused"
    return found


@contextlib.contextmanager
def heard_screen():
    """Give a list that holds, at the end, what was written to file descriptor 2 if anything was."""
    heard, screen = [], os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield heard
        finally:
            os.dup2(screen, 2)
            os.close(screen)
            file.seek(0)
            heard += filter(None, [file.read(500).decode(errors="replace")])


def start_measuring():
    """Begin to look for the most memory anew; return what is used now."""
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    return memory("VmRSS")


def most_memory():
    return memory("VmHWM")


def memory(name):
    """Return a number of bytes that the system knows of this process; 0 where it tells none."""
    with contextlib.suppress(OSError), open("/proc/self/status") as file:
        for line in file:
            if line.startswith(name + ":"):
                return 1024 * int(line.split()[1])
    return 0


# ---------------------------------------------------------------------------- children


def survey(folder, wanted, progress=lambda found: None):
    """Read all cases in children; return their outcomes. A child that falls silent is ended."""
    good = prepared(folder, {kind for kind, *_ in wanted if kind in KINDS})
    found, left = [], list(wanted)
    while left:
        child, pipe = begun(folder, left, good)
        with os.fdopen(pipe, "rb", 0) as lines:
            for outcome_ in heard(lines, child):
                found.append(outcome_)
                progress(outcome_)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        left = wanted[len(found) :]
        if left and status != 0:
            how = "hang" if status == -signal.SIGKILL else "crash"
            lost = {"case": left[0], "kind": left[0][0], "ended": how, "says": f"status {status}"}
            found.append(lost | {"done": "?", "seconds": SECONDS, "mebibytes": 0})
            progress(found[-1])
            left = left[1:]
    return found


def prepared(folder, kinds):
    """Write what the jobs need; return the sound files of each kind."""
    for name, seed in (("content.png", 0), ("style.png", 1)):
        Image.fromarray(goodfiles.make_picture(37, 48, seed)).save(folder / name)
    write_matconvnet(folder / "tiny.mat", tiny_vgg())
    good = {}
    for kind in sorted(kinds):
        scratch = folder / "scratch"
        scratch.mkdir(exist_ok=True)
        make = KINDS[kind].files
        good[kind] = in_child(make, scratch) if KINDS[kind].apart else make(scratch)
    return good


def in_child(work, folder):
    """Return the files that a function makes in a process of its own."""
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
    assert os.waitpid(child, 0)[1] == 0, "no sound files"
    return {name: bytes.fromhex(data) for name, data in files.items()}


def begun(folder, wanted, good):
    """Begin a child that reads the cases one by one; return its number and what it writes to."""
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
            cleared(place)
    os._exit(0)


def warm_up(folder):
    """Start TensorFlow and what else is started once, so that no case is charged with it."""
    load_model(folder / "tiny.mat")
    cache_path(folder / "tiny.mat").unlink(missing_ok=True)
    read_picture(folder / "content.png")


def cleared(place):
    for path in sorted(place.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    place.rmdir()


def heard(lines, child):
    """Yield what a child says, until it ends or has said nothing for `SECONDS`."""
    while select.select([lines], [], [], SECONDS)[0]:
        line = lines.readline()
        if not line:
            return
        yield json.loads(line)
    os.kill(child, signal.SIGKILL)


def figures(found):
    """Return what is worth printing of outcomes: how many ended how, by kind; most memory, time."""
    kinds = {}
    for each in found:
        counts = kinds.setdefault(each["kind"], {})
        counts[each["ended"]] = counts.get(each["ended"], 0) + 1
    slowest = max(found, key=lambda each: each["seconds"])
    largest = max(found, key=lambda each: each["mebibytes"])
    return {
        "files": len(found),
        "errors": sum(each["ended"] == "error" for each in found),
        "accepted": sum(each["ended"] == "accepted" for each in found),
        "slowest": [round(slowest["seconds"], 2), slowest["kind"], slowest["done"]],
        "largest": [round(largest["mebibytes"]), largest["kind"], largest["done"]],
        "kinds": kinds,
    }


def bad(found):
    """Return the outcomes that must not be."""
    return [each for each in found if each["ended"] not in ("accepted", "error")]


def main(folder, count, seed, kinds):
    folder = Path(folder)
    wanted = cases(count, seed, [kind for kind in kinds if kind in KINDS] or None) if count else []
    if not set(kinds) & KINDS.keys():
        wanted += [(name, 0, seed) for name in HOSTILE]
    wanted += [(name, 0, seed) for name in LARGE if "large" in kinds]
    found = survey(folder.resolve(), wanted)
    for each in bad(found):
        print(json.dumps(each), file=sys.stderr)
    (folder / "outcomes.json").write_text(json.dumps(found, indent=1))
    print(json.dumps(figures(found)))
    return 1 if bad(found) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]))
