"""What is in the image, and what is not."""
import re

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
