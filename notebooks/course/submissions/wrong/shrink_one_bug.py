"""Only one of the two bugs is fixed.

Loses: q8
Told: height and width are swapped
"""

# %% q8
from PIL import Image


def shrink(picture, longest):
    height, width, _ = picture.shape
    factor = longest / max(height, width)
    new_height, new_width = round(height * factor), round(width * factor)
    return np.array(Image.fromarray(picture).resize((new_height, new_width)))
