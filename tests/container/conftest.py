"""One image for the whole run, built from this checkout as README.md says; containers of it, with and without privileges."""
import json
import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "integration")]

import engine as engines  # noqa: E402
from box import Box  # noqa: E402
from harness.contract import Contract  # noqa: E402

PRIVILEGED = ("--privileged",)


@pytest.fixture(scope="session")
def engine():
    return engines.find()


@pytest.fixture(scope="session")
def image(engine):
    if not os.environ.get("JR_IMAGE"):
        engine.build(engines.IMAGE, TORCH=engines.TORCH)
    return os.environ.get("JR_IMAGE", engines.IMAGE)


@pytest.fixture(scope="session")
def contract():
    return Contract(json.loads((engines.SOURCE / "config/openapi.json").read_text()))


@pytest.fixture
def make_box(engine, image, contract):
    """Containers that go when the test is over."""
    made = []

    def make(*options, **environment):
        made.append(Box(engine, image, contract, *options, **environment))
        return made[-1]
    yield make
    for one in made:
        one.remove()


@pytest.fixture(scope="module", params=["privileged", "unprivileged"])
def box(request, engine, image, contract):
    made = Box(engine, image, contract, *(PRIVILEGED if request.param == "privileged" else ()))
    made.privileged = request.param == "privileged"
    try:
        yield made.up()
    finally:
        made.remove()
