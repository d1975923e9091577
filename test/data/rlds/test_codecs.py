# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Record framing, varints and the Example codec: known values, round trips, damaged bytes."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from evla_ros.data.rlds.errors import CorruptRecordError, DatasetError
from evla_ros.data.rlds.example_proto import encode_example, scan_example
from evla_ros.data.rlds.tfrecord import (
    check_payload,
    frame,
    masked_crc32c,
    scan_records,
)
from evla_ros.data.rlds.varint import decode_packed, encode_packed, encode_varint, read_varint

INT64 = st.integers(-(2**63), 2**63 - 1)


def test_checksum_matches_rfc_3720_after_unmasking():
    masked = masked_crc32c(bytes(32))
    rotated = (masked - 0xA282EAD8) & 0xFFFFFFFF
    assert ((rotated >> 17) | (rotated << 15)) & 0xFFFFFFFF == 0x8A9136AA


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_records_come_back(payloads):
    buffer = io.BytesIO()
    for payload in payloads:
        buffer.writelines(frame([payload]))
    data = memoryview(buffer.getvalue())
    spans = scan_records(data, "file")
    assert [bytes(data[a:b]) for a, b in spans] == payloads
    for start, stop in spans:
        check_payload(data, start, stop, "file")


def test_a_cut_file_names_the_record():
    buffer = io.BytesIO()
    for payload in (b"first", b"second"):
        buffer.writelines(frame([payload]))
    data = memoryview(buffer.getvalue()[:-3])
    with pytest.raises(CorruptRecordError, match="ends inside record 1 at byte 21"):
        scan_records(data, "shard")


@given(hnp.arrays(np.int64, st.integers(0, 30), elements=INT64))
def test_packed_varints_come_back(values):
    encoded = encode_packed(values)
    one_by_one = b"".join(encode_varint(int(v) & (2**64 - 1)) for v in values)
    assert encoded == one_by_one
    np.testing.assert_array_equal(decode_packed(memoryview(encoded)), values)


@given(st.integers(0, 2**64 - 1))
def test_single_varint_comes_back(value):
    data = encode_varint(value)
    assert read_varint(memoryview(data), 0, len(data)) == (value, len(data))


@pytest.mark.parametrize("data", [b"\x80", b"\xff" * 11, b"\x01\x80"])
def test_bad_varints_are_refused(data):
    with pytest.raises(CorruptRecordError):
        decode_packed(memoryview(data))


COLUMNS = st.dictionaries(
    st.text(max_size=10),
    st.one_of(
        hnp.arrays(np.float32, st.integers(0, 9), elements=st.floats(width=32, allow_nan=False)),
        hnp.arrays(np.int64, st.integers(0, 9), elements=INT64),
        st.lists(st.binary(max_size=300), max_size=4),
    ),
    max_size=5,
)


@given(COLUMNS)
def test_examples_come_back(columns):
    encoded = encode_example(columns)
    assert encoded == encode_example(dict(reversed(columns.items())))
    spans = scan_example(memoryview(encoded))
    assert set(spans) == set(columns)
    for key, value in columns.items():
        if isinstance(value, list):
            assert [bytes(part) for part in spans[key].bytes_list()] == value
        elif value.dtype == np.float32:
            np.testing.assert_array_equal(spans[key].floats(), value)
        else:
            np.testing.assert_array_equal(spans[key].ints(), value)


def test_unpacked_lists_are_read_too():
    """Old protobuf writers put one field per number; the format allows both."""
    floats = b"\x0d" + np.float32(1.5).tobytes() + b"\x0d" + np.float32(-2).tobytes()
    feature = b"\x12" + encode_varint(len(floats)) + floats
    entry = b"\x0a\x01k\x12" + encode_varint(len(feature)) + feature
    features = b"\x0a" + encode_varint(len(entry)) + entry
    example = b"\x0a" + encode_varint(len(features)) + features
    span = scan_example(memoryview(example))["k"]
    np.testing.assert_array_equal(span.floats(), [1.5, -2.0])
    with pytest.raises(CorruptRecordError, match="holds a float list where a int64 list"):
        span.ints()


def test_every_cut_of_an_example_is_refused_or_whole():
    encoded = encode_example({"a": np.arange(5), "b": [b"xyz"], "c": np.ones(3, np.float32)})
    for end in range(1, len(encoded)):
        with pytest.raises(CorruptRecordError):
            scan_example(memoryview(encoded[:end]))


def test_above_two_gib_is_refused():
    megabyte = bytes(2**20)
    with pytest.raises(DatasetError, match=r"an episode of 2.00 GiB is above the 2 GiB"):
        frame([megabyte] * 2048)
