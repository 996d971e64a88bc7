"""Reference values published by courses, and relations between the conventions of others."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from nst_tf import (
    ConfigError,
    PixelSpace,
    TVTerm,
    content_loss,
    gram_matrix,
    layer_style_loss,
    read_picture,
    resize_picture,
    total_loss,
    tv_loss,
)
from nst_tf.config import CONTENT_SCALES, TV_FORMS
from nst_tf.objective.losses import CONTENT_SCALES as CONTENT_TABLE
from nst_tf.objective.losses import TV_FORMS as TV_TABLE

TUBINGEN = Path(__file__).resolve().parents[3] / "shared" / "images" / "content" / "tubingen.jpg"
CS231N_PIXELS = PixelSpace(
    mean=(255 * 0.485, 255 * 0.456, 255 * 0.406), std=(255 * 0.229, 255 * 0.224, 255 * 0.225)
)


def course_features(shape):
    """Return the two random tensors of deeplearning.ai's tests (TensorFlow, seed 1)."""
    tf.random.set_seed(1)
    return [tf.random.normal(shape, mean=1, stddev=4) for _ in range(2)]


def per_position(features):
    return gram_matrix(features, per_position=True)


def feature_maps(channels=6):
    rng = np.random.default_rng(0)
    return [tf.constant(rng.random((1, 5, 7, channels)), tf.float32) for _ in range(2)]


# ------------------------------------------------------------------ deeplearning.ai, course 4


def test_content_cost_matches_deeplearning_ai():
    target, current = course_features([1, 1, 4, 4, 3])
    loss = content_loss(current[0], target[0], scale="quarter-mean")
    np.testing.assert_allclose(loss, 7.0568767, rtol=1e-6)


def test_gram_matrix_matches_deeplearning_ai():
    tf.random.set_seed(1)
    unrolled = tf.random.normal([3, 2], mean=1, stddev=4)  # (n_C, n_H * n_W), as in the course
    features = tf.reshape(tf.transpose(unrolled), (1, 1, 2, 3))
    expected = [63.1888, -26.721275, -7.7320204]  # on a CPU; the grader's are from TF32
    np.testing.assert_allclose(gram_matrix(features)[0, 0], expected, rtol=1e-5)


def test_layer_style_cost_matches_deeplearning_ai():
    style, current = course_features([1, 4, 4, 3])
    loss = layer_style_loss(per_position(current), per_position(style))
    np.testing.assert_allclose(loss, 14.017805, rtol=1e-6)


def test_total_costs_match_deeplearning_ai():
    np.testing.assert_allclose(total_loss(0.2, 0.8, alpha=10, beta=40), 34)
    np.testing.assert_allclose(total_loss(0.3, 0.5, alpha=3, beta=8), 4.9)


# ------------------------------------------------------------------ CS231n


def test_total_variation_matches_cs231n():
    if not TUBINGEN.is_file():
        pytest.skip("CS231n's photograph of Tubingen is not part of the project")
    picture = resize_picture(read_picture(TUBINGEN), (192, 256), "bilinear")
    loss = 2e-2 * tv_loss(CS231N_PIXELS.to_image(picture))
    np.testing.assert_allclose(loss, 303.47, rtol=1e-5)


# ------------------------------------------------------------------ conventions


def test_cs231n_style_loss_is_4_times_the_papers():
    current, style = feature_maps()
    size = 5 * 7 * 6  # H W C
    theirs = tf.reduce_sum(tf.square(gram_matrix(current) / size - gram_matrix(style) / size))
    ours = layer_style_loss(per_position(current), per_position(style))
    np.testing.assert_allclose(theirs, 4 * ours, rtol=1e-5)


def test_johnson_style_loss_is_4_over_n_squared_times_the_papers():
    current, style = feature_maps()
    size = 5 * 7 * 6
    theirs = tf.reduce_mean(tf.square(gram_matrix(current) / size - gram_matrix(style) / size))
    ours = layer_style_loss(per_position(current), per_position(style))
    np.testing.assert_allclose(theirs, 4 / 6**2 * ours, rtol=1e-5)


def test_mean_squared_gram_difference_is_4_times_the_papers():
    current, style = feature_maps()
    theirs = tf.reduce_mean(tf.square(per_position(current) - per_position(style)))
    ours = layer_style_loss(per_position(current), per_position(style))
    np.testing.assert_allclose(theirs, 4 * ours, rtol=1e-5)


def test_keras_io_style_loss_is_the_papers_times_a_factor():
    from nst_tf.presets import CHANNELS, PICTURE_SIZED

    np.testing.assert_allclose(PICTURE_SIZED, [455, 113.8, 28.4, 7.1, 0.444], rtol=2e-3)
    rng = np.random.default_rng(1)
    block, height, width = 2, 8, 12  # conv3_1 of a picture of 32x48
    current, style = (
        tf.constant(rng.random((1, height, width, CHANNELS[block])), tf.float32) for _ in range(2)
    )
    difference = tf.reduce_sum(tf.square(gram_matrix(current) - gram_matrix(style)))
    keras_io = difference / (4 * 3**2 * (32 * 48) ** 2)
    ours = layer_style_loss(per_position(current), per_position(style))
    np.testing.assert_allclose(keras_io, PICTURE_SIZED[block] * ours, rtol=1e-4)


