"""`style_transfer`: losses, callbacks, bounds, invalid inputs and interruption."""

import numpy as np
import pytest
import tensorflow as tf
from objectives import losses_for
from pictures import make_picture

from nst_tf import (
    ConfigError,
    Diverged,
    ImageError,
    Interrupted,
    TransferConfig,
    content_loss,
    extract_features,
    gram_matrix,
    load_vgg_model,
    save_every,
    style_loss,
    style_transfer,
    tv_loss,
)
from nst_tf.config import STYLE_LAYERS
from nst_tf.image.pixels import VGG_PIXELS
from nst_tf.optim import Adam

CONTENT = VGG_PIXELS.to_image(make_picture(37, 45))
STYLE = VGG_PIXELS.to_image(make_picture(50, 41, seed=1))  # of a different size than the content


def test_history_matches_the_losses_of_each_image(tiny_model):
    config = TransferConfig(alpha=0.3, beta=0.7, tv_weight=0.01, iterations=4)
    images = []
    result = style_transfer(
        CONTENT, STYLE, tiny_model, config=config, callbacks=[lambda s: images.append(s.image)]
    )
    assert len(result.history) == len(images) == 5
    np.testing.assert_array_equal(images[0], CONTENT)
    np.testing.assert_array_equal(images[-1], result.image)
    layers = STYLE_LAYERS
    style = extract_features(tiny_model, STYLE, layers)
    targets = {name: gram_matrix(style[name], per_position=True) for name in layers}
    target = extract_features(tiny_model, CONTENT, ["conv4_2"])["conv4_2"]
    for image, losses in zip(images, result.history, strict=True):
        features = extract_features(tiny_model, image, [*layers, "conv4_2"])
        expected = {
            "content": content_loss(features["conv4_2"], target),
            "style": style_loss(features, targets, dict.fromkeys(layers, 0.2)),
            "tv": tv_loss(image),
        }
        for name, loss in expected.items():
            np.testing.assert_allclose(losses[name], loss, rtol=1e-4, atol=1e-6)
        total = 0.3 * losses["content"] + 0.7 * losses["style"] + 0.01 * losses["tv"]
        np.testing.assert_allclose(losses["total"], total, rtol=1e-5)


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs-fixed"])
def test_large_picture_is_reproducible_bit_for_bit(tiny_model, optimizer):
    # Large enough that TensorFlow sums gradients in varying order if all shapes are static.
    large = np.tile(CONTENT, (1, 36, 44, 1))
    config = TransferConfig(
        optimizer=optimizer,
        iterations=3,
        tv_weight=1e-3,
        content_layers=["conv2_2"],
        style_layers=["conv1_1", "conv2_1"],
    )
    one, other = (style_transfer(large, STYLE, tiny_model, config=config) for _ in range(2))
    np.testing.assert_array_equal(one.image, other.image)


def test_initial_content_loss_is_zero(tiny_model):
    result = style_transfer(CONTENT, STYLE, tiny_model, iterations=0)
    assert result.history[0]["content"] == 0
    np.testing.assert_array_equal(result.image, CONTENT)


def test_uint8_image_raises(tiny_model):
    picture = make_picture(37, 45)[np.newaxis]  # uint8, the mean not subtracted
    with pytest.raises(ImageError, match="has type uint8; floats in the trunk's pixel space"):
        style_transfer(picture, STYLE, tiny_model, iterations=0)


def test_loss_decreases(tiny_model):
    result = style_transfer(CONTENT, STYLE, tiny_model, iterations=60, alpha=1e-5)
    assert result.history[-1]["total"] < result.history[0]["total"] / 3


def test_first_adam_step_has_the_size_of_the_learning_rate(tiny_model):
    config = TransferConfig(iterations=1, learning_rate=0.5, clip=False)
    objective = losses_for(CONTENT, STYLE, tiny_model, config)
    image = tf.constant(CONTENT)
    with tf.GradientTape() as tape:
        tape.watch(image)
        total = objective(image)["total"]
    gradient = tape.gradient(total, image).numpy()
    result = style_transfer(CONTENT, STYLE, tiny_model, config=config)
    clear = np.abs(gradient) > 1e-3 * np.abs(gradient).max()
    step = (result.image - CONTENT)[clear]
    np.testing.assert_allclose(step, -0.5 * np.sign(gradient[clear]), atol=1e-3)


