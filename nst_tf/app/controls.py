"""The components of the page: picture inputs, knobs, buttons and the panel that shows a run."""

import os
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when Gradio is imported

import gradio as gr

from nst_tf.app import form as forms
from nst_tf.app.form import heading_of
from nst_tf.app.uploads import FILM_FORMATS
from nst_tf.config import JobConfig
from nst_tf.image.color import COLOR_MODES
from nst_tf.image.color_spaces import SPACES
from nst_tf.presets import PRESETS
from nst_tf.samples import SAMPLE_PAIR, SAMPLES
from nst_tf.video.config import RENAMED

HERE = Path(__file__).parent
CONTENT_SAMPLES = sorted((SAMPLES / "content").glob("*.jpg"))
STYLE_SAMPLES = sorted((SAMPLES / "style").glob("*.jpg"))
QUIET = {"api_visibility": "private", "queue": False, "show_progress": "hidden"}


@dataclass(frozen=True)
class Slot:
    """The controls of one style."""

    box: gr.Column
    picture: gr.Image
    problem: gr.HTML
    weight: gr.Slider
    where: gr.Radio
    editor: gr.HTML
    mask_box: gr.Column
    mask: gr.Image
    mask_problem: gr.HTML


@dataclass(frozen=True)
class Controls:
    """The input components of the page; `content_picked` is the choice of a sample photograph."""

    content: gr.Image
    content_problem: gr.HTML
    content_picked: gr.events.Dependency
    film: gr.File
    film_problem: gr.HTML
    content_map: gr.Image
    content_map_problem: gr.HTML
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
        """Return the components whose values make up a form."""
        slots = [
            component
            for slot in self.slots
            for component in (slot.picture, slot.weight, slot.where, slot.editor, slot.mask)
        ]
        knobs = (self.keep_content, self.preset, self.strength, self.side, self.unit, self.amount)
        files = (self.content, self.film, self.content_map)
        return {*files, *slots, *knobs, self.color, self.scale, *self.more.values()}


@dataclass(frozen=True)
class RunPanel:
    """The components that display a run, and its buttons."""

    alert: gr.HTML
    headline: gr.HTML
    picture: gr.HTML
    numbers: gr.HTML
    start: gr.Button
    stop: gr.Button
    resume: gr.Button
    downloads: dict[str, gr.DownloadButton]
    command: gr.Textbox

    def all(self):
        """Return the components that a refresh may change."""
        text = [self.alert, self.headline, self.picture, self.numbers, self.command]
        buttons = [self.start, self.stop, self.resume, *self.downloads.values()]
        return [*text, *buttons]


def make_controls(limits):
    """Create the input components and return them."""
    gr.Markdown("## 1 · The photograph")
    content = _picture("Photograph", CONTENT_SAMPLES, "place-0", SAMPLE_PAIR["content"])
    with gr.Accordion("Or paint a short film", open=False, visible=films_are_read()):
        film, film_problem = _film_upload(), _problem()
    with gr.Accordion("Keep a part of it", open=False):
        content_map = _mask_upload("Content map: white keeps more")
    gr.Markdown("## 2 · The style")
    slots = [_slot(number) for number in range(1, forms.STYLES + 1)]
    with gr.Row():
        add = gr.Button("Add a style", size="sm")
        remove = gr.Button("Remove the last style", size="sm", interactive=False)
    keep_content = gr.Checkbox(
        label="Keep the photograph where no style acts", info="needs a mask for each style"
    )
    _count_styles(slots, add, remove)
    gr.Markdown("## 3 · Settings")
    content = *content, film, film_problem
    return Controls(*content, *content_map, slots, keep_content, **_knobs(limits), more=_more())


