"""Presets: the numbers of each source, as changes to the defaults of `JobConfig`.

Sources weight style in different ways. Here all weights are converted to eq. (4) of the paper, E_l:

- mean squared difference of Gram matrices per position: 4 E_l;
- Gram matrices divided by H W N, squares summed (CS231n): 4 E_l;
- the same, squares averaged (Johnson, PyTorch's tutorial): 4 E_l / N^2;
- N and M replaced by 3 and the picture's size at every layer (titu1994, keras.io): the factors
  `PICTURE_SIZED`.

Learning rates are in gray levels: a rate for pixels in 0..1 is multiplied by 255, one for CS231n's
normalized pixels by their standard deviation.
"""

from dataclasses import dataclass, field, fields

from nst_tf.config import STYLE_LAYERS, TransferConfig

CHANNELS = (64, 128, 256, 512, 512)  # N of VGG's five blocks
CS231N_STD = 57.63  # gray levels per unit of CS231n's pixels: 255 x the mean of .229 .224 .225


def _picture_sized(block):
    """Return 4 N^2 M^2 of a block divided by 4 * 3^2 * (picture's M)^2."""
    return CHANNELS[block] ** 2 / 9 / 16**block


PICTURE_SIZED = tuple(_picture_sized(block) for block in range(5))  # 455, 114, 28, 7.1, 0.44


# What a source leaves open follows the papers, not the defaults of a job. That includes the
# precision: the sources compute in float32. Memory limit and XLA are not part of their numbers.
PAPER_DEFAULTS = {
    **{
        knob.name: knob.default
        for knob in fields(TransferConfig)
        if knob.name not in ("memory_limit", "xla")
    },
    "pooling": None,
    "padding": "zero",
    "style_margin": 0.0,
}


@dataclass(frozen=True)
class Preset:
    """The numbers of a source, with a description.

    Attributes
    ----------
    source : str
        Author and publication.
    expect : str
        Look of the result, and differences from the source.
    errs : str
        Known errors in the source's text or code; may be empty.
    knobs : dict
        Changes to the defaults of `JobConfig`; pass the changes to `PAPER_DEFAULTS`.
    on_vgg : dict
        Further changes to use VGG if the SqueezeNet 1.1 file is missing; empty if the source uses
        VGG.
    """

    source: str
    expect: str
    errs: str
    knobs: dict = field(repr=False)
    on_vgg: dict = field(default_factory=dict, repr=False)

    def __post_init__(self):
        object.__setattr__(self, "knobs", {**PAPER_DEFAULTS, **self.knobs})


# --------------------------------------------------------------------------- tutorial 0

PAPER_LAYERS = {"content_layers": ("conv4_2",), "style_layers": STYLE_LAYERS}

DEVOS = Preset(
    source='Tutorial 0, "A Neural Algorithm of Artistic Style", and its code, '
    "ArnoutDevos/StyleTransferTensorFlow",
    expect="Content kept, fine texture. Both pictures are stretched to 640x480. Pixels are not "
    "clipped during the run, so the saved picture is clipped and has about twice the loss",
    errs="Its loop ends before the last picture is saved; nst_tf saves it",
    knobs={
        **PAPER_LAYERS,
        "size": "640x480",
        "stretch_style": True,
        "resample": "bilinear",
        "noise_ratio": 0.0,
        "noise": "gaussian",
        "alpha": 0.0025,
        "beta": 1.0,
        "tv_weight": 0.0,
        "style_layer_weights": (0.5,) * 5,
        "pooling": "average",
        "learning_rate": 2.0,
        "epsilon": 1e-8,
        "clip": False,
        "iterations": 500,
        "save_every": 50,
    },
)

# --------------------------------------------------------------------------- tutorial 1

CS231N_ERRS = (
    "In some of the notebooks the learning rate is read once and never decays, and the 2020 "
    "release swaps height and width when it resizes; both are corrected here"
)
# The layers of VGG at the same strides. The trunk is normalized so that activations have the
# magnitude of SqueezeNet's. Total variation is in gray levels.
CS231N_ON_VGG = {
    "weights": "auto",
    "normalize": True,
    "content_layers": ("conv3_1",),
    "style_layers": ("conv2_1", "conv3_2", "conv4_1", "conv4_2"),
    "learning_rate": 5.0,  # CS231n's 173 gray levels leave noise at VGG's resolution
    "decay_rate": 0.1,
}
ON_SQUEEZENET_1_0 = {"normalize": True}  # without this, only style remained on 1.0


