"""What the host allows here and forbids, and what is not as it was asked for: run/host.json, which the server
reads once and shows in GET /cluster and in its health."""

import json

from . import cgroups, files, hardware


def _allowed(problem, **more):
    return {"usable": problem is None, "problem": problem, **more}


def report(settings):
    gpus = [] if settings.simulated else settings.gpus
    slurm_ports = json.loads(files.read(settings.root + "/slurm/ports.json"))
    inside = b"NoInAddrAny" in files.read(settings.root + "/slurm/slurm.conf")
    return {"problems": settings.problems,
            "host": {
                "users": settings.as_root,
                "gpus": _allowed(None if gpus else "there is no GPU here (docker run --gpus all shows a container the host's)",
                                 names=hardware.gpu_names() if gpus else [], simulated=settings.simulated),
                "cgroups": _allowed(settings.cgroups_problem, version=cgroups.version(), used=settings.cgroups),
                "fuse": _allowed(hardware.fuse_problem()),
                "ports": {"api": {"address": settings.bind, "port": settings.port},
                          "slurm": {"address": "127.0.0.1" if inside else "0.0.0.0", "ports": [slurm_ports["slurmctld"], slurm_ports["slurmd"]]}}}}