def _picture(label, samples, elem_id, value=None):
    """Create a picture input with samples below.

    Return it, the component for its problems, and the event of choosing a sample.
    """
    sources = ["upload", "clipboard", "webcam"]
    picture = _upload(value, label=label, height=220, sources=sources, elem_id=elem_id)
    problem = _problem()
    gallery = gr.Gallery(
        [(path, path.stem.replace("_", " ")) for path in samples],
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
        return samples[event.index], gr.HTML(visible=False)

    return picture, problem, gallery.select(pick, None, [picture, problem], **QUIET)


def _upload(value=None, **options):
    """Return a picture input that passes on the uploaded file unopened.

    Gradio would open the file first and only report "error" if it is not a picture.
    """
    picture = gr.Image(value, type="filepath", buttons=[], **options)
    picture.preprocess = lambda payload: None if payload is None else payload.path
    return picture


def films_are_read():
    """Return whether the packages that films need are installed."""
    return find_spec("av") is not None


def _film_upload():
    """Return the input of a film that passes on the uploaded file unopened."""
    film = gr.File(
        label="Film: its first frame becomes the photograph",
        file_types=list(FILM_FORMATS),
        type="filepath",
        height=120,
        elem_id="film",
    )
    film.preprocess = lambda payload: None if payload is None else payload.path
    return film


def _problem():
    """Return a hidden component that reports what is wrong with a picture."""
    return gr.HTML(visible=False, padding=False, elem_classes="problem")


def _slot(number):
    with gr.Column(visible=number == 1, elem_classes="slot") as box:
        value = SAMPLE_PAIR["style"][0] if number == 1 else None
        picture, problem, _ = _picture(f"Style {number}", STYLE_SAMPLES, f"place-{number}", value)
        weight = gr.Slider(
            0.1, 3, 1, step=0.1, label=f"Weight of style {number}", visible=number > 1
        )
        where = gr.Radio(forms.WHERE, value=forms.EVERYWHERE, label=f"Style {number} acts")
        editor = _mask_editor(f"Paint where style {number} acts")
        # Hide the mask through its column: Gradio recreates a component that is updated itself.
        with gr.Column(visible=False) as mask_box:
            mask = _mask_upload(f"Mask of style {number}: black and white")
    return Slot(box, picture, problem, weight, where, editor, mask_box, *mask)


def _mask_upload(label):
    """Return the input for a mask picture, and the component for its problems."""
    label, sources = f"{label}, aspect ratio of the photograph", ["upload", "clipboard"]
    return _upload(label=label, height=160, sources=sources), _problem()


def _mask_editor(label):
    """Return a hidden editor for a mask; its value is what `painted_layers` reads."""
    return gr.HTML(
        label=label,
        show_label=True,
        html_template=(HERE / "paint.html").read_text(encoding="utf-8"),
        js_on_load=(HERE / "paint.js").read_text(encoding="utf-8"),
        photo="",
        visible=False,
        container=True,
    )


def _count_styles(slots, add, remove):
    """Connect the buttons that add and remove styles."""
    count = gr.State(1)

    def change(count, by):
        count = min(max(count + by, 1), len(slots))
        boxes = [gr.Column(visible=number < count) for number in range(len(slots))]
        picture = [gr.skip() if number < count else None for number in range(len(slots))]
        weight = gr.Slider(visible=count > 1)
        can_add = gr.Button(interactive=count < len(slots))
        can_remove = gr.Button(interactive=count > 1)
        return [count, *boxes, *picture, weight, can_add, can_remove]

    pictures = [slot.picture for slot in slots]
    changed = [count, *(slot.box for slot in slots), *pictures, slots[0].weight, add, remove]
    add.click(lambda n: change(n, 1), count, changed, **QUIET)
    remove.click(lambda n: change(n, -1), count, changed, **QUIET)


def _knobs(limits):
    """Return the most important knobs by name."""
    max_side = limits.side
    preset = gr.Dropdown(
        [("package defaults", forms.OWN_LOOK), *PRESETS],
        value=forms.OWN_LOOK,
        label="Preset",
        info="the settings of a paper or tutorial",
    )
    about = gr.Markdown("", elem_classes="about")
    strength = gr.Slider(
        -4, 4, 0, step=0.5, label="Style strength", info="+1 doubles the style weight"
    )
    scale = gr.Slider(
        0.25,
        3,
        1,
        step=0.05,
        label="Stroke size",
        info="scale of the painting; 2 doubles the strokes",
    )
    side = gr.Slider(
        64,
        max_side,
        min(512, max_side),
        step=16,
        label="Longer side",
        info="of the result, in pixels",
    )
    color = gr.Dropdown(_colors(), value="style", label="Colors")
    with gr.Row():
        amount = gr.Number(JobConfig.iterations, label="Duration", precision=0, min_width=120)
        unit = gr.Radio(["iterations", "seconds"], value="iterations", label="Measured in")
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
    labels = {
        "style": "the painting's",
        "luminance": "the photograph's: only luminance is painted",
        "swap": "the photograph's: restored at the end",
        "cholesky": "the photograph's: the painting is recolored first (Cholesky)",
        "pca": "the photograph's: the painting is recolored first (PCA)",
        "symmetric": "the photograph's: the painting is recolored first (symmetric)",
        "histogram": "the photograph's: the painting is recolored first (histogram)",
        "match-style": "the painting's: the photograph is recolored first (PCA)",
        "match-oklab": "the painting's: the photograph's are moved to them at the end",
        **{f"luminance-{space}": f"as luminance, in {space}" for space in SPACES},
        **{f"swap-{space}": f"as restored at the end, in {space}" for space in SPACES},
    }
    return [(labels.get(mode, mode), mode) for mode in COLOR_MODES]


def _more():
    """Return the remaining knobs by name; an empty one keeps the preset's value."""
    components = {}
    with gr.Accordion("More", open=False):
        gr.Markdown("Empty fields keep the preset's value.")
        knobs = [*forms.MORE, *(forms.FILM_KNOBS if films_are_read() else ())]
        for heading, group in groupby(knobs, lambda knob: heading_of(knob.name)):
            with gr.Accordion(heading.capitalize(), open=False):
                for knob in group:
                    components[knob.name] = _knob(knob)
    return components


def _knob(knob):
    label = RENAMED.get(knob.name, knob.name).removeprefix("--").replace("_", " ")
    text = knob.metadata["help"]
    choices = forms.CHOICES.get(knob.name) or knob.metadata["choices"]
    if knob.type is bool:
        choices = ("yes", "no")
    if choices:
        return gr.Dropdown(["", *choices], value="", label=label, info=text)
    return gr.Textbox(label=label, info=text, max_lines=1, placeholder="preset's value")


def make_recent():
    """Create the gallery of recent runs and return it."""
    gr.Markdown("## Recent runs\n\nChoose a run to view it, download its files or continue it.")
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


def make_run_panel():
    """Create the panel that shows a run and return it."""
    with gr.Row(elem_id="do"):
        start = gr.Button("Start", variant="primary", elem_id="start", min_width=80)
        stop = gr.Button("Stop", interactive=False, elem_id="stop", min_width=80)
        resume = gr.Button("Continue", interactive=False, elem_id="continue", min_width=80)
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
                "film": "Film",
                "timelapse": "Time-lapse",
                "settings": "Settings",
                "report": "Report",
            }.items()
        }
    numbers = gr.HTML(elem_id="numbers", visible=False, padding=False)
    command = gr.Textbox(
        label="Command to repeat this run",
        buttons=["copy"],
        visible=False,
        lines=2,
        elem_id="command",
    )
    return RunPanel(alert, headline, picture, numbers, start, stop, resume, downloads, command)