def test_adam_minimizes_a_quadratic_within_bounds():
    def objective(image, targets):
        return {"total": tf.reduce_sum(tf.square(image - [1.0, 2.0, 3.0]))}

    start = np.zeros((1, 2, 2, 3), np.float32)
    descent = Adam(0.1).start(objective, (), start)
    descent.update(300)
    assert descent.updates == 300
    np.testing.assert_allclose(descent.image()[0, 1, 1], [1, 2, 3], atol=1e-2)
    low, high = np.zeros(3, np.float32), np.full(3, 1.5, np.float32)
    descent = Adam(0.1, bounds=(low, high)).start(objective, (), start)
    descent.update(100)
    np.testing.assert_allclose(descent.image()[0, 0, 0], [1, 1.5, 1.5], atol=0.05)


def test_losses_are_the_same_with_xla(tiny_model):
    objective = losses_for(CONTENT, STYLE, tiny_model, TransferConfig())
    image = tf.constant(CONTENT + 5)
    plain, compiled = (
        tf.function(objective, jit_compile=xla, autograph=False)(image) for xla in (False, True)
    )
    for name, loss in plain.items():
        np.testing.assert_allclose(compiled[name], loss, rtol=1e-3)


def test_clip_keeps_the_pixels_between_black_and_white(tiny_model):
    knobs = {"iterations": 8, "learning_rate": 60.0}
    clipped = style_transfer(CONTENT, STYLE, tiny_model, clip=True, **knobs).image
    low, high = VGG_PIXELS.bounds
    assert (clipped >= low - 1e-3).all()
    assert (clipped <= high + 1e-3).all()
    unclipped = style_transfer(CONTENT, STYLE, tiny_model, clip=False, **knobs).image
    assert (unclipped < low - 1).any() or (unclipped > high + 1).any()


def test_network_is_unchanged_and_kernels_get_no_gradient(tiny_model):
    before = {n: layer.kernel.numpy() for n, layer in tiny_model.items() if "conv" in n}
    style_transfer(CONTENT, STYLE, tiny_model, iterations=3)
    for name, kernel in before.items():
        np.testing.assert_array_equal(tiny_model[name].kernel, kernel)

    objective = losses_for(CONTENT, STYLE, tiny_model, TransferConfig())

    @tf.function
    def gradient(image):
        with tf.GradientTape() as tape:
            tape.watch(image)
            total = objective(image)["total"]
        return tape.gradient(total, image)

    graph = gradient.get_concrete_function(tf.TensorSpec(CONTENT.shape)).graph
    kinds = {operation.type for operation in required_operations(graph.outputs)}
    assert "Conv2DBackpropInput" in kinds
    assert "Conv2DBackpropFilter" not in kinds


def required_operations(tensors):
    """Return the operations of a graph on which tensors depend."""
    required, waiting = set(), [tensor.op for tensor in tensors]
    while waiting:
        operation = waiting.pop()
        if operation not in required:
            required.add(operation)
            waiting += [tensor.op for tensor in operation.inputs]
    return required


def test_the_same_seed_gives_the_same_picture(tiny_mat):
    first, second = (
        style_transfer(CONTENT, STYLE, load_vgg_model(tiny_mat), iterations=10).image
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)


def test_changing_a_knob_changes_the_next_run(tiny_model):
    """A cached tf.function must not reuse the weights of an earlier run."""
    first = style_transfer(CONTENT, STYLE, tiny_model, iterations=3, beta=1.0)
    second = style_transfer(CONTENT, STYLE, tiny_model, iterations=3, beta=2.0)
    np.testing.assert_allclose(second.history[0]["total"], 2 * first.history[0]["total"], rtol=1e-5)


def test_callbacks_receive_every_step(tiny_model, tmp_path):
    seen = []
    style_transfer(
        CONTENT,
        STYLE,
        tiny_model,
        iterations=7,
        callbacks=[lambda step: seen.append((step.iteration, step.last)), save_every(3, tmp_path)],
    )
    assert seen == [(i, i == 7) for i in range(8)]
    assert sorted(f.name for f in tmp_path.iterdir()) == ["000003.png", "000006.png", "000007.png"]


def test_non_finite_loss_returns_the_last_good_picture(tiny_model):
    with pytest.raises(
        Diverged, match=r"make learning_rate smaller \(it is 1e\+30\) or turn clip on"
    ) as stop:
        style_transfer(CONTENT, STYLE, tiny_model, iterations=9, learning_rate=1e30, clip=False)
    assert len(stop.value.result.history) >= 1
    assert np.isfinite(stop.value.result.image).all()
    assert stop.value.result.picture.shape == (37, 45, 3)


