"""What happens between two updates: read from the traced graph, and counted while it runs."""

from collections import Counter

import numpy as np
import pytest
import tensorflow as tf
from pictures import make_picture
from tensorflow.python.framework import dtypes, kernels, op_callbacks

from nst_tf import TransferConfig, style_transfer
from nst_tf.image.pixels import VGG_PIXELS
from nst_tf.objective.objective import of_any_size
from nst_tf.objective.statistics import STATISTICS
from nst_tf.optim.from_config import make_optimizer
from nst_tf.transfer import make_task

CONTENT, STYLE = (VGG_PIXELS.to_image(make_picture(48, 64, seed=n)) for n in range(2))
OPTIMIZERS = ("adam", "sgd", "lbfgs-fixed")
# Operations that only a CPU has, with how often: integers of `upsample`, for the method chain.
ON_THE_CPU = {"chain": {("Pow", "int32"): 8}}


def start(model, **knobs):
    """Return a `Descent` with the settings of a job."""
    config = TransferConfig(unit="relative", **knobs)
    task = make_task(CONTENT, STYLE, model, None, config)
    optimizer = make_optimizer(task.config, model.space, config.iterations)
    return optimizer.start(task.objective, task.targets, CONTENT)


def graph_nodes(descent):
    """Return all nodes of the traced function that updates the image."""
    variables, *tensors = (*descent._arguments, tf.constant(1))
    update = descent._update.get_concrete_function(variables, *of_any_size(tensors))
    graph = update.graph.as_graph_def()
    return [*graph.node, *(node for part in graph.library.function for node in part.node_def)]


def runs_on_gpu(node):
    """Return whether TensorFlow has a GPU kernel for a node; True if it needs no kernel."""
    found = kernels.get_registered_kernels_for_op(node.op).kernel
    return not found or any(
        kernel.device_type in ("GPU", "DEFAULT")
        and all(
            set(types_of(node, limit.name)) <= set(limit.allowed_values.list.type)
            for limit in kernel.constraint
        )
        for kernel in found
    )


def types_of(node, name):
    value = node.attr[name]
    return [value.type] if value.type else list(value.list.type)


@pytest.mark.skipif(not tf.test.is_built_with_cuda(), reason="this TensorFlow has no GPU kernels")
@pytest.mark.parametrize(
    ("optimizer", "method", "precision"),
    [
        *(("adam", method, "mixed") for method in STATISTICS),
        ("laplacian", "neighbors", "float32"),
        *((optimizer, "moments", "float32") for optimizer in OPTIMIZERS),
    ],
)
def test_every_operation_of_an_update_has_a_gpu_kernel(tiny_model, optimizer, method, precision):
    model = tiny_model.with_edges()
    knobs = {"optimizer": optimizer, "method": method, "precision": precision}
    left = Counter(
        (node.op, *(dtypes.as_dtype(kind).name for kind in types_of(node, "T")))
        for node in graph_nodes(start(model, **knobs))
        if not runs_on_gpu(node)
    )
    assert left == ON_THE_CPU.get(method, {})


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_no_eager_operation_and_one_copy_per_loss_between_updates(tiny_model, optimizer):
    descent = start(tiny_model, optimizer=optimizer)
    descent.update(2)
    operations, copies = Counter(), []

    def count(kind, inputs, attributes, outputs, op_name=None, graph=None):
        operations[kind.decode() if isinstance(kind, bytes) else kind] += graph is None

    real = type(tf.constant(0)).numpy
    op_callbacks.add_op_callback(count)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(tf.constant(0)), "numpy", lambda x: copies.append(1) or real(x))
            rows = descent.update(5)
    finally:
        op_callbacks.remove_op_callback(count)
    assert len(rows) == 5
    assert sum(operations.values()) == 1, f"one call of the traced function only: {operations}"
    assert len(copies) == len(rows[0])


def test_three_sizes_share_one_trace(tiny_model):
    descent = start(tiny_model, optimizer="lbfgs-fixed")
    descent.update()
    update, count = descent._update, descent._update.experimental_get_tracing_count()
    for size in (40, 56):
        image = CONTENT[:, :size, :size]
        config = TransferConfig(optimizer="lbfgs-fixed", unit="relative", iterations=2)
        style_transfer(image, STYLE, tiny_model, config=config)
    assert count == update.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs-fixed"])
def test_xla_gives_the_same_losses(tiny_model, optimizer):
    knobs = {"iterations": 3, "unit": "relative", "optimizer": optimizer}
    plain = style_transfer(CONTENT, STYLE, tiny_model, **knobs)
    compiled = style_transfer(CONTENT, STYLE, tiny_model, xla=True, **knobs)
    for one, other in zip(plain.history, compiled.history, strict=True):
        assert one == pytest.approx(other, rel=1e-3)
    assert np.abs(plain.picture.astype(int) - compiled.picture).max() <= 2


def test_xla_compiles_the_network(tiny_model):
    nodes = graph_nodes(start(tiny_model, xla=True))
    assert any(node.attr["_XlaMustCompile"].b for node in nodes)
