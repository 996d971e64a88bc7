"""What the numbers of 16-bit, 32-bit and floating-point pictures mean."""

import numpy as np
import pytest

from nst_tf.errors import ImageError
from nst_tf.image.levels import eight_bits

RAMP = np.linspace(0, 1, 40 * 50).reshape(40, 50)


@pytest.mark.parametrize("dtype", [np.uint16, np.uint32, np.int16, np.int32])
def test_integers_of_the_full_range(dtype):
    levels, remark = eight_bits(np.rint(RAMP * np.iinfo(dtype).max).astype(dtype))
    np.testing.assert_allclose(levels, 255 * RAMP, atol=0.51)
    assert remark == ""


@pytest.mark.parametrize("used", [8, 10, 12])
def test_bits_in_use_are_judged_by_the_largest_value(used):
    levels, remark = eight_bits(np.rint(RAMP * (2**used - 1)).astype(np.uint16))
    np.testing.assert_allclose(levels, 255 * RAMP, atol=0.51 + 255 / 2**used)
    assert remark == f"its values up to {2**used - 1} are taken as {used} bits"


def test_small_signed_numbers_are_levels():
    levels, remark = eight_bits(np.int8(RAMP * 100))
    assert (levels.max(), remark) == (100, "")


def test_dark_picture_of_sixteen_bits_stays_dark():
    levels, remark = eight_bits(np.rint(RAMP * 9000).astype(np.uint16))
    assert levels.max() == 35
    assert remark == "its largest value is 9000 of 65535, so it is dark"


@pytest.mark.parametrize(
    ("highest", "scale", "remark"),
    [
        (1, 255, ""),
        (0.2, 255, ""),
        (1.03, 255, "taken as 0..1"),
        (250.5, 1, "taken as 0..255"),
        (4, 255 / 4, "divided by 4"),
    ],
)
def test_floats(highest, scale, remark):
    levels, found = eight_bits((RAMP * highest).astype(np.float32))
    np.testing.assert_allclose(levels, np.clip(RAMP * highest * scale, 0, 255), atol=0.51)
    assert found.endswith(remark)
    assert bool(found) == bool(remark)


def test_whole_floats_are_levels():
    levels, remark = eight_bits(np.rint(RAMP * 90))
    assert (levels.max(), remark) == (90, "")


def test_ringing_below_zero_is_clipped():
    values = RAMP.astype(np.float32)
    values[0, 0] = -0.01
    levels, _ = eight_bits(values)
    assert levels[0, 0] == 0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (RAMP * 2 - 1, r"values from -1 to 1; 0\.\.1 or 0\.\.255 was expected"),
        (RAMP - 2, "values from -2 to -1"),
        (np.where(RAMP > 0.5, np.inf, RAMP), "NaN or infinite"),
        (np.where(RAMP > 0.5, np.nan, RAMP), "NaN or infinite"),
        (RAMP**12 * 30_000, "high dynamic range, .* map it to 0..255"),
        (np.int32(RAMP * 9) - 3, "values from -3 to 6; 0 and more were expected"),
    ],
)
def test_unknown_ranges_raise(values, message):
    with pytest.raises(ImageError, match=message):
        eight_bits(values)
