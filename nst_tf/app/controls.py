"""What the page is made of: pictures to choose, knobs, buttons, and where a run is shown."""

import os
from dataclasses import dataclass
from itertools import groupby

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when Gradio is imported

import gradio as gr

from nst_tf.app import form as forms
from nst_tf.app.form import heading_of
from nst_tf.config import JobConfig
from nst_tf.image.color import COLOR_MODES
from nst_tf.presets import PRESETS
from nst_tf.samples import SAMPLE_PAIR, SAMPLES

CONTENT_SAMPLES = sorted((SAMPLES / "content").glob("*.jpg"))
STYLE_SAMPLES = sorted((SAMPLES / "style").glob("*.jpg"))
QUIET = {"api_visibility": "private", "queue": False, "show_progress": "hidden"}


@dataclass(frozen=True)
class Slot:
    """The controls of one style."""

    box: gr.Column
    picture: gr.Image
    told: gr.HTML
    weight: gr.Slider
    where: gr.Radio
    editor: gr.ImageEditor
    mask_box: gr.Column
    mask: gr.Image
    mask_told: gr.HTML


@dataclass(frozen=True)
class Controls:
    """What a visitor chooses with."""

    content: gr.Image
    content_told: gr.HTML
    slots: list[Slot]
    keep_content: gr.Checkbox
    preset: gr.Dropdown
    about: gr.Markdown
    strength: gr.Slider
    side: gr.Slider
    unit: gr.Radio
    amount: gr.Number
    color: gr.Dropdown
    scale: gr.Slider
    more: dict[str, gr.components.Component]

    def all(self):
        """Return the components that a form is read from."""
        slots = [
            each
            for slot in self.slots
            for each in (slot.picture, slot.weight, slot.where, slot.editor, slot.mask)
        ]
        knobs = (self.keep_content, self.preset, self.strength, self.side, self.unit, self.amount)
        return {self.content, *slots, *knobs, self.color, self.scale, *self.more.values()}


@dataclass(frozen=True)
class Shown:
    """Where a run is shown, and what is done with it."""

    alert: gr.HTML
    headline: gr.HTML
    picture: gr.HTML
    numbers: gr.HTML
    start: gr.Button
    stop: gr.Button
    go_on: gr.Button
    downloads: dict[str, gr.DownloadButton]
    command: gr.Textbox

    def all(self):
        """Return the components that a look at a run may change."""
        text = [self.alert, self.headline, self.picture, self.numbers, self.command]
        buttons = [self.start, self.stop, self.go_on, *self.downloads.values()]
        return [*text, *buttons]


def make_controls(limits):
    """Return the controls that a visitor chooses with."""
    gr.Markdown("## 1 · The photograph")
    content, content_told = _picture(
        "Photograph", CONTENT_SAMPLES, "place-0", SAMPLE_PAIR["content"]
    )
    gr.Markdown("## 2 · The style")
    slots = [_slot(number) for number in range(1, forms.STYLES + 1)]
    with gr.Row():
        add = gr.Button("Add a style", size="sm")
        remove = gr.Button("Remove the last style", size="sm", interactive=False)
    keep_content = gr.Checkbox(
        label="Keep the photograph where no style acts", info="needs a mask for each style"
    )
    _count_styles(slots, add, remove)
    gr.Markdown("## 3 · How")
    return Controls(content, content_told, slots, keep_content, **_knobs(limits), more=_more())


def _picture(label, samples, place_id, value=None):
    """Return a place for a picture, one to say what is wrong with it, and samples below."""
    sources = ["upload", "clipboard", "webcam"]
    place = _upload(value, label=label, height=220, sources=sources, elem_id=place_id)
    told = _told()
    gallery = gr.Gallery(
        [(path, _spoken(path)) for path in samples],
        label=f"Samples for: {label}",
        columns=len(samples),
        height="auto",
        show_label=False,
        allow_preview=False,
        object_fit="cover",
        buttons=[],
        elem_classes="samples",
    )

    def pick(event: gr.SelectData):
        return samples[event.index]

    gallery.select(pick, None, place, **QUIET)
    return place, told


def _upload(value=None, **how):
    """Return a place for a picture that hands on the file as it came.

    Gradio would open it first, and say "error" of one that is no picture.
    """
    place = gr.Image(value, type="filepath", buttons=[], **how)
    place.preprocess = lambda payload: None if payload is None else payload.path
    return place


def _told():
    """Return a place beside a picture to say what is wrong with it."""
    return gr.HTML(visible=False, padding=False, elem_classes="told")


def _spoken(path):
    return path.stem.replace("_", " ")


def _slot(number):
    with gr.Column(visible=number == 1, elem_classes="slot") as box:
        value = SAMPLE_PAIR["style"][0] if number == 1 else None
        picture, told = _picture(f"Style {number}", STYLE_SAMPLES, f"place-{number}", value)
        weight = gr.Slider(
            0.1, 3, 1, step=0.1, label=f"Weight of style {number}", visible=number > 1
        )
        where = gr.Radio(forms.WHERE, value=forms.EVERYWHERE, label=f"Style {number} acts")
        editor = gr.ImageEditor(
            label=f"Paint where style {number} acts",
            type="numpy",
            visible=False,
            sources=[],
            transforms=[],
            layers=False,
            buttons=[],
            brush=gr.Brush(default_size=40, colors=["rgba(255, 45, 117, 0.6)"], color_mode="fixed"),
            eraser=gr.Eraser(default_size=40),
        )
        # Hidden by what is about it: Gradio makes a component that is changed itself anew.
        with gr.Column(visible=False) as mask_box:
            mask = _upload(
                label=f"Mask of style {number}: black and white, in the photograph's shape",
                height=160,
                sources=["upload", "clipboard"],
            )
            mask_told = _told()
    return Slot(box, picture, told, weight, where, editor, mask_box, mask, mask_told)


