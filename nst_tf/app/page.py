"""The page's events: check uploads; start, watch, stop and continue runs."""

import hmac
import logging
import secrets
import threading
import time
from pathlib import Path

import gradio as gr
import uvicorn
from fastapi import FastAPI
from gradio.utils import get_upload_folder

from nst_tf.app import LOCAL_HOSTS
from nst_tf.app import form as forms
from nst_tf.app.controls import QUIET, make_controls, make_recent, make_run_panel
from nst_tf.app.form import Form, StyleChoice, config_of
from nst_tf.app.gate import MAX_UPLOAD, Gate, network_of
from nst_tf.app.layers import painted_layers, photo_to_paint_on
from nst_tf.app.orders import OPEN
from nst_tf.app.views import alert_of, headline_of, recent_runs, view_of
from nst_tf.config import JobConfig
from nst_tf.errors import ConfigError, NstError
from nst_tf.image.io import read_picture
from nst_tf.rundir.layout import CONFIG, FILM, FILM_RESULT, REPORT, RESULT
from nst_tf.samples import SAMPLES

STYLESHEET = Path(__file__).parent / "page.css"
REFRESH_SECONDS = 1.0
UNHURRIED = 5  # active and waiting runs up to which each page is refreshed as often
NEW_VISIT = {"owner": None, "order": None, "run": None}
STORAGE_KEY = "nst_tf"  # of the visit in the browser's storage
MAX_SESSIONS = 200  # whose values Gradio keeps; the oldest is forgotten
MAX_REQUESTS = 250  # at a time; an open page keeps one
ONE_AT_A_TIME = threading.Lock()  # for reading pictures, so that their memory does not add up
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


class Server:
    """The page on a network address, served in the background.

    Parameters
    ----------
    page : gradio.Blocks
    folder : path
        Parent of the run directories; its files can be downloaded.
    address : str
    port : int
    password : str, optional
        Required of visitors, together with any user name.

    Raises
    ------
    ConfigError
        The address or the port is not available.
    """

    def __init__(self, page, folder, address, port, *, password=None):
        page.state_session_capacity = MAX_SESSIONS
        folders = [str(folder.resolve()), str(SAMPLES)]
        app = FastAPI(openapi_url=None)
        gr.mount_gradio_app(app, page, "/", **_mount_options(folders, password))
        app = Gate(app, [*folders, get_upload_folder()], local=address in LOCAL_HOSTS)
        config = uvicorn.Config(
            app,
            address,
            port,
            log_level="warning",
            log_config=None,  # it would replace the handlers of the whole process
            timeout_graceful_shutdown=2,
            limit_concurrency=MAX_REQUESTS,
        )
        self.socket = _bound(config)
        self.server = uvicorn.Server(config)
        sockets = {"sockets": [self.socket]}
        self.thread = threading.Thread(target=self.server.run, kwargs=sockets, daemon=True)
        self.thread.start()
        while not self.server.started and self.thread.is_alive():
            time.sleep(0.01)

    def close(self):
        """Stop serving; open connections, which pages keep to see whether we are here, are cut."""
        logging.getLogger("uvicorn.error").disabled = True
        self.server.should_exit = True
        self.thread.join(timeout=10)
        self.socket.close()


def _bound(config):
    """Return a socket that listens on the address of a uvicorn configuration."""
    logger = logging.getLogger("uvicorn.error")
    logger.disabled = True  # the error below says it on one line
    try:
        return config.bind_socket()
    except SystemExit:
        raise ConfigError(
            f"port {config.port} of {config.host} is not available: another program uses it, or "
            "the address does not exist; choose another --port"
        ) from None
    finally:
        logger.disabled = False


def _mount_options(folders, password):
    """Return how Gradio serves the page: nothing is downloaded, shared or recorded."""
    auth = (lambda name, entered: same_password(password, entered)) if password else None
    return {
        "auth": auth,
        "auth_message": "Enter any name and the password of this page." if auth else None,
        "allowed_paths": folders,
        "max_file_size": MAX_UPLOAD,
        "theme": THEME,
        "css_paths": [STYLESHEET],
        "footer_links": [],
        "run_history": False,  # it could be sent to a third party
        "ssr_mode": False,
        "pwa": False,
        "mcp_server": False,
        "enable_monitoring": False,
        "show_error": False,
        "app_kwargs": {"docs_url": None, "redoc_url": None},
    }


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
        _skip_schemas(page)
    return page


def _skip_schemas(page):
    """Keep Gradio from creating JSON schemas of the components: the page offers no API.

    Gradio would create one at each update of a component, and send all of them with the page.
    """
    for component in set(map(type, page.blocks.values())):
        component.skip_api = True


