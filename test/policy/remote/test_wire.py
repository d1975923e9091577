# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The wire carries what openpi's client sends, and refuses what a stranger may forge."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("msgpack", reason="the extra 'serve' is not installed")

import msgpack

from evla_ros.policy.remote.wire import MAX_ITEMS, WireError, pack, unpack


def forged(dtype="|u1", shape=(1,), data=b"\0", **more):
    fields = {b"__ndarray__": True, b"data": data, b"dtype": dtype, b"shape": list(shape)}
    return msgpack.packb({"x": {**fields, **more}})


ARRAYS = [
    np.arange(12).reshape(3, 4).astype(dtype)
    for dtype in ("u1", "i2", "<f4", ">f4", "f8", "f2", "i8", "?")
]


@pytest.mark.parametrize("array", [*ARRAYS, np.zeros((0, 3)), np.zeros(())])
def test_arrays_come_back_as_they_were(array):
    back = unpack(pack({"x": array}))["x"]
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


def test_numbers_text_and_nested_maps_come_back():
    message = {"a": [1, 2.5, None, True], "b": {"c": "text", "d": b"\xff\xd8"}, "e": np.int32(7)}
    assert unpack(pack(message)) == message


def test_the_bytes_are_those_of_openpis_own_client():
    client = pytest.importorskip("openpi_client.msgpack_numpy", reason="openpi-client is not here")
    message = {"observation/image": ARRAYS[0], "n": np.float32(1.5), "prompt": "lift"}
    assert pack(message) == client.packb(message)
    back = client.unpackb(pack(message))
    np.testing.assert_array_equal(back["observation/image"], ARRAYS[0])
    assert unpack(client.packb(message))["prompt"] == "lift"


@pytest.mark.parametrize(
    "dtype",
    ["|O", "O", "object", "<M8[s]", "|V4", "<c8", "|S3", "<U2", "<f16", "u1,u1", "", "float64", 7],
)
def test_a_forged_kind_of_numbers_is_refused(dtype):
    with pytest.raises(WireError, match="numbers of the kind"):
        unpack(forged(dtype, (1,), bytes(16)))


@pytest.mark.parametrize(
    ("shape", "data", "sentence"),
    [
        ((-1,), b"\0", "dimension -1"),
        ((-1, -1), b"\0", "dimension -1"),
        ((10_000_000_000,), b"\0", "needs 10000000000"),
        ((2**62, 4), b"", "its shape needs"),
        ((2**63, 2), b"", "its shape needs"),
        ((1, 1, 1, 1, 1), b"\0", "at most 4"),
        ((2,), b"\0", "needs 2"),
        ((True,), b"\0", "dimension True"),
        ((1.0,), b"\0", "dimension 1.0"),
        (("1",), b"\0", "dimension 1"),
        ((1,), "a", "not bytes"),
    ],
)
def test_a_forged_shape_is_refused(shape, data, sentence):
    with pytest.raises(WireError, match=sentence):
        unpack(forged("|u1", shape, data))


def test_a_field_too_many_or_too_few_is_refused():
    with pytest.raises(WireError, match="exactly"):
        unpack(forged(extra=1))
    with pytest.raises(WireError, match="exactly"):
        unpack(msgpack.packb({b"__ndarray__": True}))
    with pytest.raises(WireError, match="exactly"):
        unpack(msgpack.packb({b"__npgeneric__": True}))


@pytest.mark.parametrize(("dtype", "data"), [("|u1", 300), ("<i4", "7"), ("<f8", [1]), ("|O", 1)])
def test_a_forged_number_is_refused(dtype, data):
    with pytest.raises(WireError):
        unpack(msgpack.packb({b"__npgeneric__": True, b"data": data, b"dtype": dtype}))


@pytest.mark.parametrize("depth", [9, 500, 5_000, 200_000])
@pytest.mark.parametrize("opening", [b"\x91", b"\x81\xa1a"])
def test_deep_nesting_is_refused(depth, opening):
    with pytest.raises(WireError):
        unpack(opening * depth + b"\xc0")


@pytest.mark.parametrize(
    "data",
    [
        b"\xdd\xff\xff\xff\xff",  # a list of four thousand million
        b"\xdf\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xffab",
        b"\xdb\x7f\xff\xff\xff",
        b"\xc7\x04\x01abcd",  # an extension type
        b"\xd6\xff\0\0\0\0",  # a time stamp
        b"\xa2\xff\xfe",  # no text
        b"\x81\x01\x02",  # a number as key
        b"\x81\xc4\x01a\x02",  # bytes as key of no array
        b"\xc1",
        b"",
        b"\x01\x02",  # more than one message
    ],
)
def test_damaged_and_strange_bytes_are_refused(data):
    with pytest.raises(WireError):
        unpack(data)


def test_millions_of_small_things_are_refused_before_they_are_all_made():
    lists = b"\x93" + 3 * (b"\xdc\xff\xff" + b"\x90" * 0xFFFF)
    with pytest.raises(WireError, match=f"more than {MAX_ITEMS}"):
        unpack(lists)
    numbers = b"\x92" + 2 * (b"\xdd" + struct.pack(">I", 60_000) + b"\x01" * 60_000)
    with pytest.raises(WireError, match=f"more than {MAX_ITEMS}"):
        unpack(numbers)


def test_a_long_message_is_refused_unread():
    with pytest.raises(WireError, match="at most 10"):
        unpack(b"\xc1" * 11, limit_bytes=10)


def test_arrays_of_objects_are_not_sent_either():
    with pytest.raises(WireError, match="kind '|O'"):
        pack({"x": np.array([object()])})
    with pytest.raises(WireError, match="a set"):
        pack({"x": {1}})


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_be_refused(data):
    try:
        unpack(data)
    except WireError:
        return


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 200), st.integers(0, 255))
def test_no_changed_byte_of_a_good_message_does_more_than_be_refused(at, value):
    good = bytearray(pack({"observation/cam": ARRAYS[0], "n": np.int8(3), "prompt": "lift it"}))
    good[at % len(good)] = value
    try:
        unpack(good)
    except WireError:
        return
