"""Which GPU computes, how it is set up, and what is known of its memory. No GPU is needed."""

import math
import os
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest
import tensorflow as tf

from nst_tf import ConfigError, JobConfig
from nst_tf.errors import DeviceError
from nst_tf.jobs.load import load_task, with_precision
from nst_tf.jobs.on_ray import _slots
from nst_tf.scaling import device, memory
from nst_tf.scaling.device import WORKSPACE_MIB, GpuMemory, choose_device, gpu_memory
from nst_tf.scaling.memory import GIB, memory_budget

CARDS = [SimpleNamespace(name=f"card {n}") for n in range(3)]


@pytest.fixture
def cards(monkeypatch):
    """Return a record of what is set for three GPUs that do not exist."""
    done = SimpleNamespace(visible=CARDS, growth=[], deterministic=False)
    experimental = tf.config.experimental
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: CARDS)
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind=None: done.visible)
    monkeypatch.setattr(
        tf.config, "set_visible_devices", lambda chosen, kind: setattr(done, "visible", chosen)
    )
    monkeypatch.setattr(
        experimental, "set_memory_growth", lambda card, on: done.growth.append((card, on))
    )
    monkeypatch.setattr(
        experimental, "enable_op_determinism", lambda: setattr(done, "deterministic", True)
    )
    monkeypatch.setattr(
        experimental,
        "get_device_details",
        lambda card: {"device_name": card.name, "compute_capability": (9, 0)},
    )
    return done


@pytest.mark.parametrize(("wish", "number"), [("auto", 0), ("gpu", 0), ("gpu:0", 0), ("gpu:2", 2)])
def test_one_gpu_is_chosen_by_number(cards, wish, number):
    assert choose_device(wish) == f"on card {number}"
    assert cards.visible == [CARDS[number]]
    assert cards.growth == [(CARDS[number], True)]
    assert cards.deterministic


def test_determinism_can_be_declined(cards):
    choose_device("gpu", deterministic=False)
    assert not cards.deterministic


def test_cpu_leaves_gpus_alone(cards):
    assert choose_device("cpu") == "on the CPU"
    assert cards.visible == []
    assert not cards.deterministic


def test_missing_gpu_number_names_those_that_exist(cards):
    with pytest.raises(DeviceError, match="there is no gpu:3: TensorFlow sees 3 GPUs"):
        choose_device("gpu:3")


@pytest.mark.parametrize("wish", ["gpu:1", "cpu"])
def test_another_device_than_the_one_that_computes_is_refused(cards, monkeypatch, wish):
    """As for a second job of a batch or a notebook."""
    choose_device("gpu:0")

    def begun(chosen, kind):
        raise RuntimeError("Visible devices cannot be modified after being initialized")

    monkeypatch.setattr(tf.config, "set_visible_devices", begun)
    with pytest.raises(DeviceError, match=f"already computes on another device than {wish}"):
        choose_device(wish)
    assert choose_device("gpu:0") == choose_device("auto") == "on card 0"


def test_unknown_device_is_refused_in_python(cards):
    with pytest.raises(DeviceError, match="the device is 'gpu:x'; choose auto, cpu, gpu or gpu:N"):
        choose_device("gpu:x")


@pytest.mark.parametrize("wish", ["gpu:", "gpu:-1", "gpu1", "cuda", "gpu:1234", "", "GPU"])
def test_other_devices_are_refused(wish):
    with pytest.raises(ConfigError, match="choose auto, cpu, gpu, or one of several GPUs"):
        JobConfig(device=wish)


