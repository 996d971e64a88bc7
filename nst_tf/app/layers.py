"""What was painted in the mask editor: the data URL of a PNG, as `paint.js` sends it."""

import base64
import io
import warnings

import numpy as np
from PIL import Image

from nst_tf.errors import ConfigError
from nst_tf.report.inline import jpeg_address

EDITOR_SIDE = 720  # longer side of the picture that masks are painted on, in pixels
PNG_URL = "data:image/png;base64,"
MAX_URL = 2**18  # characters; several times those of a mask of many strokes


def photo_to_paint_on(picture):
    """Return a picture (H, W, 3) uint8 in the editor's size, as the data URL of a JPEG.

    Small pictures are enlarged, as the brush is measured in pixels.
    """
    height, width = picture.shape[:2]
    factor = EDITOR_SIDE / max(height, width)
    size = [max(round(side * factor), 1) for side in (width, height)]
    return jpeg_address(np.asarray(Image.fromarray(picture).resize(size)))


def painted_layers(url):
    """Return what was painted: a list of one layer (H, W, 4) uint8, or of none.

    Raises
    ------
    ConfigError
        It is not a PNG of the editor's size.
    """
    if not url:
        return []
    again = "reload the page and paint again"
    if not isinstance(url, str) or not url.startswith(PNG_URL) or len(url) > MAX_URL:
        raise ConfigError(f"the painted mask is not a PNG of at most {MAX_URL:,} bytes: {again}")
    try:
        content = base64.b64decode(url.removeprefix(PNG_URL), validate=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's size warning: the limit here is lower
            with Image.open(io.BytesIO(content), formats=["PNG"]) as layer:
                width, height = layer.size
                if max(width, height) > EDITOR_SIDE:
                    raise ConfigError(
                        f"the painted mask has {width}x{height} pixels; at most {EDITOR_SIDE} a "
                        f"side were expected: {again}"
                    )
                return [np.asarray(layer.convert("RGBA"))]
    except ConfigError:
        raise
    except Exception as error:  # Pillow's readers raise many kinds
        raise ConfigError(f"the painted mask can't be read ({error!s:.100}): {again}") from None
