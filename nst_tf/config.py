"""All knobs: one field each, with its default and help text.

The command line, the saved config.json and the presets take names, defaults and help texts from
these two classes. To add a knob, add a field.
"""

import json
import math
import numbers
import os
import re
import types
import typing
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

import numpy as np

from nst_tf.errors import ConfigError, check_choice
from nst_tf.files import address_advice, atomic_file, read_text
from nst_tf.image.color import COLOR_MODES
from nst_tf.image.io import is_picture, read_note
from nst_tf.image.noise import NOISE
from nst_tf.image.print_size import paper_size
from nst_tf.image.profiles import PROFILES
from nst_tf.image.sizes import RESAMPLING, WRAP
from nst_tf.samples import SAMPLES
from nst_tf.suggestions import suggestion

HUGE = 1e38  # near the maximum of float32
NO_MASK = "-"  # in place of a mask: this style acts everywhere
NOT = "not:"  # before the path of a mask: inverts it
SAVING = ("save_every", "save_start", "checkpoint_every", "animate")  # do not change the picture
PATHS = (  # knobs that name files
    *("content", "style", "fine", "coarse", "analogy"),
    *("masks", "style_masks", "regions", "content_map", "init", "weights"),
)
SETTINGS = "nst_tf"  # keyword of the text chunk of a result.png that holds the config
STARTS = ("content", "noise", "grey", "style", "style-stats")
CONTRAST = "contrast"
KEYWORDS = {  # values other than files
    "init": STARTS,
    "weights": ("auto", "embedded", "squeezenet"),
    "content_map": (CONTRAST,),
}
# The tables of these choices are in modules that import TensorFlow; a test compares them.
POOLING = ("average", "max", "l2", "average-rescaled", "l2-rescaled")
CONTENT_SCALES = ("half", "sum", "mean", "quarter-mean", "root", "relative")
TV_FORMS = ("squared", "absolute", "mean", "power", "nine-point")
STATISTICS = ("gram", "chain", "blurred", "shifted", "moments", "wasserstein")
MATCHES = ("neighbors", "transport")  # methods that choose what to match at each level
METHODS = (*STATISTICS, "patches", *MATCHES)
LARGER = ("shifted", "patches", *MATCHES)  # methods that hold more than the network's maps
WEIGHTING = ("equal", "quarter-deepest", "geometric", "geometric-top")
BLENDS = ("targets", "losses", "geodesic")
MOMENTS = ("moments", "wasserstein")  # methods that match mean and covariance
PROPAGATION = ("simple", "inside", "all")
OPTIMIZERS = ("adam", "lbfgs", "lbfgs-fixed", "sgd", "laplacian")
DECAYS = ("constant", "cosine", "step", "exponential")
SCHEDULES = ("tutorial", "fast", "fine")
KEEP = ("last", "best")
WINDOW = 20  # iterations of min_improvement; an iteration of titu1994 is 20 evaluations
# Knobs that only some optimizers can follow. L-BFGS needs the gradient of the loss itself, and
# SciPy's keeps its iterates to itself.
NEEDED_OPTIMIZERS = {
    "normalize_gradients": ("adam", "sgd"),
    "average": ("adam", "lbfgs-fixed", "sgd"),
    "carry_moments": ("adam",),
}
ONE_EACH = ("style_weights", "masks", "style_masks", "style_scale")  # lists, one entry per style
BROUGHT = {"analogy": {"style": None, "method": "patches"}}  # knobs that a knob brings with it
# Knobs that do nothing, or nothing good, with some methods; and why.
NOT_WITH_METHODS = {
    "normalize_gradients": (("chain",), "whose losses read two layers each"),
    "blend": (("patches", *MATCHES), "which chooses from all styles"),
    "normalize_weights": (("patches", *MATCHES), "whose targets are not matrices"),
    "activation_shift": (MATCHES, "which compares directions of features"),
    "wrap": (MATCHES, "whose features are resized up to the border"),
    "content_layers": (("transport",), "whose content loss reads the style layers"),
    "content_layer_weights": (("transport",), "whose content loss reads the style layers"),
}
PRINT_DPI = 300  # what print shops ask for pictures that are looked at closely
FILMS = ("gif", "webp", "mp4")
DEVICE = re.compile(r"auto|cpu|gpu(:\d{1,3})?", re.ASCII)
PRECISIONS = ("auto", "float32", "mixed")
FINE_LAYERS = ("conv1_1", "conv2_1")  # Gatys et al. 2017, section 6, and their ScaleControl.ipynb
STYLE_LAYERS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")  # Gatys et al. 2015
PATCH_LAYERS = ("conv3_1", "conv4_1")  # Li & Wand 2016, section 4
NEIGHBOR_LAYERS = (  # Kolkin et al. 2022: "conv5 adds time, not quality"
    *("conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_2", "conv3_3"),
    *("conv4_1", "conv4_2", "conv4_3"),
)
TRANSPORT_LAYERS = (  # of Kolkin et al. 2019, as in their program
    *("conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_2", "conv3_3"),
    *("conv4_3", "conv5_3"),
)
OWN_LAYERS = {
    **dict.fromkeys(METHODS, STYLE_LAYERS),
    "patches": PATCH_LAYERS,
    "neighbors": NEIGHBOR_LAYERS,
    "transport": TRANSPORT_LAYERS,
}


