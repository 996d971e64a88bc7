"""`doctor`: environment, estimate for a run, and reported problems."""

import re

from nst_tf.doctor import main


def report(capsys):
    return dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())


def test_doctor_prints_environment_and_estimate(capsys):
    assert main(["--weights", "embedded", "--size", "320x240", "--iterations", "50"]) == 0
    items = report(capsys)
    assert list(items) == [
        *("nst_tf", "packages", "memory", "processor"),
        *("computing", "bfloat16", "weights", "a"),
    ]
    assert re.search(r"tensorflow 2\.\d+", items["packages"])
    assert re.search(r"\d GiB available for a run", items["memory"])
    assert "usable cores" in items["processor"]
    assert "13 convolutions, valid" in items["weights"]
    told = r"of 320x240 pixels, 50 iterations: about \d+:\d\d( to \d+(:\d\d)?)? min and"
    assert re.search(told, items["a"])


def test_precision_is_printed_with_reason(monkeypatch, capsys):
    for kind, expected in {
        "none": "--precision auto: float32 (this processor has no bfloat16)",
        "avx512_bf16": "--precision auto: bfloat16 (avx512_bf16: 1.9 to 2 times",
    }.items():
        monkeypatch.setattr("nst_tf.scaling.precision.processor_kind", lambda kind=kind: kind)
        assert main(["--weights", "embedded", "--size", "64", "--iterations", "1"]) == 0
        assert report(capsys)["bfloat16"].startswith(expected)


def test_larger_run_takes_longer(capsys):
    seconds = []
    for size in ("320x240", "1280x960"):
        assert main(["--weights", "embedded", "--size", size]) == 0
        minutes, rest = re.search(r"about (\d+)(?::(\d\d))?[^m]* min", report(capsys)["a"]).groups()
        seconds.append(60 * int(minutes) + int(rest or 0))
    assert seconds[1] > seconds[0]


def test_problems_are_printed_with_status_2(tmp_path, capsys):
    damaged = tmp_path / "imagenet-vgg-verydeep-19.mat"
    damaged.write_bytes(b"no weights at all")
    assert main(["--weights", str(damaged)]) == 2
    assert "PROBLEM" in report(capsys)["weights"]
    assert main(["--weights", "embedded", "--size", "4000x4000", "--memory-limit", "0.2"]) == 2
    items = report(capsys)
    assert "PROBLEM" not in items["weights"]
    assert "make the picture smaller" in items["a"]


def test_missing_gpu_prints_problem_and_no_estimate(monkeypatch, capsys):
    import tensorflow as tf

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: [])
    assert main(["--weights", "embedded", "--device", "gpu", "--iterations", "5"]) == 2
    items = report(capsys)
    assert "PROBLEM" in items["computing"]
    assert "not possible with --device gpu, see `computing`" in items["a"]
    assert "GiB" not in items["a"]


def test_bad_options_are_rejected(capsys):
    assert main(["--size", "many"]) == 2
    assert "many" in capsys.readouterr().out
