"""Runs a script of the dataset and sees to it that there is a result and a manifest afterwards.

Arguments: the script (inside DATASET_DIR), then arguments for it. Ends with the script's own code.
"""

import json
import os
import signal
import subprocess
import sys

# As many files as a manifest may name; the rest stays in RESULT_DIR without an entry.
MAX_OUTPUTS = 100000


def inside(dataset, script):
    """The script's path if it is a file of the dataset; otherwise ends the job with the reason."""
    path = os.path.realpath(os.path.join(dataset, script))
    if not path.startswith(os.path.realpath(dataset) + os.sep):
        sys.exit(f"script={script!r}: must be a path inside the dataset")
    if not os.path.isfile(path):
        sys.exit(f"script={script!r}: the dataset has no such file")
    return path


def outputs(result_dir):
    """Every regular file, each with an id of its own: its name without the ending."""
    found, taken = [], set()
    for folder, folders, names in os.walk(result_dir):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            relative = os.path.relpath(path, result_dir)
            if relative == "manifest.json" or os.path.islink(path) or not os.path.isfile(path):
                continue
            try:
                relative.encode()
            except UnicodeEncodeError:
                print("left out of the manifest, its name is not UTF-8:", ascii(relative))
                continue
            stem = os.path.splitext(name)[0] or name
            unique, number = stem, 2
            while unique in taken:
                unique, number = f"{stem}-{number}", number + 1
            taken.add(unique)
            found.append({"id": unique, "path": relative})
            if len(found) == MAX_OUTPUTS:
                return found
    return found


def run(command, folder):
    """The command's exit code; a signal that is for the job as a whole is passed on to it."""
    child = None
    early = []

    def pass_on(number, _frame):
        if child is None:
            early.append(number)
        else:
            child.send_signal(number)

    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, pass_on)
    # Slurm ends a job by sending it to every process: the command has it too.
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    child = subprocess.Popen(command, cwd=folder)
    for number in early:
        child.send_signal(number)
    return child.wait()


def write(path, value):
    with open(path, "w", encoding="utf-8") as f:
        json.dump(value, f)
        f.write("\n")


def main():
    dataset, result_dir = os.environ["DATASET_DIR"], os.environ["RESULT_DIR"]
    params = json.loads(os.environ["JR_PARAMS"])
    script, args = inside(dataset, sys.argv[1]), sys.argv[2:]
    # The script may import what lies beside it: it is the user's, unlike this program.
    code = run([sys.executable, "-u", script, "--data", dataset, "--params", os.environ["JR_PARAMS"], *args], dataset)
    code = 128 - code if code < 0 else code  # ended by a signal: as shells say it
    if not os.path.lexists(os.path.join(result_dir, "result.json")):
        write(os.path.join(result_dir, "result.json"),
              {"ok": code == 0, "exit_code": code, "script": sys.argv[1], "params": params})
    if not os.path.lexists(os.path.join(result_dir, "manifest.json")):
        experiment = os.environ.get("JR_EXPERIMENT_ID") or params.get("experimentId")
        write(os.path.join(result_dir, "manifest.json"), {
            "experimentId": experiment if isinstance(experiment, str) and experiment else f"job-{os.environ.get('SLURM_JOB_ID', '0')}",
            "outputs": outputs(result_dir)})
    sys.exit(code)


if __name__ == "__main__":
    main()