def knob(default, help, *, choices=None, minimum=None, maximum=None, above=None, metavar=None):
    """Return a dataclass field with metadata for the command line and the checks."""
    limits = {"choices": choices, "minimum": minimum, "maximum": maximum, "above": above}
    return field(default=default, metadata={"help": help, "metavar": metavar, **limits})


@dataclass(frozen=True)
class TransferConfig:
    """Objective and optimization: the knobs of `style_transfer`."""

    # The defaults were chosen by eye on the embedded trunk at 640x480: much more style than in
    # tutorial 0 (the preset "devos"), a little smoothing, and a longer step.
    alpha: float = knob(
        1e-4,
        "weight of the content loss: higher keeps more of the photograph; 0: texture synthesis",
        minimum=0,
        maximum=HUGE,
    )
    beta: float = knob(
        1.0,
        "weight of the style loss: higher gives more style; 0: content only",
        minimum=0,
        maximum=HUGE,
    )
    tv_weight: float = knob(
        2.5e-7,
        "weight of total variation: higher is smoother, with less grain",
        minimum=0,
        maximum=HUGE,
    )
    range_weight: float = knob(
        0.0,
        "weight of a penalty on pixels darker than black or brighter than white, with --no-clip "
        "(pystiche); 0: none",
        minimum=0,
        maximum=HUGE,
    )
    unit: str = knob(
        "paper",
        "unit of alpha, beta and tv_weight: paper (sums, as in the paper) or relative (fractions "
        "of the targets' energy: the same look at any --size; try alpha 1, beta 12, tv_weight 8)",
        choices=("paper", "relative"),
    )
    content_layers: tuple[str, ...] = knob(("conv4_2",), "layers of the content loss")
    content_layer_weights: tuple[float, ...] | None = knob(
        None, "one weight per content layer (default: 1 each)", minimum=0, maximum=HUGE
    )
    content_scale: str = knob(
        "half", "factor of the content loss (unit paper only)", choices=CONTENT_SCALES
    )
    style_layers: tuple[str, ...] | None = knob(
        None,
        "layers of the style loss; all: every convolution (default: "
        f"{' '.join(STYLE_LAYERS)}; for patches {' '.join(PATCH_LAYERS)})",
    )
    style_layer_weights: tuple[float, ...] | None = knob(
        None,
        "one weight per style layer (default: set by --style-weighting)",
        minimum=0,
        maximum=HUGE,
    )
    style_weighting: str = knob(
        "equal",
        "weights of the style layers: equal, quarter-deepest (a quarter for the deepest: fewer "
        "misplaced motifs), geometric (halved with each deeper layer) or geometric-top",
        choices=WEIGHTING,
    )
    method: str = knob(
        "gram",
        "how the style is matched: gram (Gram matrices), moments (mean and covariance) or another; "
        "shifted: also features that repeat at a distance, such as bricks (Berger & Memisevic); "
        "patches: each 3x3 patch of a layer with its nearest patch of the style (Li & Wand 2016); "
        "neighbors: the features of all layers at each position (NNST, Kolkin et al. 2022); "
        "transport: their distribution, by optimal transport (STROTSS, 2019)",
        choices=METHODS,
    )
    blend: str = knob(
        "targets",
        "average of styles without masks: targets (their statistics) or losses; geodesic: a point "
        "on the shortest path between the moments of two styles (methods moments and wasserstein)",
        choices=BLENDS,
    )
    patch_stride: int = knob(
        2,
        "distance between patches, in positions; 1 takes 16 times as long (method patches)",
        minimum=1,
        maximum=3,
    )
    content_match: float = knob(
        0.75,
        "fraction of the photograph in the image whose features are matched to the style; 1 keeps "
        "most of the photograph (method neighbors)",
        minimum=0,
        maximum=1,
    )
    turned: bool = knob(
        False,
        "also use the painting rotated by 90, 180 and 270 degrees: keeps more of the photograph "
        "(method neighbors)",
    )
    match_gray: bool = knob(
        False,
        "match features of gray copies of photograph and painting, so that light and dark decide "
        "which part of the painting is used, and colors do not (method neighbors)",
    )
    activation_shift: float = knob(
        0.0,
        "constant added to activations before correlating them (Novak & Nikulin: -1)",
        minimum=-1e6,
        maximum=1e6,
    )
    tv_form: str = knob(
        "squared",
        "form of total variation; the unit relative uses nine-point (with diagonals) if chosen, "
        "otherwise mean",
        choices=TV_FORMS,
    )
    propagation: str = knob(
        "simple",
        "propagation of masks to deeper layers (Gatys 2017); always simple at coarse levels of a "
        "schedule",
        choices=PROPAGATION,
    )
    normalize_gradients: bool = knob(
        False,
        "divide the gradient of each term, layer by layer, by its L1 norm: the weights then do not "
        "depend on the scales of the losses; requires adam or sgd",
    )
    normalize_weights: bool = knob(
        False, "divide the weight of each layer by the longest side of its target"
    )
    wrap: str | None = knob(
        None,
        "join opposite edges of the result: x (left and right: a 360-degree panorama) or xy (a "
        "texture that tiles); these sides become divisible by 16, the stride of the deepest layer",
        choices=WRAP,
    )
    optimizer: str | None = knob(
        None,
        "adam, lbfgs (L-BFGS-B), lbfgs-fixed (no line search), sgd (plain gradient descent) or "
        "laplacian (Adam on a Laplacian pyramid; default: the schedule's, or adam if a learning "
        "rate, a decay, --normalize-gradients, --carry-moments or the method patches is given; "
        "laplacian for the methods neighbors and transport)",
        choices=OPTIMIZERS,
    )
    iterations: int = knob(500, "number of updates of the image", minimum=0, maximum=10**9)
    schedule: str = knob(
        "tutorial",
        "tutorial: one scale, Adam with a constant step; fast: lbfgs-fixed, from coarse to fine in "
        "the unit relative; fine: like fast, with more of the iterations at full size",
        choices=SCHEDULES,
    )
    levels: int | None = knob(
        None,
        "number of sizes from coarse to fine, in equal ratios from --min-size; without it, each is "
        "twice the previous one (default: the schedule's)",
        minimum=1,
        maximum=30,
    )
    min_size: int | None = knob(
        None,
        "longer side of the coarsest level in pixels (default: the schedule's)",
        minimum=1,
    )
    level_iterations: tuple[int, ...] | None = knob(
        None,
        "iterations of each level, the coarsest first, instead of --iterations (default: the "
        "schedule divides --iterations)",
        minimum=1,
        maximum=10**7,
    )
    min_improvement: float = knob(
        0.0,
        "end a level when the total loss falls by less than this percentage in "
        f"{WINDOW} iterations; 0: never",
        minimum=0,
        maximum=100,
    )
    learning_rate: float | None = knob(
        None,
        "step size of adam (roughly gray levels per iteration) or sgd (default: the schedule's)",
        above=0,
        maximum=HUGE,
    )
    decay: str | None = knob(
        None,
        "decay of the learning rate: constant, cosine (to 0 at the end), step or exponential "
        "(default: the schedule's)",
        choices=DECAYS,
    )
    decay_rate: float = knob(
        0.96, "decay factor per --decay-every, for step and exponential", above=0, maximum=1
    )
    decay_every: int = knob(100, "iterations per application of --decay-rate", minimum=1)
    beta_1: float = knob(0.9, "Adam: decay rate of the mean gradient", minimum=0, maximum=0.9999999)
    beta_2: float = knob(
        0.999, "Adam: decay rate of the mean squared gradient", minimum=0, maximum=0.9999999
    )
    epsilon: float = knob(1e-8, "Adam: epsilon", minimum=1e-37)
    history: int | None = knob(
        None,
        "history of L-BFGS, in pairs of images (default: lbfgs 20, lbfgs-fixed 10, in tiles 1)",
        minimum=1,
        maximum=1000,
    )
    clip: bool = knob(
        True,
        "clip pixels to the range from black to white during the run; with --optimizer laplacian "
        "at the start of each level",
    )
    clip_at: float | None = knob(
        None,
        "with --clip: clip to this many gray levels around the trunk's mean instead (CS231n: 87)",
        above=0,
        maximum=HUGE,
    )
    carry_moments: bool = knob(
        False, "Adam: start each level with the resized moments of the previous level"
    )
    average: float = knob(
        0.0,
        "decay rate of an average of the images, which replaces the last image (crowsonkb: 0.99; "
        "0: no average)",
        minimum=0,
        maximum=0.9999999,
    )
    keep: str = knob(
        "last",
        "the result: the last picture, or the best (lowest total loss at full size)",
        choices=KEEP,
    )

    seed: int = knob(
        0, "random seed of the noise and of the methods neighbors and transport", minimum=0
    )
    precision: str = knob(
        "float32",
        "precision of the network: float32, mixed (bfloat16, but float32 for pixels and sums), or "
        "auto: mixed on processors known to be faster in bfloat16, else float32",
        choices=PRECISIONS,
    )
    xla: bool = knob(
        False,
        "compile the network with XLA: faster for thousands of iterations of one size on a GPU, "
        "where it requires --pooling average or --no-deterministic",
    )
    memory_limit: float | None = knob(
        None,
        "memory limit in GiB (GPU memory if a GPU is used); larger pictures are processed in tiles "
        "(default: free memory minus a tenth)",
        above=0,
        maximum=1e6,
        metavar="GIB",
    )

    def __post_init__(self):
        for knob_field in fields(self):
            value = _typed(knob_field, getattr(self, knob_field.name))
            object.__setattr__(self, knob_field.name, value)
            _check_limits(knob_field, value)
        if self.style_layer_weights is not None:
            layers = self.style_layers or OWN_LAYERS[self.method]
            _check_one_weight_each("style", layers, self.style_layer_weights)
        if self.content_layer_weights is not None:
            _check_one_weight_each("content", self.content_layers, self.content_layer_weights)
        for name, optimizers in NEEDED_OPTIMIZERS.items():
            if getattr(self, name) and self.optimizer not in (None, *optimizers):
                raise ConfigError(
                    f"`{name}` does not work with the optimizer {self.optimizer}; use "
                    f"{' or '.join(optimizers)}"
                )
        if self.range_weight and self.clip and self.clip_at is None:
            raise ConfigError(
                f"`range_weight` is {self.range_weight:g}, but `clip` keeps all pixels in range; "
                "add --no-clip (clip=False), or leave it out"
            )
        for name, (methods, why) in NOT_WITH_METHODS.items():
            default = self.__dataclass_fields__[name].default
            if self.method in methods and getattr(self, name) != default:
                raise ConfigError(
                    f"`{name}` does not work with the method {self.method}, {why}; leave it out, "
                    "or use another method"
                )
        if self.method in MATCHES and self.unit == "paper":
            raise ConfigError(
                f"the losses of the method {self.method} are fractions; use the unit relative"
            )
        if self.blend == "geodesic" and self.method not in MOMENTS:
            raise ConfigError(
                f"`blend` geodesic requires means and covariances, but the method is "
                f"{self.method}; use {' or '.join(MOMENTS)}"
            )
        if self.wrap and self.carry_moments:
            raise ConfigError(
                f"`carry_moments` does not work with `wrap` {self.wrap}: the moments are resized "
                "without it; leave one of them out"
            )
        if self.level_iterations:
            _check_one_number_a_level(self.levels, self.level_iterations)
            object.__setattr__(self, "iterations", sum(self.level_iterations))

    def changed(self, /, **knobs):  # positional-only: a config file may contain "self"
        """Return a copy with some knobs changed; reject unknown names."""
        known = [knob_field.name for knob_field in fields(self)]
        for name in knobs:
            if name not in known:
                raise ConfigError(unknown_knob(name, known))
        for name, brought in BROUGHT.items():
            if knobs.get(name):
                knobs = {**brought, **knobs}
        changed = replace(self, **knobs)
        if changed.iterations != knobs.get("iterations", changed.iterations):
            raise ConfigError(
                f"`iterations` is {knobs['iterations']}, but `level_iterations` "
                f"{' '.join(map(str, changed.level_iterations))} make {changed.iterations}; give "
                "one of them"
            )
        return changed


