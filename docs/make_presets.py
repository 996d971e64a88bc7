"""Write the table of docs/presets.md from the code: ``python docs/make_presets.py``.

The text between the two comment lines is generated; the rest of the page is written by hand.
`--check` writes nothing and checks whether page and code agree.
"""

import argparse
import sys
import textwrap
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from nst_tf.config import OWN_LAYERS, STYLE_LAYERS  # noqa: E402
from nst_tf.presets import PRESETS  # noqa: E402

PAGE = HERE / "presets.md"
WHOLE_WORDS = {"break_long_words": False, "break_on_hyphens": False}
BEGIN, END = "<!-- made by docs/make_presets.py: begin -->", "<!-- end -->"
HEAD = (
    "preset",
    "content",
    "style",
    "alpha : beta",
    "tv",
    "optimizer",
    "iterations",
    "start",
    "size",
)


def made():
    """Return the generated text: a table of numbers, then a paragraph for each preset."""
    rows = [_row(HEAD), _row(["---"] * len(HEAD))]
    rows += [_row(_numbers(name, preset.knobs)) for name, preset in PRESETS.items()]
    return "\n".join([*rows, "", *(_paragraph(name, each) for name, each in PRESETS.items())])


def _row(cells):
    return f"| {' | '.join(cells)} |"


def _numbers(name, knobs):
    """Return the key numbers of a preset, cell by cell."""
    return (
        f"[`{name}`](#{name})",
        _content(knobs) if knobs["alpha"] else "-",
        _style(knobs) if knobs["beta"] else "-",
        f"{knobs['alpha']:.6g} : {knobs['beta']:.6g}",
        f"{knobs['tv_weight']:.3g}, {knobs['tv_form']}" if knobs["tv_weight"] else "-",
        _optimizer(knobs),
        str(knobs["iterations"]),
        _start(knobs),
        _size(knobs),
    )


def _content(knobs):
    if knobs["method"] == "transport":
        return "distances among features"
    return f"{' '.join(knobs['content_layers'])}, {knobs['content_scale']}"


def _style(knobs):
    layers = knobs["style_layers"] or OWN_LAYERS[knobs["method"]]
    if layers == STYLE_LAYERS:
        words = "the paper's five"
    elif len(layers) <= 5:
        words = " ".join(layers)
    else:
        words = f"{layers[0]} ... {layers[-1]}, {len(layers)} in all"
    words = "all" if layers == ("all",) else words
    weights = knobs["style_layer_weights"]
    if weights is None:
        words += f"; w {knobs['style_weighting']}"
    elif len(set(weights)) == 1:
        words += f"; w {weights[0]:.4g} each"
    elif len(weights) <= 5:
        words += f"; w {' '.join(f'{weight:.3g}' for weight in weights)}"
    else:
        words += f"; w {weights[0]:.2g} ... {weights[-1]:.2g}"
    words += "" if knobs["method"] == "gram" else f"; {knobs['method']}"
    shift = knobs["activation_shift"]
    return words + (f"; shift {shift:g}" if shift else "") + f"; {knobs['pooling']} pools"


def _optimizer(knobs):
    name = knobs["optimizer"] or "adam"
    rate = knobs["learning_rate"]
    if name.startswith("lbfgs"):
        words = f"{name}" + (f", {knobs['history']} pairs" if knobs["history"] else "")
    else:
        words = f"{name} {rate or 5:.4g}"
    if knobs["decay"]:
        words += f", {knobs['decay']} {knobs['decay_rate']:.3g} every {knobs['decay_every']}"
    if knobs["clip_at"]:
        return f"{words}; within {knobs['clip_at']:.3g} of the mean"
    return words + ("" if knobs["clip"] else "; not clipped")


def _start(knobs):
    init, ratio = knobs.get("init", "content"), knobs.get("noise_ratio", 0)
    if init == "content" and not ratio:
        return "content"
    noise = knobs.get("noise", "uniform")
    amplitude = knobs.get("noise_amplitude", {"gaussian": 1, "uniform": 20}[noise])
    noise = f"{noise} noise of {amplitude:.3g}"
    if init == "noise":
        return noise
    return f"content, {ratio:g} of {noise} {'added' if knobs.get('noise_added') else 'mixed in'}"


def _size(knobs):
    words = knobs.get("size") or "about 640x480"
    words += ", stretched" if knobs.get("stretch_style") else ""
    words += "; normalized trunk" if knobs.get("normalize") else ""
    return words + ("; pixels 0..1" if knobs.get("pixels") == "unit" else "")


def _paragraph(name, preset):
    parts = [f"## {name}", f"{preset.source}.", f"**What to expect.** {preset.expect}."]
    parts += [f"**Where the source errs.** {preset.errs}."] if preset.errs else []
    return "\n\n".join(textwrap.fill(part, 120, **WHOLE_WORDS) for part in parts) + "\n"


def page():
    """Return the whole page with the generated text."""
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    return f"{before}{BEGIN}\n\n{made()}\n{END}{rest.split(END)[1]}"


def main(arguments=None):
    """Write the page, or check it; return 0, or 2 if page and code differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="check whether page and code agree")
    check = parser.parse_args(arguments).check
    wanted = page()
    if not check:
        PAGE.write_text(wanted, encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != wanted:
        print("docs/presets.md differs from PRESETS: run `python docs/make_presets.py`")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
