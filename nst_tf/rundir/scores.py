"""Names and units of the numbers in a score; `report/score.py` computes them."""

SCORES = {
    "content_distance": "of the energy of the content's features",
    "style_distance": "of the energy of the style's mean and covariance, averaged over the layers",
    "seams": "excess of the sharpest straight line over the content's",
    "clipped": "of the pixels, beyond those of content and style",
    "high_pass_content": "times the content's fine detail",
    "high_pass_style": "times the style's fine detail",
}
OF_LAYER = "style_distance_"  # before the name of a layer


def names_in(scores):
    """Return the names that occur in scores: those in `SCORES`, then the layers' distances."""
    found = dict.fromkeys(name for score in scores for name in score)
    layers = [name for name in found if name.startswith(OF_LAYER)]
    return [*(name for name in SCORES if name in found), *layers]
