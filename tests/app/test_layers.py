"""Painted masks as the page sends them."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from nst_tf import ConfigError
from nst_tf.app.layers import EDITOR_SIDE, MAX_URL, painted_layers, photo_to_paint_on


def url_of(picture, kind="PNG", mime="image/png"):
    file = io.BytesIO()
    Image.fromarray(picture).save(file, kind)
    return f"data:{mime};base64,{base64.b64encode(file.getvalue()).decode()}"


def test_layer_is_what_was_painted():
    layer = np.zeros((45, 61, 4), np.uint8)
    layer[:, :20] = 255, 45, 117, 255
    (read,) = painted_layers(url_of(layer))
    np.testing.assert_array_equal(read, layer)
    assert painted_layers(None) == painted_layers("") == []


def test_photo_is_enlarged_to_the_editor():
    photo = photo_to_paint_on(np.zeros((40, 60, 3), np.uint8))
    content = base64.b64decode(photo.removeprefix("data:image/jpeg;base64,"))
    assert Image.open(io.BytesIO(content)).size == (EDITOR_SIDE, EDITOR_SIDE * 2 // 3)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ({"path": "/etc/passwd"}, "not a PNG of at most"),
        ("data:image/png;base64," + "A" * MAX_URL, "not a PNG of at most"),
        ("https://example.com/a.png", "not a PNG of at most"),
        ("data:image/png;base64,%%", "can't be read"),
        ("data:image/png;base64," + base64.b64encode(b"%!PS-Adobe-3.0 EPSF").decode(), "can't be"),
        (url_of(np.zeros((40, 40, 3), np.uint8), "BMP"), "can't be read"),
        (url_of(np.zeros((9, EDITOR_SIDE + 1, 4), np.uint8)), f"has {EDITOR_SIDE + 1}x9 pixels"),
    ],
)
def test_other_layers_are_rejected(url, message):
    with pytest.raises(ConfigError, match=message):
        painted_layers(url)
