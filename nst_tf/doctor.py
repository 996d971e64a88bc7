"""Show the hardware, the software and the cost of a run: ``python -m nst_tf.doctor``."""

import importlib.metadata
import os
import platform
import re
import sys
from dataclasses import fields
from pathlib import Path

if __name__ == "__main__" and not __package__:  # started by its path
    sys.stderr.write("nst_tf: start it as `python -m nst_tf.doctor`\n")
    sys.exit(2)

import psutil

from nst_tf import __version__
from nst_tf.cli import add_knob, given, reported
from nst_tf.config import JobConfig
from nst_tf.console import OneLineParser, hushed, interrupt_once, print_line
from nst_tf.errors import DeviceError, NstError
from nst_tf.image.sizes import fit_size

PACKAGES = ("tensorflow", "keras", "numpy", "scipy", "Pillow", "imageio", "h5py")
CPU_INFO = Path("/proc/cpuinfo")
TUTORIALS_SIZE = (480, 640)
KNOBS = ("size", "iterations", "weights", "schedule", "precision", "memory_limit", "device")


def main(arguments=None):
    """Run the command line; return 0, or 2 if there is a problem."""
    options = vars(_parser().parse_args(arguments))
    return reported(lambda: examine(JobConfig().changed(**given(options))))


def examine(config, say=print_line):
    """Report the machine and the cost of a run with a config; return 0 or 2."""
    with hushed():  # TensorFlow is imported here
        from nst_tf.jobs.inputs import chosen_weights
        from nst_tf.scaling.device import choose_device
    status = 0
    say(f"nst_tf     {__version__}, Python {platform.python_version()}, {platform.platform()}")
    say(f"packages   {', '.join(f'{name} {version(name)}' for name in PACKAGES)}")
    say(f"memory     {memory()}")
    say(f"processor  {processor()}")
    for part, check in {
        "computing": lambda: choose_device(config.device) + gpu_memory_left() + gpu_advice(),
        "bfloat16": lambda: precision(config),
        "weights": lambda: weights(chosen_weights(config.weights, lambda line: None)),
        "a run": lambda: run_cost(config),
    }.items():
        try:
            say(f"{part:11}{check()}")
        except NstError as error:
            say(f"{part:11}PROBLEM: {error}")
            status = 2
    return status


def version(name):
    """Return the version of a package, or "missing"."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "missing"


def memory():
    """Return the memory available for a run, what limits it, and the total."""
    from nst_tf.scaling.limits import tightest_limit
    from nst_tf.scaling.memory import GIB, ram_left

    total, name = psutil.virtual_memory().total / GIB, tightest_limit().name
    available = f"{ram_left() / GIB:.1f} GiB available for a run"
    return f"{available}{name and f' ({name})'}, {total:.1f} GiB in total"


def processor():
    """Return the name of the processor, its cores, and the oneDNN setting of TensorFlow."""
    from nst_tf.scaling.precision import onednn_is_off

    name = platform.processor() or platform.machine()
    if CPU_INFO.exists():
        match = re.search(r"^model name\s*:\s*(.+)$", CPU_INFO.read_text(errors="replace"), re.M)
        name = match[1] if match else name
    one_dnn = "off" if onednn_is_off() else "by TensorFlow's default"
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{name}, {usable} usable cores, oneDNN {one_dnn}"


def gpu_memory_left():
    """Return the available memory of the GPU as text; empty if no GPU is used."""
    from nst_tf.scaling.device import gpu_memory
    from nst_tf.scaling.memory import GIB

    gpu = gpu_memory()
    return "" if gpu is None else f", {gpu.left / GIB:.1f} GiB of its memory available"


def gpu_advice():
    """Return a hint on how to use a GPU; empty if one is used."""
    import tensorflow as tf

    if tf.config.get_visible_devices("GPU"):
        return ""
    if not tf.test.is_built_with_cuda():
        return "; for an NVIDIA GPU on Linux: pip install -r requirements-gpu.txt"
    return "; for an NVIDIA GPU: check `nvidia-smi`, then pip install -r requirements-gpu.txt"


def precision(config):
    """Return the precision that the network would use, and why."""
    from nst_tf.scaling.precision import choose_precision

    return f"--precision {config.precision}: {choose_precision(config.precision).why}"


def weights(chosen):
    """Return the weights that would be used, after checking them."""
    from nst_tf.models import load_model, weights_family

    model = load_model(chosen)
    details = ""
    if weights_family(chosen) != "squeezenet" and chosen != "embedded":
        from nst_tf.weights.verify import verify

        details = f"; {verify(chosen)[1]}"
    elif chosen == "embedded":
        details = "; the paper's network: python -m nst_tf.weights fetch vgg19"
    return f"{model.name}, {len(model.convolutions)} convolutions, valid{details}"


def run_cost(config):
    """Return the estimated time and memory of a run."""
    from nst_tf.jobs.inputs import chosen_weights
    from nst_tf.models import load_model
    from nst_tf.scaling.device import choose_device
    from nst_tf.scaling.memory import expected

    try:
        choose_device(config.device)
    except DeviceError:
        raise NstError(f"not possible with --device {config.device}, see `computing`") from None
    size = fit_size(config.size, TUTORIALS_SIZE)
    model = load_model(chosen_weights(config.weights, lambda line: None), pooling=config.pooling)
    cost = expected(model, size, config)
    return f"of {size[1]}x{size[0]} pixels, {config.iterations} iterations: {cost}"


def _parser():
    parser = OneLineParser(prog="python -m nst_tf.doctor", description=__doc__.split(":")[0])
    for knob in fields(JobConfig):
        if knob.name in KNOBS:
            add_knob(parser, knob)
    return parser


if __name__ == "__main__":
    interrupt_once()
    sys.exit(main())
