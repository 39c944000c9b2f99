from __future__ import annotations

import errno
import io
import os
import re
import stat
import tarfile
import tracemalloc
import warnings
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmseg.data.download import archives, unpacking
from llmseg.data.download.archive_headers import count_members
from llmseg.data.download.archives import archive_suffix, open_archive
from llmseg.errors import UserError

FILES = {"a/one.txt": b"first" * 400, "a/b/two.txt": bytes(range(256)) * 9, "three": b""}
KINDS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


@pytest.fixture(scope="module")
def packed(zipped, tarred):
    """A function that packs files in one of the kinds."""
    compressions = {".tar": "", ".tar.gz": "gz", ".tgz": "gz", ".tar.bz2": "bz2", ".tar.xz": "xz"}
    return lambda kind, files=FILES: zipped(files) if kind == ".zip" else tarred(files, compressions[kind])


@pytest.fixture
def opened(tmp_path):
    """A function that opens an archive of these bytes and returns its files; nothing may appear beside it."""
    (tmp_path / "spare").mkdir()
    (tmp_path / "in").mkdir()

    def files(content, kind):
        path = tmp_path / "in" / f"x{kind}"
        path.write_bytes(content)
        try:
            with open_archive(path, tmp_path / "spare") as archive:
                return {name: archive.read(name) for name in archive.sizes}
        finally:
            assert {p.relative_to(tmp_path).parts[0] for p in tmp_path.rglob("*")} == {"spare", "in"}
            assert list((tmp_path / "in").iterdir()) == [path]

    return files