def unknown_knob(name, known):
    """Return the error message for an unknown knob."""
    hint = suggestion(name, known) or f"there are {', '.join(known)}"
    return f"there is no option `{name:.60}`; {hint}"


def with_default(name, default):
    """Return a knob of `TransferConfig` with another default."""
    return field(default=default, metadata=TransferConfig.__dataclass_fields__[name].metadata)


@dataclass(frozen=True)
class JobConfig(TransferConfig):
    """A whole job: the pictures, the trunk, the initial image and the knobs of `style_transfer`.

    `style_transfer` defaults to the papers and tutorials, a job to what looks best
    (docs/choosing.md). The presets have the tutorials' numbers.
    """

    alpha: float = with_default("alpha", 1.0)
    beta: float = with_default("beta", 12.0)
    tv_weight: float = with_default("tv_weight", 8.0)
    unit: str = with_default("unit", "relative")
    style_weighting: str = with_default("style_weighting", "quarter-deepest")
    method: str = with_default("method", "moments")
    schedule: str = with_default("schedule", "fast")
    precision: str = with_default("precision", "auto")
    iterations: int = with_default("iterations", 200)
    content: str | None = knob(None, "the photograph")
    style: tuple[str, ...] | None = knob(None, "the painting, or several")
    style_weights: tuple[float, ...] | None = knob(
        None, "one weight per style (default: 1 each)", above=0, maximum=HUGE
    )
    masks: tuple[str, ...] | None = knob(
        None,
        "one mask per style, for the photograph: the style acts where it is white; not:FILE "
        "inverts the mask, - means no mask",
        metavar="MASK",
    )
    style_masks: tuple[str, ...] | None = knob(
        None,
        "one mask per style, for the painting: only the white part is used; not:FILE and - as in "
        "--masks",
        metavar="MASK",
    )
    regions: tuple[str, ...] | None = knob(
        None,
        "two maps in flat colors, for the photograph and the painting: a region takes its style "
        "from the region of the same color in the painting",
        metavar=("CONTENT_MAP", "STYLE_MAP"),
    )
    analogy: tuple[str, ...] | None = knob(
        None,
        "two pictures of the same size, instead of a style: the change from the first to the "
        "second is applied to CONTENT (image analogy, with the method patches)",
        metavar=("UNFILTERED", "FILTERED"),
    )
    content_map: str | None = knob(
        None,
        "a mask for the content loss: the photograph is kept where it is white; not:FILE inverts "
        "it; contrast makes one that is white where the photograph has detail",
        metavar="FILE|contrast",
    )
    binary_masks: bool = knob(False, "threshold gray in masks to black or white")
    keep_content: bool = knob(False, "paste the photograph back where no style acts")
    fine: str | None = knob(
        None,
        "with --coarse, instead of STYLE: the picture that gives the style its fine texture",
        metavar="FILE",
    )
    coarse: str | None = knob(
        None,
        "with --fine: the picture that gives the style its coarse structure; the mixed style is "
        "painted first (Gatys 2017)",
        metavar="FILE",
    )
    fine_layers: tuple[str, ...] = knob(
        FINE_LAYERS, "layers whose statistics come from --fine; deeper layers: larger shapes, too"
    )
    fine_iterations: int = knob(
        100,
        "iterations of painting the mixed style of --fine and --coarse",
        minimum=1,
        maximum=10**7,
    )
    color: str = knob(
        "style",
        "style: the painting's colors; luminance: transfer in gray, then restore the photograph's "
        "colors; swap: transfer in color, then restore them; either with -lab, -luv or -ycbcr: "
        "restore them in that color space; cholesky, pca, symmetric or histogram: recolor the "
        "painting first; match-style: recolor the photograph first; match-oklab: transfer in "
        "color, then move the photograph's colors to the painting's (NNST)",
        choices=COLOR_MODES,
    )
    weights: str = knob(
        "auto",
        "the trunk: a .mat, .h5, .keras or .npz of VGG-19, 16, 13 or 11, an .npz or checkpoint of "
        "SqueezeNet",
        metavar="auto|embedded|squeezenet|PATH",
    )
    pooling: str | None = knob(
        "max",
        "pooling of the trunk: average as in the paper, max as the network was trained, l2 (root "
        "of the sum of squares), or average or l2 rescaled to about the scale of max",
        choices=POOLING,
    )
    padding: str = knob(
        "edge",
        "padding of the convolutions: zero (as trained; leaves a visible border in the picture) or "
        "edge (repeats the outermost positions: strokes reach the border)",
        choices=("zero", "edge"),
    )
    pixels: str = knob(
        "trunk",
        "trunk: as the network was trained; unit: 0..1 without mean subtraction (tutorial 3, 2021)",
        choices=("trunk", "unit"),
    )
    normalize: bool = knob(
        False, "rescale the trunk so that the mean activation of each filter is 1 (CVPR 2016)"
    )
    size: str | None = knob(
        None,
        "width and height, the longer side, or a named side; max:N never enlarges; N+ is the "
        "largest size that fits into memory, at least N (default: about the area of 640x480)",
        metavar="WxH|N|short:N|height:N|width:N|area:N|max:N|N+",
    )
    style_size: str | None = knob(
        None, "--size for the styles (default: as many pixels as the result)", metavar="SIZE"
    )
    style_scale: float | tuple[float, ...] = knob(
        1.0,
        "factor of the styles' width and height, one for all or one per style: 2 doubles the "
        "strokes",
        above=0,
        maximum=100,
    )
    interpolate: int | None = knob(
        None,
        "number of pictures from the first of two styles to the second, along the shortest path "
        "between their moments; strip.png shows them side by side, --animate makes a film",
        minimum=2,
        maximum=999,
    )
    style_margin: float | None = knob(
        None,
        "fraction of a painting's width and height to crop at each side (default: its frame, if it "
        "has one; 0: nothing; a painting with a style mask is not cropped)",
        minimum=0,
        maximum=0.4,
    )
    stretch_style: bool = knob(False, "stretch the style to the result's size and shape")
    resample: str = knob(
        "lanczos", "interpolation for resizing pictures", choices=tuple(RESAMPLING)
    )
    init: str = knob(
        "content",
        "initial image: content, noise, grey, style (its mean color), style-stats (noise with the "
        "style's mean and deviation of each channel) or a picture file",
        metavar="content|noise|grey|style|style-stats|FILE",
    )
    noise_ratio: float = knob(
        0.0, "fraction of noise mixed into the initial image", minimum=0, maximum=1
    )
    noise_added: bool = knob(False, "add the noise to the initial image instead of mixing it in")
    noise: str = knob(
        "uniform", "noise distribution: gaussian (tutorial 0) or uniform", choices=tuple(NOISE)
    )
    noise_amplitude: float | None = knob(
        None,
        "noise amplitude in gray levels (default: gaussian 1, uniform 20)",
        minimum=0,
        maximum=1000,
    )
    rescale: bool = knob(
        False,
        "resize the result to the photograph's own size, with the interpolation of --resample",
    )
    print: str | None = knob(
        None,
        "size of the result on paper, in cm, mm or in, at --dpi; it keeps the photograph's shape. "
        "With --size, it is painted at that size and enlarged",
        metavar="WxHcm",
    )
    bits: int | None = knob(
        None,
        "bits per channel of the result; 16 requires .png or .tif (default: 8; with --print 16)",
        choices=(8, 16),
    )
    profile: str | None = knob(
        None,
        "ICC profile to embed in the result: srgb, or p3 (Display P3), which converts the pixels "
        "(default: none, which means sRGB; with --print srgb)",
        choices=tuple(PROFILES),
    )
    dpi: int | None = knob(
        None,
        "resolution of the result for printing, in dots per inch (default: none; with --print "
        f"{PRINT_DPI})",
        minimum=1,
        maximum=65535,
    )
    save_every: int = knob(
        50, "iterations between saved pictures; 0: save only the last", minimum=0
    )
    save_start: bool = knob(False, "also save the initial image: 000000.png (with --save-every)")
    animate: str | None = knob(
        None,
        "make a time-lapse of the saved pictures: timelapse.gif, .webp or .mp4",
        choices=FILMS,
    )
    checkpoint_every: float = knob(
        30.0, "seconds between checkpoints, from which --resume continues", minimum=0
    )
    device: str = knob(
        "auto",
        "device to compute on; GPUs have the numbers that nvidia-smi shows",
        metavar="auto|cpu|gpu|gpu:N",
    )
    deterministic: bool = knob(
        True, "on a GPU, too, the same command gives the same picture, bit for bit"
    )

    def __post_init__(self):
        super().__post_init__()
        if not DEVICE.fullmatch(self.device):
            raise ConfigError(
                f"`device` is {_short(self.device)}; choose auto, cpu, gpu, or one of several "
                "GPUs, such as gpu:1"
            )
        if self.fine or self.coarse:
            self._check_scale_control()
        if self.analogy:
            self._check_analogy()
        if self.interpolate:
            self._check_interpolate()
        lists = [name for name in ONE_EACH if isinstance(getattr(self, name), tuple)]
        if lists:
            self._check_one_each(lists)
        if self.animate and not (self.save_every or self.interpolate):
            raise ConfigError(
                "`animate` needs saved pictures, but `save_every` is 0; set it to 1 or more"
            )
        if COLOR_MODES[self.color].each and self.style and not self.regions:
            everywhere = (self.masks or (NO_MASK,) * len(self.style)).count(NO_MASK)
            if everywhere > 1:
                raise ConfigError(
                    f"`color` is {self.color}, but {everywhere} styles without a mask recolor the "
                    "same photograph; give one style, or each its mask with --masks"
                )
        if self.print:
            self._check_print()
        if self.content_map not in (None, NO_MASK) and not self.alpha:
            raise ConfigError(
                "`content_map` weighs the content loss, but `alpha` is 0; make it greater, or "
                "leave out the map"
            )
        if self.regions:
            self._check_regions()
        elif self.keep_content and (not self.masks or NO_MASK in self.masks):
            raise ConfigError(
                "`keep_content` needs `masks` or `regions`: give one mask for each style, or two "
                "maps"
            )

    def _check_one_each(self, lists):
        """Check that lists have an entry for each style; directories are counted when read."""
        if any(map(os.path.isdir, self.style or ())):
            return
        for name in lists:
            values = getattr(self, name)
            number = 1 if self.fine and name == "masks" else len(self.paintings)
            if number not in (0, len(values)):
                raise ConfigError(
                    f"`{name}` has {len(values)} entries for {number} styles; give one for each, "
                    "in the same order"
                )

    def _check_interpolate(self):
        count = len(self.style or ())
        if count != 2 and not any(map(os.path.isdir, self.style or ())):
            raise ConfigError(
                f"`interpolate` paints between two styles, but there are {count} styles; give two"
            )
        if self.method not in MOMENTS:
            raise ConfigError(
                f"`interpolate` requires means and covariances, but the method is "
                f"{self.method}; use {' or '.join(MOMENTS)}"
            )
        reasons = {
            "style_weights": "each picture has its own weights of the styles",
            "masks": "each picture is in one style everywhere, between the two",
            "normalize": "each picture would have its own network",
        }
        for name, reason in reasons.items():
            if getattr(self, name):
                raise ConfigError(f"`{name}` does not work with `interpolate`: {reason}; omit it")
        if self.blend == "losses":
            raise ConfigError(
                "`interpolate` has the blend geodesic, but `blend` is losses; omit it"
            )
        object.__setattr__(self, "blend", "geodesic")

    def _check_print(self):
        paper_size(self.print, self.form["dpi"])
        if self.rescale:
            raise ConfigError(
                f"`print` {self.print} and `rescale` (the photograph's own size) both set the size "
                "of the result; give one of them"
            )

    def _check_scale_control(self):
        if not (self.fine and self.coarse):
            one, other = ("fine", "coarse") if self.fine else ("coarse", "fine")
            raise ConfigError(f"`{one}` was given without `{other}`; the mixed style needs both")
        for name in ("analogy", "style", "style_weights", "style_masks", "regions"):
            if getattr(self, name):
                raise ConfigError(
                    f"`fine` and `coarse` make the style, so `{name}` does not apply; omit it, or "
                    "`fine` and `coarse`"
                )

    def _check_analogy(self):
        """Check an analogy; its second picture is the style."""
        if len(self.analogy) != 2:
            raise ConfigError(
                f"`analogy` has {len(self.analogy)} entries; two were expected, a picture and the "
                "same after the filter that is to be applied"
            )
        if self.style not in (None, self.analogy[1:]):
            raise ConfigError(
                f"`analogy` names its own painting, {self.analogy[1]}; leave out the style "
                f"{_short(' '.join(self.style))}"
            )
        if self.regions:
            raise ConfigError(
                "`regions` and `analogy` both say which part of the painting goes where; give one "
                "of them"
            )
        if self.wrap:
            raise ConfigError(
                f"`analogy` does not work with `wrap` {self.wrap}; leave one of them out"
            )
        if self.method != "patches":
            raise ConfigError(
                f"`analogy` chooses patches, but the method is {self.method}; use patches"
            )
        object.__setattr__(self, "style", self.analogy[1:])

    def _check_regions(self):
        if len(self.regions) != 2:
            raise ConfigError(
                f"`regions` has {len(self.regions)} entries; two were expected, the maps of the "
                "photograph and of the painting"
            )
        if self.masks or self.style_masks:
            raise ConfigError(
                "`regions` and `masks` or `style_masks` both say where a style acts; give one of "
                "them"
            )
        if self.style and len(self.style) != 1:
            raise ConfigError(
                f"`regions` maps one painting, but there are {len(self.style)} styles; give one, "
                "or a mask for each with --masks"
            )

    @property
    def form(self):
        """The bits, the profile and the dpi of the result, as keyword arguments of `save_image`."""
        own = (16, "srgb", PRINT_DPI) if self.print else (8, None, None)
        return {
            "bits": self.bits or own[0],
            "profile": self.profile or own[1],
            "dpi": self.dpi or own[2],
        }

    @property
    def paintings(self):
        """The paths of the styles: `style`, or `fine` and `coarse`; empty if there are none."""
        return self.style or tuple(filter(None, (self.fine, self.coarse)))

    def transfer(self):
        """Return the `TransferConfig` part, for `style_transfer`."""
        names = [knob_field.name for knob_field in fields(TransferConfig)]
        return TransferConfig(**{name: getattr(self, name) for name in names})

    def differences(self):
        """Return the knobs that differ from their defaults, by name."""
        values = {knob_field.name: getattr(self, knob_field.name) for knob_field in fields(self)}
        defaults = type(self)()
        return {name: value for name, value in values.items() if value != getattr(defaults, name)}

    def arguments(self):
        """Return the command-line arguments of `python -m nst_tf.run` for this job, as a list."""
        changed = self.differences()
        pictures = [changed.pop("content", None), *changed.pop("style", ())]
        if self.analogy:
            pictures = pictures[:1]
        arguments = [picture for picture in pictures if picture is not None]
        for name, value in changed.items():
            flag = name.replace("_", "-")
            if isinstance(value, bool):
                arguments.append(f"--{flag}" if value else f"--no-{flag}")
            else:
                arguments.append(f"--{flag}")
                arguments += map(str, value if isinstance(value, tuple) else [value])
        return arguments

    def with_paths(self, change, knobs=PATHS):
        """Return the config with ``change(path)`` in place of the path of each file of `knobs`."""

        def changed(path):
            if path is None or path == NO_MASK:
                return path
            inverted = NOT if str(path).startswith(NOT) else ""
            return inverted + str(change(str(path).removeprefix(NOT)))

        paths = {name: getattr(self, name) for name in knobs}
        keywords = [name for name, words in KEYWORDS.items() if paths.get(name) in words]
        for name in keywords:
            del paths[name]
        return replace(
            self,
            **{
                name: tuple(map(changed, value)) if isinstance(value, tuple) else changed(value)
                for name, value in paths.items()
            },
        )

    def paths(self, knobs=PATHS):
        """Return the paths of the files that the config names in `knobs`."""
        paths = []
        self.with_paths(lambda path: paths.append(path) or path, knobs)
        return paths

    def with_names(self):
        """Return the config with file names in place of full paths, for what is sent to others."""
        return self.with_paths(lambda path: Path(path).name if Path(path).is_absolute() else path)

    def text(self, *, without=()):
        """Return the knobs as JSON, except the names in `without`."""
        knobs = {name: value for name, value in asdict(self).items() if name not in without}
        return json.dumps(knobs, indent=2)

    def save(self, path):
        """Write all knobs as JSON."""
        with atomic_file(path) as temporary:
            temporary.write_text(self.text() + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path):
        """Load a config.json, or the settings in a result.png; missing knobs keep defaults.

        A result.png holds the names of files alone: see `_located`.
        """
        if Path(path).exists() and not Path(path).is_file():
            raise ConfigError(f"{path} is not a file; a config.json was expected")
        try:
            if Path(path).suffix.lower() == ".png":
                knobs = json.loads(read_note(path, SETTINGS))
            else:
                knobs = json.loads(read_text(path))
        except OSError as error:
            raise ConfigError(f"{path} can't be read: {error.strerror or error}") from None
        except (ValueError, RecursionError) as error:
            if is_picture(path):
                raise ConfigError(
                    f"{path} is a picture; --config expects a config.json or the result.png of a "
                    "run"
                ) from None
            raise ConfigError(f"{path} is not JSON: {error}") from None
        if not isinstance(knobs, dict):
            raise ConfigError(
                f"{path} does not contain a JSON object; {{option: value, ...}} was expected"
            )
        try:
            config = cls().changed(**knobs)
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from None
        return (
            _located(config, Path(path).parent) if Path(path).suffix.lower() == ".png" else config
        )


