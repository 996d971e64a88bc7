"""The doctor says what is here, and what is wrong in words."""

import re

from nst_tf.doctor import main


def lines(capsys):
    return dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())


def test_it_says_what_is_here_and_what_a_run_takes(capsys):
    assert main(["--weights", "embedded", "--size", "320x240", "--iterations", "50"]) == 0
    found = lines(capsys)
    assert list(found) == [
        *("nst_tf", "packages", "memory", "processor"),
        *("computing", "bfloat16", "weights", "a"),
    ]
    assert re.search(r"tensorflow 2\.\d+", found["packages"])
    assert re.search(r"\d GiB available for a run", found["memory"])
    assert "usable cores" in found["processor"]
    assert "13 convolutions, valid" in found["weights"]
    assert re.search(r"of 320x240 pixels, 50 iterations: about \d+:\d\d min and", found["a"])


def test_it_says_the_precision_and_why(monkeypatch, capsys):
    for kind, words in {
        "none": "--precision auto: float32 (this processor has no bfloat16)",
        "avx512_bf16": "--precision auto: bfloat16 (avx512_bf16: 1.9 to 2 times",
    }.items():
        monkeypatch.setattr("nst_tf.scaling.precision.processor_kind", lambda kind=kind: kind)
        assert main(["--weights", "embedded", "--size", "64", "--iterations", "1"]) == 0
        assert lines(capsys)["bfloat16"].startswith(words)


def test_a_larger_run_takes_longer(capsys):
    seconds = []
    for size in ("320x240", "1280x960"):
        assert main(["--weights", "embedded", "--size", size]) == 0
        minutes, rest = re.search(r"about (\d+)(?::(\d\d))? min", lines(capsys)["a"]).groups()
        seconds.append(60 * int(minutes) + int(rest or 0))
    assert seconds[1] > seconds[0]


def test_what_is_wrong_is_a_problem_and_status_2(tmp_path, capsys):
    damaged = tmp_path / "imagenet-vgg-verydeep-19.mat"
    damaged.write_bytes(b"no weights at all")
    assert main(["--weights", str(damaged)]) == 2
    assert "PROBLEM" in lines(capsys)["weights"]
    assert main(["--weights", "embedded", "--size", "4000x4000", "--memory-limit", "0.2"]) == 2
    found = lines(capsys)
    assert "PROBLEM" not in found["weights"]
    assert "make the picture smaller" in found["a"]


def test_without_the_gpu_that_was_asked_for_no_run_is_promised(monkeypatch, capsys):
    import tensorflow as tf

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: [])
    assert main(["--weights", "embedded", "--device", "gpu", "--iterations", "5"]) == 2
    found = lines(capsys)
    assert "PROBLEM" in found["computing"]
    assert "not possible with --device gpu, see `computing`" in found["a"]
    assert "GiB" not in found["a"]


def test_bad_options_are_refused(capsys):
    assert main(["--size", "many"]) == 2
    assert "many" in capsys.readouterr().out
