# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
# Give this shell (bash, zsh, or sh in this folder) the environment that `make build` made: `. ./env.sh`
# ROS_DISTRO_WHEELS=kilted chooses the environment that `make build ROS_DISTRO_WHEELS=kilted` made.
if [ -n "${BASH_VERSION:-}" ]; then
  _evla_root=$(eval 'dirname "${BASH_SOURCE[0]}"')
elif [ -n "${ZSH_VERSION:-}" ]; then
  _evla_root=$(eval 'dirname "${(%):-%x}"')
else
  _evla_root=.
fi
case ${ROS_DISTRO_WHEELS:-jazzy} in
  jazzy) _evla_env=$_evla_root/.venv/evla_env.sh ;;
  *) _evla_env=$_evla_root/.venv-$ROS_DISTRO_WHEELS/evla_env.sh ;;
esac
if [ -f "$_evla_env" ]; then
  . "$_evla_env"
else
  echo "error: there is no $_evla_env: run \`make build\` first." >&2
fi
unset _evla_root _evla_env
