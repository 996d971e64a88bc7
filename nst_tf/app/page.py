"""The page's events: check uploads; start, watch, stop and continue runs."""

import hmac
import secrets
from pathlib import Path

import gradio as gr
from gradio.utils import get_upload_folder
from PIL import Image
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from nst_tf.app import form as forms
from nst_tf.app.controls import QUIET, make_controls, make_recent, make_run_panel
from nst_tf.app.form import Form, StyleChoice, config_of
from nst_tf.app.studio import OPEN
from nst_tf.app.views import alert_of, headline_of, recent_runs, view_of
from nst_tf.config import JobConfig
from nst_tf.errors import ConfigError, NstError
from nst_tf.image.io import read_picture
from nst_tf.rundir.layout import CONFIG, REPORT, RESULT
from nst_tf.samples import SAMPLES

MAX_UPLOAD = "64mb"  # per picture file
STYLESHEET = Path(__file__).parent / "page.css"
REFRESH_SECONDS = 1.0
EDITOR_SIDE = 720  # longer side of the picture that masks are painted on, in pixels
NEW_VISIT = {"owner": None, "order": None, "run": None}
LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")
STORAGE_KEY = "nst_tf"  # of the visit in the browser's storage
SCROLL_TO_RUN = "() => document.getElementById('run').scrollIntoView({behavior: 'smooth'})"
HEAD = """<header class="head"><h1>nst_tf</h1>
<p>Neural style transfer: a photograph repainted in the style of a painting.</p></header>"""
FONTS = ("system-ui", "sans-serif")  # local fonts: none is downloaded
THEME = gr.themes.Default(
    font=FONTS,
    font_mono=("ui-monospace", "monospace"),
    primary_hue="cyan",
    neutral_hue="stone",
).set(
    button_primary_background_fill="*primary_800",  # dark enough for white text
    button_primary_background_fill_hover="*primary_700",
    button_primary_background_fill_dark="*primary_700",
)


class Page(gr.Blocks):
    """A page that accepts only files from its own uploads, whatever paths a request names."""

    async def preprocess_data(self, block_fn, inputs, *args, **kwargs):
        """Check all paths in the inputs, then preprocess the inputs."""
        for path in file_paths(inputs):
            if not Path(path).resolve().is_relative_to(Path(get_upload_folder()).resolve()):
                raise gr.Error("this file was not uploaded to this page")
        return await super().preprocess_data(block_fn, inputs, *args, **kwargs)


def file_paths(data):
    """Yield the value of every "path" key in a request's nested data."""
    if isinstance(data, dict):
        if data.get("path"):
            yield str(data["path"])
        data = list(data.values())
    if isinstance(data, list):
        for item in data:
            yield from file_paths(item)


def _host_check(address):
    """Return app options that reject other host names if the page is local.

    Otherwise a remote page could resolve to our address (DNS rebinding) and send requests.
    """
    if address not in LOCAL_HOSTS:
        return {}
    hosts = [*LOCAL_HOSTS, "[::1]"]
    return {"middleware": [Middleware(TrustedHostMiddleware, allowed_hosts=hosts)]}


def launch(page, folder, address, port, *, password=None, open_browser=False):
    """Start serving the page in the background.

    Parameters
    ----------
    page : gradio.Blocks
    folder : path
        Parent of the run directories; its files can be downloaded.
    address : str
    port : int
    password : str, optional
        Required of visitors, together with any user name.
    open_browser : bool

    Raises
    ------
    ConfigError
        The address or the port is not available.
    """
    auth = password and (lambda name, entered: same_password(password, entered))
    try:
        page.launch(
            server_name=address,
            server_port=port,
            auth=auth,
            auth_message="Enter any name and the password of this page." if auth else None,
            inbrowser=open_browser,
            allowed_paths=[str(folder.resolve()), str(SAMPLES)],
            max_file_size=MAX_UPLOAD,
            theme=THEME,
            css_paths=[STYLESHEET],
            footer_links=[],
            run_history=False,  # it could be sent to a third party
            share=False,
            ssr_mode=False,
            pwa=False,
            mcp_server=False,
            enable_monitoring=False,
            strict_cors=True,
            show_error=False,
            quiet=True,
            app_kwargs=_host_check(address),
            prevent_thread_lock=True,
        )
    except OSError:
        raise ConfigError(
            f"port {port} of {address} is not available: another program uses it, or the address "
            "does not exist; choose another --port"
        ) from None