def _located(config, folder):
    """Return a config of file names with the paths of the files that are found.

    They are what config.json and journal.json in `folder` record, or else files of these names in
    the working directory or in `folder`, or samples. Paths of files that exist are kept.
    """
    recorded = _recorded_config(folder)
    if recorded is not None:
        names = recorded.with_names()
        same = [name for name in PATHS if getattr(config, name) == getattr(names, name)]
        config = replace(config, **{name: getattr(recorded, name) for name in same})
    others = _recorded_inputs(folder)

    def found(path):
        name = Path(path).name
        places = [path, others.get(name), name, folder / name, *SAMPLES.glob(f"*/{name}")]
        return next((place for place in places if place and exists(place)), path)

    return config.with_paths(found)


def exists(path):
    """Return whether there is a file, or a checkpoint of TensorFlow that `path` names."""
    return Path(path).exists() or Path(f"{path}.index").exists()


def _recorded_config(folder):
    """Return the config.json of a run directory; None if there is none that can be read."""
    try:
        return JobConfig.load(folder / "config.json")
    except ConfigError:
        return None


def _recorded_inputs(folder):
    """Return the paths of the input files in journal.json by file name; empty if it is damaged."""
    try:
        files = json.loads(read_text(folder / "journal.json"))["files"].values()
        return {Path(file["path"]).name: file["path"] for file in files}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _check_one_weight_each(kind, layers, weights):
    if not any(weights):
        weight = {"content": "alpha", "style": "beta"}[kind]
        raise ConfigError(
            f"`{kind}_layer_weights` are all 0, so the {kind} has no effect; make at least one "
            f"greater than 0, or, for a picture without {kind}, set {weight} to 0 instead"
        )
    if "all" not in layers and len(weights) != len(layers):
        raise ConfigError(
            f"`{kind}_layer_weights` has {len(weights)} numbers for {len(layers)} {kind} layers "
            f"({' '.join(layers)}); give one for each"
        )


