# Two commands do everything: `make run` and `make test`. Both set up what is missing first.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
LIBRARIES := libegl1 libgl1 libxkbcommon0 libfontconfig1 libdbus-1-3 libxcb-cursor0
# What an X display asks for besides; every desktop has them, a bare server does not.
X_LIBRARIES := libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-render-util0 libxcb-shape0 libxcb-xkb1 libxkbcommon-x11-0
XCB = $(wildcard $(VENV)/lib/python*/site-packages/PySide6/Qt/plugins/platforms/libqxcb.so)

export QT_LOGGING_RULES ?= *.debug=false

.PHONY: run test check nightly bench format setup setup-dev qt-libraries validators clean

run: setup qt-libraries
	@$(BIN)/qlab

setup: $(VENV)/.installed

setup-dev: $(VENV)/.installed-dev

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@ $(VENV)/.installed

# Qt links against a few system libraries that no wheel can carry.
qt-libraries:
	@$(BIN)/python -c "from PySide6 import QtWidgets" 2>/dev/null || { \
	  echo "Qt cannot start: a system library is missing. Install them, then run make again:"; \
	  echo "    sudo apt-get install -y $(LIBRARIES)"; exit 1; }
	@if [ -n "$$DISPLAY" ] && [ -n "$(XCB)" ] && ldd $(XCB) | grep -q "not found"; then \
	  echo "Qt cannot reach the X display: a system library is missing. Install them, then run make again:"; \
	  echo "    sudo apt-get install -y $(LIBRARIES) $(X_LIBRARIES)"; exit 1; fi

check: setup-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

test: setup-dev qt-libraries
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -m "not nightly" -n 2 --dist worksteal

# Other people's validators of files and exports, in an environment of their own: their needs collide with ours.
QLAB_VALIDATORS ?= .validators
export QLAB_VALIDATORS
validators: $(QLAB_VALIDATORS)/.installed

$(QLAB_VALIDATORS)/.installed: pyproject.toml
	$(PYTHON) -m venv $(QLAB_VALIDATORS)
	$(QLAB_VALIDATORS)/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(QLAB_VALIDATORS)/bin/python -m pip install --quiet --group validators
	@touch $@

nightly: setup-dev qt-libraries validators
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -m nightly -n 2 --dist worksteal

# With dynamiqs and QuaCCAToo beside it: pip install -e '.[bench]' first. Tables and a plot land in build/bench.
bench: setup-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks --out build/bench

format: setup-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) .validators .mypy_cache .ruff_cache .pytest_cache .hypothesis