def same_password(password, entered):
    """Compare a visitor's password in constant time."""
    return hmac.compare_digest(password.encode(), entered.encode())


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
                panel = make_run_panel()
        recent = make_recent()
        _connect_controls(controls, uploads)
        Visits(studio, uploads, knobs or {}, controls, panel, recent).connect(page)
    return page


def _connect_controls(controls, uploads):
    """Check uploads immediately, describe presets, and show the mask inputs that are needed."""
    _check_on_upload("the photograph", controls.content, controls.content_problem, uploads)
    for number, slot in enumerate(controls.slots, 1):
        _check_on_upload(f"style {number}", slot.picture, slot.problem, uploads)
        _check_on_upload(f"the mask of style {number}", slot.mask, slot.mask_problem, uploads)
    about = [controls.about, controls.amount, controls.unit, controls.side]
    controls.preset.change(_apply_preset, [controls.preset, controls.content], about, **QUIET)
    for slot in controls.slots:
        inputs, outputs = [slot.where, controls.content], [slot.editor, slot.mask_box]
        slot.where.change(_show_mask_input, inputs, outputs, **QUIET)
        controls.content.change(_show_mask_input, inputs, outputs, **QUIET)


def _apply_preset(name, content):
    """Return a preset's summary, iterations, unit and size."""
    config = forms.preset_config(name)
    side = forms.own_side(config, content)
    summary = forms.preset_summary(name)
    return summary, config.iterations, "iterations", gr.skip() if side is None else side


def _check_on_upload(label, picture, problem, uploads):
    """Check a picture as soon as it is uploaded; remove it and show why if it can't be used."""

    def check(path):
        try:
            return uploads.keep(path), gr.HTML(visible=False)
        except NstError as error:
            return None, gr.HTML(alert_of(f"{label}: {error}"), visible=True)

    def hide_problem(path):
        return gr.HTML(visible=False) if path else gr.skip()

    picture.upload(check, picture, [picture, problem], **QUIET)
    picture.change(hide_problem, picture, problem, **QUIET)


def _show_mask_input(where, content):
    """Show the editor, with the photograph as background, or the mask input."""
    mask = gr.Column(visible=where in (forms.WHITE, forms.BLACK))
    if where != forms.PAINTED:
        return gr.ImageEditor(visible=False), mask
    if not content:
        return gr.ImageEditor(visible=True, value=None), mask
    try:
        background = Image.fromarray(read_picture(content))
    except NstError:  # already reported on upload
        return gr.ImageEditor(visible=True, value=None), mask
    # Small pictures are enlarged, as the brush has a fixed size.
    factor = EDITOR_SIDE / max(background.size)
    background = background.resize([max(round(side * factor), 1) for side in background.size])
    value = {"background": background, "layers": [], "composite": None}
    return gr.ImageEditor(visible=True, value=value, canvas_size=background.size), mask