def _count_styles(slots, add, remove):
    """Let styles be added and removed."""
    count = gr.State(1)

    def change(count, by):
        count = min(max(count + by, 1), len(slots))
        boxes = [gr.Column(visible=number < count) for number in range(len(slots))]
        picture = [gr.skip() if number < count else None for number in range(len(slots))]
        weight = gr.Slider(visible=count > 1)
        more, less = gr.Button(interactive=count < len(slots)), gr.Button(interactive=count > 1)
        return [count, *boxes, *picture, weight, more, less]

    pictures = [slot.picture for slot in slots]
    changed = [count, *(slot.box for slot in slots), *pictures, slots[0].weight, add, remove]
    add.click(lambda n: change(n, 1), count, changed, **QUIET)
    remove.click(lambda n: change(n, -1), count, changed, **QUIET)


def _knobs(limits):
    """Return the few knobs that matter first."""
    most = limits.side
    preset = gr.Dropdown(
        [("the look of this package", forms.OWN_LOOK), *PRESETS],
        value=forms.OWN_LOOK,
        label="Preset",
        info="the numbers of a paper or tutorial",
    )
    about = gr.Markdown("", elem_classes="about")
    strength = gr.Slider(
        -4, 4, 0, step=0.5, label="Style strength", info="each step up doubles the style's weight"
    )
    scale = gr.Slider(
        0.25,
        3,
        1,
        step=0.05,
        label="Size of the strokes",
        info="scale of the painting: 2 doubles them",
    )
    side = gr.Slider(
        64, most, min(512, most), step=16, label="Longer side", info="pixels of the result"
    )
    color = gr.Dropdown(_colors(), value="style", label="Colours")
    with gr.Row():
        amount = gr.Number(JobConfig.iterations, label="How long", precision=0, min_width=120)
        unit = gr.Radio(["iterations", "seconds"], value="iterations", label="Counted in")
    return {
        "preset": preset,
        "about": about,
        "strength": strength,
        "side": side,
        "unit": unit,
        "amount": amount,
        "color": color,
        "scale": scale,
    }


def _colors():
    words = {
        "style": "the painting's",
        "luminance": "the photograph's: only light and dark are painted",
        "swap": "the photograph's: put back at the end",
        "cholesky": "the photograph's: the painting is recoloured before (Cholesky)",
        "pca": "the photograph's: the painting is recoloured before (PCA)",
        "symmetric": "the photograph's: the painting is recoloured before (symmetric)",
        "histogram": "the photograph's: the painting is recoloured before (histogram)",
    }
    return [(words.get(mode, mode), mode) for mode in COLOR_MODES]


def _more():
    """Return the other knobs, by name: empty ones stay as the preset has them."""
    found = {}
    with gr.Accordion("More", open=False):
        gr.Markdown("What is left empty stays as the preset has it.")
        for heading, group in groupby(forms.MORE, lambda knob: heading_of(knob.name)):
            with gr.Accordion(heading.capitalize(), open=False):
                for knob in group:
                    found[knob.name] = _knob(knob)
    return found


def _knob(knob):
    label, text = knob.name.replace("_", " "), knob.metadata["help"]
    choices = forms.CHOICES.get(knob.name) or knob.metadata["choices"]
    if knob.type is bool:
        choices = ("yes", "no")
    if choices:
        return gr.Dropdown(["", *choices], value="", label=label, info=text)
    return gr.Textbox(label=label, info=text, max_lines=1, placeholder="as the preset has it")


def make_recent():
    """Return the gallery of recent runs."""
    gr.Markdown("## Recent runs\n\nChoose one to see it, take its files or continue it.")
    return gr.Gallery(
        label="Recent runs",
        show_label=False,
        columns=6,
        fit_columns=False,
        height="auto",
        visible=False,
        allow_preview=False,
        object_fit="cover",
        buttons=[],
        interactive=False,
        elem_id="recent",
    )


def make_shown():
    """Return the buttons of a run and the places where it is shown."""
    with gr.Row(elem_id="do"):
        start = gr.Button("Start", variant="primary", elem_id="start", min_width=80)
        stop = gr.Button("Stop", interactive=False, elem_id="stop", min_width=80)
        go_on = gr.Button("Continue", interactive=False, elem_id="continue", min_width=80)
    alert = gr.HTML(elem_id="alert", visible=False, padding=False)
    headline = gr.HTML(elem_id="headline", padding=False)
    picture = gr.HTML(elem_id="picture", visible=False, padding=False)
    with gr.Row():
        downloads = {
            name: gr.DownloadButton(
                label, visible=False, size="sm", min_width=90, elem_id=f"get-{name}"
            )
            for name, label in {
                "picture": "Picture",
                "film": "Time-lapse",
                "settings": "Settings",
                "report": "Report",
            }.items()
        }
    numbers = gr.HTML(elem_id="numbers", visible=False, padding=False)
    command = gr.Textbox(
        label="This command repeats the run",
        buttons=["copy"],
        visible=False,
        lines=2,
        elem_id="command",
    )
    return Shown(alert, headline, picture, numbers, start, stop, go_on, downloads, command)
