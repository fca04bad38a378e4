"""The engine that builds and runs images here: docker where one answers, otherwise podman and buildah, which need
no daemon. Both take the same words for all but building, and JR_ENGINE names one."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BASE = "docker.io/library/debian:bookworm-slim"
TORCH = os.environ.get("JR_TORCH", "none")  # the Dockerfile's argument
IMAGE = "localhost/slurm-jobrunner:" + ("test" if TORCH == "none" else TORCH)


def run(argv, seconds=600, check=True, **options):
    options = {"stderr": subprocess.STDOUT, **options}
    done = subprocess.run([str(word) for word in argv], stdout=subprocess.PIPE, text=True, errors="replace", stdin=subprocess.DEVNULL,
                          timeout=seconds, check=False, **options)
    assert not check or done.returncode == 0, f"{argv} ended with {done.returncode}:\n{done.stdout[-6000:]}"
    return done


class Docker:
    run_options = []

    def __init__(self):
        self.cli = ["docker"]

    @staticmethod
    def answers():
        return bool(shutil.which("docker")) and run(["docker", "info"], check=False).returncode == 0

    def build(self, tag, network=os.environ.get("DOCKER_NETWORK"), **arguments):
        """As people do it; DOCKER_BUILDKIT=0 and DOCKER_NETWORK reach it."""
        base(self)
        proxies = [f"--build-arg={name}={os.environ[name]}" for name in ("http_proxy", "https_proxy") if name in os.environ]
        network = [f"--network={network}"] if network else []
        run([*self.cli, "build", *proxies, *network, *_build_arguments(arguments), "-t", tag, SOURCE], 3000)


class Podman:
    def __init__(self):
        # Neither systemd nor a user's session is needed. podman asks for more than some machines allow it to give.
        self.cli = ["podman", "--cgroup-manager=cgroupfs", "--runtime", "runc"]
        # Its health checks are timers of systemd's.
        self.run_options = ["--ulimit=nofile=1024:1024", "--ulimit=nproc=4000:4000", "--no-healthcheck"]

    def build(self, tag, network=None, **arguments):
        """In a chroot, on the host's network."""
        base(self)
        with tempfile.TemporaryDirectory() as own:
            run(["buildah", "bud", "--isolation", "chroot", "--pull=never", "--format", "docker", "--layers",
                 *hosts_apt(pathlib.Path(own)), *_build_arguments(arguments), "-t", tag, SOURCE], 3000)


def _build_arguments(values):
    return [f"--build-arg={name}={value}" for name, value in values.items()]


def base(engine):
    """The base image: from its registry, or made of the packages it is made of."""
    if run([*engine.cli, "image", "inspect", BASE], check=False).returncode == 0:
        return
    if run([*engine.cli, "pull", "-q", BASE], 120, check=False).returncode == 0:
        return
    with tempfile.TemporaryDirectory(prefix="jr-base-") as folder:
        run(["debootstrap", "--variant=minbase", "bookworm", folder])
        # As in the real one: no documents, no other languages, no lists of packages, and no fsync for each file.
        run(["sh", "-c", "cd \"$1\" && rm -rf var/cache/apt/* var/lib/apt/lists/* usr/share/doc/* usr/share/man/* usr/share/locale/* usr/share/info/*",
             "sh", folder])
        (pathlib.Path(folder) / "etc/dpkg/dpkg.cfg.d/docker-apt-speedup").write_text("force-unsafe-io\n")
        run(["sh", "-c", "from=$1 to=$2 && shift 2 && tar -C \"$from\" -c . | \"$@\" import - \"$to\"", "sh", folder, BASE, *engine.cli])


def hosts_apt(folder):
    """How this machine reaches Debian's packages, for apt inside a build: its mirror, proxies and the like."""
    settings = [line for line in run(["apt-config", "dump"]).stdout.splitlines()
                if line.startswith("Acquire::") and any(word in line for word in ("Check-", "Proxy", "proxy"))]
    (folder / "conf").write_text("\n".join(settings) + "\n")
    sites = run(["apt-get", "indextargets", "--format", "$(REPO_URI)|$(RELEASE)|$(COMPONENT)", "Created-By: Packages"]).stdout.split()
    lines = {f"deb {uri} {suite} {component}" for uri, suite, component in (site.split("|") for site in sites)
             if suite.startswith("bookworm") and "debian" in uri}
    options = ["-v", f"{folder}/conf:/etc/apt/apt.conf.d/99host:ro"]
    if lines:
        (folder / "list").write_text("\n".join(sorted(lines)) + "\n")
        options += ["-v", f"{folder}/list:/etc/apt/sources.list:ro"]
    for path in folder.iterdir():
        path.chmod(0o644)
    folder.chmod(0o755)
    return options


def find():
    named = os.environ.get("JR_ENGINE")
    return Docker() if named == "docker" or not named and Docker.answers() else Podman()


def inspect(engine, name):
    return json.loads(run([*engine.cli, "inspect", name], stderr=subprocess.DEVNULL).stdout)[0]
