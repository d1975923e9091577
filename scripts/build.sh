#!/bin/sh
# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
# Build the package with colcon into install/<environment>, unless nothing changed. Usage: build.sh FOLDER [colcon options]
set -eu
cd "$(dirname "$0")/.."
venv=$1
shift
name=${venv#.}
set +u
. "$venv/evla_env.sh"
set -u
# Installed Python, launch and config files are links into the checkout: only their names matter.
now=$({
  cat "$venv/evla_stamp" package.xml CMakeLists.txt msg/* srv/* action/* scripts/missing_interfaces.py
  find evla_ros launch config bin -type f ! -name '*.pyc' 2>/dev/null | LC_ALL=C sort
  echo "$@"
} | sha256sum)
stamp=build/$name/evla_stamp
if [ -f "$stamp" ] && [ "$now" = "$(cat "$stamp")" ]; then
  exit 0
fi
mkdir -p "build/$name" log
log=$PWD/log/build-$name.txt
echo "building the package for $name"
missing=$(python scripts/missing_interfaces.py "build/$name/interfaces" "install/$name")
# shellcheck disable=SC2086 - one folder a word; none of them holds a space
if ! colcon --log-base "log/$name" build --base-paths . $missing --build-base "build/$name" --install-base "install/$name" \
  --merge-install --symlink-install "$@" \
  --cmake-args -DPython3_EXECUTABLE="$PWD/$venv/bin/python" -DBUILD_TESTING=OFF >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "error: colcon could not build the package; the whole log is $log" >&2
  exit 1
fi
printf '%s' "$now" >"$stamp"
