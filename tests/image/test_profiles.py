"""Color profiles of saved pictures, against Little CMS and published numbers."""

import io

import numpy as np
import pytest
from pictures import make_picture
from PIL import Image, ImageCms

from nst_tf.image.io import read_picture, save_image
from nst_tf.image.profiles import PROFILES, in_profile

COLORS = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
SATURATED = np.zeros((64, 64, 3), np.uint8)
SATURATED[:, :32, 0], SATURATED[:, 32:, 1] = 255, 255


def opened(name):
    return ImageCms.ImageCmsProfile(io.BytesIO(PROFILES[name].data()))


@pytest.mark.parametrize(
    ("name", "title", "colorants"),
    [  # under D50: IEC 61966-2-1 by Lindbloom's matrix; Apple's Display P3 profile
        ("srgb", "sRGB", [(0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708)]),
        ("p3", "Display P3", [(0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189)]),
    ],
)
def test_little_cms_reads_the_profiles(name, title, colorants):
    profile = opened(name)
    assert ImageCms.getProfileDescription(profile).strip() == title
    assert ImageCms.getDefaultIntent(profile) == ImageCms.Intent.PERCEPTUAL
    found = [profile.profile.red_colorant[0], profile.profile.green_colorant[0]]
    np.testing.assert_allclose(found, colorants, atol=2e-4)
    np.testing.assert_allclose(profile.profile.media_white_point[0], (0.9642, 1, 0.8249), atol=1e-4)
    assert PROFILES[name].data() == PROFILES[name].data(), "no time of day"


@pytest.mark.parametrize("picture", [COLORS, SATURATED, make_picture(70, 50)])
def test_display_p3_is_what_little_cms_computes(picture):
    source, target = ImageCms.createProfile("sRGB"), opened("p3")
    expected = ImageCms.profileToProfile(Image.fromarray(picture), source, target)
    found = in_profile(picture, "p3", 8)
    assert np.abs(found.astype(int) - np.asarray(expected)).max() <= 1
    deep = in_profile(picture, "p3", 16)
    np.testing.assert_array_equal(np.rint(deep / 257), found)


def test_red_of_srgb_in_display_p3():
    # CSS Color 4: red is color(display-p3 0.91749 0.20029 0.13856).
    red = in_profile(SATURATED[:1, :1], "p3", 16)[0, 0]
    np.testing.assert_allclose(red / 65535, (0.91749, 0.20029, 0.13856), atol=5e-5)


def test_srgb_is_not_converted():
    assert in_profile(COLORS, "srgb", 8) is COLORS
    np.testing.assert_array_equal(in_profile(COLORS, None, 16), COLORS.astype(np.uint16) * 257)


@pytest.mark.parametrize(
    ("name", "bits"), [("a.png", 8), ("a.png", 16), ("a.tif", 8), ("a.tif", 16), ("a.webp", 8)]
)
@pytest.mark.parametrize("profile", ["srgb", "p3"])
def test_saved_colors_are_read_back(tmp_path, name, bits, profile):
    picture = make_picture(47, 61) // 2 + 60  # where a level of P3 is about a level of sRGB
    save_image(tmp_path / name, picture, bits=bits, profile=profile)
    with Image.open(tmp_path / name) as saved:
        assert saved.info["icc_profile"] == PROFILES[profile].data()
    found = read_picture(tmp_path / name, say=None)
    assert np.abs(found.astype(int) - picture).max() <= (0 if profile == "srgb" else 2)


def test_jpeg_keeps_the_profile_and_all_of_the_color(tmp_path):
    save_image(tmp_path / "a.jpg", SATURATED, profile="p3", dpi=240)
    with Image.open(tmp_path / "a.jpg") as saved:
        assert saved.info["icc_profile"] == PROFILES["p3"].data()
        assert saved.info["dpi"] == (240, 240)
        assert saved.layer[0][1:3] == saved.layer[1][1:3] == (1, 1)  # 4:4:4
    found = read_picture(tmp_path / "a.jpg", say=None)
    assert np.abs(found.astype(int) - SATURATED)[:, 4:28].max() < 12
