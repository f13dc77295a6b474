"""The files of the phone page as they go over the line. Source: the issue (60 KB, browsers of five years, no framework)."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest

from equipoise.desk.diary_intake import PACKETS_AT_MOST
from equipoise.desk.diary_wire import LARGEST_SENDING
from equipoise.web.diary import shell

YOUNGER = {
    r"\?\?=|\|\|=|&&=": "logical assignment, 2021",
    r"(?<![\w.])#[a-z]\w*\s*[=(;]": "private members, 2022",
    r"\.(at|replaceAll|findLast|toSorted|hasOwn|any)\(": "functions of 2021 and later",
    r"\bstatic\s*\{": "static blocks, 2022",
    r"structuredClone|(?<=[^\w])\d+_\d+": "structuredClone and separators of digits, 2021",
    r"^\s*(const|let) [^=]+= await |^await ": "await outside a function, 2022",
}
"""What came into JavaScript after ES2020 (ECMA-262, 11th edition): pattern -> what it is."""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return shell.shell(tmp_path_factory.mktemp("phone"))


def test_no_syntax_is_younger_than_2020():
    found = [
        f"{path.name}: {why}"
        for path in shell.PAGE.glob("*.js")
        for pattern, why in YOUNGER.items()
        for line in path.read_text("utf-8").splitlines()
        if re.search(pattern, re.sub(r'"[^"]*"|`[^`]*`', '""', line))
        and (pattern[0] != "^" or not line.startswith(" "))
    ]
    assert not found, found


def test_the_files_are_packed_under_60_kb_and_unpack_to_themselves(files):
    assert sum(len(one.packed) for one in files.values()) <= 60 * 1024
    assert all(gzip.decompress(one.packed) == one.plain for one in files.values())


def test_the_worker_keeps_every_file_of_the_page_and_its_version_follows_all_of_them(files, tmp_path):
    worker = files["sw.js"].plain.decode()
    kept = set(re.search(r'SHELL = "([^"]+)"', worker)[1].split(" "))
    named = {f"/diary/{name}" for name in files} - {
        "/diary/sw.js",
        "/diary/icon.png",
        "/diary/manifest.webmanifest",
    }
    assert kept == named
    (tmp_path / shell.RECORDINGS / "zh").mkdir(parents=True)
    (tmp_path / shell.RECORDINGS / "zh" / "MOOD.mp3").write_bytes(b"made up")
    again = shell.shell(tmp_path)
    assert json.loads(again["shell.json"].plain)["recordings"].keys() == {"zh/MOOD"}
    assert again["sw.js"].plain != files["sw.js"].plain
    (tmp_path / "better" / shell.RECORDINGS / "zh").mkdir(parents=True)
    (tmp_path / "better" / shell.RECORDINGS / "zh" / "MOOD.mp3").write_bytes(b"read out better")
    better = shell.shell(tmp_path / "better")
    assert better["sw.js"].plain != again["sw.js"].plain, "a phone learns of a recording that was replaced"


def test_a_recording_is_found_by_its_name_and_nothing_beside_it_is(tmp_path):
    (tmp_path / shell.RECORDINGS / "zh").mkdir(parents=True)
    (tmp_path / shell.RECORDINGS / "zh" / "MOOD.mp3").write_bytes(b"made up")
    (tmp_path / "web.key").write_text("secret")
    assert shell.recording(tmp_path, "recordings/zh/MOOD.mp3") == b"made up"
    for name in (
        "recordings/zh/PAIN.mp3",
        "recordings/zh/../../web.key",
        "recordings/fr/MOOD.mp3",
        "web.key",
        "",
    ):
        assert shell.recording(tmp_path, name) is None


def test_every_picture_that_a_study_names_is_drawn(root):
    drawn = set(re.findall(r'symbol id="(\w+)"', (shell.PAGE / "pictures.svg").read_text("utf-8")))
    for study in sorted(Path(root, "studies").glob("*/diary.yaml")):
        assert set(re.findall(r"picture: (\w+)", study.read_text("utf-8"))) <= drawn


@pytest.mark.parametrize("address", ["/diary/enrol", "/diary/intake"])
@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b"\xff", b'{"packets": 1, "code": 1, "pin": 2}', b"deep"]
)
def test_what_is_no_request_of_a_phone_is_refused_in_both_languages(anybody, address, body):
    deep = b'{"packets": [' + b"[" * 50_000 + b"]" * 50_000 + b"]}"
    answer = anybody.post(address, deep if body == b"deep" else body, content_type="application/json")
    assert answer.status_code == 400
    assert set(answer.json()["says"]) == {"en", "zh"}


@pytest.mark.parametrize(
    "packets",
    [["x" * LARGEST_SENDING], ["x" * 2 * 1024 * 1024], [1] * (PACKETS_AT_MOST + 1)],
    ids=["long", "longer than any request", "many"],
)
def test_a_sending_that_is_too_large_is_refused_and_the_phone_is_told_that_nothing_is_lost(anybody, packets):
    answer = anybody.post("/diary/intake", json.dumps({"packets": packets}), content_type="application/json")
    assert (answer.status_code, answer.json()["rule"]) == (413, "diary.sending-too-large")
    assert "still on the phone" in answer.json()["says"]["en"]


def test_each_packet_of_a_sending_has_its_own_answer(anybody):
    body = json.dumps({"packets": [1, [[]], {"v": 1}]})
    said = anybody.post("/diary/intake", body, content_type="application/json").json()
    assert [one["rule"] for one in said["answers"]] == ["diary.packet-unreadable"] * 3
    assert all(set(one["says"]) == set(one["next"]) == {"en", "zh"} for one in said["answers"])
    assert said["news"] is None


def test_what_is_not_there_is_not_found(anybody):
    assert anybody.get("/diary/nothing.js").status_code == 404
    assert anybody.get(f"/diary/definition/{'0' * 63}.json").status_code == 404


def test_a_file_that_the_phone_holds_is_not_sent_again(anybody):
    first = anybody.get("/diary/main.js", HTTP_ACCEPT_ENCODING="gzip")
    assert gzip.decompress(first.content) == (shell.PAGE / "main.js").read_bytes()
    again = anybody.get("/diary/main.js", HTTP_IF_NONE_MATCH=first["ETag"])
    assert (again.status_code, again.content) == (304, b"")
