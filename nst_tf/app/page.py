"""What happens on the page: pictures are checked, runs are begun, looked at, stopped, continued."""

import hmac
import secrets
from pathlib import Path

import gradio as gr
from gradio.utils import get_upload_folder
from PIL import Image
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from nst_tf.app import form as forms
from nst_tf.app.controls import QUIET, make_controls, make_recent, make_shown
from nst_tf.app.form import Form, StyleChoice, config_of
from nst_tf.app.studio import OPEN
from nst_tf.app.views import alert_of, headline_of, recent_runs, view_of
from nst_tf.config import JobConfig
from nst_tf.errors import ConfigError, NstError
from nst_tf.image.io import read_picture
from nst_tf.rundir.layout import CONFIG, REPORT, RESULT
from nst_tf.samples import SAMPLES

MOST_UPLOAD = "64mb"  # of one picture file
STYLE = Path(__file__).parent / "page.css"
SECONDS = 1.0  # from one look at the run to the next
EDITOR = 720  # pixels of the longer side of the picture that masks are painted on
NOBODY = {"owner": None, "order": None, "run": None}
HERE = ("127.0.0.1", "localhost", "::1")
STORE = "nst_tf"  # under which the browser keeps which run it looks at
TO_THE_RUN = "() => document.getElementById('run').scrollIntoView({behavior: 'smooth'})"
HEAD = """<header class="head"><h1>nst_tf</h1>
<p>Neural style transfer: a photograph, repainted by the statistics of a painting.</p></header>"""
FONTS = ("system-ui", "sans-serif")  # of the machine: none is fetched
THEME = gr.themes.Default(
    font=FONTS,
    font_mono=("ui-monospace", "monospace"),
    primary_hue="cyan",
    neutral_hue="stone",
).set(
    button_primary_background_fill="*primary_800",  # lighter, white letters can't be read on it
    button_primary_background_fill_hover="*primary_700",
    button_primary_background_fill_dark="*primary_700",
)


class Page(gr.Blocks):
    """A page that takes files from its own uploads alone, whatever a request names."""

    async def preprocess_data(self, block_fn, inputs, *more, **how):
        """Look at all paths among the inputs, then hand them on."""
        for path in named_files(inputs):
            if not Path(path).resolve().is_relative_to(Path(get_upload_folder()).resolve()):
                raise gr.Error("this file was not uploaded here")
        return await super().preprocess_data(block_fn, inputs, *more, **how)


def named_files(data):
    """Yield all that is called "path" in what a browser has sent, however deep."""
    if isinstance(data, dict):
        if data.get("path"):
            yield str(data["path"])
        data = list(data.values())
    if isinstance(data, list):
        for each in data:
            yield from named_files(each)


def _only_here(address):
    """Return what keeps pages of other names away from one that is for this machine alone.

    Else a page elsewhere could give itself our address (DNS rebinding), and press our buttons.
    """
    if address not in HERE:
        return {}
    return {"middleware": [Middleware(TrustedHostMiddleware, allowed_hosts=[*HERE, "[::1]"])]}


def launch(page, folder, address, port, *, password=None, open_browser=False):
    """Serve the page until Ctrl-C.

    Parameters
    ----------
    page : gradio.Blocks
    folder : path
        Whose files may be downloaded: that of the runs.
    address : str
    port : int
    password : str, optional
        That visitors must know; any name goes with it.
    open_browser : bool

    Raises
    ------
    ConfigError
        The address or the port can't be had.
    """
    auth = password and (lambda name, word: same_word(password, word))
    try:
        page.launch(
            server_name=address,
            server_port=port,
            auth=auth,
            auth_message="Any name, and the password of this page." if auth else None,
            inbrowser=open_browser,
            allowed_paths=[str(folder.resolve()), str(SAMPLES)],
            max_file_size=MOST_UPLOAD,
            theme=THEME,
            css_paths=[STYLE],
            footer_links=[],
            run_history=False,  # it could be sent elsewhere
            share=False,
            ssr_mode=False,
            pwa=False,
            mcp_server=False,
            enable_monitoring=False,
            strict_cors=True,
            show_error=False,
            quiet=True,
            app_kwargs=_only_here(address),
            prevent_thread_lock=True,
        )
    except OSError:
        raise ConfigError(
            f"port {port} of {address} can't be had: another program is at it, or there is no such "
            "address; choose another --port"
        ) from None


def same_word(word, given):
    """Return whether a visitor knows the password, in a time that tells nothing about it."""
    return hmac.compare_digest(word.encode(), given.encode())