def test_diverged_names_loss_weights_that_are_too_large(tiny_model):
    with pytest.raises(Diverged, match=r"before the first iteration.*beta 1e\+38") as stop:
        style_transfer(CONTENT, STYLE, tiny_model, iterations=9, beta=1e38)
    np.testing.assert_array_equal(stop.value.result.image, CONTENT)


def test_interrupted_run_returns_the_current_image(tiny_model):
    def interrupt(step):
        if step.iteration == 4:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as stop:
        style_transfer(CONTENT, STYLE, tiny_model, iterations=9, callbacks=[interrupt])
    assert stop.value.result.iterations == 4
    whole = style_transfer(CONTENT, STYLE, tiny_model, iterations=4)
    np.testing.assert_array_equal(stop.value.result.image, whole.image)


def test_images_of_wrong_shape_raise(tiny_model):
    with pytest.raises(
        ImageError, match=r"`content_image` has shape \(45, 61, 3\).*second value of load_image"
    ):
        style_transfer(make_picture(45, 61), STYLE, tiny_model)
    with pytest.raises(ImageError, match=r"`init_image` has shape .* must be alike"):
        style_transfer(CONTENT, STYLE, tiny_model, init_image=STYLE)


def test_image_with_nan_raises(tiny_model):
    bad = STYLE.copy()
    bad[0, 3, 4, 1] = np.nan
    with pytest.raises(ImageError, match="`style_image` holds NaN"):
        style_transfer(CONTENT, bad, tiny_model)


def test_numpy_numbers_are_accepted(tiny_model):
    config = TransferConfig(
        iterations=np.int64(2), alpha=np.float32(0.5), style_layer_weights=np.ones(5)
    )
    assert (config.iterations, config.alpha, config.style_layer_weights) == (2, 0.5, (1.0,) * 5)


def test_invalid_knobs_raise(tiny_model):
    for knobs, message in [
        ({"gamma": 1}, "no option `gamma`; there are alpha, beta"),
        ({"alpha": -1}, "`alpha` is -1.0; it must be at least 0"),
        ({"alpha": "much"}, "`alpha` is 'much'; a finite number"),
        ({"alpha": float("nan")}, "`alpha` is nan; a finite number"),
        ({"alpha": 10**400}, r"`alpha` is 1000.*\.\.\.; a finite number"),
        ({"alpha": True}, "`alpha` is True; a finite number"),
        ({"clip": 1}, "`clip` is 1; true or false"),
        ({"beta": 1e39}, r"`beta` is 1e\+39; it must be at most 1e\+38"),
        ({"iterations": 10**400}, r"`iterations` is 1000.*; it must be at most 1000000000"),
        ({"learning_rate": 0}, "`learning_rate` is 0.0; it must be above 0"),
        ({"iterations": 2.5}, "`iterations` is 2.5; a whole number"),
        ({"content_layers": ["conv9_1"]}, "no layer 'conv9_1'"),
        ({"style_layers": []}, "a list of at least one"),
        ({"style_layers": ["conv1_1", "conv1_1"]}, "names a layer twice"),
        ({"style_layer_weights": [1, 2]}, "has 2 numbers for 5 style layers"),
        ({"style_layer_weights": [0] * 5}, "all 0, so the style has no effect; .* set beta to 0"),
        ({"content_layer_weights": [0.0]}, "all 0, so the content has .* set alpha to 0"),
    ]:
        with pytest.raises(ConfigError, match=message):
            style_transfer(CONTENT, STYLE, tiny_model, **knobs)


@pytest.mark.parametrize("arguments", [{"callbacks": [3]}, {"callbacks": "x"}, {"finish": "x"}])
def test_callbacks_that_are_no_functions_raise(tiny_model, arguments):
    with pytest.raises(ConfigError, match="is not a function: see `callbacks` and `finish`"):
        style_transfer(CONTENT, STYLE, tiny_model, iterations=1, **arguments)


def test_one_callback_needs_no_list(tiny_model):
    seen = []
    style_transfer(CONTENT, STYLE, tiny_model, iterations=2, callbacks=seen.append)
    assert [step.iteration for step in seen] == [0, 1, 2]


def test_config_of_another_type_raises(tiny_model):
    with pytest.raises(ConfigError, match=r"`config` is .*; a TransferConfig was expected"):
        style_transfer(CONTENT, STYLE, tiny_model, config={"alpha": 1})


def test_image_without_rows_raises(tiny_model):
    with pytest.raises(ImageError, match=r"has shape \(1, 0, "):
        style_transfer(CONTENT[:, :0], STYLE, tiny_model)
