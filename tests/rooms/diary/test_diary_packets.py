"""Sealed packets: one form of bytes for two writers.

Source of the vectors: tests/vectors/diary-packets.json was sealed with AES-256-GCM (NIST SP 800-38D) of OpenSSL; the
browser tests open and seal the same cases with WebCrypto, which is another implementation.
"""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.diary.packets import (
    BLOCK,
    LARGEST,
    Unfit,
    b64,
    open_sealed,
    pad,
    read_sealed,
    seal,
    unb64,
)

KEY = bytes(range(32))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


def opened(data: bytes) -> object:
    """What these bytes say to who holds the key."""
    return open_sealed(KEY, read_sealed(data))


@pytest.fixture(scope="module")
def cases(root):
    return json.loads((root / "tests/vectors/diary-packets.json").read_text("utf-8"))["cases"]


def test_the_vectors_open_and_seal_to_the_same_bytes(cases):
    assert len(cases) >= 4
    for case in cases:
        key, nonce = unb64(case["key"]), unb64(case["nonce"])
        sealed = read_sealed(json.dumps(case["sealed"]).encode())
        assert open_sealed(key, sealed) == case["content"], case["name"]
        again = seal(key, case["device"], case["id"], nonce, case["content"])
        assert json.loads(again) == case["sealed"], case["name"]
        assert len(unb64(case["sealed"]["box"])) % BLOCK == 16, (
            "padded to whole blocks, and the tag of 16 bytes"
        )


@given(st.dictionaries(st.text(max_size=8), JSON, max_size=6))
def test_what_was_sealed_opens_and_its_size_is_whole_blocks(content):
    sealed = read_sealed(seal(KEY, "devicedevice", "packetpacket", bytes(12), content))
    assert open_sealed(KEY, sealed) == content
    assert (len(sealed.box) - 16) % BLOCK == 0


@given(st.integers(0, 5000))
def test_padding_fills_whole_blocks_and_at_least_one(size):
    padded = pad(b"x" * size)
    assert len(padded) % BLOCK == 0
    assert len(padded) - size <= BLOCK
    assert padded


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_is_no_packet_of_this_phone(place, change):
    data = bytearray(seal(KEY, "devicedevice", "packetpacket", bytes(12), {"v": 1}))
    data[place % len(data)] ^= change
    with pytest.raises(Unfit):
        opened(bytes(data))


@given(st.integers(0, 2000))
def test_a_packet_that_was_cut_anywhere_is_none(cut):
    data = seal(KEY, "devicedevice", "packetpacket", bytes(12), {"v": 1})
    with pytest.raises(Unfit):
        read_sealed(data[: cut % len(data)])


def test_a_packet_under_another_key_phone_or_id_does_not_open():
    data = seal(KEY, "devicedevice", "packetpacket", bytes(12), {"v": 1})
    for changed in (
        data.replace(b"devicedevice", b"otherdevice1"),
        data.replace(b"packetpacket", b"otherpacket1"),
    ):
        with pytest.raises(Unfit, match="forged"):
            open_sealed(KEY, read_sealed(changed))
    with pytest.raises(Unfit, match="forged"):
        open_sealed(bytes(32), read_sealed(data))


def test_a_text_beyond_the_limit_is_not_sealed_and_not_read():
    with pytest.raises(Unfit, match="too-large"):
        seal(KEY, "devicedevice", "packetpacket", bytes(12), {"text": "x" * LARGEST})
    with pytest.raises(Unfit, match="too-large"):
        read_sealed(b" " * 30_000)


@pytest.mark.parametrize(
    "text", ["[]", "{}", "1", "", '{"v":1}', '{"a":1,"a":2}', "\ud800".encode("utf-8", "replace").decode()]
)
def test_what_is_no_packet_is_unreadable(text):
    with pytest.raises(Unfit, match="unreadable"):
        read_sealed(text.encode())


@given(st.binary(max_size=60))
def test_base64url_goes_there_and_back(data):
    assert unb64(b64(data)) == data