def _cs231n(pair, style_short, content_weight, style_weights, tv_weight, expect=None, **changes):
    """Return a preset of CS231n's assignment 3, in the notebook's own numbers."""
    return Preset(
        source="Tutorial 1, CS231n's StyleTransfer-TensorFlow notebook (2018, 2019), parameters "
        f"for {pair}",
        expect=expect
        or "Small (192 pixels), bold and quick. Uses SqueezeNet 1.1; without its file, the numbers "
        "are applied to a normalized VGG, which gives another picture",
        errs=CS231N_ERRS,
        knobs={
            "weights": "squeezenet",
            "pooling": "max",
            "content_layers": ("fire2",),
            "style_layers": ("conv1", "fire3", "fire4", "fire5"),
            "content_scale": "sum",
            "alpha": content_weight,
            "beta": 1.0,
            "style_layer_weights": tuple(4.0 * weight for weight in style_weights),
            "tv_weight": tv_weight,
            "size": "short:192",
            "style_size": f"short:{style_short}",
            "resample": "bilinear",
            "learning_rate": 3.0 * CS231N_STD,
            "decay": "step",
            "decay_every": 180,
            "decay_rate": 0.1 / 3.0,
            "clip_at": 1.5 * CS231N_STD,
            "iterations": 200,
            "save_every": 100,
            **changes,
        },
        on_vgg={**CS231N_ON_VGG, "tv_weight": tv_weight / CS231N_STD**2},
    )


STARRY = (300000, 1000, 15, 3)
FROM_NOISE = {"init": "noise", "noise": "uniform", "noise_amplitude": CS231N_STD / 2}

# --------------------------------------------------------------------------- tutorial 2

TITU_CONTENT = {"content_scale": "sum", "content_layers": ("conv5_2",), "alpha": 0.025}
TITU_RUN = {
    "tv_weight": 8.5e-5,
    "tv_form": "power",
    "beta": 1.0,
    "size": "height:400",
    "stretch_style": True,
    "pooling": "max",
    "optimizer": "lbfgs",
    "history": 10,
    "iterations": 200,
    "save_every": 20,
    "clip": False,
}
# INetwork's telescoped weights for VGG-16's layers 0..11; the twelfth weight is -1 there.
INETWORK_LAYERS = (
    *("conv1_1", "conv1_2", "conv2_1", "conv2_2"),
    *("conv3_1", "conv3_2", "conv3_3", "conv4_1", "conv4_2", "conv4_3", "conv5_1", "conv5_2"),
)
INETWORK_WEIGHTS = tuple(
    2.0 ** (max(i, 1) - 12) * _picture_sized(int(layer[4]) - 1)
    for i, layer in enumerate(INETWORK_LAYERS)
)

# --------------------------------------------------------------------------- others

TF_PIXELS = 255.0  # pixels are in 0..1 in TensorFlow's tutorial
TORCHVISION = 58.0  # gray levels per unit of the normalized pixels in PyTorch's tutorial
PYTORCH_LAYERS = {"conv1_1": 64, "conv1_2": 64, "conv2_1": 128, "conv2_2": 128, "conv3_1": 256}
GATYS_RUN = {
    **PAPER_LAYERS,
    "beta": 1.0,
    "tv_weight": 0.0,
    "pooling": "average",
    "size": "area:512",
    "init": "noise",
    "noise": "gaussian",
    "noise_amplitude": 50.0,
    "optimizer": "lbfgs",
    "clip": False,
    "iterations": 500,
}

# --------------------------------------------------------------------------- newer methods

NEWER = {
    "unit": "relative",
    "tv_weight": 0.0,
    "pooling": "max",
    "size": "512",
    "style_size": "512",
    "optimizer": "laplacian",
    "learning_rate": 0.51,  # 2e-3 for pixels in 0..1
    "save_every": 100,
}

