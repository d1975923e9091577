# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The parameters of the console node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evla_ros.console.options import Listening
from evla_ros.ros.parameters import Parameter

TABLE: tuple[Parameter, ...] = (
    Parameter("embodiment", "tabletop_arm", "embodiment file or name"),
    Parameter("host", "127.0.0.1", "address to listen on; any but this machine's needs a token"),
    Parameter("port", 8080, "of the page; 0 takes a free one", "", 0, 65535),
    Parameter("token_file", "", "who may operate: lines TOKEN or NAME TOKEN"),
    Parameter("view_token_file", "", "who may watch and stop, in the same form"),
    Parameter("tls_cert", "", "certificate chain (PEM); empty: no TLS"),
    Parameter("tls_key", "", "its private key (PEM); empty: in the same file"),
    Parameter("plaintext", False, "no TLS on an address of others: inside a VPN"),
    Parameter("origins", "", "addresses of the page behind a proxy, separated by commas"),
    Parameter("recordings", "recordings", "folder of the bags: the recorder's `output`"),
    Parameter("datasets", "datasets", "folder that the dataset button converts into"),
    Parameter("video_hz", 10.0, "pictures of a camera per second at most", "Hz", 1.0, 30.0),
    Parameter("jpeg_quality", 75, "of pictures that do not come as JPEG", "", 10, 100),
    Parameter("dead_man_s", 0.2, "silence of the page that counts as let go", "s", 0.05, 1.0),
    Parameter("policy", "policy", "name of the policy node"),
    Parameter("recorder", "recorder", "name of the recorder node"),
    Parameter("teleop", "teleop", "name of the teleoperation node"),
    Parameter("sim", "sim", "name of the simulator node"),
)


def listening_of(values: Mapping[str, Any]) -> Listening:
    """Return where the console listens, from the node's parameter values."""
    return Listening(
        host=values["host"],
        port=values["port"],
        token_file=values["token_file"],
        view_token_file=values["view_token_file"],
        tls_cert=values["tls_cert"],
        tls_key=values["tls_key"],
        plaintext=values["plaintext"],
        origins=tuple(one.strip() for one in values["origins"].split(",") if one.strip()),
    )
