# Everything a newcomer needs: `make demo` and `make test`. Each sets up what it uses.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip --disable-pip-version-check
# mediapipe declares protobuf < 5 but runs with 6, and asks for packages that it never imports.
MEDIAPIPE := mediapipe==0.10.21
# Only the tritonserver in this wheel is used (Linux on x86-64), never its Python side.
TRITON := nvidia-pytriton==0.7.0

PHOTO ?=
AUDIO ?=
TEXT ?=
OUT ?= demo.mp4
# A variable's value as one word of the shell, whatever quotes and dollars it holds.
quoted = '$(subst ','\'',$(value $(1)))'

.PHONY: help demo test browser check format protos ops-tools chart triton bench-handover bench-splats bench-render bench-formats bench-motion bench-live bench-gateway bench-triton bench-capacity clean

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: .venv/.local ## Make a photo speak: [PHOTO=me.jpg] [AUDIO=speech.wav | TEXT="..."] [OUT=demo.mp4]
	@$(BIN)/lipstream demo --out $(call quoted,OUT) $(if $(value PHOTO),--photo $(call quoted,PHOTO)) \
	  $(if $(value AUDIO),--audio $(call quoted,AUDIO)) $(if $(value TEXT),--text $(call quoted,TEXT))

test: .venv/.dev ## Run all tests
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

browser: .venv/.dev ## Install what the tests in a browser need (Debian and Ubuntu); without it they are skipped
	@$(PIP) install --quiet -e '.[browser]'
	@command -v chromium >/dev/null || $(if $(filter 0,$(shell id -u)),,sudo )apt-get install -y chromium

check: .venv/.dev ## Lint, types, import rules, generated files (what CI runs before the tests)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python protos/generate.py --check

format: .venv/.dev ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

protos: .venv/.dev ## Generate the gRPC stubs from protos/
	$(BIN)/python protos/generate.py

ops-tools: .venv/.dev ## Install what checks of the Helm chart, of alerts and of images need, and Locust; without it those tests are skipped
	@$(PIP) install --quiet -e '.[ops,load]'
	@for tool in promtool prometheus-alertmanager buildah podman runc debootstrap; do command -v $$tool || exit 1; done >/dev/null \
	  || $(if $(filter 0,$(shell id -u)),,sudo )apt-get install -y --no-install-recommends prometheus prometheus-alertmanager buildah podman runc debootstrap

chart: ops-tools ## Render helm/examples into helm/rendered, and check the chart
	@$(BIN)/python helm/render_dashboards.py
	@$(BIN)/python helm/render_examples.py
	@$(BIN)/python -m pytest tests/chart

triton: .venv/.local ## Serve model_repository/ by a Triton server on this machine
	@$(PIP) install --quiet --no-deps $(TRITON)
	@$(BIN)/python -m lipstream.inference serve

bench-splats: .venv/.dev ## What a frame costs, and the first one
	$(BIN)/python -m loadtests.splats

bench-render: .venv/.dev ## Speed and memory of making films
	$(BIN)/python -m loadtests.render

bench-formats: .venv/.dev ## What alpha, backgrounds and kinds of files cost
	$(BIN)/python -m loadtests.formats

bench-motion: .venv/.dev ## Speed of speech to motion, in process and on Triton
	$(BIN)/python -m loadtests.motion

bench-live: .venv/.dev ## Live sessions: first picture, pictures on time, barge-in
	$(BIN)/python -m loadtests.live

bench-capacity: .venv/.dev ## What sessions and films cost, and how many nodes that takes
	$(BIN)/python -m loadtests.capacity

bench-triton: .venv/.dev ## What Triton's dynamic batching saves
	$(BIN)/python -m loadtests.triton

bench-gateway: .venv/.dev ## Reads of job states a second on one core, beside watchers of events
	$(BIN)/python -m loadtests.gateway

bench-handover: .venv/.dev ## How long pictures stand still when a renderer dies or drains
	$(BIN)/python -m loadtests.handover

clean: ## Remove the environment and caches
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)) and "lipstream needs Python 3.11 or 3.12; name one with PYTHON=python3.11")'
	@$(PYTHON) -m venv .venv

.venv/.local: pyproject.toml | .venv/bin/python
	@echo "Setting up .venv (once; about a minute)"
	@$(PIP) install --quiet -e '.[local]'
	@$(PIP) install --quiet --no-deps $(MEDIAPIPE)
	@$(BIN)/python -c "from lipstream.render import warm_up; warm_up(fitting=True)"
	@touch $@

.venv/.dev: pyproject.toml | .venv/.local
	@echo "Setting up the development tools in .venv (once; about three minutes)"
	@$(PIP) install --quiet -e '.[dev]'
	@$(PIP) install --quiet --no-deps $(TRITON) \
	  || echo "There is no tritonserver for this machine; the tests that need it are skipped."
	@touch $@
