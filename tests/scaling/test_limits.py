"""Limits of memory by control groups and ulimit, read from directories made for the tests."""

import os

import psutil
import pytest

from nst_tf import NstError, TransferConfig, doctor
from nst_tf.scaling import limits, memory
from nst_tf.scaling.limits import control_groups, group_limits, tightest_limit
from nst_tf.scaling.memory import ram_left

MIB = 2**20
MOUNT = "{number} 24 0:26 {root} {point} rw,nosuid,noexec shared:4 - {kind} {source} {options}\n"


@pytest.fixture
def system(tmp_path, monkeypatch):
    """Return a function that makes /proc/self from group paths and mounts, and returns it."""

    def make(groups, *mounts):
        (tmp_path / "cgroup").write_text("".join(f"{line}\n" for line in groups))
        lines = "".join(
            MOUNT.format(
                number=number, source=kind, root=root, point=point, kind=kind, options=options
            )
            for number, (root, point, kind, options) in enumerate(mounts, 30)
        )
        (tmp_path / "mountinfo").write_text(lines)
        return tmp_path

    return make


def make_group(folder, **files):
    """Make the directory of a control group; `memory_max=1` is the file memory.max."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("memory_", "memory.", 1)).write_text(f"{text}\n")


def left_by_group(proc):
    """Return the bytes that each limit leaves, by the directory's last name."""
    return {limit.name.rpartition("/")[2]: limit.left for limit in group_limits(proc)}


def test_control_groups_of_the_process_and_all_above_count(system, tmp_path):
    one, two = tmp_path / "memory", tmp_path / "unified"
    proc = system(
        ["4:memory:/slurm/job_7", "3:cpuset:/other", "0::/user.slice/run.scope"],
        ("/", tmp_path / "cpuset", "cgroup", "rw,cpuset"),
        ("/", one, "cgroup", "rw,memory"),
        ("/", two, "cgroup2", "rw"),
    )
    version_1 = {("cgroup", one), ("cgroup", one / "slurm"), ("cgroup", one / "slurm/job_7")}
    version_2 = {("cgroup2", two / name) for name in ("", "user.slice", "user.slice/run.scope")}
    assert set(control_groups(proc)) == version_1 | version_2
    assert control_groups(tmp_path / "none") == []


def test_controllers_that_share_a_mount_of_version_1(system, tmp_path):
    proc = system(
        ["5:cpu,memory:/job", "1:name=systemd:/"], ("/", tmp_path, "cgroup", "rw,cpu,memory")
    )
    assert control_groups(proc) == [("cgroup", tmp_path / "job"), ("cgroup", tmp_path)]


@pytest.mark.parametrize(
    ("path", "root"),
    [
        ("/docker/7f3a", "/docker/7f3a"),  # the mount begins at the container's group
        ("/", "/"),  # a name space of control groups
        ("/../../other", "/"),  # a group outside of the name space
        ("/", "/.."),  # a mount from outside of it
        ("/kubepods/pod1", "/docker/7f3a"),
    ],
)
def test_containers_have_their_limit_at_the_mount_point(system, tmp_path, path, root):
    group = tmp_path / "sys fs"
    make_group(group, memory_max=300 * MIB, memory_current=100 * MIB)
    make_group(tmp_path, memory_max=1, memory_current=0)  # not a control group
    proc = system([f"0::{path}"], (root, str(group).replace(" ", "\\040"), "cgroup2", "rw"))
    assert left_by_group(proc) == {"sys fs": 200 * MIB}


def test_group_below_the_root_of_a_containers_mount(system, tmp_path):
    proc = system(["0::/docker/7f3a/job"], ("/docker/7f3a", tmp_path / "point", "cgroup2", "rw"))
    point = tmp_path / "point"
    assert control_groups(proc) == [("cgroup2", point / "job"), ("cgroup2", point)]


def test_cached_files_do_not_count_as_used_in_version_2(system, tmp_path):
    point = tmp_path / "point"
    used = {"memory_current": 100 * MIB, "memory_stat": f"anon 9\ninactive_file {80 * MIB}\nx 1"}
    make_group(point / "a/b", memory_max=300 * MIB, memory_high="max", **used)
    make_group(point / "a", memory_max="max", memory_high=250 * MIB, **used)
    make_group(point, memory_stat="inactive_file 1")  # the root has no limit
    proc = system(["0::/a/b"], ("/", point, "cgroup2", "rw"))
    assert left_by_group(proc) == {"b": 280 * MIB, "a": 230 * MIB}


def test_cached_files_do_not_count_as_used_in_version_1(system, tmp_path):
    point, unlimited = tmp_path / "point", 0x7FFFFFFFFFFFF000
    stat = f"cache 7\ninactive_file 5\ntotal_cache 9\ntotal_inactive_file {30 * MIB}"
    used = {"memory_usage_in_bytes": 100 * MIB, "memory_stat": stat}
    make_group(point / "job", memory_limit_in_bytes=200 * MIB, **used)
    make_group(point, memory_limit_in_bytes=unlimited, **used)
    proc = system(["6:memory:/job"], ("/", point, "cgroup", "rw,memory"))
    assert left_by_group(proc) == {"job": 130 * MIB, "point": unlimited - 70 * MIB}


def test_group_over_its_limit_leaves_nothing(monkeypatch):
    monkeypatch.setattr(limits, "group_limits", lambda: [limits.Limit(-5, "it")])
    assert tightest_limit() == limits.Limit(0, "it")
    assert ram_left() == 0


def test_error_and_doctor_name_the_limit(tiny_model, monkeypatch):
    name = "the memory limit of the control group /sys/fs/cgroup/job"
    monkeypatch.setattr(limits, "group_limits", lambda: [limits.Limit(300 * MIB, name)])
    assert doctor.memory().startswith(f"0.3 GiB available for a run ({name}), ")
    layers, size = ("conv4_2", "conv1_1"), (40_000, 40_000)
    with pytest.raises(NstError, match=f"with --size, or raise {name}$"):
        memory.tile_area(tiny_model, layers, size, TransferConfig())
    with pytest.raises(NstError, match=r"with --size, or raise --memory-limit$"):
        memory.tile_area(tiny_model, layers, size, TransferConfig(memory_limit=0.4))
    monkeypatch.setattr(memory, "tightest_limit", lambda: limits.Limit(300 * MIB))
    with pytest.raises(NstError, match=r"or end other programs that use the memory$"):
        memory.tile_area(tiny_model, layers, size, TransferConfig())


@pytest.mark.parametrize(
    ("kind", "held"),
    [("RLIMIT_AS", "vms"), ("RLIMIT_DATA", "data")],
)
def test_limits_of_ulimit_reduce_ram_left(kind, held):
    resource = pytest.importorskip("resource", reason="Windows has no such limit")
    info = psutil.Process().memory_info()
    if not hasattr(info, held):
        pytest.skip("this system does not say how much data a process has")
    pid = os.fork()
    if pid == 0:
        limit = getattr(psutil.Process().memory_info(), held) + 300 * MIB
        resource.setrlimit(getattr(resource, kind), (limit, limit))
        os._exit(not 200 * MIB < ram_left() < 280 * MIB)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
