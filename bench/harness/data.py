"""What the works about bytes share: files to send, jobs whose results are theirs to make, and what threads cost exactly."""
import json
import os
import pathlib
import random
import subprocess
import time

from harness import datasets

MIB = 1 << 20


def tool(stage, name, *arguments, timeout=600):
    """What a program of bench/client prints; it fails if the program does."""
    done = subprocess.run([str(stage.programs / f"bench_{name}"), *map(str, arguments)], stdout=subprocess.PIPE, text=True,
                          check=True, timeout=timeout)
    return json.loads(done.stdout)


def noise_file(path, mebibytes, seed=1):
    """A file that nothing can compress, in the page cache and on the disk."""
    source = random.Random(seed)
    with open(path, "wb") as file:
        for _ in range(mebibytes):
            file.write(source.randbytes(MIB))
        file.flush()
        os.fsync(file.fileno())
    return path


def curl(*arguments, token="", timeout=600):
    """One transfer: its seconds by curl's own clock. Fails where the answer is no 2xx."""
    headers = ["-H", f"Authorization: Bearer {token}"] if token else []
    done = subprocess.run(["curl", "-sS", "-o", "/dev/stderr", "-w", "%{http_code} %{time_total}", "-H", "Expect:", *headers,
                           *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=True, timeout=timeout)
    status, seconds = done.stdout.split()
    if not status.startswith("2"):
        raise RuntimeError(f"the answer is {status}: {done.stderr}")
    return float(seconds)


def timed(*command, **options):
    """Seconds that a command takes."""
    started = time.monotonic()
    subprocess.run([str(one) for one in command], check=True, timeout=600, **options)
    return time.monotonic() - started


def finished_job(client, dataset=None):
    """A job that has run and is indexed, as GET /jobs/{id} shows it."""
    dataset = dataset or client.upload("toolbox.tar.gz", datasets.toolbox())["sha256"]
    job_id = client.submit(dataset)
    client.wait(job_id)
    client.wait_indexed(job_id)
    return client.job(job_id)


def result_dir(job):
    return pathlib.Path(job["meta"]["result_dir"])


def thread_seconds(pid):
    """What the threads of a process that still live have used, to the nanosecond (utime counts in hundredths of a second)."""
    return sum(int(task.joinpath("schedstat").read_text().split()[0]) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()) / 1e9


def settle():
    """What others wrote is on the disk, so that nobody's fsync pays for it."""
    os.sync()
