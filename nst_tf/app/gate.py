"""The gate of the page: only requests that its form sends reach Gradio.

Gradio serves more than this page needs: a proxy for public addresses, interfaces for other
programs, monitoring. `ROUTES` lists what the form uses; all other requests end with status 404.
"""

import asyncio
import ipaddress
import re
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from nst_tf.app import LOCAL_HOSTS

KB, MB = 2**10, 2**20
MAX_UPLOAD = 64 * MB  # bytes of a picture file
FORM = 5 * MB // 4  # bytes of all values of the form: four painted masks and some text
AROUND = 4 * KB  # bytes of a form with one file, in addition to the file
ROUTES = (  # methods, path, maximum bytes of the body
    (("GET", "HEAD"), r"/", 0),
    (("GET",), r"/config|/theme\.css|/favicon\.ico", 0),
    (("GET",), r"/(static|assets)/[\w./@-]+", 0),
    (("POST",), r"/login", 4 * KB),
    (("GET",), r"/gradio_api/heartbeat/\w+", 0),
    (("GET",), r"/gradio_api/startup-events", 0),
    (("POST",), r"/gradio_api/run/predict", FORM),
    (("POST",), r"/gradio_api/upload", MAX_UPLOAD + AROUND),
    (("GET",), r"/gradio_api/upload_progress", 0),
    (("GET", "HEAD"), r"/gradio_api/file=.+", 0),
)
ROUTES = tuple((methods, re.compile(path), most) for methods, path, most in ROUTES)
FILE = "/gradio_api/file="
HEADERS = [  # of every response
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
]
ONCE = ("host", "origin", "content-length", "sec-fetch-site", "sec-fetch-dest")
IDLE_SECONDS = 30  # without a part of a body, after which a request is ended
GUESSES = 5  # wrong passwords of an address before it has to wait
LONGEST_WAIT = 300  # seconds after many wrong passwords
UPLOAD_SHARE = 4 * MAX_UPLOAD  # bytes that an address may upload in `UPLOAD_SECONDS`
UPLOAD_SECONDS = 600
REMEMBERED = 10_000  # addresses


@dataclass(frozen=True)
class Request:
    """What the gate looks at.

    Attributes
    ----------
    method, path : str
    headers : dict of str
        By their names in lower case.
    address : str
        The network address of the visitor, as of `network_of`.
    repeated : bool
        Whether a header that the gate reads was sent twice.
    """

    method: str
    path: str
    headers: dict[str, str]
    address: str
    repeated: bool

    @classmethod
    def of(cls, scope):
        """Return the request of an ASGI scope."""
        pairs = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
        ]
        names = [name for name, _ in pairs if name in ONCE]
        address, _ = scope.get("client") or ("", 0)
        repeated = len(names) > len(set(names))
        return cls(scope["method"], scope["path"], dict(pairs), network_of(address), repeated)


class Gate:
    """ASGI middleware, outermost: rejects requests that are not of the page's own form.

    Parameters
    ----------
    app : ASGI application
    folders : sequence of path
        Directories whose files can be downloaded.
    local : bool
        Whether the page serves this machine alone. Then other host names are rejected: a remote
        page could resolve to our address (DNS rebinding).
    """

    def __init__(self, app, folders, *, local=True):
        self.app = app
        self.folders = [Path(folder).resolve() for folder in folders]
        self.local = local
        self.guesses = Guesses()
        self.uploaded = Uploaded()

    async def __call__(self, scope, receive, send):
        """Pass a request on, or answer it with an error."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        request = Request.of(scope)
        refusal = self.refusal(request)

        async def send_ours(message):
            if message["type"] == "http.response.start":
                self._watch_login(request, message["status"])
                secure = scope.get("scheme") == "https"
                message = {**message, "headers": own_headers(message["headers"], secure=secure)}
            await send(message)

        if refusal is None:
            await self.app(scope, in_time(receive), send_ours)
            return
        status, reason = refusal
        headers = [(b"content-type", b"text/plain; charset=utf-8")]
        await send_ours({"type": "http.response.start", "status": status, "headers": headers})
        await send_ours({"type": "http.response.body", "body": reason.encode()})

    def refusal(self, request):
        """Return the status and the reason why a request is rejected; None if it is not."""
        if self.local and _hostname(request.headers.get("host", "")) not in LOCAL_HOSTS:
            return 400, "this page answers only to its own address"
        if request.repeated:
            return 400, "a header is repeated"
        if is_foreign(request):
            return 403, "requests of other pages are rejected"
        most = longest_body(request.method, request.path)
        if most is None or not self._may_be_served(request.path):
            return 404, "not found"
        size = request.headers.get("content-length", "0" if request.method != "POST" else "")
        if not size.isdecimal() or "transfer-encoding" in request.headers:
            return 411, "the length of the request is missing"
        if int(size) > most:
            return 413, f"the request has {size} bytes; at most {most} were expected"
        return self._over_share(request, int(size))

    def _may_be_served(self, path):
        """Return whether the path of a download leads into one of the page's folders."""
        if not path.startswith(FILE):
            return ".." not in path
        try:
            file = Path(path.removeprefix(FILE)).resolve()
        except (OSError, ValueError, RuntimeError):
            return False
        return any(file.is_relative_to(folder) for folder in self.folders) and file.is_file()

    def _over_share(self, request, size):
        address = request.address
        if request.path == "/login":
            wait = self.guesses.wait(address)
            if wait:
                return 429, f"too many wrong passwords: wait {wait} seconds"
            self.guesses.add(address)  # wrong until it is known to be right
        if request.path == "/gradio_api/upload" and not self.uploaded.add(address, size):
            minutes = UPLOAD_SECONDS // 60
            return 429, f"too much was uploaded from your address: wait {minutes} minutes"
        return None

    def _watch_login(self, request, status):
        if request.path == "/login" and status == 200:
            self.guesses.clear(request.address)


