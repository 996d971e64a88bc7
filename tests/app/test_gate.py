"""The gate of the page: what it lets through, and what it answers itself."""

import asyncio

import pytest

from nst_tf.app.gate import (
    FORM,
    GUESSES,
    LONGEST_WAIT,
    MAX_UPLOAD,
    UPLOAD_SECONDS,
    UPLOAD_SHARE,
    Gate,
    Guesses,
    Uploaded,
    in_time,
    network_of,
    own_cookie,
)

OURS = {"host": "127.0.0.1:7860"}
PREDICT, UPLOAD = "/gradio_api/run/predict", "/gradio_api/upload"


class App:
    """An application that records what reaches it, and answers with a status and headers."""

    def __init__(self, status=200, headers=()):
        self.status, self.headers, self.seen = status, list(headers), []

    async def __call__(self, scope, receive, send):
        self.seen.append((scope["method"], scope["path"]))
        start = {"type": "http.response.start", "status": self.status, "headers": self.headers}
        await send(start)
        await send({"type": "http.response.body", "body": b"app"})


def ask(gate, path, method="GET", *, address="10.0.0.7", scheme="http", **headers):
    """Send a request through a gate; return the status and the list of response headers."""
    headers = {**OURS, **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "scheme": scheme,
        "client": (address, 5),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(gate(scope, None, send))
    return sent[0]["status"], sent[0]["headers"]


@pytest.fixture
def app():
    return App()


@pytest.fixture
def gate(app, tmp_path):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "result.png").write_bytes(b"picture")
    (tmp_path / "secret").write_bytes(b"secret")
    return Gate(app, [tmp_path / "runs"])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/gradio_api/proxy=http://example.com/"),
        ("GET", "/gradio_api/file=http://example.com/a.jpg"),
        ("GET", "/gradio_api/file=https:/example.com/a.jpg"),
        ("GET", "/gradio_api/file/etc/passwd"),
        ("GET", "/gradio_api/file=/etc/passwd"),
        ("POST", "/gradio_api/component_server"),
        ("POST", "/gradio_api/queue/join"),
        ("POST", "/gradio_api/api/predict"),
        ("GET", "/gradio_api/info"),
        ("GET", "/openapi.json"),
        ("GET", "/monitoring"),
        ("GET", "/logout"),
        ("GET", "/gradio_api/stream/a/b/1/playlist-file"),
        ("GET", "/assets/../secret"),
        ("GET", "//"),
        ("PUT", "/"),
        ("OPTIONS", PREDICT),
    ],
)
def test_requests_that_the_form_does_not_send_are_not_found(gate, app, method, path):
    assert ask(gate, path, method, content_length="2")[0] == 404
    assert app.seen == []


def test_only_files_of_the_folders_can_be_downloaded(gate, app, tmp_path):
    runs = tmp_path / "runs"
    assert ask(gate, f"/gradio_api/file={runs}/result.png")[0] == 200
    (runs / "link").symlink_to(tmp_path / "secret")
    for path in (
        tmp_path / "secret",
        f"{runs}/../secret",
        runs / "link",
        runs / "none",
        runs,
        "\0",
    ):
        assert ask(gate, f"/gradio_api/file={path}")[0] == 404
    assert len(app.seen) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:7861"},
        {"origin": "null"},
        {"origin": "http://["},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "cross-site", "sec_fetch_dest": "document"},
    ],
)
@pytest.mark.parametrize(("method", "path"), [("POST", PREDICT), ("GET", "/config")])
def test_requests_of_other_pages_are_rejected(gate, app, headers, method, path):
    assert ask(gate, path, method, content_length="2", **headers)[0] == 403
    assert app.seen == []


def test_own_requests_and_links_to_the_page_pass(gate):
    own = {"origin": "http://127.0.0.1:7860", "sec_fetch_site": "same-origin"}
    assert ask(gate, PREDICT, "POST", content_length="2", **own)[0] == 200
    link = {"sec_fetch_site": "cross-site", "sec_fetch_dest": "document"}
    assert ask(gate, "/", **link)[0] == 200
    assert ask(gate, "/", **{**link, "sec_fetch_dest": "iframe"})[0] == 403


def test_repeated_headers_are_rejected(gate, app):
    for name in (b"origin", b"host", b"content-length", b"sec-fetch-site"):
        scope = {"type": "http", "method": "GET", "path": "/", "client": None}
        scope["headers"] = [(b"host", b"localhost"), (name, b"localhost"), (name, b"localhost")]
        sent = []

        async def send(message, sent=sent):
            sent.append(message)

        asyncio.run(gate(scope, None, send))
        assert sent[0]["status"] == 400
    assert app.seen == []


def test_addresses_of_one_ipv6_network_are_one():
    assert network_of("10.0.0.7") == "10.0.0.7"
    assert network_of("::1") == "::1"
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:2") == "2001:db8::/64"
    assert network_of("2001:db8:0:1::1") != network_of("2001:db8::1")
    assert network_of("a unix socket") == "a unix socket"