def _connect_controls(controls, uploads):
    """Check uploads immediately, describe presets, and show the mask inputs that are needed.

    A picture's `change` is not used: Gradio repeats it without end after an upload.
    """
    stored = _check_on_upload("the photograph", controls.content, controls.content_problem, uploads)
    film_stored = _check_film_on_upload(controls, uploads)
    for event in (controls.content.upload, controls.content.clear, controls.content_picked.then):
        event(lambda: None, None, controls.film, **QUIET)
    _check_on_upload(forms.MAP_LABEL, controls.content_map, controls.content_map_problem, uploads)
    for number, slot in enumerate(controls.slots, 1):
        _check_on_upload(f"style {number}", slot.picture, slot.problem, uploads)
        _check_on_upload(f"the mask of style {number}", slot.mask, slot.mask_problem, uploads)
    about = [controls.about, controls.amount, controls.unit, controls.side]
    controls.preset.change(_apply_preset, [controls.preset, controls.content], about, **QUIET)
    for slot in controls.slots:
        inputs, outputs = [slot.where, controls.content], [slot.editor, slot.mask_box]
        for event in (
            slot.where.change,
            controls.content.clear,
            stored.then,
            film_stored.then,
            controls.content_picked.then,
        ):
            event(_show_mask_input, inputs, outputs, **QUIET)


def _apply_preset(name, content):
    """Return a preset's summary, iterations, unit and size."""
    config = forms.preset_config(name)
    side = forms.own_side(config, content)
    summary = forms.preset_summary(name)
    return summary, config.iterations, "iterations", gr.skip() if side is None else side


def _check_on_upload(label, picture, problem, uploads):
    """Check a picture as soon as it is uploaded; remove it and show why if it can't be used.

    Return the event.
    """

    def check(path):
        try:
            with ONE_AT_A_TIME:
                return uploads.keep(path), gr.HTML(visible=False)
        except NstError as error:
            return None, gr.HTML(alert_of(f"{label}: {error}"), visible=True)

    return picture.upload(check, picture, [picture, problem], **QUIET)


def _check_film_on_upload(controls, uploads):
    """Check a film as soon as it is uploaded, and make its first frame the photograph.

    Return the event.
    """

    def check(path):
        try:
            with ONE_AT_A_TIME:
                _, frame = uploads.keep_film(path)
            return path, frame, gr.HTML(visible=False)
        except NstError as error:
            alert = gr.HTML(alert_of(f"the film: {error}"), visible=True)
            return None, gr.skip(), alert

    outputs = [controls.film, controls.content, controls.film_problem]
    return controls.film.upload(check, controls.film, outputs, **QUIET)


def _show_mask_input(where, content):
    """Show the editor, with the photograph as background, or the mask input."""
    mask = gr.Column(visible=where in (forms.WHITE, forms.BLACK))
    if where != forms.PAINTED:
        return gr.HTML(visible=False), mask
    try:
        with ONE_AT_A_TIME:
            photo = photo_to_paint_on(read_picture(content, say=None)) if content else ""
    except NstError:  # already reported on upload
        photo = ""
    return gr.HTML(visible=True, value=None, photo=photo), mask


