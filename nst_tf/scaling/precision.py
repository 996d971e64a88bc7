"""Chooses what the network computes in: float32, or bfloat16 where that was measured to be faster.

bfloat16 has the range of float32 and 8 bits of mantissa. Pixels, losses, sums over positions and
the optimizer stay in float32 ("mixed"). A processor without bfloat16 emulates it, tens of times
slower than float32.

``--precision auto`` follows a rule: the kind of processor decides, and nothing is timed. The same
command on the same machine therefore gives the same picture, however busy the machine is.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf

from nst_tf.scaling.device import gpu_details

CPU_INFO = Path("/proc/cpuinfo")
GPU_CAPABILITY = (8, 0)  # compute capability from which NVIDIA GPUs have bfloat16: Ampere
DTYPES = {"float32": tf.float32, "mixed": tf.bfloat16}

# The rule: what "auto" means on each kind of processor, and why.
RULE = {
    "amx_bf16": (
        "mixed",
        "amx_bf16: about twice the speed of float32 or more, measured on an Intel Xeon",
    ),
    "avx512_bf16": (
        "mixed",
        "avx512_bf16: 1.9 to 2 times the speed of float32, measured on an AMD EPYC",
    ),
    "new gpu": ("mixed", "GPU of compute capability 8.0 or higher"),
    "old gpu": ("float32", "GPU of compute capability below 8.0"),
    "unknown gpu": ("float32", "GPU of unknown compute capability"),
    "no onednn": ("float32", "oneDNN is switched off by TF_ENABLE_ONEDNN_OPTS"),
    "bf16": ("float32", "bfloat16 was not measured on this kind of processor"),
    "unknown": ("float32", "this system does not list the features of its processor"),
    "none": ("float32", "this processor has no bfloat16"),
}
UNMEASURED = ("unknown gpu", "bf16", "unknown")  # bfloat16 may be faster there


@dataclass(frozen=True)
class Precision:
    """What the network computes in.

    Attributes
    ----------
    name : {"float32", "mixed"}
        As for `choose_precision`; never "auto".
    why : str
        The type of the numbers and, where there is one, the reason for it.
    """

    name: str
    why: str

    @property
    def dtype(self):
        """The TensorFlow type that the network computes in."""
        return DTYPES[self.name]


def choose_precision(wish="auto"):
    """Return the `Precision` to compute in.

    Parameters
    ----------
    wish : {"auto", "float32", "mixed"}
        "auto" follows `RULE`. The device must have been chosen before (`choose_device`).
    """
    if wish == "float32":
        return Precision("float32", "float32" if gpu_details() is None else f"float32{_tf32()}")
    kind = processor_kind()
    name, reason = RULE[kind]
    if wish == "auto":
        hint = "; --precision mixed uses bfloat16" if kind in UNMEASURED else ""
        return Precision(name, f"{DTYPES[name].name} ({reason}{hint})")
    if name == "mixed":
        return Precision("mixed", "bfloat16")
    slow = "may be slow here" if kind in UNMEASURED else "slow here"
    return Precision("mixed", f"bfloat16 ({slow}: {reason})")


def _tf32():
    """Return what float32 means for convolutions and matrix products, if that is not all of it."""
    tf32 = tf.config.experimental.tensor_float_32_execution_enabled()
    if processor_kind() != "new gpu" or not tf32:
        return ""
    return ", TF32 in convolutions and matrix products: three digits instead of seven"


def processor_kind():
    """Return the key in `RULE` of the processor that computes."""
    gpu = gpu_details()
    if gpu is not None:
        capability = gpu.get("compute_capability")
        if capability is None:
            return "unknown gpu"
        return "new gpu" if tuple(capability) >= GPU_CAPABILITY else "old gpu"
    features = cpu_features()
    if features is None:
        return "unknown"
    for kind in ("amx_bf16", "avx512_bf16"):
        if kind in features:
            return "no onednn" if onednn_is_off() else kind
    return "bf16" if "bf16" in features else "none"


def cpu_features():
    """Return the features that Linux lists for the processor; None where it lists none."""
    try:
        lines = CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # not Linux
        return None
    for line in lines:
        name, _, features = line.partition(":")
        if name.strip() in ("flags", "Features"):  # x86; ARM
            return set(features.split())
    return None


def onednn_is_off():
    """Return whether oneDNN is switched off; TensorFlow then emulates bfloat16 convolutions."""
    return os.environ.get("TF_ENABLE_ONEDNN_OPTS", "").lower() in ("0", "false")
