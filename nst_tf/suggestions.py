"""Names that other programs have for our options: what to write in place of an unknown one."""

import difflib

_WEIGHT = " (in other units: docs/pictures.md)"
# Names of options of other style transfer programs, with dashes -> ours, as typed.
PEERS = {
    **dict.fromkeys(("content-weight", "content-weights"), f"--alpha{_WEIGHT}"),
    **dict.fromkeys(("style-weight", "sw"), f"--beta{_WEIGHT}"),
    **dict.fromkeys(("total-variation-weight", "tv-loss-weight", "tv"), f"--tv-weight{_WEIGHT}"),
    **dict.fromkeys(("value-range-weight", "range-loss-weight"), "--range-weight"),
    "content-weight-blend": "--content-layer-weights",
    "content-layer": "--content-layers",
    "style-layer": "--style-layers",
    "style-layer-weight-exp": "--style-weighting geometric",
    **dict.fromkeys(
        ("style-loss", "sl", "mrf", "mrf-w", "mrf-weight", "patch-size"), "--method patches"
    ),
    "statistic": "--method",
    **dict.fromkeys(("mrf-layers", "analogy-layers"), "--style-layers"),
    **dict.fromkeys(("analogy-w", "use-full-analogy"), "--analogy UNFILTERED FILTERED"),
    "b-content-w": f"--alpha{_WEIGHT}",
    **dict.fromkeys(("style-blend-weights", "style-imgs-weights"), "--style-weights"),
    **dict.fromkeys(
        ("image-size", "img-size", "imsize", "max-dim", "max-image-size"),
        "--size",
    ),
    **dict.fromkeys(
        ("progress-write", "progress-plot"),
        "--output (losses.csv and report.html in the run directory have the losses)",
    ),
    "max-size": "--size max:N",
    "end-scale": "--size (its 512+ is area:512 here)",
    "rescale-image": "--rescale",
    "rescale-method": "--resample",
    **dict.fromkeys(("bit-depth", "bits-per-channel"), "--bits"),
    **dict.fromkeys(("icc", "icc-profile", "color-profile"), "--profile"),
    **dict.fromkeys(("ppi", "density"), "--dpi"),
    **dict.fromkeys(("content-size", "resolution"), "--size"),
    **dict.fromkeys(("width", "img-width"), "--size width:N"),
    **dict.fromkeys(("height", "img-height"), "--size height:N"),
    **dict.fromkeys(("style-scales", "style-scale-fac"), "--style-scale"),
    **dict.fromkeys(
        (
            *("num-iterations", "num-iter", "num-iters", "n-iter", "niter", "max-iter"),
            *("max-iterations", "iters", "num-steps", "n-steps", "steps", "steps-per-epoch"),
            *("epochs", "num-epochs"),
        ),
        "--iterations",
    ),
    **dict.fromkeys(("lr", "step-size", "learningrate"), "--learning-rate (in gray levels)"),
    **dict.fromkeys(("beta1", "adam-beta1"), "--beta-1"),
    **dict.fromkeys(("beta2", "adam-beta2"), "--beta-2"),
    "lbfgs-num-correction": "--history",
    **dict.fromkeys(
        ("initial", "init-image", "init-img", "init-img-type", "init-method", "starting-point"),
        "--init",
    ),
    "initial-noiseblend": "--noise-ratio",
    **dict.fromkeys(
        (
            *("original-color", "original-colors", "preserve-color", "preserve-colors"),
            *("keep-color", "keep-colors"),
        ),
        "--color luminance",
    ),
    "color-convert-type": "--color swap, swap-ycbcr, swap-luv or swap-lab",
    **dict.fromkeys(("style-mask-imgs", "content-mask", "mask-path"), "--masks"),
    **dict.fromkeys(("nlabels", "target-mask"), "--regions CONTENT_MAP STYLE_MAP"),
    **dict.fromkeys(
        (
            *("model", "model-file", "model-path", "model-weights", "network", "net", "proto-file"),
            *("vgg", "vgg-path", "vgg-model", "mle", "multi-layer-encoder"),
        ),
        "--weights",
    ),
    "checkpoint": "--resume to continue a run, or --weights for a network",
    **dict.fromkeys(("pooling-type", "pool-type"), "--pooling"),
    **dict.fromkeys(
        ("gpu", "gpus", "gpu-id", "cuda", "cuda-device", "devices"),
        "--device gpu:N",
    ),
    **dict.fromkeys(
        ("multigpu-strategy", "multidevice-strategy"),
        "--memory-limit (tiles on one device: docs/gpu.md)",
    ),
    **dict.fromkeys(("cpu", "no-cuda", "no-gpu"), "--device cpu"),
    **dict.fromkeys(("backend", "cudnn-autotune"), "--device (TensorFlow is the only backend)"),
    **dict.fromkeys(("fp16", "half", "amp"), "--precision mixed"),
    **dict.fromkeys(("tile-size", "tile"), "--memory-limit"),
    **dict.fromkeys(("multi-scale", "multiscale"), "--schedule fast"),
    **dict.fromkeys(("octaves", "num-octaves", "num-scales"), "--levels"),
    "min-scale": "--min-size",
    **dict.fromkeys(("avg-decay", "ema", "ema-decay"), "--average"),
    **dict.fromkeys(("normalise-gradients", "normalize-grads"), "--normalize-gradients"),
    **dict.fromkeys(("random-seed", "manual-seed"), "--seed"),
    **dict.fromkeys(
        (
            *("save-iter", "save-freq", "save-interval", "save-iterations", "saving-freq"),
            *("checkpoint-iterations", "checkpoint-output"),
        ),
        "--save-every",
    ),
    **dict.fromkeys(
        ("print-iter", "print-iterations", "print-interval", "log-interval", "log-every"),
        "--print-every",
    ),
    "verbose": "--quiet (progress is printed without it)",
    **dict.fromkeys(
        ("style-pretrans", "fine-style", "style-fine"), "--fine (together with --coarse)"
    ),
    **dict.fromkeys(("style-coarse", "coarse-style"), "--coarse (together with --fine)"),
    **dict.fromkeys(
        (
            *("output-image", "output-img", "output-path", "output-dir", "output-file", "outfile"),
            *("img-name", "img-output-dir", "result", "save-path", "save-dir"),
        ),
        "--output",
    ),
    **dict.fromkeys(
        (
            *("content", "content-image", "content-img", "content-img-name", "content-path"),
            *("content-file", "content-dir", "input", "input-image", "image"),
        ),
        "--content",
    ),
    **dict.fromkeys(
        (
            *("style", "styles", "style-image", "style-images", "style-img", "style-imgs"),
            *("style-img-name", "style-path", "style-file", "style-dir", "style-imgs-dir"),
        ),
        "--style",
    ),
}
PICTURES = ("content", "style")
SIMILAR = 0.65  # by difflib's ratio, 1 for equal names: `preset` and `rescale` have 0.62


