"""What is in the image, and what is not."""
import functools
import http.server
import re
import threading
import zipfile

import pytest
from engine import SOURCE, TORCH, inspect, run

LARGEST = {"none": 450 << 20, "cpu": 1600 << 20, "cuda": 12 << 30}[TORCH]  # what it may grow to before somebody looks; README.md says what it is


def in_image(engine, image, *argv):
    done = run([*engine.cli, "run", "--rm", *engine.run_options, "--entrypoint", argv[0], image, *argv[1:]], check=False)
    return done.returncode, done.stdout


def test_any_builder_understands_its_instructions():
    """Docker's old one, podman's and buildah's too: nothing that BuildKit alone knows."""
    text = (SOURCE / "Dockerfile").read_text()
    assert not re.search(r"^\s*(RUN|COPY|ADD)\s+--(mount|network|security|link|chmod|parents|exclude)|<<|^#\s*(syntax|check)=", text, re.M | re.I)


def test_its_last_stage_has_no_compiler(engine, image):
    names = "gcc g++ cc c++ clang cpp ld as make cmake ninja git"
    code, found = in_image(engine, image, "sh", "-c", f"for n in {names}; do command -v $n; done; dpkg-query -W | grep -E -- '-dev\\b|^gcc-[0-9]+\\s|^g\\+\\+'")
    assert code == 1 and found == ""


def test_every_program_finds_its_libraries(engine, image):
    code, found = in_image(engine, image, "sh", "-c", "ldd /usr/local/bin/jobrunner /usr/local/bin/jobrunner-* /usr/bin/s3fs /usr/sbin/slurmctld")
    assert code == 0 and "jobrunner-job" in found and "not found" not in found


def test_it_says_what_it_is_and_how_it_is(engine, image):
    about = inspect(engine, image)
    config = about["Config"]
    version = re.search(r"project\(jobrunner VERSION (\S+)", (SOURCE / "CMakeLists.txt").read_text()).group(1)
    assert config["Labels"]["org.opencontainers.image.title"] == "slurm-jobrunner"
    assert config["Labels"]["org.opencontainers.image.version"] == version
    assert "8080/tcp" in config["ExposedPorts"]
    health = config.get("Healthcheck") or about.get("HealthCheck") or about.get("Healthcheck")
    assert health["Test"][-1] == "health"
    assert {"NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_DRIVER_CAPABILITIES=compute,utility"} <= set(config["Env"])
    assert about["Size"] < LARGEST


@pytest.mark.parametrize("path", ["/etc/munge/munge.key", "/opt/jobrunner/auth_token", "/root/.cache", "/src"])
def test_no_key_and_nothing_of_the_build_is_left_in_it(engine, image, path):
    code, _ = in_image(engine, image, "test", "-e", path)
    assert code == 1


def test_users_have_the_same_numbers_in_every_image(engine, image):
    users = {"jobrunner": 61651, "runner": 61652, "munge": 61653, "s3fs": 61654, "slurm": 64030}
    _, found = in_image(engine, image, "sh", "-c", f"for u in {' '.join(users)}; do id -u $u; done")
    assert found.split() == [str(number) for number in users.values()]


def test_words_behind_its_name_are_run_instead(engine, image):
    done = run([*engine.cli, "run", "--rm", *engine.run_options, image, "echo", "hello"])
    assert done.stdout.strip().endswith("hello")


@pytest.fixture
def index(tmp_path):
    """An index as pip reads it (PEP 503), with a small wheel named torch."""
    folder = tmp_path / "torch"
    folder.mkdir()
    with zipfile.ZipFile(folder / "torch-9.9-py3-none-any.whl", "w") as wheel:
        wheel.writestr("torch/__init__.py", "__version__ = '9.9'\n")
        wheel.writestr("torch-9.9.dist-info/METADATA", "Metadata-Version: 2.1\nName: torch\nVersion: 9.9\n")
        wheel.writestr("torch-9.9.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("torch-9.9.dist-info/RECORD", "".join(f"{name},,\n" for name in [*wheel.namelist(), "torch-9.9.dist-info/RECORD"]))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_torch_cuda_is_what_pip_finds_in_the_index_and_jobs_can_import_it(engine, image, index):
    tag = "localhost/slurm-jobrunner:index"
    engine.build(tag, "host", TORCH="cuda", TORCH_INDEX=index)
    code, found = in_image(engine, tag, "setpriv", "--reuid=runner", "--regid=runner", "--clear-groups", "python3", "-I", "-c", "import torch; print(torch.__version__)")
    assert (code, found.strip()) == (0, "9.9"), found


def test_another_torch_is_refused_by_name(engine, image):
    with pytest.raises(AssertionError, match="TORCH=gpu: must be none, cpu or cuda"):
        engine.build("localhost/slurm-jobrunner:refused", TORCH="gpu")
