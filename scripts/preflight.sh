#!/bin/sh
# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
# Check what the set-up cannot bring itself; say in one sentence what to do.
# Usage: preflight.sh PYTHON [render] [browser]; a browser is for tests, which skip where there is none.
set -u
python=$1
shift
wants=" $* "

fail() {
  echo "error: $1" >&2
  exit 1
}

# As root on Debian or Ubuntu a missing system package is installed; everybody else is told which one it is.
try_install() { # try_install WHAT PACKAGE...: whether it is there afterwards
  what=$1
  shift
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 && [ -z "${EVLA_NO_APT:-}" ]; then
    echo "installing $* ($what)"
    log=$(mktemp)
    if { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"; } >"$log" 2>&1; then
      rm -f "$log"
      return 0
    fi
    tail -n 3 "$log" >&2
    rm -f "$log"
  fi
  return 1
}

provide() { # provide WHAT PACKAGE...: the same, or the end
  try_install "$@" && return 0
  what=$1
  shift
  fail "$what is missing: install it with \`sudo apt install $*\` (Debian, Ubuntu), or your system's package of it, and run make again."
}

[ "$(uname -s)" = Linux ] || fail "evla_ros runs on Linux, and this is $(uname -s): use a Linux machine or container."
if [ -z "${ROS_DISTRO:-}" ] || [ -n "${EVLA_WHEELS_ENV:-}" ]; then
  [ "$(uname -m)" = x86_64 ] || fail "ROS 2 wheels exist for x86_64 only, and this machine is $(uname -m): install a ROS 2 distro, source its setup.bash, and run make again."
fi
command -v "$python" >/dev/null 2>&1 || fail "there is no $python: install Python 3.10 or newer (apt: python3 python3-venv python3-dev), or name one, as in \`PYTHON=python3.12 make\`."
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || fail "$python does not run: name a working one, as in \`PYTHON=python3.12 make\`."
case $version in
  3.1[0-4]) ;;
  *) fail "$python is Python $version, and evla_ros needs 3.10 to 3.14: name one, as in \`PYTHON=python3.12 make\`." ;;
esac
"$python" -c 'import ensurepip, venv' 2>/dev/null || provide "Python's venv module" "python$version-venv"
headers=$("$python" -c 'import sysconfig; print(sysconfig.get_paths()["include"])')
[ -f "$headers/Python.h" ] || provide "Python.h (the headers of $python, which the interfaces are built against)" "python$version-dev"
command -v c++ >/dev/null 2>&1 && command -v cc >/dev/null 2>&1 || provide "a C++ compiler" build-essential
if [ "${wants#* render }" != "$wants" ]; then
  libraries=$(PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null)
  case $libraries in
    *libOSMesa.so* | *libEGL_*.so*) ;;
    *) provide "a library for rendering without a screen (OSMesa or EGL)" libosmesa6 ;;
  esac
fi
if [ "${wants#* browser }" != "$wants" ]; then
  command -v chromium-headless-shell >/dev/null 2>&1 || command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 ||
    try_install "a browser, for the tests of the console" chromium-headless-shell ||
    echo "no browser: tests of the console's page are skipped; \`sudo apt install chromium-headless-shell\` brings one" >&2
fi