def test_body_that_does_not_come_ends_the_request(monkeypatch):
    monkeypatch.setattr("nst_tf.app.gate.IDLE_SECONDS", 0.05)

    async def read(parts):
        async def receive():
            if not parts:
                await asyncio.sleep(0.3)
                return {"type": "http.disconnect", "late": True}
            return parts.pop(0)

        receive = in_time(receive)
        first = await receive()
        return first, await receive()

    part = {"type": "http.request", "body": b"[", "more_body": True}
    assert asyncio.run(read([part]))[1] == {"type": "http.disconnect"}
    whole = {"type": "http.request", "body": b"[]"}
    assert asyncio.run(read([whole]))[1]["late"], "a complete request may take its time"


def test_local_page_answers_only_to_its_own_names(gate, app):
    for host, status in {"localhost:7860": 200, "[::1]:7860": 200, "evil.example": 400}.items():
        assert ask(gate, "/", host=host)[0] == status
    assert ask(Gate(app, [], local=False), "/", host="class.example")[0] == 200


def test_bodies_have_a_known_and_bounded_length(gate, app):
    for path, most in {PREDICT: FORM, UPLOAD: MAX_UPLOAD + 4096, "/login": 4096}.items():
        assert ask(gate, path, "POST", content_length=str(most))[0] == 200
        assert ask(gate, path, "POST", content_length=str(most + 1))[0] == 413
        assert ask(gate, path, "POST")[0] == 411
        assert ask(gate, path, "POST", content_length="-1")[0] == 411
        assert ask(gate, path, "POST", content_length="9", transfer_encoding="chunked")[0] == 411
    assert ask(gate, "/", content_length="1")[0] == 413
    assert len(app.seen) == 3


def test_permissions_for_other_pages_are_removed_from_responses():
    headers = [
        (b"Access-Control-Allow-Origin", b"http://evil.example"),
        (b"access-control-allow-credentials", b"true"),
        (b"content-type", b"text/html"),
    ]
    _, sent = ask(Gate(App(headers=headers), []), "/")
    names = [name.lower() for name, _ in sent]
    assert b"content-type" in names
    assert b"x-frame-options" in names
    assert not any(name.startswith(b"access-control") for name in names)


def test_cookies_are_for_this_page_alone():
    given = b"access-token-x=abc; HttpOnly; Path=/; SameSite=none; Secure"
    gate = Gate(App(headers=[(b"set-cookie", given), (b"set-cookie", b"b=1")]), [])
    for scheme, ending in {"http": "", "https": "; Secure"}.items():
        cookies = [v for name, v in ask(gate, "/", scheme=scheme)[1] if name == b"set-cookie"]
        expected = f"access-token-x=abc; Path=/; HttpOnly; SameSite=Strict{ending}"
        assert cookies == [expected.encode(), f"b=1; HttpOnly; SameSite=Strict{ending}".encode()]
    assert own_cookie("a=secure", secure=False) == "a=secure; HttpOnly; SameSite=Strict"


def test_wrong_passwords_make_an_address_wait():
    app = App(status=400)
    gate = Gate(app, [])
    statuses = [ask(gate, "/login", "POST", content_length="9")[0] for _ in range(GUESSES + 20)]
    assert statuses == [400] * GUESSES + [429] * 20
    assert len(app.seen) == GUESSES
    assert ask(gate, "/login", "POST", content_length="9", address="10.0.0.8")[0] == 400


def test_right_password_clears_the_count():
    app = App(status=400)
    gate = Gate(app, [])
    for _ in range(3):
        for app.status in (400, 400, 200):
            assert ask(gate, "/login", "POST", content_length="9")[0] == app.status


def test_waits_double_up_to_a_maximum():
    clock = [0.0]
    guesses = Guesses(now=lambda: clock[0])
    waits = []
    for _ in range(GUESSES + 12):
        guesses.add("a")
        waits.append(guesses.wait("a"))
    assert waits[: GUESSES - 1] == [0] * (GUESSES - 1)
    assert waits[GUESSES - 1 : GUESSES + 3] == [2, 4, 8, 16]
    assert max(waits) == waits[-1] == LONGEST_WAIT
    clock[0] += LONGEST_WAIT + 1
    assert guesses.wait("a") == 0


def test_uploads_of_an_address_have_a_share(gate, app):
    number = UPLOAD_SHARE // MAX_UPLOAD
    for status in [200] * number + [429] * 3:
        assert ask(gate, UPLOAD, "POST", content_length=str(MAX_UPLOAD))[0] == status
    assert ask(gate, UPLOAD, "POST", content_length="9", address="10.0.0.8")[0] == 200
    assert len(app.seen) == number + 1


def test_share_of_uploads_is_renewed():
    clock = [0.0]
    uploaded = Uploaded(now=lambda: clock[0])
    assert uploaded.add("a", UPLOAD_SHARE)
    assert not uploaded.add("a", 1)
    clock[0] += UPLOAD_SECONDS + 1
    assert uploaded.add("a", 1)


def test_websockets_are_closed(gate, app):
    sent = []

    async def send(message):
        sent.append(message["type"])

    asyncio.run(gate({"type": "websocket", "path": "/"}, None, send))
    assert sent == ["websocket.close"]
    assert app.seen == []
