"""Each tutorial's own numbers, as changes to the defaults of `JobConfig`."""

PRESETS = {
    # Tutorial 0, "A Neural Algorithm of Artistic Style", and its code,
    # ArnoutDevos/StyleTransferTensorFlow. Both pictures are stretched to 640x480; the start is
    # the content itself; Adam steps 2 grey levels and nothing keeps the pixels in range, so the
    # saved picture is a clipped one with about twice the loss. Expect content kept, fine texture.
    "devos": {
        "size": "640x480",
        "stretch_style": True,
        "resample": "bilinear",
        "noise_ratio": 0.0,
        "noise": "gaussian",
        "alpha": 0.0025,
        "beta": 1.0,
        "tv_weight": 0.0,
        "content_layers": ("conv4_2",),
        "style_layers": ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"),
        "style_layer_weights": (0.5, 0.5, 0.5, 0.5, 0.5),
        "pooling": "average",
        "learning_rate": 2.0,
        "epsilon": 1e-8,
        "clip": False,
        "iterations": 500,
        "save_every": 50,
    },
}
