"""The routes of the page: those that the form needs, and no others (needs Gradio)."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from nst_tf.app.gate import longest_body
from nst_tf.app.studio import Studio
from nst_tf.app.uploads import Uploads
from nst_tf.samples import SAMPLES

pytestmark = pytest.mark.app
ROOT = Path(__file__).resolve().parents[2]
SERVED = {  # all that Gradio serves of this page; a new route is not found until it is added here
    "GET /",
    "HEAD /",
    "GET /config",
    "GET /theme.css",
    "GET /favicon.ico",
    "GET /static/x",
    "GET /assets/x",
    "POST /login",
    "GET /gradio_api/heartbeat/x",
    "GET /gradio_api/startup-events",
    "POST /gradio_api/run/predict",
    "POST /gradio_api/upload",
    "GET /gradio_api/upload_progress",
    "GET /gradio_api/file=x",
    "HEAD /gradio_api/file=x",
}


@pytest.fixture
def page(tmp_path):
    from nst_tf.app.page import build

    studio = Studio(tmp_path / "runs")
    yield build(studio, Uploads(tmp_path / "uploads", SAMPLES))
    studio.close()


def all_routes(app):
    """Yield method and path of all routes, parameters replaced by x, or by what the form sends."""
    from gradio.routes import App

    app = App.create_app(app)
    routers = [(route, "/gradio_api") for route in app.routes if hasattr(route, "original_router")]
    routes = [(route, "") for route in app.routes if hasattr(route, "path")]
    for router, prefix in routers:
        routes += [(route, prefix) for route in router.original_router.routes]
    for route, prefix in routes:
        path = route.path if route.path.startswith(prefix) else prefix + route.path
        path = path.replace("{api_name}", "predict")
        while "{" in path:
            before, _, rest = path.partition("{")
            path = before + "x" + rest.partition("}")[2]
        for method in getattr(route, "methods", None) or ("GET", "POST"):
            yield method, path


def test_only_listed_routes_of_gradio_are_served(page):
    routes = set(all_routes(page))
    assert len(routes) > 60, "Gradio's routes are found"
    served = {
        f"{method} {path}" for method, path in routes if longest_body(method, path) is not None
    }
    assert served == SERVED


def test_no_component_has_functions_for_browsers(page):
    methods = {
        (type(block).__name__, name)
        for block in page.blocks.values()
        for name in dir(type(block))
        if getattr(getattr(type(block), name, None), "_is_server_fn", False)
    }
    assert methods == set(), "and the route that calls them, component_server, is not served"


def has_namespaces():
    """Return whether this machine allows network namespaces, which some containers don't."""
    if not (shutil.which("unshare") and shutil.which("ip")):
        return False
    tried = subprocess.run(["unshare", "-rn", "ip", "link", "set", "lo", "up"], check=False)
    return tried.returncode == 0


def test_page_asks_no_public_address(tmp_path, tiny_mat):
    helpers = ROOT / "tests" / "helpers"
    command = [sys.executable, str(helpers / "page_in_namespace.py"), str(tmp_path / "runs")]
    command += [str(tiny_mat), str(free_port())]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    if has_namespaces():
        command = ["unshare", "-rn", *command]
    else:  # record what the page asks, in place of receiving it
        environment["PYTHONPATH"] = os.pathsep.join([str(helpers / "offline"), str(ROOT)])
        environment["NST_TF_ASKED"] = str(tmp_path / "asked.txt")
    options = {"capture_output": True, "text": True, "timeout": 300, "check": False}
    done = subprocess.run(command, env=environment, **options)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["received"] == []
    assert len(result["statuses"]) > 100
    assert {404} < set(result["statuses"]) <= {200, 404, 413, 422, 500}


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def test_page_holds_no_schemas_of_an_interface(page):
    components = page.config["components"]
    assert len(components) > 50
    assert not [component["id"] for component in components if "api_info" in component]