def build(studio, uploads, knobs=None):
    """Return the page.

    Parameters
    ----------
    studio : Studio
    uploads : Uploads
    knobs : dict, optional
        As for `config_of`.
    """
    with Page(title="nst_tf", analytics_enabled=False, delete_cache=(3600, 86400)) as page:
        gr.HTML(HEAD)
        with gr.Row(equal_height=False):
            with gr.Column(scale=5, min_width=320):
                controls = make_controls(studio.limits)
            with gr.Column(scale=6, min_width=320, elem_id="run"):
                shown = make_shown()
        recent = make_recent()
        _connect_controls(controls, uploads)
        Visits(studio, uploads, knobs or {}, controls, shown, recent).connect(page)
    return page


def _connect_controls(controls, uploads):
    """Check what is uploaded at once, and open what a mask needs."""
    _check_at_once("the photograph", controls.content, controls.content_told, uploads)
    for number, slot in enumerate(controls.slots, 1):
        _check_at_once(f"style {number}", slot.picture, slot.told, uploads)
        _check_at_once(f"the mask of style {number}", slot.mask, slot.mask_told, uploads)
    about = [controls.about, controls.amount, controls.unit, controls.side]
    controls.preset.change(_about_preset, [controls.preset, controls.content], about, **QUIET)
    for slot in controls.slots:
        opened = [slot.where, controls.content], [slot.editor, slot.mask_box]
        slot.where.change(_open_mask, *opened, **QUIET)
        controls.content.change(_open_mask, *opened, **QUIET)


def _about_preset(name, content):
    """Return what to know of a preset, and its iterations and size."""
    config = forms.preset_config(name)
    side = forms.own_side(config, content)
    about = forms.words_for_preset(name)
    return about, config.iterations, "iterations", gr.skip() if side is None else side


def _check_at_once(what, place, told, uploads):
    """Look at a picture as soon as it is uploaded; one that can't be used goes, and is told."""

    def check(path):
        try:
            return uploads.keep(path), gr.HTML(visible=False)
        except NstError as error:
            return None, gr.HTML(alert_of(f"{what}: {error}"), visible=True)

    place.upload(check, place, [place, told], **QUIET)
    place.change(lambda path: gr.HTML(visible=False) if path else gr.skip(), place, told, **QUIET)


def _open_mask(where, content):
    """Show the editor, with the photograph to paint on, or the place for a mask."""
    mask = gr.Column(visible=where in (forms.WHITE, forms.BLACK))
    if where != forms.PAINTED:
        return gr.ImageEditor(visible=False), mask
    if not content:
        return gr.ImageEditor(visible=True, value=None), mask
    try:
        ground = Image.fromarray(read_picture(content))
    except NstError:  # it was told where it was uploaded
        return gr.ImageEditor(visible=True, value=None), mask
    factor = EDITOR / max(ground.size)  # small ones are enlarged: the brush has its size
    ground = ground.resize([max(round(side * factor), 1) for side in ground.size])
    value = {"background": ground, "layers": [], "composite": None}
    return gr.ImageEditor(visible=True, value=value, canvas_size=ground.size), mask


def form_from(controls, values):
    """Return the `Form` of the controls' values, by component."""
    styles = [
        StyleChoice(
            values[slot.picture],
            values[slot.weight],
            values[slot.where],
            (values[slot.editor] or {}).get("layers") or [],
            values[slot.mask],
        )
        for slot in controls.slots
    ]
    seconds = values[controls.unit] == "seconds"
    return Form(
        content=values[controls.content],
        styles=styles,
        preset=values[controls.preset],
        strength=values[controls.strength],
        side=values[controls.side],
        iterations=JobConfig.iterations if seconds else values[controls.amount],
        seconds=values[controls.amount] if seconds else None,
        color=values[controls.color],
        scale=values[controls.scale],
        keep_content=values[controls.keep_content],
        more={name: values[control] for name, control in controls.more.items()},
    )


