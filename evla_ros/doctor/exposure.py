# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The doctor's look at who can reach the robot: discovery range, domain and SROS2, by environment.

What the variables mean, and what a neighbour can do, is on docs/network.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from evla_ros.doctor.finding import MachineFinding, note, ok, red

RANGE, LOCALHOST_ONLY, PEERS = (
    "ROS_AUTOMATIC_DISCOVERY_RANGE",
    "ROS_LOCALHOST_ONLY",
    "ROS_STATIC_PEERS",
)
RANGES = ("LOCALHOST", "SUBNET", "OFF", "SYSTEM_DEFAULT")
# Distributions that know ROS_LOCALHOST_ONLY alone.
WITHOUT_RANGE = ("foxy", "galactic", "humble")
_PAGE = "docs/network.md"


class Discovery(NamedTuple):
    """Whom the nodes of this environment find.

    Attributes:
        reach: one of RANGES.
        peers: addresses that are asked as well.
        shows_others: the setting that makes robots on other machines visible.
        ignored: a setting that this distribution takes otherwise than it reads, as a sentence.
    """

    reach: str
    peers: str
    shows_others: str
    ignored: str = ""

    @property
    def local(self) -> bool:
        """Whether nodes on other machines are not looked for."""
        return self.reach in ("LOCALHOST", "OFF") and not self.peers


def discovery(environment: Mapping[str, str]) -> Discovery:
    """Return what ROS 2 makes of the environment."""
    asked, peers = environment.get(RANGE, ""), environment.get(PEERS, "")
    only = environment.get(LOCALHOST_ONLY) == "1"
    distro = environment.get("ROS_DISTRO", "")
    if distro in WITHOUT_RANGE:
        ignored = f"{RANGE}={asked} means nothing to {distro}" if asked else ""
        return Discovery("LOCALHOST" if only else "SUBNET", "", f"{LOCALHOST_ONLY}=0", ignored)
    if only:
        lost = [f"{name}={value}" for name, value in ((RANGE, asked), (PEERS, peers)) if value]
        ignored = f"{LOCALHOST_ONLY}=1 overrides {' and '.join(lost)}" if lost else ""
        return Discovery("LOCALHOST", "", f"{LOCALHOST_ONLY}=0", ignored)
    if asked and asked not in RANGES:
        ignored = f"{RANGE}={asked} is none of {', '.join(RANGES)}"
        return Discovery("LOCALHOST", peers, f"{RANGE}=SUBNET", ignored)
    return Discovery(asked or "SUBNET", peers, f"{RANGE}=SUBNET")


def check(environment: Mapping[str, str]) -> Iterator[MachineFinding]:
    """Say who can reach the robot, and whether SROS2 keeps strangers out."""
    security = _security(environment)
    enforced = environment.get("ROS_SECURITY_ENABLE") == "true" and security.status == "ok"
    yield _discovery(environment, enforced=enforced)
    yield security


def _discovery(environment: Mapping[str, str], *, enforced: bool) -> MachineFinding:
    found = discovery(environment)
    peers = f" and the peers {found.peers}" if found.peers else ""
    seen = f"domain {environment.get('ROS_DOMAIN_ID') or '0'}, {found.reach}{peers}"
    if found.ignored:
        fix = f"set what you mean: {found.shows_others}, or nothing ({_PAGE})"
        return note("network", "discovery", f"{seen}: {found.ignored}", fix)
    if found.reach == "OFF":
        fix = f"{RANGE}=LOCALHOST finds the nodes of this machine"
        return note("network", "discovery", f"{seen}: no node looks for another", fix)
    if found.local:
        shown = f"robots on other machines are invisible ({found.shows_others} shows them)"
        return ok("network", "discovery", f"{seen}: {shown}")
    if enforced:
        return ok("network", "discovery", f"{seen}, with SROS2")
    who = "whoever is on this network" if found.reach != "LOCALHOST" else "whoever is at the peers"
    only = f"{LOCALHOST_ONLY}=1" if LOCALHOST_ONLY in found.shows_others else f"{RANGE}=LOCALHOST"
    fix = f"{only} where every node runs here; else a network of its own, or SROS2 ({_PAGE})"
    return note("network", "discovery", f"{seen}, no SROS2: {who} can command the robot", fix)


def _security(environment: Mapping[str, str]) -> MachineFinding:
    asked, strategy = (
        environment.get(f"ROS_SECURITY_{name}", "") for name in ("ENABLE", "STRATEGY")
    )
    if asked in ("", "false"):
        return ok("network", "SROS2", f"off: every node of the domain is believed ({_PAGE})")
    if asked != "true":
        seen = f"off: ROS_SECURITY_ENABLE={asked} is not 'true', the one word that turns it on"
        return red("network", "SROS2", seen, "export ROS_SECURITY_ENABLE=true, or unset it")
    keystore = environment.get("ROS_SECURITY_KEYSTORE", "")
    if not (Path(keystore) / "enclaves").is_dir() or not keystore:
        seen = f"on, but ROS_SECURITY_KEYSTORE={keystore!r} holds no enclaves"
        return red("network", "SROS2", seen, f"make the keys ({_PAGE}) and name their folder")
    if strategy != "Enforce":
        seen = f"on, not enforced (ROS_SECURITY_STRATEGY={strategy!r}): nodes without keys run open"
        return note("network", "SROS2", seen, "export ROS_SECURITY_STRATEGY=Enforce")
    return ok("network", "SROS2", f"on, enforced, keys in {keystore}")