def in_time(receive):
    """Return `receive`, but with a maximum time between two parts of a body."""
    incomplete = True

    async def receive_in_time():
        nonlocal incomplete
        if not incomplete:
            return await receive()  # the end of the connection
        try:
            message = await asyncio.wait_for(receive(), IDLE_SECONDS)
        except TimeoutError:
            return {"type": "http.disconnect"}
        incomplete = message.get("more_body", False)
        return message

    return receive_in_time


def longest_body(method, path):
    """Return the maximum bytes of a request's body; None if the form sends no such request."""
    for methods, pattern, most in ROUTES:
        if method in methods and pattern.fullmatch(path):
            return most
    return None


def is_foreign(request):
    """Return whether a browser sent a request for another page than this one.

    A link to the page may be followed from anywhere.
    """
    headers = request.headers
    if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        follows_link = request.method == "GET" and request.path == "/"
        if not (follows_link and headers.get("sec-fetch-dest") == "document"):
            return True
    try:
        origin = urlsplit(headers.get("origin", "")).netloc.lower()
    except ValueError:
        return True
    return "origin" in headers and origin != headers.get("host", "").lower()


def network_of(address):
    """Return an address, or of IPv6 the network of 64 bits that a visitor has to itself."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4 or parsed.is_loopback:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False))


class Guesses:
    """Wrong passwords by address: after `GUESSES` of them each one doubles the wait."""

    def __init__(self, now=time.monotonic):
        self.now = now
        self.wrong = {}  # address -> (number, time of the last one)

    def wait(self, address):
        """Return the seconds until this address may try again, 0 if it may now."""
        number, last = self.wrong.get(address, (0, 0.0))
        if number < GUESSES:
            return 0
        wait = min(2 ** (number - GUESSES + 1), LONGEST_WAIT)
        return max(0, round(last + wait - self.now() + 0.5))

    def add(self, address):
        """Count a wrong password."""
        number, _ = self.wrong.pop(address, (0, 0.0))
        self.wrong[address] = number + 1, self.now()
        _forget_oldest(self.wrong)

    def clear(self, address):
        """Forget the wrong passwords of an address, after a right one."""
        self.wrong.pop(address, None)


class Uploaded:
    """Bytes that were uploaded by address, in periods of `UPLOAD_SECONDS`."""

    def __init__(self, now=time.monotonic):
        self.now = now
        self.bytes = {}  # address -> (beginning of its period, bytes)

    def add(self, address, size):
        """Count an upload; return False, and don't count it, if it exceeds the share."""
        began, total = self.bytes.pop(address, (self.now(), 0))
        if self.now() - began > UPLOAD_SECONDS:
            began, total = self.now(), 0
        fits = total + size <= UPLOAD_SHARE
        self.bytes[address] = began, total + size * fits
        _forget_oldest(self.bytes)
        return fits


def _forget_oldest(by_address):
    while len(by_address) > REMEMBERED:
        del by_address[next(iter(by_address))]


def _hostname(host):
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def own_headers(headers, *, secure):
    """Return response headers without permissions for other pages, and with our own cookies."""
    kept = []
    for name, value in headers:
        if name.lower() == b"set-cookie":
            value = own_cookie(value.decode("latin-1"), secure=secure).encode("latin-1")
        if not name.lower().startswith(b"access-control-"):
            kept.append((name, value))
    return kept + HEADERS


def own_cookie(cookie, *, secure):
    """Return a Set-Cookie header that only this page receives, and no script reads."""
    dropped = ("samesite", "httponly", "secure")
    parts = [part.strip() for part in cookie.split(";")]
    kept = [part for part in parts if part.split("=")[0].lower() not in dropped]
    return "; ".join([*kept, "HttpOnly", "SameSite=Strict", *(["Secure"] if secure else [])])