class Visits:
    """What visitors do with runs: begin, look, stop, continue, choose among recent ones.

    Who somebody is, and which run is looked at, the browser keeps: `visit` is a dict with "owner",
    the key of an "order", and the name of a "run" whose folder is shown. So a page that is loaded
    again shows the same run.
    """

    def __init__(self, studio, uploads, knobs, controls, shown, recent):
        self.studio, self.uploads, self.knobs = studio, uploads, knobs
        self.controls, self.shown, self.recent = controls, shown, recent
        self.visit = gr.BrowserState(NOBODY, storage_key=STORE, secret=STORE)
        self.seen, self.names = gr.State(None), gr.State([])

    def connect(self, page):
        """Say what happens when."""
        shown, visit = self.shown, self.visit
        changed = [visit, self.seen, self.names, self.recent, *shown.all()]
        page.load(self.arrive, visit, changed, **QUIET)
        gr.Timer(SECONDS).tick(self.look, [visit, self.seen], changed, **QUIET)
        shown.start.click(self.begin, self.controls.all() | {visit}, changed, **QUIET)
        shown.stop.click(self.stop, visit, changed, **QUIET)
        shown.go_on.click(self.go_on, visit, changed, **QUIET)
        self.recent.select(self.choose, [visit, self.names], changed, **QUIET)
        self.recent.select(None, js=TO_THE_RUN)

    def look(self, visit, seen=None):
        """Return what has changed on the page since a version was seen."""
        visit, learned = known(visit), {}
        order = self.studio.order(visit["order"])
        if order is not None and order.folder and visit["run"] != order.folder.name:
            # By its name it is found when the page was ended. Told once: a look that began before
            # Start must not bring back what the browser kept then.
            visit["run"] = order.folder.name
            learned = {self.visit: visit}
        view = view_of(self.studio, visit["order"], visit["run"], seen)
        if view is None:
            return {self.seen: seen, **learned}
        mine = self.studio.order_of(visit["owner"])
        changes = {self.seen: view.version, **learned, **_updates(self.shown, view, mine)}
        return changes if view.state in OPEN else {**changes, **self._recent()}

    def _recent(self):
        runs = recent_runs(self.studio)
        pictures = [(picture, caption) for _, picture, caption in runs]
        return {
            self.names: [name for name, _, _ in runs],
            self.recent: gr.Gallery(pictures, visible=bool(pictures)),
        }

    def _done(self, visit, do):
        """Do something with a visit; return what has changed, or what is wrong."""
        visit, alert = known(visit), ""
        try:
            visit = do(visit)
        except NstError as error:
            alert = alert_of(str(error))
        shown = {self.shown.alert: gr.HTML(alert, visible=bool(alert))}
        return {self.visit: visit, **self.look(visit), **shown}

    def arrive(self, visit):
        """Show who comes again the own run, or the one that was looked at last."""
        visit = known(visit)
        visit["owner"] = visit["owner"] or secrets.token_hex(16)
        mine = self.studio.order_of(visit["owner"])
        visit = {**visit, "order": mine.key} if mine else visit
        return {self.visit: visit, **self.look(visit)}

    def begin(self, values):
        """Put a run with the controls' values into the queue."""

        def do(visit):
            form = form_from(self.controls, values)
            config = config_of(form, self.uploads, self.studio.limits, self.knobs)
            order = self.studio.take(config, visit["owner"], seconds=form.seconds)
            return {**visit, "order": order.key, "run": None}

        return self._done(values[self.visit], do)

    def stop(self, visit):
        """Stop the visitor's run, and show it."""
        return self._done(
            visit, lambda visit: {**visit, "order": self.studio.stop(visit["owner"]).key}
        )

    def go_on(self, visit):
        """Continue the run that is shown."""

        def do(visit):
            order = self.studio.order(visit["order"])
            name = order.folder.name if order is not None and order.folder else visit["run"]
            return {**visit, "order": self.studio.resume(name, visit["owner"]).key, "run": name}

        return self._done(visit, do)

    def choose(self, visit, names, event: gr.SelectData):
        """Show one of the recent runs."""
        return self._done(visit, lambda visit: {**visit, "order": None, "run": names[event.index]})


def known(visit):
    """Return what the browser says of a visit, as far as it can be: texts or None."""
    said = visit if isinstance(visit, dict) else {}
    return {name: said[name] if isinstance(said.get(name), str) else None for name in NOBODY}


def _updates(shown, view, mine):
    """Return what a view changes on the page."""
    files = {file.name: file for file in view.files}
    film = next((file for file in view.files if file.stem == "timelapse"), None)
    named = {
        "picture": files.get(RESULT),
        "film": film,
        "settings": files.get(CONFIG),
        "report": files.get(REPORT),
    }
    buttons = {
        button: gr.DownloadButton(visible=named[name] is not None, value=named[name])
        for name, button in shown.downloads.items()
    }
    return {
        shown.headline: headline_of(view, mine),
        shown.picture: gr.HTML(view.picture, visible=bool(view.picture)),
        shown.numbers: gr.HTML(view.numbers, visible=bool(view.numbers)),
        shown.command: gr.Textbox(value=view.command, visible=bool(view.command)),
        shown.start: gr.Button(interactive=mine is None),
        shown.stop: gr.Button(interactive=mine is not None and not mine.stopping),
        shown.go_on: gr.Button(interactive=view.state == "unfinished" and mine is None),
        **buttons,
    }
