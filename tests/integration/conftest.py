"""One private site for the whole run, from the programs that JOBRUNNER_PREFIX names (a `cmake --install` prefix)."""
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
if "JOBRUNNER_PREFIX" in os.environ:  # tests of single programs look for them here
    os.environ.setdefault("JOBRUNNER_BIN", os.environ["JOBRUNNER_PREFIX"] + "/bin")

from harness import datasets, s3  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: left out where every instruction is checked by a sanitizer")
    config.addinivalue_line("markers", "no_server: runs no program of ours that a sanitizer could check")


def pytest_collection_modifyitems(items):
    if os.environ.get("JR_SKIP_SLOW"):
        for item in items:
            for name in ("slow", "no_server"):
                if name in item.keywords:
                    item.add_marker(pytest.mark.skip(reason=f"{name}, and JR_SKIP_SLOW is set"))


def started_site(prepare=lambda site: None):
    prefix = os.environ.get("JOBRUNNER_PREFIX")
    if not prefix:
        pytest.exit("JOBRUNNER_PREFIX must name an install prefix: cmake --install build/release --prefix <folder>", 2)
    from harness.site import Site
    made = Site(prefix)
    prepare(made)
    try:
        made.start()
    except BaseException as error:
        made.stop()
        if isinstance(error, AssertionError):
            pytest.exit(f"the private site does not start: {error}", 3)
        raise
    yield made
    made.stop()


@pytest.fixture(scope="session")
def site():
    yield from started_site()


@pytest.fixture(scope="module")
def own_site():
    """A site of one file's own, whose Slurm it may break: what Slurm has forgotten is lost after 3 s, and it forgets soon."""
    def prepare(made):
        made.slurm.set("MinJobAge", 10)
        made.slurm.set("HealthCheckInterval", 2)
        made.server.environment["JR_LOST_AFTER_S"] = "3"
    yield from started_site(prepare)


@pytest.fixture(scope="session")
def contract(site):
    return site.contract


@pytest.fixture
def server(site):
    """The site's server, running; whatever a test did to it, the next test finds it up."""
    if not site.server.alive():
        site.server.start()
    return site.server


@pytest.fixture
def client(site, server):
    with site.client(server) as made:
        yield made


@pytest.fixture
def anonymous(site, server):
    with site.client(server, token="") as made:
        yield made


@pytest.fixture(scope="session")
def toolbox(site):
    """The dataset with the scripts in toolbox/, which pytorch_infer runs."""
    if not site.server.alive():
        site.server.start()
    with site.client() as client:
        return client.upload("toolbox.tar.gz", datasets.toolbox())["sha256"]


def name_of(request):
    return request.module.__name__.removeprefix("test_")


@pytest.fixture(scope="module")
def bucket(site, request):
    """A bucket of a real S3 server, one to a file."""
    if not s3.available():
        pytest.skip("JR_S3RVER names no s3rver (run_tests.sh installs it)")
    made = s3.Bucket(site.top / f"{name_of(request)}-bucket")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def remote(site, request, bucket):
    """A server of its own with the bucket; killed and started again as tests like."""
    made = site.another_server(name_of(request), **bucket.environment())
    made.start()
    yield made
    made.stop()


@pytest.fixture
def api(site, remote, bucket):
    """A client of `remote`, which runs, and whose bucket makes no trouble."""
    bucket.proxy.calm()
    if not remote.alive():
        remote.start()
    with site.client(remote) as made:
        yield made
    bucket.proxy.calm()


@pytest.fixture(scope="module")
def instance():
    """A running one, with two simulated GPUs; made when a test first asks for it."""
    from harness.instance import Instance
    running = Instance(JR_NUM_GPUS="2", JR_B2_KEY_ID="the-key-id", JR_B2_APP_KEY="the-app-key", JR_MAX_TIME="1-00:00:00")
    try:
        yield running.up()
    finally:
        running.remove()


@pytest.fixture
def fresh():
    """Makes instances that are not set up yet; gone after the test."""
    from harness.instance import Instance
    made = []

    def make(**settings):
        made.append(Instance(**settings))
        return made[-1]

    yield make
    for one in made:
        one.remove()


@pytest.fixture
def place():
    """Where jobrunner-extract may work alone."""
    import shutil
    from extract_place import Place
    made = Place()
    yield made
    made.remove()
    shutil.rmtree(made.base)


@pytest.fixture(scope="session")
def indexed_job(site, toolbox):
    """Runs a script of the toolbox with these params to its end and its index; the job's id. For fixtures of a file."""
    import json

    def make(script, **params):
        if not site.server.alive():
            site.server.start()
        with site.client() as client:
            made = client.submit(toolbox, "pytorch_infer", params_json=json.dumps({"script": script, "args": [], **params}))
            client.wait(made)
            client.wait_indexed(made)
            return made
    return make


@pytest.fixture
def run_tool(client, toolbox):
    """Submits a script of the toolbox with these params and more fields of POST /jobs; the job's id."""
    import json

    def submit(script, params=None, args=(), **fields):
        text = json.dumps({**(params or {}), "script": script, "args": list(args)})
        return client.submit(toolbox, "pytorch_infer", params_json=text, **fields)
    return submit
