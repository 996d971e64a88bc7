"""Downloads from an HTTP server on loopback, and identification of weights files."""

import contextlib
import hashlib
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from mat_files import tiny_vgg, write_keras, write_matconvnet

from nst_tf import WeightsError
from nst_tf.models.vgg import EMBEDDED_FILE
from nst_tf.weights.__main__ import main
from nst_tf.weights.download import _has_checksum, fetch
from nst_tf.weights.registry import RELEASES, WEIGHTS
from nst_tf.weights.verify import fingerprint, verify

CONTENT = np.random.default_rng(0).bytes(3_000_000)
CUT_AT = 2_000_000


class Handler(BaseHTTPRequestHandler):
    """Serves CONTENT: complete, as a range, truncated, damaged, or not at all."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.requests.append((self.path, self.headers.get("Range")))
        if self.path == "/missing":
            return self.send_error(404)
        first = int(self.headers.get("Range", "bytes=0-")[6:-1])
        if self.path in ("/no-ranges", "/endless"):
            first = 0
        if first >= len(CONTENT):
            return self.send_error(416)
        body = CONTENT[first:]
        self.send_response(206 if first else 200)
        if self.path == "/endless":
            self.send_header("Connection", "close")
            self.end_headers()
            with contextlib.suppress(OSError):  # the client stops
                while True:
                    self.wfile.write(CONTENT)
                    self.server.sent += len(CONTENT)
            self.close_connection = True
            return None
        if self.path == "/large":
            self.send_header("Content-Length", str(10**15))
            self.end_headers()
            self.close_connection = True
            return None
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.path == "/damaged":
            body = b"\0" + body[1:]
        if self.path == "/cut":
            body = body[: max(CUT_AT - first, 0)]
            self.close_connection = True
        self.wfile.write(body)
        return None

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.requests, server.sent = [], 0
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    server.url = f"http://127.0.0.1:{server.server_port}"
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def table(server, monkeypatch):
    """Register CONTENT in the table of weights as "vgg19"."""
    checksum = "sha256:" + hashlib.sha256(CONTENT).hexdigest()
    entry = replace(WEIGHTS["vgg19"], url=f"{server.url}/good", checksum=checksum)
    monkeypatch.setitem(WEIGHTS, "vgg19", entry)
    return entry


def names(folder):
    return sorted(file.name for file in folder.iterdir())


def test_fetch_saves_file_under_its_name(table, tmp_path, capsys):
    assert main(["fetch", "vgg19", "--folder", str(tmp_path / "model")]) == 0
    assert (tmp_path / "model" / table.file).read_bytes() == CONTENT
    assert names(tmp_path / "model") == [table.file]
    assert "is complete and its checksum is correct" in capsys.readouterr().out


def test_existing_file_is_not_fetched_again(table, server, tmp_path):
    fetch("vgg19", tmp_path)
    fetch("vgg19", tmp_path)
    assert len(server.requests) == 1


def test_existing_file_of_other_content_is_kept(table, server, tmp_path):
    (tmp_path / table.file).write_text("mine")
    with pytest.raises(WeightsError, match="checksum is not that of vgg19; move it away"):
        fetch("vgg19", tmp_path)
    assert (tmp_path / table.file).read_text() == "mine"
    assert server.requests == []


def test_file_with_wrong_checksum_is_deleted(table, server, tmp_path, capsys):
    status = main(["fetch", "vgg19", "--folder", str(tmp_path), "--url", f"{server.url}/damaged"])
    assert status == 2
    error = capsys.readouterr().err
    assert "is not vgg19: its checksum differs, so it was deleted" in error
    assert names(tmp_path) == []
    fetch("vgg19", tmp_path)  # the next call starts from the beginning
    assert server.requests[-1] == ("/good", None)


def test_status_404_raises(table, server, tmp_path):
    with pytest.raises(
        WeightsError, match=r"http://127.*/missing answered 404: look for imagenet-vgg.* elsewhere"
    ):
        fetch("vgg19", tmp_path, url=f"{server.url}/missing")
    assert names(tmp_path) == []


def test_interrupted_download_is_resumed(table, server, tmp_path):
    with pytest.raises(WeightsError, match=r"failed .*\.part is saved; run again to resume"):
        fetch("vgg19", tmp_path, url=f"{server.url}/cut")
    assert names(tmp_path) == [table.file + ".part"]
    path = fetch("vgg19", tmp_path)
    (_, (_, byte_range)) = server.requests
    assert CUT_AT - (1 << 16) < int(byte_range.removeprefix("bytes=").removesuffix("-")) <= CUT_AT
    assert path.read_bytes() == CONTENT
    assert names(tmp_path) == [table.file]


def test_server_without_ranges_restarts_download(table, server, tmp_path):
    (tmp_path / (table.file + ".part")).write_bytes(b"from before")
    assert fetch("vgg19", tmp_path, url=f"{server.url}/no-ranges").read_bytes() == CONTENT


def test_complete_part_file_is_renamed(table, server, tmp_path):
    (tmp_path / (table.file + ".part")).write_bytes(CONTENT)
    assert fetch("vgg19", tmp_path).read_bytes() == CONTENT
    assert names(tmp_path) == [table.file]


@pytest.mark.parametrize("size", [len(CONTENT), None])
@pytest.mark.parametrize("part", [b"", CONTENT[:CUT_AT]])
def test_server_without_an_end_is_stopped(table, server, tmp_path, monkeypatch, size, part):
    monkeypatch.setitem(WEIGHTS, "vgg19", replace(table, size=size))
    monkeypatch.setattr("nst_tf.weights.download.MOST", len(CONTENT))
    if part:
        (tmp_path / f"{table.file}.part").write_bytes(part)
    message = f"/endless sends more, but at most {len(CONTENT):,} bytes were expected: it is anot"
    with pytest.raises(WeightsError, match=message):
        fetch("vgg19", tmp_path, url=f"{server.url}/endless")
    assert names(tmp_path) == []
    assert server.sent < 20 * len(CONTENT), "the rest was in buffers"


def test_announced_size_that_is_too_large_is_rejected(table, server, tmp_path):
    with pytest.raises(WeightsError, match=r"sends 1,000,000,000,000,000 bytes, but at most 534,9"):
        fetch("vgg19", tmp_path, url=f"{server.url}/large")
    assert names(tmp_path) == []


def test_files_to_fetch_have_a_published_checksum():
    lengths = {"sha256": 64, "md5": 32}
    for name, weights in WEIGHTS.items():
        algorithm, _, digest = weights.checksum.partition(":")
        assert len(bytes.fromhex(digest)) * 2 == lengths[algorithm], name
        assert algorithm == "sha256" or digest in RELEASES, name
    assert [name for name, weights in WEIGHTS.items() if weights.size is None] == ["vgg16"]


def test_unreachable_server_is_reported(table, tmp_path, server, capsys):
    dead = "http://127.0.0.1:9/nothing"  # the discard port: no server listens there
    assert main(["fetch", "vgg19", "--folder", str(tmp_path), "--url", dead]) == 2
    assert "the download of vgg19 failed" in capsys.readouterr().err


@pytest.mark.parametrize("url", ["nonsense", "ftp://x/y", "file:///etc/passwd", "http://", ""])
def test_invalid_url_is_reported_as_failed_download(table, server, tmp_path, capsys, url):
    assert main(["fetch", "vgg19", "--folder", str(tmp_path), "--url", url]) == 2
    assert "the download of vgg19 failed" in capsys.readouterr().err
    assert server.requests == []


@pytest.mark.parametrize("arguments", [[], ["bogus"], ["fetch"], ["list", "x"]])
def test_wrong_options_print_one_line(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("nst_tf: ")
    assert error.count("\n") == 1


def test_unknown_name_lists_available_weights(capsys):
    assert main(["fetch", "vgg11"]) == 2
    assert "no weights 'vgg11'; choose from vgg19, vgg16, vgg19-keras" in capsys.readouterr().err
    assert main(["fetch", "embedded"]) == 2
    assert "part of nst_tf: use --weights embedded" in capsys.readouterr().err


def test_list_prints_all_fields(capsys):
    assert main(["list"]) == 0
    printed = capsys.readouterr().out
    for name, weights in WEIGHTS.items():
        for field in (name, weights.checksum, weights.license, weights.credit, weights.url or ""):
            assert field in printed
    assert "534,904,783 bytes" in printed


def test_embedded_file_has_listed_size_and_checksum():
    assert EMBEDDED_FILE.stat().st_size == WEIGHTS["embedded"].size
    assert _has_checksum(EMBEDDED_FILE, WEIGHTS["embedded"].checksum)


# ------------------------------------------------------------------ verify


def with_vgg19_values():
    """Return a tiny network whose conv1_1 starts with the published values of VGG-19."""
    convolutions = tiny_vgg()
    kernel = convolutions["conv1_1"][0]
    kernel[0, 0, :, 0] = 0.39416704, 0.46418372, 0.34119523
    kernel[0, 1, 0, 0], kernel[1, 0, 0, 0] = 0.37740308, 0.2671299
    return convolutions


def with_modified_kernel(change):
    convolutions = with_vgg19_values()
    kernel, bias = convolutions["conv1_1"]
    convolutions["conv1_1"] = np.ascontiguousarray(change(kernel)), bias
    return convolutions


SWAPPED = with_modified_kernel(lambda kernel: kernel.transpose(1, 0, 2, 3))
BLUE_FIRST = with_modified_kernel(lambda kernel: kernel[:, :, ::-1])


def test_fingerprint_of_vgg19_swapped_axes_and_bgr():
    assert fingerprint(with_vgg19_values()) == "vgg19"
    assert fingerprint(SWAPPED) == "swapped"
    assert fingerprint(BLUE_FIRST) == "bgr"
    assert fingerprint(tiny_vgg()) == "unknown"


def test_fingerprint_of_vgg16_swapped_axes_and_bgr(real_vgg16):
    kernel, bias = real_vgg16["conv1_1"]
    assert fingerprint(real_vgg16) == "vgg16"
    assert fingerprint({"conv1_1": (kernel.swapaxes(0, 1), bias)}) == "swapped"
    assert fingerprint({"conv1_1": (kernel[:, :, ::-1], bias)}) == "bgr"


def test_verify_embedded_file(capsys):
    assert main(["verify", "embedded"]) == 0
    printed = capsys.readouterr().out
    assert "27,222,549 bytes" in printed
    assert "the embedded VGG-16 (ImageNet) of nst_tf" in printed
    assert "the 13 convolutions of VGG-16, shapes as expected, all finite" in printed
    assert "Oxford's VGG-16, kernels not transposed, RGB" in printed


def test_verify_recognizes_vgg16_in_any_file(tmp_path, real_vgg16):
    path = tmp_path / "vgg16.h5"
    write_keras(path, real_vgg16)
    assert "Oxford's VGG-16" in "\n".join(verify(path))
    write_keras(path, {**real_vgg16, "conv1_1": tuple(2 * x for x in real_vgg16["conv1_1"])})
    assert "not those of Oxford's VGG-19 or VGG-16" in "\n".join(verify(path))


def test_verify_describes_file(tmp_path, capsys):
    path = tmp_path / "vgg.mat"
    write_matconvnet(path, with_vgg19_values(), "beta16")
    assert main(["verify", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "the 16 convolutions of VGG-19, shapes as expected, all finite" in printed
    assert "Oxford's VGG-19, kernels not transposed, RGB" in printed
    assert "mean: 123.680 116.779 103.939" in printed
    assert hashlib.md5(path.read_bytes()).hexdigest() in printed
    write_keras(path, tiny_vgg(16))
    assert "not those of Oxford's VGG-19" in "\n".join(verify(path))


@pytest.mark.parametrize(
    ("convolutions", "message"),
    [(SWAPPED, "height and width swapped"), (BLUE_FIRST, "takes blue-green-red input")],
)
def test_verify_rejects_swapped_axes_and_bgr(tmp_path, capsys, convolutions, message):
    path = tmp_path / "vgg.mat"
    write_matconvnet(path, convolutions)
    assert main(["verify", str(path)]) == 2
    assert message in capsys.readouterr().err


def test_verify_rejects_damaged_file(tmp_path, capsys):
    path = tmp_path / "vgg.mat"
    path.write_bytes(b"MATLAB 5.0 MAT-file but not really")
    assert main(["verify", str(path)]) == 2
    assert "damaged or cut off" in capsys.readouterr().err