def tar_of(*members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as file:
        for name, kind, link in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, link
            file.addfile(info)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", KINDS)
def test_members_and_sizes(packed, opened, tmp_path, kind):
    assert opened(packed(kind), kind) == FILES
    assert opened(packed(kind, {}), kind) == {}
    (tmp_path / "in" / f"x{kind}").write_bytes(packed(kind))
    with open_archive(tmp_path / "in" / f"x{kind}", tmp_path / "spare") as archive:
        assert archive.sizes == {name: len(content) for name, content in FILES.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_several_threads_read_at_once(packed, tmp_path, kind):
    files = {str(k): bytes([k]) * 5000 for k in range(60)}
    (tmp_path / f"x{kind}").write_bytes(packed(kind, files))
    with open_archive(tmp_path / f"x{kind}", tmp_path) as archive, ThreadPoolExecutor(4) as pool:
        assert dict(zip(files, pool.map(archive.read, files), strict=True)) == files


@pytest.mark.parametrize("kind", [".zip", ".tar"])
def test_dots_and_folders_in_names(packed, opened, kind):
    assert opened(packed(kind, {"./a": b"1", "b/./c": b"2", "d\\e": b"3"}), kind) == {
        "a": b"1",
        "b/c": b"2",
        "d/e": b"3",
    }


def test_tar_of_the_folder_itself(opened):
    content = tar_of((".", tarfile.DIRTYPE, ""), ("./a", tarfile.DIRTYPE, ""), ("./a/b", tarfile.REGTYPE, ""))
    assert opened(content, ".tar") == {"a/b": b""}


@pytest.mark.parametrize("kind", [".zip", ".tar", ".tar.gz"])
@pytest.mark.parametrize("name", ["../a", "a/../../b", "/etc/passwd", "C:/a", "C:\\a", "..\\a", "\\a", "\\\\host\\a"])
def test_members_that_would_climb_out(packed, opened, kind, name):
    with pytest.raises(UserError, match=rf"x{kind} has a member that would climb out") as error:
        opened(packed(kind, {"good": b"", name: b"evil"}), kind)
    assert f"'{name}'" in str(error.value)


@pytest.mark.parametrize("type", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_tar(opened, type):
    with pytest.raises(UserError, match=r"x\.tar has a link or device, 'evil'"):
        opened(tar_of(("good", tarfile.REGTYPE, ""), ("evil", type, "/etc/passwd")), ".tar")


def test_links_in_zip(opened):
    info = zipfile.ZipInfo("evil")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(UserError, match=r"x\.zip has a link, 'evil'"):
        opened(_zip_with(info, b"/etc/passwd"), ".zip")


def _zip_with(info, content):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(info, content)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", [".zip", ".tar.gz", ".tar.bz2", ".tar.xz"])
def test_an_archive_that_unpacks_to_far_more(packed, opened, tmp_path, monkeypatch, kind):
    content = packed(kind, {"bomb": bytes(2**20)})
    assert len(opened(content, kind)["bomb"]) == 2**20, "small ones do no harm"
    (tmp_path / "in" / f"x{kind}").unlink()
    for left in (tmp_path / "spare").iterdir():
        left.unlink()
    monkeypatch.setattr(unpacking, "ALLOWANCE", 2**16)
    monkeypatch.setattr(archives, "_BLOCK", 2**14)
    with pytest.raises(UserError, match=rf"x{kind} unpacks to .* GiB or more, over 200 times its size") as refused:
        opened(content, kind)
    assert sum(p.stat().st_size for p in (tmp_path / "spare").iterdir()) <= 2**16 + 200 * len(content) + 2**14
    message = str(refused.value)
    for _ in range(10):  # of a compressed tar nobody knows where it ends, so the advice may have to be followed again
        monkeypatch.setenv(*find_advice(message))
        try:
            assert len(opened(content, kind)["bomb"]) == 2**20
            break
        except UserError as error:
            message = str(error)
    else:
        pytest.fail("the advice does not help")


def find_advice(message):
    """Return the variable and the value that a message advises."""
    return re.search(r"set (\w+)=(\d+)", message).groups()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("variable", ["LLMSEG_MAX_UNPACKED", "LLMSEG_MAX_MEMBERS", "LLMSEG_MAX_FILE"])
def test_limits_and_the_advice_to_lift_them(packed, opened, monkeypatch, kind, variable):
    monkeypatch.setenv(variable, "2")
    found, messages = {}, []
    while found != FILES and len(messages) < 9:  # the next file may be above the limit, too
        try:
            found = opened(packed(kind), kind)
        except UserError as error:
            messages.append(str(error))
            monkeypatch.setenv(*find_advice(messages[-1]))
    assert found == FILES
    assert all(f"x{kind}" in message and variable in message for message in messages)
    assert messages


@pytest.mark.parametrize("kind", [".zip", ".tar", ".tar.gz"])
@pytest.mark.parametrize("names", [("a.png", "a.png"), ("./a.png", "a.png"), ("b\\a.png", "b/a.png")])
def test_a_member_given_twice(opened, kind, names):
    buffer = io.BytesIO()
    if kind == ".zip":
        with zipfile.ZipFile(buffer, "w") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for content, name in enumerate(names):
                file.writestr(name, str(content))
    else:
        with tarfile.open(fileobj=buffer, mode=f"w:{kind[5:]}") as file:
            for name in names:
                file.addfile(tarfile.TarInfo(name))
    with pytest.raises(UserError, match=rf"x{kind} has the member '{names[1]}' twice.*unpack it first"):
        opened(buffer.getvalue(), kind)


@pytest.mark.parametrize("kind", [".zip", ".tar", ".tar.gz"])
@pytest.mark.parametrize(
    "name", ["\x1b]0;owned\x07.png", "\x1b[2J/a.png", "a\nllmseg: all is well\n.png", "\u202egnp.exe"]
)
def test_escape_codes_in_names_reach_no_terminal(packed, opened, kind, name):
    with pytest.raises(UserError, match="has a member with control characters in its name") as refused:
        opened(packed(kind, {"a.png": b"", name: b""}), kind)
    assert str(refused.value).isprintable()


def test_a_name_that_is_not_utf8(opened):
    content = tar_of(("caf\udce9.png", tarfile.REGTYPE, ""))
    with pytest.raises(UserError, match=r"x\.tar has a name that is not UTF-8, 'caf\\udce9\.png'; unpack it first"):
        opened(content, ".tar")


def test_the_members_of_a_zip_are_counted_before_they_are_read(tmp_path, monkeypatch):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as file:
        for k in range(3000):
            file.writestr(f"{k}", b"")
        file.comment = b"PK\x01\x02" * 5
    assert count_members(path) == 3000
    content = bytearray(path.read_bytes())
    end = content.rindex(b"PK\x05\x06")
    content[end + 8 : end + 12] = bytes([1, 0, 1, 0])  # it says that it has one
    path.write_bytes(content)
    monkeypatch.setenv("LLMSEG_MAX_MEMBERS", "2999")
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with (
        pytest.raises(UserError, match=r"x\.zip.* holds 3000 files, allowed are 2999; set LLMSEG_MAX_MEMBERS=3000"),
        open_archive(path, tmp_path),
    ):
        pass


def test_the_members_of_a_zip_of_more_than_4_gib_are_counted_too(tmp_path, monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 10)
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as file:
        for k in range(40):
            file.writestr(f"{k}", b"")
    assert b"PK\x06\x06" in (tmp_path / "x.zip").read_bytes()
    assert count_members(tmp_path / "x.zip") == 40


def test_a_header_of_a_tar_that_takes_the_memory(opened):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as file:
        file.addfile(tarfile.TarInfo("first"))
        info = tarfile.TarInfo("a")
        info.pax_headers = {"comment": "x" * 2**21}
        file.addfile(info)
    with pytest.raises(UserError, match=r"x\.tar is damaged or cut off \(a member has headers of more than 1048576"):
        opened(buffer.getvalue(), ".tar")
    with pytest.raises(UserError, match=r"x\.tar is damaged or cut off"):
        opened(buffer.getvalue()[512:], ".tar")  # now it is the first member


def test_a_sparse_member_of_a_tar_counts_as_large_as_it_claims(opened):
    info = tarfile.TarInfo("a.png")
    info.type, info.size = tarfile.GNUTYPE_SPARSE, 0
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[483:495] = b"%011o " % (20 * 2**30)  # its size after it is unpacked
    header[148:156] = b"%06o\0 " % tarfile.calc_chksums(bytes(header))[0]
    with pytest.raises(UserError, match=r"x\.tar unpacks to 20\.0 GiB or more"):
        opened(bytes(header) + bytes(1024), ".tar")


def test_a_member_that_lies_about_its_size(opened):
    content = bytearray(_zip_with(_deflated("bomb"), bytes(2**26)))
    for size_at in (22, content.rindex(b"PK\x01\x02") + 24):
        content[size_at : size_at + 4] = (100).to_bytes(4, "little")
    tracemalloc.start()
    try:
        with pytest.raises(UserError, match=r"x\.zip, member 'bomb', is damaged"):
            opened(bytes(content), ".zip")
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


def _deflated(name):
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", [0.02, 0.3, 0.6, 0.97])
def test_cut_off(packed, opened, kind, part):
    random = {name: os.urandom(3000) for name in "abc"}
    content = packed(kind, random)
    whole = 3 * (512 + 3072) if kind == ".tar" else len(content)  # zeros fill a tar up
    with pytest.raises(UserError, match=rf"x{kind}.*(damaged|cut off).*download it again$"):
        opened(content[: int(part * whole)], kind)


def test_tar_cut_between_two_members(packed, opened):
    content = packed(".tar", {"a": bytes(512), "b": bytes(512)})
    with pytest.raises(UserError, match=r"x\.tar is damaged or cut off after 1 files"):
        opened(content[:1024], ".tar")


def test_tar_with_a_damaged_header(packed, opened):
    content = bytearray(packed(".tar", {"a": bytes(512), "b": bytes(512)}))
    content[1030] ^= 1
    with pytest.raises(UserError, match=r"x\.tar is damaged or cut off after 1 files"):
        opened(bytes(content), ".tar")


def test_wrong_checksum_names_the_member(opened):
    content = bytearray(_zip_with(zipfile.ZipInfo("a.png"), b"content"))
    content[content.index(b"content")] ^= 1
    with pytest.raises(UserError, match=r"x\.zip, member 'a\.png', is damaged .*CRC"):
        opened(bytes(content), ".zip")


@pytest.mark.parametrize(("at", "value", "reason"), [((6, 8), 1, "password"), ((8, 10), 9, "compression")])
def test_passwords_and_unknown_methods(opened, at, value, reason):
    content = bytearray(_zip_with(zipfile.ZipInfo("a.png"), b"content"))
    for place in (at[0], content.rindex(b"PK\x01\x02") + at[1]):
        content[place] = value
    with pytest.raises(UserError, match=rf"x\.zip, member 'a\.png', cannot be read \(.*{reason}.*\); unpack it first"):
        opened(bytes(content), ".zip")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("content", [b"", b"<html>not found</html>" * 60])
def test_no_archive_at_all(opened, kind, content):
    with pytest.raises(UserError, match=rf"x{kind} is damaged or cut off"):
        opened(content, kind)


@settings(max_examples=60, deadline=None)
@given(kind=st.sampled_from(KINDS), place=st.floats(0, 1), value=st.binary(min_size=1, max_size=4), cut=st.booleans())
def test_damage_of_any_kind_is_told_as_such(packed, tmp_path_factory, kind, place, value, cut):
    folder = tmp_path_factory.mktemp("fuzz")
    content = bytearray(packed(kind))
    start = int(place * len(content))
    content[start : start + len(value)] = b"" if cut else value
    (folder / f"x{kind}").write_bytes(content)
    told = []
    try:
        with open_archive(folder / f"x{kind}", folder) as archive:
            for name in archive.sizes:
                archive.read(name)
    except UserError as error:
        told.append(str(error))
    assert all(f"x{kind}" in message and "\n" not in message for message in told)


def test_a_full_disk(packed, opened, monkeypatch):
    class Full(io.RawIOBase):
        def __init__(self, handle):
            os.close(handle)

        def write(self, content):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fdopen", lambda handle, mode: Full(handle))
    with pytest.raises(UserError, match=r"no space left to unpack archive .*x\.tar\.gz; set TMPDIR"):
        opened(packed(".tar.gz"), ".tar.gz")


@pytest.mark.parametrize(
    ("name", "suffix"),
    [("a.zip", ".zip"), ("A.TAR.GZ", ".TAR.GZ"), ("a.npz", ".npz"), ("a.nii.gz", ""), ("a.tar.png", ""), ("zip", "")],
)
def test_suffixes(name, suffix):
    assert archive_suffix(name) == suffix