def test_the_workspace_of_cudnn_is_bounded_before_it_computes():
    code = (
        "import os, nst_tf.scaling.device as device; device.choose_device();"
        "print(os.environ['TF_CUDNN_WORKSPACE_LIMIT_IN_MB'], os.environ['CUDA_DEVICE_ORDER'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(WORKSPACE_MIB), "PCI_BUS_ID"]


# ------------------------------------------------------------------ what a run says


@pytest.mark.parametrize("tf32", [True, False])
def test_a_run_says_what_float32_is_on_a_gpu(cards, monkeypatch, tf32):
    enabled = "tensor_float_32_execution_enabled"
    monkeypatch.setattr(tf.config.experimental, enabled, lambda: tf32)
    lines = []
    config = with_precision(JobConfig(precision="float32"), lines.append)
    assert config.precision == "float32"
    words = ", TF32 in convolutions and matrix products: three digits instead of seven"
    assert lines == [f"computing on card 0 in float32{words if tf32 else ''}"]


def test_a_run_says_what_xla_costs(cards):
    lines = []
    with_precision(JobConfig(xla=True), lines.append)
    assert "it pays from some 10,000 iterations on" in lines[-1]
    with_precision(JobConfig(xla=True, device="cpu"), lines.append)
    assert "on a CPU, iterations then take about 1.5 times as long" in lines[-1]


def test_xla_refuses_max_pooling_where_it_is_not_deterministic(cards, pictures, tiny_mat):
    content, style = map(str, pictures)
    config = JobConfig(content=content, style=(style,), weights=str(tiny_mat), size="48", xla=True)
    with pytest.raises(ConfigError, match="no deterministic gradient of max pooling"):
        load_task(config)


# ------------------------------------------------------------------ memory


@pytest.fixture
def card_with(monkeypatch, cards):
    """Return a function that gives a GPU some free memory, and TensorFlow a part of it."""

    def use(free, current, peak):
        held = {"current": current * GIB, "peak": peak * GIB}
        monkeypatch.setattr(tf.config.experimental, "get_memory_info", lambda name: held)
        monkeypatch.setattr(device, "_free_on_card", lambda number: free * GIB)

    return use


def test_memory_of_a_gpu_counts_what_tensorflow_keeps(card_with):
    card_with(free=3, current=1, peak=5)
    assert gpu_memory() == GpuMemory(GIB, 7 * GIB)


def test_a_run_is_planned_by_the_memory_of_the_gpu(card_with):
    card_with(free=10, current=0, peak=0)
    budget, used = memory_budget(JobConfig())
    assert used == 0
    assert budget == 0.9 * 10 * GIB - WORKSPACE_MIB * 2**20
    card_with(free=10, current=1, peak=1)
    assert memory_budget(JobConfig(memory_limit=4.0)) == (3 * GIB, GIB)


def test_a_small_gpu_gets_tiles(card_with, tiny_model):
    layers, size = ["conv1_1", "conv4_2"], (2000, 3000)
    card_with(free=80, current=0, peak=0)
    assert memory.tile_area(tiny_model, layers, size, JobConfig()) == 0
    card_with(free=1.7, current=0, peak=0)
    assert 0 < memory.tile_area(tiny_model, layers, size, JobConfig()) < 2000 * 3000


def test_unknown_memory_is_no_limit(cards, monkeypatch):
    held = {"current": GIB, "peak": GIB}
    monkeypatch.setattr(tf.config.experimental, "get_memory_info", lambda name: held)
    monkeypatch.setitem(sys.modules, "pynvml", None)  # not installed
    assert gpu_memory() == GpuMemory(GIB, math.inf)


@pytest.mark.parametrize(
    ("shown", "number", "asked"),
    [(None, 1, 1), ("2,5", 1, 5), ("GPU-abc", 0, "GPU-abc"), ("", 0, 0)],
)
def test_the_card_is_found_among_those_that_cuda_shows(monkeypatch, shown, number, asked):
    answers = SimpleNamespace(
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetHandleByUUID=lambda name: name,
        nvmlDeviceGetMemoryInfo=lambda card: SimpleNamespace(free={asked: 7}[card]),
    )
    monkeypatch.setitem(sys.modules, "pynvml", answers)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if shown is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", shown)
    assert device._free_on_card(number) == 7


# ------------------------------------------------------------------ several


def test_ray_gets_a_worker_for_each_gpu():
    nodes = [{"Resources": {"CPU": 8.0}}]
    cluster = SimpleNamespace(
        cluster_resources=lambda: {"CPU": 8.0, "GPU": 2.0}, nodes=lambda: nodes
    )
    slots = _slots(cluster, None, None, jobs=9)
    assert (slots.count, slots.gpus) == (2, 1)


def test_a_run_stays_on_the_logical_device_that_it_was_given():
    """A second processor that TensorFlow makes from the CPU is used in place of a GPU."""
    logging = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "0"}
    options = {"capture_output": True, "text": True, "env": logging}
    done = subprocess.run([sys.executable, "-c", ON_SECOND], **options)
    assert done.returncode == 0, done.stderr
    placed = re.findall(r"(\S+): \((\w+)\): \S+device:CPU:(\d)", done.stdout + done.stderr)
    assert {"Conv2D", "MatMul", "ResourceApplyGradientDescent"} <= {
        kind for _, kind, number in placed if number == "1"
    }
    elsewhere = {kind for _, kind, number in placed if number == "0"}
    assert elsewhere <= COUNTING, elsewhere - COUNTING


# The loop's counter, and what L-BFGS decides by: the processor must know them.
COUNTING = {"_Arg", "Enter", "Merge", "Switch", "NextIteration", "Identity", "Exit"}
ON_SECOND = """
import numpy as np, tensorflow as tf
tf.debugging.set_log_device_placement(True)
cpu, = tf.config.list_physical_devices("CPU")
one = tf.config.LogicalDeviceConfiguration()
tf.config.set_logical_device_configuration(cpu, [one, one])
import nst_tf
image = np.random.default_rng(0).uniform(-90, 90, (1, 32, 32, 3)).astype(np.float32)
with tf.device("CPU:1"):
    model = nst_tf.load_vgg_model("embedded")
    config = nst_tf.TransferConfig(optimizer="lbfgs-fixed", iterations=3)
    nst_tf.style_transfer(image, image[:, ::-1].copy(), model, config=config)
"""
