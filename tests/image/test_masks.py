"""Mask files, guides of the layers, and the effect of masks on loss and gradient."""

import numpy as np
import pytest
import tensorflow as tf
from pictures import make_picture
from PIL import Image

from nst_tf import (
    ConfigError,
    ImageError,
    Objective,
    Style,
    StyleTerm,
    extract_features,
    keep_content,
    layer_guides,
    load_mask,
    style_transfer,
)
from nst_tf.config import PROPAGATION as CONFIG_PROPAGATION
from nst_tf.image.pixels import VGG_PIXELS
from nst_tf.models import receptive_fields
from nst_tf.objective.guides import PROPAGATION

HEIGHT, WIDTH = 48, 64
CONTENT = VGG_PIXELS.to_image(make_picture(HEIGHT, WIDTH))
STYLE = VGG_PIXELS.to_image(make_picture(50, 41, seed=1))
OTHER = VGG_PIXELS.to_image(make_picture(33, 64, seed=2))
SHALLOW = ("conv1_1", "conv2_1")


def mask_file(path, picture):
    Image.fromarray(np.uint8(picture)).save(path)
    return path


def half(left):
    """Return a mask of the left or the right half."""
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    mask[:, : WIDTH // 2] = 1
    return mask if left else 1 - mask


def loss_and_gradient(model, styles, image=CONTENT, layers=SHALLOW, **options):
    objective = Objective(model, [StyleTerm(1.0, layers, **options)])
    targets = objective.targets(None, styles)
    image = tf.constant(image)
    with tf.GradientTape() as tape:
        tape.watch(image)
        loss = objective(image, targets)["style"]
    return float(loss), tape.gradient(loss, image).numpy()


# ------------------------------------------------------------------ files


def test_load_mask_scales_gray_levels_to_0_to_1(tmp_path):
    picture = np.zeros((40, 60), np.uint8)
    picture[:, 20:40], picture[:, 40:] = 102, 255
    mask = load_mask(mask_file(tmp_path / "mask.png", picture))
    assert mask.dtype == np.float32
    np.testing.assert_allclose(mask[0, [0, 30, 59]], [0, 0.4, 1], atol=1e-6)


def test_binary_inverted_and_soft_masks(tmp_path):
    path = mask_file(tmp_path / "mask.png", make_picture(40, 60)[..., 0])
    mask = load_mask(path, (37, 55), binary=True)
    assert set(np.unique(mask)) == {0, 1}
    np.testing.assert_array_equal(load_mask(path, (37, 55), binary=True, inverted=True), 1 - mask)
    soft = load_mask(path, (37, 55))
    assert ((soft >= 0) & (soft <= 1)).all()
    assert np.mean((soft > 0.1) & (soft < 0.9)) > 0


def test_transparent_mask_pixels_are_black(tmp_path):
    picture = np.full((40, 60, 4), 255, np.uint8)
    picture[:, 20:, 3] = 0  # a white shape on transparency, as image editors export it
    mask = load_mask(mask_file(tmp_path / "mask.png", picture))
    assert mask[:, :20].all()
    assert not mask[:, 20:].any()


def test_empty_mask_raises(tmp_path):
    black = mask_file(tmp_path / "black.png", np.zeros((40, 60)))
    with pytest.raises(ImageError, match=r"black.png is all black, so it would act nowhere"):
        load_mask(black)
    white = mask_file(tmp_path / "white.png", np.full((40, 60), 255))
    with pytest.raises(ImageError, match="white and inverted"):
        load_mask(white, inverted=True)


def test_mask_is_resized_but_other_aspect_ratio_raises(tmp_path):
    path = mask_file(tmp_path / "mask.png", np.full((40, 60), 255))
    assert load_mask(path, (80, 120)).shape == (80, 120)
    with pytest.raises(ImageError, match=r"has 60x40 pixels, its picture 60x60: draw it on the"):
        load_mask(path, (60, 60))
    assert load_mask(path, 80).shape == (53, 80)  # sizes as in load_image
    assert load_mask(path, "short:80").shape == (80, 120)
    # The picture may be stretched; its mask is stretched with it.
    assert load_mask(path, (60, 60), picture_size=(400, 600)).shape == (60, 60)


def test_crop_takes_the_center_of_a_mask(tmp_path):
    drawn = np.zeros((40, 60))
    drawn[:, 10:30] = 255
    mask = load_mask(mask_file(tmp_path / "mask.png", drawn), (40, 40), crop=True)
    np.testing.assert_array_equal(mask, np.repeat([[1.0, 0.0]], 20, axis=1).repeat(40, axis=0))


def test_style_transfer_with_invalid_mask_raises(tiny_model):
    with pytest.raises(
        ImageError, match=r"`mask` has shape \(5, 6\), its picture \(48, 64\) pixels"
    ):
        style_transfer(CONTENT, Style(STYLE, mask=np.ones((5, 6))), tiny_model, iterations=0)
    with pytest.raises(ImageError, match=r"`style_mask` has shape .* its picture \(50, 41\)"):
        style_transfer(CONTENT, Style(STYLE, style_mask=half(True)), tiny_model, iterations=0)
    with pytest.raises(ImageError, match="`mask` has values from 0 to 255; 0 to 1"):
        style_transfer(CONTENT, Style(STYLE, mask=255 * half(True)), tiny_model, iterations=0)
    with pytest.raises(ImageError, match="`mask` has values from nan"):
        style_transfer(CONTENT, Style(STYLE, mask=np.nan * half(True)), tiny_model, iterations=0)
    with pytest.raises(ImageError, match="`mask` is 0 everywhere"):
        style_transfer(CONTENT, Style(STYLE, mask=0 * half(True)), tiny_model, iterations=0)


# ------------------------------------------------------------------ guides


def test_simple_guides_have_layer_size_and_mask_mean(tiny_model):
    layers = ("conv1_1", "conv3_1", "conv5_1")
    features = extract_features(tiny_model, CONTENT, layers)
    guides = layer_guides(tiny_model, half(True), layers)
    for layer in layers:
        assert guides[layer].shape[1:3] == features[layer].shape[1:3]
        np.testing.assert_allclose(np.mean(guides[layer]), 0.5, atol=1e-6)


@pytest.mark.parametrize("size", [(48, 64), (37, 45), (130, 500)])
def test_simple_guides_are_aligned_with_receptive_fields(tiny_model, size):
    mask = np.random.default_rng(0).random(size).astype(np.float32)
    layers = ("conv1_1", "conv2_1", "conv3_1", "conv4_2", "conv5_1")
    guides = layer_guides(tiny_model, mask, layers)
    for layer in layers:
        stride, first, field = receptive_fields(tiny_model)[layer]
        begin = first + field / 2 - stride / 2  # a cell is centered in its receptive field
        cells = [
            [
                slice(max(round(i * stride + begin), 0), round((i + 1) * stride + begin))
                for i in axis
            ]
            for axis in map(range, guides[layer].shape[1:3])
        ]
        means = [[mask[row, column].mean() for column in cells[1]] for row in cells[0]]
        np.testing.assert_allclose(guides[layer][0, :, :, 0], means, rtol=1e-5)


def test_guides_if_size_is_not_a_multiple_of_the_stride(tiny_model):
    mask = np.zeros((64, 500), np.float32)
    mask[:, 480:] = 1  # from position 30 on, at a stride of 16
    row = layer_guides(tiny_model, mask, ["conv5_1"])["conv5_1"][0, 0, :, 0]
    np.testing.assert_array_equal(row, [0] * 30 + [1, 1])


def test_guides_grow_from_inside_to_simple_to_all(tiny_model):
    layers = ("conv1_1", "conv2_2", "conv3_1")
    inside, simple, everything = (
        layer_guides(tiny_model, half(True), layers, kind)
        for kind in PROPAGATION[1:2] + PROPAGATION[:1] + PROPAGATION[2:]
    )
    for layer in layers:
        assert (inside[layer].numpy() <= simple[layer].numpy()).all()
        assert (simple[layer].numpy() <= everything[layer].numpy()).all()
    # conv1_1 sees one pixel to each side.
    row = {
        kind: g["conv1_1"][0, 9, 29:35, 0].numpy()
        for kind, g in {"inside": inside, "all": everything}.items()
    }
    np.testing.assert_array_equal(row["inside"], [1, 1, 0, 0, 0, 0])
    np.testing.assert_array_equal(row["all"], [1, 1, 1, 1, 0, 0])


def test_inside_region_smaller_than_receptive_field_raises(tiny_model):
    with pytest.raises(ImageError, match=r"no receptive field of conv5_1 lies inside a mask"):
        layer_guides(tiny_model, half(True), ["conv5_1"], "inside")


def test_guides_for_unknown_layer_raise(tiny_model):
    with pytest.raises(ConfigError, match="there is no layer 'conv9'"):
        layer_guides(tiny_model, half(True), ["conv9"])


def test_unknown_propagation_raises(tiny_model):
    with pytest.raises(ConfigError, match="choose from simple, inside, all"):
        layer_guides(tiny_model, half(True), ["conv1_1"], "outside")
    assert CONFIG_PROPAGATION == PROPAGATION


# ------------------------------------------------------------------ loss and gradient


@pytest.mark.parametrize("statistic", ["gram", "chain", "blurred", "moments", "wasserstein"])
def test_mask_of_ones_equals_no_mask(tiny_model, statistic):
    ones = np.ones((HEIGHT, WIDTH), np.float32)
    style_ones = np.ones(STYLE.shape[1:3], np.float32)
    plain = loss_and_gradient(tiny_model, [Style(STYLE)], statistic=statistic)
    for propagation in PROPAGATION:
        options = {"statistic": statistic, "propagation": propagation}
        masked = loss_and_gradient(tiny_model, [Style(STYLE, 1, ones, style_ones)], **options)
        np.testing.assert_allclose(masked[0], plain[0], rtol=1e-3)
        scale = np.abs(plain[1]).max()
        np.testing.assert_allclose(masked[1], plain[1], atol=2e-3 * scale)


def test_gradient_is_zero_where_receptive_field_is_black(tiny_model):
    _, gradient = loss_and_gradient(tiny_model, [Style(STYLE, mask=half(True))])
    # conv2_1 sees 5 pixels on the finest grid to each side: (1 + 1) + a pool of 2 + 2.
    reach = 6
    assert not gradient[:, :, WIDTH // 2 + reach :].any()
    assert gradient[:, :, : WIDTH // 2].any()
    assert gradient[:, :, WIDTH // 2].any()  # just past the edge it is not zero


def test_inside_gradient_is_zero_outside_the_mask(tiny_model):
    _, gradient = loss_and_gradient(
        tiny_model, [Style(STYLE, mask=half(True))], propagation="inside"
    )
    assert not gradient[:, :, WIDTH // 2 :].any()
    assert gradient[:, :, : WIDTH // 2].any()


def test_losses_of_disjoint_masks_add_up(tiny_model):
    left, right = Style(STYLE, mask=half(True)), Style(OTHER, mask=half(False))
    both = loss_and_gradient(tiny_model, [left, right])
    one, two = (loss_and_gradient(tiny_model, [style]) for style in (left, right))
    np.testing.assert_allclose(both[0], one[0] + two[0], rtol=1e-5)
    np.testing.assert_allclose(both[1], one[1] + two[1], atol=1e-4 * np.abs(both[1]).max())


def test_style_outside_its_mask_is_ignored(tiny_model):
    """Style pixels have no effect where the style mask is black."""
    mask = np.zeros(STYLE.shape[1:3], np.float32)
    mask[:25] = 1
    changed = STYLE.copy()
    changed[:, 32:] = 99  # conv2_1 sees at most 6 pixels beyond the mask
    options = {"layers": SHALLOW}
    losses = [
        loss_and_gradient(tiny_model, [Style(image, style_mask=mask)], **options)[0]
        for image in (STYLE, changed)
    ]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)
    assert loss_and_gradient(tiny_model, [Style(changed)], **options)[0] != pytest.approx(losses[0])


def test_gradient_does_not_depend_on_region_size(tiny_model):
    tile = CONTENT[:, :, :16]
    wide = np.tile(tile, (1, 1, 4, 1))  # (1, 48, 64, 3): the same everywhere
    small, large = np.zeros((2, HEIGHT, WIDTH), np.float32)
    small[:, :16], large[:, :48] = 1, 1
    gradients = [
        loss_and_gradient(tiny_model, [Style(STYLE, mask=mask)], image=wide, layers=("conv1_1",))[1]
        for mask in (small, large)
    ]
    inner = np.s_[:, 4:-4, 4:12]
    scale = np.abs(gradients[0][inner]).max()
    np.testing.assert_allclose(gradients[0][inner], gradients[1][inner], atol=0.05 * scale)


def test_masked_loss_is_proportional_to_style_weight(tiny_model):
    one = loss_and_gradient(tiny_model, [Style(STYLE, 1, half(True))])[0]
    three = loss_and_gradient(tiny_model, [Style(STYLE, 3, half(True))])[0]
    np.testing.assert_allclose(three, 3 * one, rtol=1e-5)


def test_keep_content_restores_content_where_mask_is_black():
    picture, content = make_picture(20, 30), make_picture(20, 30, seed=1)
    mask = np.zeros((20, 30), np.float32)
    mask[:, 10:20], mask[:, 20:] = 0.5, 1
    result = keep_content(picture, content, mask)
    np.testing.assert_array_equal(result[:, :10], content[:, :10])
    np.testing.assert_array_equal(result[:, 20:], picture[:, 20:])
    between = (picture[:, 10:20].astype(float) + content[:, 10:20]) / 2
    np.testing.assert_allclose(result[:, 10:20], between, atol=0.5)
    with pytest.raises(ImageError, match=r"the mask \(3, 3\); they must be the same"):
        keep_content(picture, content, np.ones((3, 3)))