def form_from(controls, values):
    """Return the `Form` with the controls' values; `values` maps components to values."""
    styles = [
        StyleChoice(
            values[slot.picture],
            values[slot.weight],
            values[slot.where],
            painted_layers(values[slot.editor]),
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
        content_map=values[controls.content_map],
        film=values[controls.film],
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
        self.timer = gr.Timer(REFRESH_SECONDS)

    def connect(self, page):
        """Connect the events of the page to their handlers."""
        panel, visit = self.panel, self.visit
        outputs = [visit, self.seen, self.names, self.recent, *panel.all()]
        page.load(self.load, visit, outputs, **QUIET)
        outputs.append(self.timer)
        self.timer.tick(self.refresh, [visit, self.seen], outputs, **QUIET)
        panel.start.click(self.start, self.controls.all() | {visit, self.seen}, outputs, **QUIET)
        panel.stop.click(self.stop, [visit, self.seen], outputs, **QUIET)
        panel.resume.click(self.resume, [visit, self.seen], outputs, **QUIET)
        self.recent.select(self.select, [visit, self.seen, self.names], outputs, **QUIET)
        self.recent.select(None, js=SCROLL_TO_RUN)

    def refresh(self, visit, seen=None):
        """Return the component updates that a page has not shown yet.

        `seen` is the version of the view that it shows, and a mark of each update that it got: to
        change a component takes Gradio 10 ms or more.
        """
        visit, visit_update = checked_visit(visit), {}
        version, shown = seen or (None, {})
        order = self.studio.order(visit["order"])
        if order is not None and order.folder and visit["run"] != order.folder.name:
            # The directory name identifies the run after a restart of the page. Send it only once:
            # a refresh that began before Start must not restore the old visit.
            visit["run"] = order.folder.name
            visit_update = {self.visit: visit}
        view = view_of(self.studio, visit["order"], visit["run"], version)
        if view is None:
            return {self.seen: seen, **visit_update}
        updates = _updates(self.panel, view, self.studio.order_of(visit["owner"]))
        updates[self.timer] = gr.update(value=refresh_seconds(len(self.studio.open_orders())))
        updates |= {} if view.state in OPEN else self._recent()
        marks = {component._id: hash(repr(update)) for component, update in updates.items()}
        # Buttons are sent again in any case: of two handlers at a time, the later one's marks stay.
        buttons = (self.panel.start, self.panel.stop, self.panel.resume)
        new = {
            component: update
            for component, update in updates.items()
            if component in buttons or shown.get(component._id) != marks[component._id]
        }
        return {self.seen: (view.version, {**shown, **marks}), **visit_update, **new}

    def _recent(self):
        runs = recent_runs(self.studio)
        pictures = [(picture, caption) for _, picture, caption in runs]
        return {
            self.names: [name for name, _, _ in runs],
            self.recent: gr.update(value=pictures, visible=bool(pictures)),
        }

    def _perform(self, visit, seen, action):
        """Apply an action to a visit; return the component updates, with an alert on error."""
        visit, alert = checked_visit(visit), ""
        try:
            visit = action(visit)
        except NstError as error:
            alert = alert_of(str(error))
        alert_update = {self.panel.alert: gr.HTML(alert, visible=bool(alert))}
        return {self.visit: visit, **self.refresh(visit, _all_of(seen)), **alert_update}

    def load(self, visit):
        """Show the visitor's own run, or the run shown last."""
        visit = checked_visit(visit)
        visit["owner"] = visit["owner"] or secrets.token_hex(16)
        mine = self.studio.order_of(visit["owner"])
        visit = {**visit, "order": mine.key} if mine else visit
        return {self.visit: visit, **self.refresh(visit)}

    def start(self, values, request: gr.Request):
        """Add a run with the controls' values to the queue."""

        def take(visit):
            form = form_from(self.controls, values)
            with ONE_AT_A_TIME:
                config = config_of(form, self.uploads, self.studio.limits, self.knobs)
            order = self.studio.take(
                config,
                visit["owner"],
                seconds=form.seconds,
                address=network_of(request.client.host),
            )
            return {**visit, "order": order.key, "run": None}

        return self._perform(values[self.visit], values[self.seen], take)

    def stop(self, visit, seen):
        """Stop the visitor's run and show it."""
        return self._perform(
            visit, seen, lambda visit: {**visit, "order": self.studio.stop(visit["owner"]).key}
        )

    def resume(self, visit, seen, request: gr.Request):
        """Resume the run that is shown."""

        def take(visit):
            order = self.studio.order(visit["order"])
            name = order.folder.name if order is not None and order.folder else visit["run"]
            order = self.studio.resume(
                name, visit["owner"], address=network_of(request.client.host)
            )
            return {**visit, "order": order.key, "run": name}

        return self._perform(visit, seen, take)

    def select(self, visit, seen, names, event: gr.SelectData):
        """Show the selected recent run."""
        name = names[event.index]
        return self._perform(visit, seen, lambda visit: {**visit, "order": None, "run": name})


def _all_of(seen):
    """Return what a page shows without the version, so that its view is made in any case."""
    return (None, seen[1]) if seen else None


def refresh_seconds(orders):
    """Return the seconds between two refreshes of a page: more if many visitors wait."""
    return REFRESH_SECONDS * max(1, orders / UNHURRIED)


def checked_visit(visit):
    """Return a visit from the browser, with None for each value that is not a string."""
    stored = visit if isinstance(visit, dict) else {}
    return {name: stored[name] if isinstance(stored.get(name), str) else None for name in NEW_VISIT}


def _updates(panel, view, mine):
    """Return the component updates that show a view."""
    files = {file.name: file for file in view.files}
    downloads = {
        "picture": files.get(RESULT),
        "film": files.get(FILM_RESULT),
        "timelapse": next((file for file in view.files if file.stem == "timelapse"), None),
        "settings": files.get(CONFIG) or files.get(FILM),
        "report": files.get(REPORT),
    }
    buttons = {
        button: gr.update(visible=downloads[name] is not None, value=downloads[name])
        for name, button in panel.downloads.items()
    }
    return {
        panel.headline: headline_of(view, mine),
        panel.picture: gr.update(value=view.picture, visible=bool(view.picture)),
        panel.numbers: gr.update(value=view.numbers, visible=bool(view.numbers)),
        panel.command: gr.update(value=view.command, visible=bool(view.command)),
        panel.start: gr.update(interactive=mine is None),
        panel.stop: gr.update(interactive=mine is not None and not mine.stopping),
        panel.resume: gr.update(interactive=view.state == "unfinished" and mine is None),
        **buttons,
    }
