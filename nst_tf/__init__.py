"""nst_tf: neural style transfer in TensorFlow, function by function as the tutorials teach it.

The public names below are looked up when first used, so that ``import nst_tf`` and a refused
command line cost milliseconds instead of the seconds that TensorFlow takes to start.
"""

from importlib import import_module

from nst_tf.console import hushed

__version__ = "0.1.0"

_PUBLIC = {
    "nst_tf.callbacks": ["progress", "save_every", "show_every"],
    "nst_tf.image.color": [
        "color_after",
        "color_before",
        "match_color",
        "match_histogram",
        "match_luminance",
        "preserve_color",
        "to_luminance",
    ],
    "nst_tf.config": ["JobConfig", "TransferConfig"],
    "nst_tf.errors": [
        "ConfigError",
        "DeviceError",
        "Diverged",
        "ImageError",
        "Interrupted",
        "NstError",
        "WeightsError",
    ],
    "nst_tf.experiments": [
        "Sheet",
        "layer_grid",
        "reconstruct_content",
        "reconstruct_style",
        "weight_grid",
    ],
    "nst_tf.image.io": ["load_image", "read_picture", "save_image"],
    "nst_tf.image.noise": ["generate_noise_image"],
    "nst_tf.image.pixels": ["PixelSpace", "recover_image"],
    "nst_tf.image.sizes": ["resize_picture"],
    "nst_tf.jobs.inputs": ["load_images"],
    "nst_tf.jobs.resume": ["resume_job"],
    "nst_tf.jobs.run": ["run_job"],
    "nst_tf.notebook.lesson": ["Grid", "lesson_mode", "panel", "read_grid", "show"],
    "nst_tf.objective.losses": [
        "content_loss",
        "style_loss",
        "total_loss",
        "tv_loss",
    ],
    "nst_tf.image.masks": ["keep_content", "load_mask"],
    "nst_tf.objective.guides": ["layer_guides"],
    "nst_tf.objective.objective": [
        "ContentTerm",
        "Objective",
        "Style",
        "StyleTerm",
        "TVTerm",
        "style_layer_weights",
    ],
    "nst_tf.objective.statistics": ["STATISTICS", "gram_matrix", "layer_style_loss"],
    "nst_tf.objective.geometric": ["geometric_weights"],
    "nst_tf.optim": ["LBFGS", "SGD", "Adam", "KerasOptimizer", "ScipyLBFGS"],
    "nst_tf.plots": ["plot_losses", "show_feature_maps", "show_images", "show_sheet"],
    "nst_tf.presets": ["PRESETS"],
    "nst_tf.notebook.compare": ["compare", "contact_sheet"],
    "nst_tf.transfer": ["Result", "Step", "StyleTransfer", "style_transfer"],
    "nst_tf.models": [
        "CS231N_LAYERS",
        "KerasTrunk",
        "Trunk",
        "extract_features",
        "load_model",
        "load_squeezenet_model",
        "load_vgg_model",
        "normalize_trunk",
        "receptive_fields",
    ],
    "nst_tf.notebook.live": ["live"],
}
_HOME = {name: module for module, names in _PUBLIC.items() for name in names}
__all__ = sorted(_HOME)


def __getattr__(name):
    """Import the module that a public name lives in, the first time the name is used."""
    if name not in _HOME:
        raise AttributeError(f"module 'nst_tf' has no attribute {name!r}")
    with hushed():  # TensorFlow comes along with most of them
        value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted([*globals(), *__all__])
