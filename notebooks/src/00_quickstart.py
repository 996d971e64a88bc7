# %% [markdown]
# # Quickstart: a photograph in the strokes of a painting
#
# **Goals.** In a few minutes you can make a picture, change the knobs that matter most, and know
# which lesson explains them.
#
# **Contents**
#
# 1. Set up
# 2. A first picture
# 3. The knobs that matter
# 4. Your own pictures
# 5. Where to go on
#
# **You need** what `requirements.txt` installs. No network connection.
# *In Colab, or where the cell below asks for it: first run `!git clone ADDRESS nst_tf`, with the address
# of the project, and `%pip install -q -r nst_tf/requirements.txt`, each in a new cell.*

# %% [markdown]
# ## 1. Set up
# Set `mode` to `"quick"`, `"default"` or `"full"`: larger pictures and longer runs.

# %%
import os
import sys
from pathlib import Path

NEEDED = "nst_tf/transfer.py", "nst_tf/models/data/vgg16_imagenet.npz", "images/style/waves.jpg"
places = [Path(), Path(".."), Path("nst_tf")]  # here, Jupyter's way from notebooks/, or beside
found = [place for place in places if all((place / name).is_file() for name in NEEDED)]
if not found:
    searched = ", ".join(str(place.resolve()) for place in places)
    raise SystemExit(
        "Clone the project beside this notebook, as nst_tf, or start Jupyter in the project. In "
        "Colab: `!git clone ADDRESS nst_tf` in a new cell, with the address of the project. "
        f"The lessons need code, weights and pictures ({', '.join(NEEDED)}); an installed package "
        f"does not have the pictures. Searched: {searched}"
    )
os.chdir(found[0])
sys.path.insert(0, str(Path.cwd()))
try:
    from nst_tf import show  # brings TensorFlow along, without its start-up messages
except ModuleNotFoundError as error:
    install = f'%pip install -r "{Path("requirements.txt").resolve()}"'
    raise SystemExit(f"{error}: run `{install}` in a new cell, then this one again") from None

# %% tags=["parameters"]
mode = "default"

# %%
import nst_tf as nst

lesson = nst.lesson_mode(mode, minutes={"quick": 0.6, "default": 3, "full": 14})

# %% [markdown]
# ## 2. A first picture
# Three things go in: a *content* (what is to be seen), a *style* (how it is painted), and a
# *network* that has learnt to see. (`crop` cuts a picture to the shape; without it, it is stretched.)

# %%
model = nst.load_vgg_model(pooling="max")
print(model.name)

# %%
content, content_image = nst.load_image("images/content/coffee.jpg", size=lesson.size, crop=True)
style, style_image = nst.load_image("images/style/stained_glass.jpg", size=lesson.size[0])
assert content_image.shape == (1, *lesson.size, 3), "one image, its height and width, three colours"
assert content.min() >= 0
assert content.max() <= 255

# %% tags=["figure"]
show(
    nst.show_images(content, style, titles=["content", "style"], height=2.4),
    "Left the content, a cup of coffee seen from above; right the style, stained glass.",
)

# %% [markdown]
# *Predict:* which colours will the cup have, its own or the glass's?

# %%
knobs = {
    "unit": "relative",  # losses as shares: the same look at any size
    "alpha": 1.0,  # how much the content counts
    "beta": 12.0,  # how much the style counts
    "tv_weight": 8.0,  # how much smoothness counts
    "schedule": "fast",  # from coarse to fine
    "method": "moments",  # what of the style is matched: docs/choosing.md
    "iterations": lesson.iterations,
}

# %% tags=["figure"]
first = nst.style_transfer(
    content_image,
    style_image,
    model,
    **knobs,
    callbacks=[nst.live(caption="A cup in stained glass")],
)

# %%
assert first.picture.shape == content.shape
losses = first.history
assert losses[-1]["total"] < losses[0]["total"], "the loss falls"
print(f"{first.iterations} iterations in {first.seconds:.0f} s")

# %% tags=["figure"]
show(
    nst.show_images(
        content, style, first.picture, titles=["content", "style", "result"], height=2.4
    ),
    f"Content, style and result: the cup in the glass's colours, with its lead lines. "
    f"{lesson.iterations} iterations, {model.name}.",
)

# %% [markdown]
# Pull the line, by mouse or arrow keys. (Where it is missing, trust the notebook or run the cell.)