def _check_one_number_a_level(levels, iterations):
    if levels not in (None, len(iterations)):
        raise ConfigError(
            f"`level_iterations` has {len(iterations)} numbers for {levels} levels; give one for "
            "each, the coarsest first"
        )


def _typed(knob_field, value):
    """Convert a value to the type of its field; JSON and notebooks give lists and ints."""
    kind = knob_field.type
    kinds = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    if value is None and type(None) in kinds:
        return None
    if typing.get_origin(kinds[0]) is tuple:
        return _typed_tuple(knob_field.name, typing.get_args(kinds[0])[0], value)
    if typing.get_origin(kinds[-1]) is tuple and isinstance(value, (list, tuple, np.ndarray)):
        values = _typed_tuple(knob_field.name, kinds[0], value)
        return values if len(values) > 1 else values[0]
    return _typed_scalar(knob_field.name, kinds[0], value)


def kind_of(knob_field):
    """Return the type of a knob's value, or of its values, and whether it may be a list."""
    kind = knob_field.type
    kinds = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    if typing.get_origin(kinds[0]) is tuple:
        return typing.get_args(kinds[0])[0], True
    return kinds[0], typing.get_origin(kinds[-1]) is tuple


def _typed_tuple(name, kind, value):
    values = [value] if isinstance(value, str) else value
    values = values.tolist() if isinstance(values, np.ndarray) else values
    if not isinstance(values, (list, tuple)) or not values:
        raise ConfigError(f"`{name}` is {_short(value)}; a list of at least one value was expected")
    values = tuple(_typed_scalar(name, kind, item) for item in values)
    if name.endswith("_layers") and len(set(values)) < len(values):
        raise ConfigError(f"`{name}` names a layer twice: {_short(' '.join(values))}")
    return values


