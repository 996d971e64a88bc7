"""Detection and removal of a painting's frame."""

from pathlib import Path

import numpy as np
import pytest
from pictures import make_picture

from nst_tf.image.frames import frame_widths, without_frame
from nst_tf.image.io import read_picture

PAINTING = make_picture(300, 400)
STYLES = sorted((Path(__file__).resolve().parents[2] / "images/style").glob("*.jpg"))


def framed(widths, color=(230, 225, 210), grain=0):
    """Return the painting with a frame; widths are left, right, top, bottom in pixels."""
    left, right, top, bottom = widths
    frame = np.full((300, 400, 3), color, float)
    frame += np.random.default_rng(0).normal(0, grain, frame.shape)
    frame[top : 300 - bottom, left : 400 - right] = PAINTING[top : 300 - bottom, left : 400 - right]
    return np.clip(np.rint(frame), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("widths", [(20, 20, 20, 20), (8, 0, 0, 12), (0, 30, 0, 0)])
@pytest.mark.parametrize("grain", [0, 15])
def test_frame_widths_per_side(widths, grain):
    lengths = [400, 400, 300, 300]
    for width, length, found in zip(widths, lengths, frame_widths(framed(widths, grain=grain))):
        if width:  # the frame and little of the painting
            assert width / length <= found <= width / length + 0.02
        else:
            assert found == 0


def test_frame_widths_of_extreme_sizes():
    assert frame_widths(np.full((32, 2_000_000, 3), 90, np.uint8)) == [0, 0, 0, 0]
    assert frame_widths(np.full((5, 5, 3), 90, np.uint8)) == [0, 0, 0, 0]


def test_without_frame_removes_the_whole_frame():
    cropped = without_frame(framed((20, 20, 20, 20), color=(255, 0, 255)))
    assert cropped.shape[0] > 250
    assert cropped.shape[1] > 340
    assert not (cropped == (255, 0, 255)).all(-1).any()


@pytest.mark.parametrize("size", [(300, 400), (37, 45), (64, 900)])
def test_painting_without_frame_is_unchanged(size):
    painting = make_picture(*size, seed=3)
    assert frame_widths(painting) == [0, 0, 0, 0]
    np.testing.assert_array_equal(without_frame(painting), painting)


def test_flat_picture_noise_and_gradient_have_no_frame():
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8)
    ramp = np.broadcast_to(np.arange(256, dtype=np.uint8)[:, np.newaxis, np.newaxis], (256, 300, 3))
    for picture in (np.full((50, 60, 3), 128, np.uint8), noise, ramp):
        assert frame_widths(picture) == [0, 0, 0, 0]


def test_frames_of_bundled_styles():
    found = {path.stem: frame_widths(read_picture(path)) for path in STYLES}
    with_frame = {name for name, widths in found.items() if any(widths)}
    assert with_frame == {"stained_glass", "waves"}
    assert all(0.06 < width < 0.08 for width in found["stained_glass"])
    assert found["waves"][:3] == [0, 0, 0]
    assert found["waves"][3] < 0.03


def test_margin_is_cropped_from_each_side():
    cropped = without_frame(PAINTING, 0.05)
    np.testing.assert_array_equal(cropped, PAINTING[15:-15, 20:-20])
    np.testing.assert_array_equal(without_frame(PAINTING, 0.0), PAINTING)
