"""Make `pictures/grid.json` and `grid.jpg`, which lesson 1's panel chooses from: 15 minutes.

`python -m notebooks.make_grid` from the project's folder. Figure 3 of Gatys et al. 2015, twice.
"""

import json
from pathlib import Path

import numpy as np
from PIL import Image

import nst_tf as nst

HERE = Path(__file__).resolve().parent
IMAGES = HERE.parent / "images"
SIZE = (120, 160)
ITERATIONS = 150
RATIOS = (1e-5, 1e-4, 1e-3, 1e-2)
LAYERS = [f"conv{block}_1" for block in range(1, 6)]
SETS = {"A: conv1_1": LAYERS[:1], "C: to conv3_1": LAYERS[:3], "E: to conv5_1": LAYERS}
STARTS = {"photograph": 0.0, "noise": 1.0}
AXES = {
    "start": list(STARTS),
    "style layers": list(SETS),
    "alpha / beta": [f"{ratio:g}" for ratio in RATIOS],
}


def main():
    """Paint all combinations and write them as one picture."""
    model = nst.load_vgg_model("embedded")
    _, content = nst.load_image(IMAGES / "content/rocket.jpg", size=SIZE, crop=True)
    _, style = nst.load_image(IMAGES / "style/night_strokes.jpg", size=SIZE, crop=True)
    rows = []
    for ratio_of_noise in STARTS.values():
        start = nst.generate_noise_image(content, ratio_of_noise, amplitude=50)
        for layers in SETS.values():
            knobs = {"style_layers": layers, "optimizer": "lbfgs", "iterations": ITERATIONS}
            pictures = [
                nst.style_transfer(
                    content, style, model, init_image=start, alpha=alpha, tv_weight=0.0, **knobs
                ).picture
                for alpha in RATIOS
            ]
            rows.append(np.concatenate(pictures, axis=1))
            print(f"{len(rows)} of {len(STARTS) * len(SETS)} rows")
    folder = HERE / "pictures"
    folder.mkdir(exist_ok=True)
    Image.fromarray(np.concatenate(rows)).save(folder / "grid.jpg", quality=88)
    caption = f"{SIZE[1]}x{SIZE[0]}, {ITERATIONS} iterations of L-BFGS, float32, {model.name}"
    about = json.dumps({"axes": AXES, "caption": caption}, indent=1)
    (folder / "grid.json").write_text(about + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
