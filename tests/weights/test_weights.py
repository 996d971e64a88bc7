"""Fetching from a real HTTP server on loopback, and telling what a file is."""

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
from nst_tf.weights.registry import WEIGHTS
from nst_tf.weights.verify import fingerprint, verify

CONTENT = np.random.default_rng(0).bytes(3_000_000)
CUT_AT = 2_000_000


class Handler(BaseHTTPRequestHandler):
    """Serves CONTENT: whole, as a range, cut off half way, damaged, or not at all."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.requests.append((self.path, self.headers.get("Range")))
        if self.path == "/missing":
            return self.send_error(404)
        first = int(self.headers.get("Range", "bytes=0-")[6:-1])
        if self.path == "/no-ranges":
            first = 0
        if first >= len(CONTENT):
            return self.send_error(416)
        body = CONTENT[first:]
        self.send_response(206 if first else 200)
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
    server.requests = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    server.url = f"http://127.0.0.1:{server.server_port}"
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def table(server, monkeypatch):
    """Put CONTENT into the table of weights as "vgg19"."""
    checksum = "sha256:" + hashlib.sha256(CONTENT).hexdigest()
    entry = replace(WEIGHTS["vgg19"], url=f"{server.url}/good", checksum=checksum)
    monkeypatch.setitem(WEIGHTS, "vgg19", entry)
    return entry


def names(folder):
    return sorted(file.name for file in folder.iterdir())


def test_a_good_file_arrives_under_its_name(table, tmp_path, capsys):
    assert main(["fetch", "vgg19", "--folder", str(tmp_path / "model")]) == 0
    assert (tmp_path / "model" / table.file).read_bytes() == CONTENT
    assert names(tmp_path / "model") == [table.file]
    assert "is complete and its checksum is correct" in capsys.readouterr().out


def test_a_file_that_is_there_is_not_fetched_again(table, server, tmp_path):
    fetch("vgg19", tmp_path)
    fetch("vgg19", tmp_path)
    assert len(server.requests) == 1


def test_another_file_under_that_name_is_left_alone(table, server, tmp_path):
    (tmp_path / table.file).write_text("mine")
    with pytest.raises(WeightsError, match="checksum is not that of vgg19; move it away"):
        fetch("vgg19", tmp_path)
    assert (tmp_path / table.file).read_text() == "mine"
    assert server.requests == []


def test_a_wrong_checksum_leaves_nothing(table, server, tmp_path, capsys):
    status = main(["fetch", "vgg19", "--folder", str(tmp_path), "--url", f"{server.url}/damaged"])
    assert status == 2
    error = capsys.readouterr().err
    assert "is not vgg19: its checksum differs, so it was deleted" in error
    assert names(tmp_path) == []
    fetch("vgg19", tmp_path)  # and the next call begins anew
    assert server.requests[-1] == ("/good", None)


def test_not_found_says_so(table, server, tmp_path):
    with pytest.raises(
        WeightsError, match=r"http://127.*/missing answered 404: look for imagenet-vgg.* elsewhere"
    ):
        fetch("vgg19", tmp_path, url=f"{server.url}/missing")
    assert names(tmp_path) == []


def test_a_cut_connection_is_resumed_where_it_broke(table, server, tmp_path):
    with pytest.raises(WeightsError, match=r"failed .*\.part is kept, run again to resume"):
        fetch("vgg19", tmp_path, url=f"{server.url}/cut")
    assert names(tmp_path) == [table.file + ".part"]
    path = fetch("vgg19", tmp_path)
    (_, (_, asked)) = server.requests
    assert CUT_AT - (1 << 16) < int(asked.removeprefix("bytes=").removesuffix("-")) <= CUT_AT
    assert path.read_bytes() == CONTENT
    assert names(tmp_path) == [table.file]


def test_a_server_without_ranges_starts_from_the_beginning(table, server, tmp_path):
    (tmp_path / (table.file + ".part")).write_bytes(b"from before")
    assert fetch("vgg19", tmp_path, url=f"{server.url}/no-ranges").read_bytes() == CONTENT


def test_a_part_that_is_whole_already_only_needs_its_name(table, server, tmp_path):
    (tmp_path / (table.file + ".part")).write_bytes(CONTENT)
    assert fetch("vgg19", tmp_path).read_bytes() == CONTENT
    assert names(tmp_path) == [table.file]


def test_no_server_says_so(table, tmp_path, server, capsys):
    dead = "http://127.0.0.1:9/nothing"  # the discard port: nobody listens
    assert main(["fetch", "vgg19", "--folder", str(tmp_path), "--url", dead]) == 2
    assert "the download of vgg19 failed" in capsys.readouterr().err


@pytest.mark.parametrize("url", ["nonsense", "ftp://x/y", "file:///etc/passwd", "http://", ""])
def test_a_bad_address_is_not_blamed_on_the_checksum(table, server, tmp_path, capsys, url):
    assert main(["fetch", "vgg19", "--folder", str(tmp_path), "--url", url]) == 2
    assert "the download of vgg19 failed" in capsys.readouterr().err
    assert server.requests == []


@pytest.mark.parametrize("words", [[], ["bogus"], ["fetch"], ["list", "x"]])
def test_wrong_options_are_one_line(words, capsys):
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("nst_tf: ")
    assert error.count("\n") == 1


def test_unknown_names_list_the_table(capsys):
    assert main(["fetch", "vgg11"]) == 2
    assert "no weights 'vgg11'; choose from vgg19, vgg16, vgg19-keras" in capsys.readouterr().err
    assert main(["fetch", "embedded"]) == 2
    assert "part of nst_tf: use --weights embedded" in capsys.readouterr().err


def test_list_tells_all_there_is_to_know(capsys):
    assert main(["list"]) == 0
    listed = capsys.readouterr().out
    for name, weights in WEIGHTS.items():
        for fact in (name, weights.checksum, weights.license, weights.credit, weights.url or ""):
            assert fact in listed
    assert "534,904,783 bytes" in listed


def test_the_embedded_file_has_the_size_and_checksum_of_the_table():
    assert EMBEDDED_FILE.stat().st_size == WEIGHTS["embedded"].size
    assert _has_checksum(EMBEDDED_FILE, WEIGHTS["embedded"].checksum)


# ------------------------------------------------------------------ verify


def with_vgg19_numbers():
    """Return a tiny network whose conv1_1 begins with VGG-19's published numbers."""
    convolutions = tiny_vgg()
    kernel = convolutions["conv1_1"][0]
    kernel[0, 0, :, 0] = 0.39416704, 0.46418372, 0.34119523
    kernel[0, 1, 0, 0], kernel[1, 0, 0, 0] = 0.37740308, 0.2671299
    return convolutions