# %% tags=["figure"]
nst.compare(
    content,
    first.picture,
    labels=("photograph", "in stained glass"),
    caption="The saucer's rim stays where it was; what was flat wood is panes of glass now.",
)

# %% [markdown]
# The result takes the painting's colours. To keep the photograph's, see lesson 5. (The curve's jump is where
# `fast` goes on at twice the size: fine lines are still missing there.)
#
# ## 3. The knobs that matter
# `beta` is the strength of the style.
#
# *Predict:* with beta 0.5 in place of 12, which will go first: the glass's colours or its lead lines?


# %%
def painted(**changes):
    """Return the picture of a run with some knobs changed."""
    return nst.style_transfer(content_image, style_image, model, **{**knobs, **changes}).picture


betas = [0.5, 12.0, 50.0]
by_beta = [painted(beta=0.5), first.picture, painted(beta=50.0)]


# %%
def distance(picture):
    """Return by how many grey levels a picture is from the content, on average."""
    return abs(picture.astype(float) - content).mean()


distances = [distance(picture) for picture in by_beta]
assert distances == sorted(distances), "more style is further from the photograph"
print([f"{value:.1f}" for value in distances])

# %% tags=["figure"]
show(
    nst.show_images(*by_beta, titles=[f"beta {beta:g}" for beta in betas], height=2.2),
    "The cup at three strengths of style: tinted, without lead lines; in glass; at 50 hardly more: lead lines "
    "through the coffee, the saucer's rim breaking up.",
)

# %% [markdown]
# The start matters too: from the photograph (`noise_ratio` 0) or from noise (1).

# %%
start = nst.generate_noise_image(content_image, noise_ratio=1.0, noise="gaussian", amplitude=50)
noisy = nst.style_transfer(content_image, style_image, model, init_image=start, **knobs)
assert noisy.picture.std() > 10, "something is to be seen"

# %% tags=["figure"]
show(
    nst.show_images(
        first.picture, noisy.picture, titles=["from the photograph", "from noise"], height=2.4
    ),
    "The same run from two starts. From noise the outlines of cup and saucer come back; the colours "
    "do not keep to their places.",
)

# %% [markdown]
# ## 4. Your own pictures
# Put files into `images/` and name them in `nst.load_image`. For a large picture use the command
# line, which says beforehand how long it takes:
#
# `python -m nst_tf.run photo.jpg painting.jpg`

# %%
nst.save_image("output/quickstart.png", first.picture)
assert nst.read_picture("output/quickstart.png").shape == content.shape

# %% [markdown]
# All that you have painted, on one sheet. (`nst.contact_sheet` takes files, too, or the folder that
# a run with `nst.save_every` has filled.)

# %% tags=["figure"]
painted_here = {
    "photograph": content,
    "stained glass": first.picture,
    "beta 0.5": by_beta[0],
    "beta 50": by_beta[2],
    "from noise": noisy.picture,
}
sheet = nst.contact_sheet(list(painted_here.values()), list(painted_here), columns=3)
nst.save_image("output/quickstart_sheet.png", sheet)
show(sheet, "The photograph and the four pictures of this lesson, each with its label below.")

# %% [markdown]
# ## 5. Where to go on
# | lesson | asks |
# | --- | --- |
# | `01_reading_the_paper` | what do content and style mean to a network? |
# | `02_gatys_step_by_step` | how is it computed, from arrays up? |
# | `03_losses_inversion_texture` | which loss conventions are there, and what does each do? |
# | `04_art_generation` | how does a TensorFlow 1 course program become TensorFlow 2? |
# | `05_improving_and_masking` | what makes it better; several styles, masks, colours |
#
# ### Exercises
# 1. **Tweak.** Exchange content and style. What is kept of the glass?
# 2. **Twiddle.** Set `tv_weight` to 0 and to 100. Where does the picture change most?
# 3. **Frob.** Load `images/style/waves.jpg` as `other_image` and paint with two styles:
#    `[nst.Style(style_image, 0.5), nst.Style(other_image, 0.5)]` in the place of `style_image`. Is the
#    result between the two?
#
# ### References
# - L. A. Gatys, A. S. Ecker, M. Bethge: *A Neural Algorithm of Artistic Style*, 2015,
#   [arXiv:1508.06576](https://arxiv.org/abs/1508.06576).
# - Pictures and their licences: `images/CREDITS.md`.
