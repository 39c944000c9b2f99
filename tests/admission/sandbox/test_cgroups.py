"""Control groups of both versions, on a tree of files as the kernel shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmseg.admission.sandbox import cgroups

NAMES = (
    "cgroup.procs pids.max pids.events pids.current memory.max memory.events memory.peak cpu.stat memory.oom_control"
)


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """A function that lays out mounts and the group of this process; a new folder has the files of a group."""

    def lay_out(group: str, *mounts: str) -> Path:
        monkeypatch.setattr(cgroups, "CGROUPS", tmp_path / "cgroup")
        monkeypatch.setattr(cgroups, "MOUNTS", tmp_path / "mountinfo")
        (tmp_path / "cgroup").write_text(group)
        (tmp_path / "mountinfo").write_text("\n".join(mount.replace("TREE", str(tmp_path)) for mount in mounts))
        made = Path.mkdir

        def mkdir(path: Path, *args: object, **options: object) -> None:
            made(path, *args, **options)
            for name in NAMES.split():
                (path / name).touch()

        monkeypatch.setattr(Path, "mkdir", mkdir)
        return tmp_path

    return lay_out


V1 = ("31 23 0:1 / TREE/pids rw - cgroup cgroup rw,pids", "32 23 0:2 / TREE/memory rw - cgroup cgroup rw,memory")
V2 = "31 23 0:1 / TREE/unified rw - cgroup2 cgroup2 rw"


def test_version_1_has_a_folder_for_each_kind(kernel):
    tree = kernel("8:pids:/\n4:memory:/mine\n", *V1)
    for folder in ("pids", "memory/mine"):
        (tree / folder).mkdir(parents=True)
    group = cgroups.make_group()
    assert group is not None
    assert {kind: folder.parent for kind, folder in group.folders.items()} == {
        "pids": tree / "pids",
        "memory": tree / "memory" / "mine",
    }
    group.set_limits(1000, 10)
    assert (group.folders["memory"] / "memory.limit_in_bytes").read_text() == "1000"
    (group.folders["memory"] / "memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 2\n")
    assert group.count_killed() == 2


def test_version_2_goes_below_the_nearest_group_that_hands_limits_on(kernel):
    tree = kernel("0::/user.slice/session\n", V2)
    for folder, handed in (("", "cpu memory pids"), ("user.slice", "memory pids"), ("user.slice/session", "")):
        (tree / "unified" / folder).mkdir(parents=True, exist_ok=True)
        (tree / "unified" / folder / "cgroup.subtree_control").write_text(handed)
    group = cgroups.make_group()
    assert group is not None
    assert group.folders["pids"].parent == tree / "unified" / "user.slice"
    group.set_limits(1000, 10)
    (group.folders["pids"] / "pids.events").write_text("max 3\n")
    (group.folders["pids"] / "memory.events").write_text("low 0\noom 1\noom_kill 1\n")
    (group.folders["pids"] / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 1\n")
    assert (group.folders["pids"] / "memory.max").read_text() == "1000"
    assert (group.folders["pids"] / "memory.oom.group").read_text() == "1"
    assert (group.count_refused_forks(), group.count_killed(), group.read_cpu_seconds()) == (3, 1, 2.5)


def test_a_container_sees_its_own_group_at_the_top(kernel):
    tree = kernel("0::/docker/abc\n", "31 23 0:1 /docker/abc TREE/unified rw - cgroup2 cgroup2 rw")
    (tree / "unified").mkdir()
    (tree / "unified" / "cgroup.subtree_control").write_text("memory pids")
    group = cgroups.make_group()
    assert group is not None
    assert group.folders["pids"].parent == tree / "unified"


def test_without_rights_there_is_none(kernel):
    tree = kernel("0::/\n", V2)
    (tree / "unified").mkdir()
    (tree / "unified" / "cgroup.subtree_control").write_text("cpu")
    assert cgroups.make_group() is None
    kernel("", "")
    assert cgroups.make_group() is None


def test_a_group_of_this_kernel_counts_and_goes(tmp_path):
    group = cgroups.make_group()
    if group is None:
        pytest.skip("this user may make no control groups")
    group.set_limits(2**28, 10)
    assert (group.list_processes(), group.count_processes(), group.count_killed()) == ([], 0, 0)
    assert group.remove()
    assert not any(folder.exists() for folder in group.folders.values())