PRESETS = {
    "devos": DEVOS,
    "cs231n-composition": _cs231n(
        "Tubingen and Composition VII", 512, 5e-2, (20000, 500, 12, 1), 5e-2
    ),
    "cs231n-scream": _cs231n("Tubingen and The Scream", 224, 3e-2, (200000, 800, 12, 1), 2e-2),
    "cs231n-starry": _cs231n("Tubingen and Starry Night", 192, 6e-2, STARRY, 2e-2),
    "cs231n-inversion": _cs231n(
        "feature inversion (Tubingen and Starry Night)",
        192,
        6e-2,
        STARRY,
        2e-2,
        expect="The photograph, reconstructed from noise by the features of one layer. The noise "
        "is centered at the mean color; the notebook's is half a unit brighter",
        **{"beta": 0.0, **FROM_NOISE},
    ),
    "cs231n-texture": _cs231n(
        "texture synthesis, which it proposes without numbers; these are Starry Night's",
        192,
        0.0,
        STARRY,
        2e-2,
        expect="The painting's texture from noise; the photograph only sets the size",
        **FROM_NOISE,
    ),
    "coursera-tf1": Preset(
        source='Tutorial 3, deeplearning.ai "Art generation", first release (TensorFlow 1)',
        expect="The painting's texture in small patches everywhere, the content still readable; "
        "some grain from the noisy initial image. Both pictures are stretched to 400x300",
        errs="",
        knobs={
            **PAPER_LAYERS,
            "size": "400x300",
            "stretch_style": True,
            "noise_ratio": 0.6,
            "noise": "uniform",
            "noise_amplitude": 20.0,
            "content_scale": "quarter-mean",
            "alpha": 10.0,
            "beta": 40.0,
            "tv_weight": 0.0,
            "style_layer_weights": (0.2,) * 5,
            "pooling": "average",
            "learning_rate": 2.0,
            "clip": False,
            "iterations": 200,
            "save_every": 20,
        },
    ),
    "coursera-tf2": Preset(
        source='Tutorial 3, deeplearning.ai "Art generation", release of 2021 (TensorFlow 2)',
        expect="Strong style, down to faces, and rather dark; slow. Content from the network's "
        "last convolution (VGG-19's conv5_4)",
        errs="It passes RGB pixels in 0..1, without mean subtraction, to a network trained on BGR "
        "in 0..255 minus the mean; the preset keeps the range (pixels unit), but not the swap",
        knobs={
            "pixels": "unit",
            "size": "400x400",
            "stretch_style": True,
            "content_layers": ("last",),
            "style_layers": STYLE_LAYERS,
            "content_scale": "quarter-mean",
            "alpha": 10.0,
            "beta": 40.0,
            "tv_weight": 0.0,
            "style_layer_weights": (0.2,) * 5,
            "pooling": "max",
            "noise": "uniform",
            "noise_amplitude": 0.25 * 255,
            "noise_ratio": 1.0,
            "noise_added": True,
            "learning_rate": 0.01 * 255,
            "epsilon": 1e-7,
            "clip": True,
            "iterations": 2501,
            "save_every": 250,
        },
    ),
    "novak-nikulin": Preset(
        source='Tutorial 2\'s paper, "Improving the Neural Algorithm of Artistic Style" (Novak & '
        "Nikulin 2016): sections 3.1, 3.2, 3.3 and 3.5 together",
        expect="All convolutions, bottom layers first, activations shifted by -1, correlations of "
        "neighboring layers: colors and strokes occur together as in the painting. Needs three "
        "times the memory",
        errs="The paper gives no content weight; this one was chosen by eye",
        knobs={
            "content_layers": ("conv4_2",),
            "style_layers": ("all",),
            "style_weighting": "geometric",
            "method": "chain",
            "activation_shift": -1.0,
            "alpha": 1e-4,
            "beta": 1.0,
            "tv_weight": 0.0,
            "pooling": "max",
            "optimizer": "lbfgs",
            "iterations": 300,
        },
    ),
    "titu-network": Preset(
        source="Tutorial 2's code, titu1994/Neural-Style-Transfer, Network.py",
        expect="Loose content, from conv5_2; most style from conv1_1. The source makes 10 x 20 "
        "evaluations",
        errs="Style is divided by 3 and the picture's size at every layer, so conv1_1 has a "
        "thousand times the weight of conv5_1; the history of L-BFGS is lost every 20 evaluations "
        "(not here)",
        knobs={
            **TITU_CONTENT,
            **TITU_RUN,
            "style_layers": STYLE_LAYERS,
            "style_layer_weights": tuple(factor / 5 for factor in PICTURE_SIZED),
        },
    ),
    "titu-inetwork": Preset(
        source="Tutorial 2's code, titu1994/Neural-Style-Transfer, INetwork.py",
        expect="Softer than titu-network; colors from all layers",
        errs="Its 'chain' subtracts the losses of neighboring layers: the last layer gets weight "
        "-1, so its mismatch is rewarded (left out here), and its geometric weights favor the top, "
        "unlike the text. The preset novak-nikulin uses the paper's own formulas",
        knobs={
            **TITU_CONTENT,
            **TITU_RUN,
            "style_layers": INETWORK_LAYERS,
            "style_layer_weights": INETWORK_WEIGHTS,
            "activation_shift": -1.0,
        },
    ),
    "titu-doodle": Preset(
        source="Tutorial 2's code, titu1994/Neural-Style-Transfer, neural_doodle.py",
        expect="A doodle from noise: needs --regions, and the map of the doodle as CONTENT, too. "
        "Most style from conv1_1. Some noise remains; for less add --tv-weight 0.01. The source "
        "makes 10 x 20 evaluations and smooths what it saves (not here). With a photograph as "
        "CONTENT add --init content --alpha 0.1",
        errs="Gram matrices are sums over a region, so one that is larger in the map than in the "
        "painting gets less contrast (means here), and small regions count little",
        knobs={
            **TITU_CONTENT,
            **TITU_RUN,
            "alpha": 0.0,
            "size": None,
            "style_layers": STYLE_LAYERS,
            "style_layer_weights": tuple(factor / 5 for factor in PICTURE_SIZED),
            "init": "noise",
            "noise_amplitude": 127.5,
        },
    ),
    "gatys2015": Preset(
        source="Gatys, Ecker & Bethge 2015, arXiv 1508.06576 (tutorial 4): alpha/beta 1e-3",
        expect="From white noise with average pooling: strong style",
        errs="The paper gives neither optimizer nor iterations; the authors later used L-BFGS",
        knobs={**GATYS_RUN, "alpha": 1e-3},
    ),
    "gatys2016": Preset(
        source="Gatys, Ecker & Bethge, CVPR 2016, on a normalized network, with the weights of "
        "their code, leongatys/NeuralImageSynthesis: content 1e6, style 1e9/5 per layer",
        expect="From white noise, L-BFGS, equal weight for every filter: style overrides content",
        errs="Paper and code differ: by eq. (4) the code weights style millions of times more than "
        "the printed ratio (8e-4 to 5e-3); the code's numbers are used here",
        knobs={
            **GATYS_RUN,
            "normalize": True,
            "content_scale": "mean",
            "alpha": 1.0,
            "style_layer_weights": (4 * 1e9 / 5 / 1e6,) * 5,
        },
    ),
    "gatys-pytorch": Preset(
        source="leongatys/PytorchNeuralStyleTransfer, the notebook of the papers' first author",
        expect="Painterly; shallow layers have the largest weights (1000/N^2). For its second pass "
        "at 800 pixels, make a second run with --init",
        errs="",
        knobs={
            **PAPER_LAYERS,
            "content_scale": "mean",
            "alpha": 1.0,
            "beta": 1.0,
            "style_layer_weights": tuple(4 * 1e3 / n**2 for n in CHANNELS),
            "tv_weight": 0.0,
            "pooling": "max",
            "size": "short:512",
            "style_size": "short:512",
            "optimizer": "lbfgs",
            "history": 100,
            "iterations": 500,
            "clip": False,
        },
    ),
    "pytorch-tutorial": Preset(
        source='PyTorch\'s tutorial "Neural Transfer Using PyTorch" (linked by tutorial 4)',
        expect="Square; shallow layers only, so strokes are fine and shapes remain. Layers are "
        "after the ReLU here, before it in the source; its 300 steps are evaluations, not "
        "iterations",
        errs="",
        knobs={
            "content_layers": ("conv2_2",),
            "style_layers": tuple(PYTORCH_LAYERS),
            "content_scale": "mean",
            "alpha": 1.0,
            "beta": 1e6 / TORCHVISION**2,
            "style_layer_weights": tuple(4 / n**2 for n in PYTORCH_LAYERS.values()),
            "tv_weight": 0.0,
            "pooling": "max",
            "size": "512x512",
            "stretch_style": True,
            "optimizer": "lbfgs",
            "history": 100,
            "iterations": 300,
            "clip": True,
        },
    ),
    "tf-docs": Preset(
        source="TensorFlow's tutorial style_transfer.ipynb",
        expect="Content from conv5_2 at an enormous weight, but deep enough for the style to show. "
        "For bolder strokes add --tv-weight 0 and a smaller --alpha, such as 100",
        errs="Its text says that total variation sums squares; the code sums absolute values",
        knobs={
            "content_layers": ("conv5_2",),
            "style_layers": STYLE_LAYERS,
            "content_scale": "mean",
            "alpha": 1e4,
            "beta": 1e-2,
            "style_layer_weights": (4 / 5,) * 5,
            "tv_weight": 30 / TF_PIXELS,
            "tv_form": "absolute",
            "pooling": "max",
            "size": "512",
            "style_size": "512",
            "learning_rate": 0.02 * TF_PIXELS,
            "beta_1": 0.99,
            "epsilon": 0.1 / TF_PIXELS,
            "clip": True,
            "iterations": 1000,
            "save_every": 100,
        },
    ),
    "keras-io": Preset(
        source="keras.io's example neural_style_transfer.py",
        expect="Gentle; most style from conv1_1. Slow: 4000 steps of plain gradient descent",
        errs="Style is divided by 3 and the picture's size at every layer",
        knobs={
            "content_layers": ("conv5_2",),
            "style_layers": STYLE_LAYERS,
            "content_scale": "sum",
            "alpha": 2.5e-8,
            "beta": 1e-6,
            "style_layer_weights": tuple(factor / 5 for factor in PICTURE_SIZED),
            "tv_weight": 1e-6,
            "tv_form": "power",
            "pooling": "max",
            "size": "height:400",
            "stretch_style": True,
            "optimizer": "sgd",
            "learning_rate": 100.0,
            "decay": "exponential",
            "decay_rate": 0.96,
            "decay_every": 100,
            "clip": False,
            "iterations": 4000,
            "save_every": 100,
        },
    ),
    "johnson": Preset(
        source="jcjohnson/neural-style, its defaults",
        expect="The look that most people know as neural style, from a gray image. For crisper "
        "strokes add --tv-weight 0",
        errs="",
        knobs={
            **PAPER_LAYERS,
            "content_scale": "mean",
            "alpha": 5.0,
            "beta": 100.0,
            "style_layer_weights": tuple(4 / n**2 for n in CHANNELS),
            "tv_weight": 5e-4,  # its gradient is that of half the sum, times 1e-3
            "pooling": "max",
            "size": "512",
            "style_size": "512",
            "init": "noise",
            "noise": "gaussian",
            "noise_amplitude": 1e-3,
            "optimizer": "lbfgs",
            "history": 100,
            "iterations": 1000,
            "save_every": 100,
            "clip": False,
        },
    ),
    "nnst": Preset(
        source="Kolkin et al. 2022, Neural Neighbor Style Transfer: NNST-Opt, and their program",
        expect="Clear contours of the photograph, and strokes like those of the painting. Add "
        "`--color match-oklab` for their color correction, and `--match-gray` if flat areas become "
        "nearly black",
        errs="",
        knobs={
            **NEWER,
            "method": "neighbors",
            "alpha": 0.0,  # they have no content loss, unless it is asked for
            "beta": 1.0,
            "iterations": 1000,  # 200 at 64, 128, 256 and 512 pixels, and 200 of the last pass
        },
    ),
    "strotss": Preset(
        source="Kolkin et al. 2019, STROTSS, arXiv 1904.12785, and their program",
        expect="The painting's features rearranged; shapes of the photograph remain. Learning "
        "rate 0.5 at all levels (theirs is half of it at the last one)",
        errs="Their network gets pixels in -0.5..0.5 instead of the mean and deviation that it was "
        "trained with; nst_tf uses the latter",
        knobs={
            **NEWER,
            "method": "transport",
            "alpha": 1.0,
            "beta": 12.0,
            "iterations": 1000,  # 250 at 64, 128, 256 and 512 pixels
            "beta_1": 0.0,  # with it Adam is RMSprop, but for its first updates
            "beta_2": 0.99,
        },
    ),
}
