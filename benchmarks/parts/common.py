"""What several parts share."""

CONTENT = "images/content/coffee.jpg"
STYLE = "images/style/stained_glass.jpg"
SHAPE = "19"  # the trunk that is timed


def ours(size, precision, trunk=SHAPE, **how):
    """Return the worker that goes through our iterations, the tutorial's way."""
    pictures = {"content": CONTENT, "style": STYLE, "size": size}
    given = {"trunk": trunk, "precision": precision, **pictures, **how}
    return {"module": "benchmarks.programs.iterate", "given": given}


def floor(size, dtype):
    """Return the worker that has the convolutions alone."""
    given = {"trunk": SHAPE, "size": size, "dtype": dtype}
    return {"module": "benchmarks.programs.floor", "given": given}