def turned(change):
    convolutions = with_vgg19_numbers()
    kernel, bias = convolutions["conv1_1"]
    convolutions["conv1_1"] = np.ascontiguousarray(change(kernel)), bias
    return convolutions


SWAPPED = turned(lambda kernel: kernel.transpose(1, 0, 2, 3))
BLUE_FIRST = turned(lambda kernel: kernel[:, :, ::-1])


def test_the_fingerprint_tells_vgg19_swapped_axes_and_bgr():
    assert fingerprint(with_vgg19_numbers()) == "vgg19"
    assert fingerprint(SWAPPED) == "swapped"
    assert fingerprint(BLUE_FIRST) == "bgr"
    assert fingerprint(tiny_vgg()) == "unknown"


def test_the_fingerprint_tells_vgg16_swapped_axes_and_bgr(real_vgg16):
    kernel, bias = real_vgg16["conv1_1"]
    assert fingerprint(real_vgg16) == "vgg16"
    assert fingerprint({"conv1_1": (kernel.swapaxes(0, 1), bias)}) == "swapped"
    assert fingerprint({"conv1_1": (kernel[:, :, ::-1], bias)}) == "bgr"


def test_verify_knows_the_embedded_file(capsys):
    assert main(["verify", "embedded"]) == 0
    said = capsys.readouterr().out
    assert "27,222,549 bytes" in said
    assert "the embedded VGG-16 (ImageNet) of nst_tf" in said
    assert "the 13 convolutions of VGG-16, shapes as expected, all finite" in said
    assert "Oxford's VGG-16, kernels not transposed, RGB" in said


def test_verify_knows_the_numbers_of_vgg16_in_any_file(tmp_path, real_vgg16):
    path = tmp_path / "vgg16.h5"
    write_keras(path, real_vgg16)
    assert "Oxford's VGG-16" in "\n".join(verify(path))
    write_keras(path, {**real_vgg16, "conv1_1": tuple(2 * x for x in real_vgg16["conv1_1"])})
    assert "not those of Oxford's VGG-19 or VGG-16" in "\n".join(verify(path))


def test_verify_says_what_a_file_is(tmp_path, capsys):
    path = tmp_path / "vgg.mat"
    write_matconvnet(path, with_vgg19_numbers(), "beta16")
    assert main(["verify", str(path)]) == 0
    said = capsys.readouterr().out
    assert "the 16 convolutions of VGG-19, shapes as expected, all finite" in said
    assert "Oxford's VGG-19, kernels not transposed, RGB" in said
    assert "mean: 123.680 116.779 103.939" in said
    assert hashlib.md5(path.read_bytes()).hexdigest() in said
    write_keras(path, tiny_vgg(16))
    assert "not those of Oxford's VGG-19" in "\n".join(verify(path))


@pytest.mark.parametrize(
    ("convolutions", "message"),
    [(SWAPPED, "height and width swapped"), (BLUE_FIRST, "takes blue-green-red input")],
)
def test_verify_refuses_what_is_turned_round(tmp_path, capsys, convolutions, message):
    path = tmp_path / "vgg.mat"
    write_matconvnet(path, convolutions)
    assert main(["verify", str(path)]) == 2
    assert message in capsys.readouterr().err


def test_verify_refuses_a_damaged_file_even_when_its_cache_is_sound(tmp_path, capsys):
    path = tmp_path / "vgg.mat"
    path.write_bytes(b"MATLAB 5.0 MAT-file but not really")
    assert main(["verify", str(path)]) == 2
    assert "damaged or cut off" in capsys.readouterr().err