def _typed_scalar(name, kind, value):
    accepted, expected = {
        float: (numbers.Real, "a finite number"),
        int: (numbers.Integral, "a whole number"),
        bool: (bool, "true or false"),
        str: ((str, Path, int), "text"),  # int: `"size": 512` in a config file
    }[kind]
    if isinstance(value, accepted) and isinstance(value, bool) == (kind is bool):
        try:
            typed = kind(value)
        except OverflowError:  # an int beyond the range of float
            typed = math.inf
        if kind is str and (invalid := _invalid_in_path(typed)):
            raise ConfigError(f"`{name}` is {_short(value)}; text without {invalid} was expected")
        if name in PATHS and (advice := address_advice(typed.removeprefix(NOT))):
            raise ConfigError(f"`{name}`: {advice}")
        if kind is not float or math.isfinite(typed):
            return typed
    raise ConfigError(f"`{name}` is {_short(value)}; {expected} was expected")


def _invalid_in_path(text):
    """Return the name of a character in the text that no file name can contain, or None."""
    try:
        return "a NUL" if b"\0" in os.fsencode(text) else None
    except UnicodeEncodeError:  # JSON can contain a surrogate without its pair
        return "a lone surrogate"


def value_text(value):
    """Return the value of a knob as text."""
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _short(value):
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:50]}..."


def _check_limits(knob_field, value):
    name, limits = knob_field.name, knob_field.metadata
    if limits["choices"] and value is not None:
        check_choice(name, value, limits["choices"])
    for number in value if isinstance(value, tuple) else [value]:
        if not isinstance(number, (int, float)):
            continue
        minimum, maximum, above = limits["minimum"], limits["maximum"], limits["above"]
        if minimum is not None and number < minimum:
            raise ConfigError(f"`{name}` is {_short(number)}; it must be at least {minimum}")
        if maximum is not None and number > maximum:
            raise ConfigError(f"`{name}` is {_short(number)}; it must be at most {maximum}")
        if above is not None and number <= above:
            raise ConfigError(f"`{name}` is {_short(number)}; it must be above {above}")