def suggestion(name, known, positional=()):
    """Return a hint for an unknown option or knob, such as "did you mean --size?".

    Parameters
    ----------
    name : str
        As typed: --image_size, -image_size, or image_size in a file.
    known : collection of str
        Options (--size) or knobs (style_size).
    positional : collection of str
        Names of the arguments without a flag.

    Returns
    -------
    str
        Empty if nothing is similar.
    """
    plain = _plain(name)
    ours = {_plain(option): option for option in known}
    target = plain if plain in ours else PEERS.get(plain, "")
    option, _, rest = target.partition(" ")
    mark = "" if name.startswith("-") else "`"
    if _plain(option) in ours:
        rest = f" {rest}" if rest else ""
        return f"did you mean {mark}{ours[_plain(option)]}{mark}{rest}?"
    if _plain(option) in PICTURES and _plain(option) in positional:
        return "pictures are given without options, as in photo.jpg painting.jpg"
    if target:  # this command has nothing like it
        return ""
    similar = difflib.get_close_matches(plain[:60], ours, n=1, cutoff=SIMILAR)
    return f"did you mean {mark}{ours[similar[0]]}{mark}?" if similar else ""


def takes_precedence(name, known):
    """Return whether a name is another program's, though it may begin one of the `known` options.

    argparse takes --style-weight for --style-weights, which is something else.
    """
    return name not in known and _plain(name) in PEERS


def _plain(name):
    return name.lstrip("-").replace("_", "-").lower()