@pytest.mark.parametrize(
    ("scale", "times_half"),
    [
        ("sum", 2),
        ("mean", 2 / (5 * 7 * 6)),
        ("quarter-mean", 0.5 / (5 * 7 * 6)),
        ("root", 1 / np.sqrt(5 * 7 * 6)),
    ],
)
def test_content_scale_factors(scale, times_half):
    current, target = feature_maps()
    np.testing.assert_allclose(
        content_loss(current, target, scale=scale),
        times_half * content_loss(current, target),
        rtol=1e-5,
    )


def test_relative_content_loss_of_black_is_1_at_any_size_and_scale():
    _, target = feature_maps()
    black = tf.zeros_like(target)
    tiled = tf.tile(1000 * target, (1, 2, 3, 1))
    np.testing.assert_allclose(content_loss(black, target, scale="relative"), 1, rtol=1e-6)
    np.testing.assert_allclose(
        content_loss(tf.zeros_like(tiled), tiled, scale="relative"), 1, rtol=1e-6
    )


def test_total_variation_matches_tensorflow_and_keras_io():
    image = tf.constant(np.random.default_rng(2).uniform(-9, 9, (1, 6, 8, 3)), tf.float32)
    theirs = tf.image.total_variation(image)[0]
    np.testing.assert_allclose(tv_loss(image, "absolute"), theirs, rtol=1e-5)
    a = tf.square(image[:, :-1, :-1] - image[:, 1:, :-1])  # keras.io's two lines
    b = tf.square(image[:, :-1, :-1] - image[:, :-1, 1:])
    np.testing.assert_allclose(tv_loss(image, "power"), tf.reduce_sum((a + b) ** 1.25), rtol=1e-5)


def test_nine_point_total_variation_matches_crowsonkb_but_for_the_border():
    image = np.zeros((1, 9, 11, 3), np.float32)
    image[:, 1:-1, 1:-1] = np.random.default_rng(3).uniform(-9, 9, (1, 7, 9, 3))
    padded = np.pad(image, ((0, 0), (1, 1), (1, 1), (0, 0)), "edge")
    center = padded[:, 1:-1, 1:-1]
    theirs = [  # of style-transfer-pytorch; here sums in place of means over differing numbers
        np.sum((padded[:, 1:-1, 2:] - center) ** 2) / 3 / (9 * 10),
        np.sum((padded[:, 2:, 1:-1] - center) ** 2) / 3 / (8 * 11),
        np.sum((padded[:, 1:, 1:] - padded[:, :-1, :-1]) ** 2) / 12 / (8 * 10),
        np.sum((padded[:, 1:, :-1] - padded[:, :-1, 1:]) ** 2) / 12 / (8 * 10),
    ]
    np.testing.assert_allclose(tv_loss(image, "nine-point"), 2 * sum(theirs) / 3, rtol=1e-5)


def test_nine_point_total_variation_of_a_slope_is_its_square_in_any_direction():
    rows, columns = np.mgrid[:6, :8].astype(np.float32)
    slopes = (3 * columns, 3 * rows, 3 * (rows + columns) / 2**0.5)
    ours = [tv_loss(np.stack([slope] * 3, 2)[np.newaxis], "nine-point") for slope in slopes]
    np.testing.assert_allclose(ours, 9, rtol=1e-5)


def test_relative_total_variation_takes_forms_of_means_only():
    space = PixelSpace()
    forms = {form: TVTerm.relative(1.0, space, form).form for form in TV_FORMS}
    assert forms.pop("nine-point") == "nine-point"
    assert set(forms.values()) == {"mean"}


def test_mean_total_variation_is_independent_of_image_size():
    stripes = np.zeros((1, 10, 10, 3), np.float32)
    stripes[:, :, ::2] = 50
    ours = [tv_loss(tf.tile(stripes, (1, n, n, 1)), "mean").numpy() for n in (1, 4)]
    np.testing.assert_allclose(ours, 2500)  # horizontal differences are 50, vertical ones 0


def test_total_variation_of_a_flat_image_has_zero_gradient():
    image = tf.zeros((1, 4, 5, 3))
    for form in TV_FORMS:
        with tf.GradientTape() as tape:
            tape.watch(image)
            loss = tv_loss(image, form)
        assert not tape.gradient(loss, image).numpy().any(), form  # and no NaN


def test_config_choices_match_the_loss_tables():
    assert tuple(CONTENT_TABLE) == CONTENT_SCALES
    assert tuple(TV_TABLE) == TV_FORMS


def test_unknown_scale_or_form_raises():
    current, target = feature_maps()
    with pytest.raises(ConfigError, match="`scale` is 'half-sum'; choose from half, sum, mean"):
        content_loss(current, target, scale="half-sum")
    with pytest.raises(ConfigError, match="`form` is 'l1'; choose from squared, absolute, mean"):
        tv_loss(tf.zeros((1, 2, 2, 3)), "l1")
