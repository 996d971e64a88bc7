"""Run the page next to a fake public address, and try to make it send requests there.

Run it in a network namespace: `unshare -rn python page_in_namespace.py OUTPUT WEIGHTS PORT`.
Prints what the fake address received and how many requests were sent to the page.
"""

import http.server
import json
import os
import socketserver
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

PUBLIC = "11.22.33.44"  # Gradio asks only addresses that look public
PORT = 8099
RECEIVED = []
FOREIGN = f"http://{PUBLIC}:{PORT}/a.png"


class Listener(http.server.BaseHTTPRequestHandler):
    """Record the path of each request in `RECEIVED`."""

    def do_GET(self):
        """Answer with something that must not reach a visitor."""
        RECEIVED.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"secret of the network")

    def log_message(self, *args):
        """Print nothing."""


def fetch(url, data=None, headers=()):
    """Send a request; return the status and the body."""
    body = data if data is None or isinstance(data, bytes) else json.dumps(data).encode()
    request = urllib.request.Request(url, data=body, headers=dict(headers))
    if body is not None and not request.has_header("Content-type"):
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def attacks(url):
    """Send requests that name the fake address; return the statuses."""
    statuses = []
    foreign = FOREIGN, FOREIGN.replace("//", "/"), f"//{PUBLIC}:{PORT}/a.png"
    routes = "file=", "proxy=", "file/", "stream/"
    for address in foreign:
        for route in routes:
            statuses.append(fetch(f"{url}gradio_api/{route}{address}")[0])
    functions = json.loads(fetch(f"{url}config")[1])["dependencies"]
    file = {"path": FOREIGN, "url": FOREIGN, "meta": {"_type": "gradio.FileData"}}
    for number, function in enumerate(functions):
        for value in (file, FOREIGN, {"background": file, "layers": [file]}, [file]):
            data = [value] * len(function["inputs"])
            body = {"fn_index": number, "data": data, "session_hash": "x"}
            statuses.append(fetch(f"{url}gradio_api/run/predict", body)[0])
            statuses.append(fetch(f"{url}gradio_api/queue/join", body)[0])
    body = {"data": FOREIGN, "component_id": 1, "session_hash": "x", "fn_name": "accept_blobs"}
    statuses.append(fetch(f"{url}gradio_api/component_server", body)[0])
    return statuses


def serve_public_address():
    """Give this network namespace a public address, and answer there."""
    for command in ("ip link set lo up", f"ip address add {PUBLIC}/32 dev lo"):
        subprocess.run(command.split(), check=True)
    listener = socketserver.ThreadingTCPServer((PUBLIC, PORT), Listener)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    fetch(FOREIGN)  # the listener works
    assert RECEIVED == ["/a.png"]
    RECEIVED.clear()


def main(folder, weights, port):
    """Attack a page, and print as JSON what was received and all statuses.

    If it has no namespace of its own ($NST_TF_ASKED is set), `offline/sitecustomize.py` records
    connections of the page instead.
    """
    asked = os.environ.get("NST_TF_ASKED")
    if asked is None:
        serve_public_address()
    command = [sys.executable, "-m", "nst_tf.app", "--output", folder, "--weights", weights]
    command += ["--port", port]
    page = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for line in page.stdout:
        if "the page is at" in line:
            break
    else:
        sys.exit("the page did not start")
    threading.Thread(target=page.stdout.read, daemon=True).start()  # a full pipe would block it
    try:
        statuses = attacks(f"http://127.0.0.1:{port}/")
    finally:
        page.terminate()
        page.wait(60)
    if asked is not None and Path(asked).exists():
        RECEIVED.extend(Path(asked).read_text().splitlines())
    print(json.dumps({"received": RECEIVED, "statuses": statuses}))


if __name__ == "__main__":
    main(*sys.argv[1:])