def form_from(controls, values):
    """Return the `Form` with the controls' values; `values` maps components to values."""
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
    """Event handlers for a visitor's runs: start, refresh, stop, resume and select.

    The browser stores `visit`, so that a reloaded page shows the same run. It is a dict of the
    visitor's key ("owner"), the key of an order ("order") and the directory name of the run shown
    ("run").
    """

    def __init__(self, studio, uploads, knobs, controls, panel, recent):
        self.studio, self.uploads, self.knobs = studio, uploads, knobs
        self.controls, self.panel, self.recent = controls, panel, recent
        self.visit = gr.BrowserState(NEW_VISIT, storage_key=STORAGE_KEY, secret=STORAGE_KEY)
        self.seen, self.names = gr.State(None), gr.State([])

    def connect(self, page):
        """Connect the events of the page to their handlers."""
        panel, visit = self.panel, self.visit
        outputs = [visit, self.seen, self.names, self.recent, *panel.all()]
        page.load(self.load, visit, outputs, **QUIET)
        gr.Timer(REFRESH_SECONDS).tick(self.refresh, [visit, self.seen], outputs, **QUIET)
        panel.start.click(self.start, self.controls.all() | {visit}, outputs, **QUIET)
        panel.stop.click(self.stop, visit, outputs, **QUIET)
        panel.resume.click(self.resume, visit, outputs, **QUIET)
        self.recent.select(self.select, [visit, self.names], outputs, **QUIET)
        self.recent.select(None, js=SCROLL_TO_RUN)

    def refresh(self, visit, seen=None):
        """Return the component updates since the view version `seen`."""
        visit, visit_update = checked_visit(visit), {}
        order = self.studio.order(visit["order"])
        if order is not None and order.folder and visit["run"] != order.folder.name:
            # The directory name identifies the run after a restart of the page. Send it only once:
            # a refresh that began before Start must not restore the old visit.
            visit["run"] = order.folder.name
            visit_update = {self.visit: visit}
        view = view_of(self.studio, visit["order"], visit["run"], seen)
        if view is None:
            return {self.seen: seen, **visit_update}
        mine = self.studio.order_of(visit["owner"])
        updates = {self.seen: view.version, **visit_update, **_updates(self.panel, view, mine)}
        return updates if view.state in OPEN else {**updates, **self._recent()}

    def _recent(self):
        runs = recent_runs(self.studio)
        pictures = [(picture, caption) for _, picture, caption in runs]
        return {
            self.names: [name for name, _, _ in runs],
            self.recent: gr.Gallery(pictures, visible=bool(pictures)),
        }

    def _perform(self, visit, action):
        """Apply an action to a visit; return the component updates, with an alert on error."""
        visit, alert = checked_visit(visit), ""
        try:
            visit = action(visit)
        except NstError as error:
            alert = alert_of(str(error))
        alert_update = {self.panel.alert: gr.HTML(alert, visible=bool(alert))}
        return {self.visit: visit, **self.refresh(visit), **alert_update}

    def load(self, visit):
        """Show the visitor's own run, or the run shown last."""
        visit = checked_visit(visit)
        visit["owner"] = visit["owner"] or secrets.token_hex(16)
        mine = self.studio.order_of(visit["owner"])
        visit = {**visit, "order": mine.key} if mine else visit
        return {self.visit: visit, **self.refresh(visit)}

    def start(self, values):
        """Add a run with the controls' values to the queue."""

        def take(visit):
            form = form_from(self.controls, values)
            config = config_of(form, self.uploads, self.studio.limits, self.knobs)
            order = self.studio.take(config, visit["owner"], seconds=form.seconds)
            return {**visit, "order": order.key, "run": None}

        return self._perform(values[self.visit], take)

    def stop(self, visit):
        """Stop the visitor's run and show it."""
        return self._perform(
            visit, lambda visit: {**visit, "order": self.studio.stop(visit["owner"]).key}
        )

    def resume(self, visit):
        """Resume the run that is shown."""

        def take(visit):
            order = self.studio.order(visit["order"])
            name = order.folder.name if order is not None and order.folder else visit["run"]
            return {**visit, "order": self.studio.resume(name, visit["owner"]).key, "run": name}

        return self._perform(visit, take)

    def select(self, visit, names, event: gr.SelectData):
        """Show the selected recent run."""
        name = names[event.index]
        return self._perform(visit, lambda visit: {**visit, "order": None, "run": name})


def checked_visit(visit):
    """Return a visit from the browser, with None for each value that is not a string."""
    stored = visit if isinstance(visit, dict) else {}
    return {name: stored[name] if isinstance(stored.get(name), str) else None for name in NEW_VISIT}


def _updates(panel, view, mine):
    """Return the component updates that show a view."""
    files = {file.name: file for file in view.files}
    film = next((file for file in view.files if file.stem == "timelapse"), None)
    downloads = {
        "picture": files.get(RESULT),
        "film": film,
        "settings": files.get(CONFIG),
        "report": files.get(REPORT),
    }
    buttons = {
        button: gr.DownloadButton(visible=downloads[name] is not None, value=downloads[name])
        for name, button in panel.downloads.items()
    }
    return {
        panel.headline: headline_of(view, mine),
        panel.picture: gr.HTML(view.picture, visible=bool(view.picture)),
        panel.numbers: gr.HTML(view.numbers, visible=bool(view.numbers)),
        panel.command: gr.Textbox(value=view.command, visible=bool(view.command)),
        panel.start: gr.Button(interactive=mine is None),
        panel.stop: gr.Button(interactive=mine is not None and not mine.stopping),
        panel.resume: gr.Button(interactive=view.state == "unfinished" and mine is None),
        **buttons,
    }
