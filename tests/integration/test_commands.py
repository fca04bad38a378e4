"""The programs behind the command keys, run directly with the environment a job gets."""

import json
import os
import pickle
import signal
import subprocess
from pathlib import Path

import pytest

COMMANDS = Path(__file__).resolve().parents[2] / "config" / "commands"


class Job:
    def __init__(self, tmp_path):
        self.dataset, self.result = tmp_path / "dataset", tmp_path / "result"
        self.dataset.mkdir()
        self.result.mkdir()

    def run(self, key, params, *args, text=None):
        """Runs the program that the template names, with its own interpreter options."""
        template = json.loads((COMMANDS / f"{key}.json").read_text())["run"]
        fixed = [word for word in template if not word.startswith("{")]
        argv = [str(COMMANDS / word) if word.startswith("./") else word for word in fixed]
        env = {"PATH": "/usr/bin:/bin", "HOME": str(self.result), "DATASET_DIR": str(self.dataset), "PYTHONUNBUFFERED": "1",
               "RESULT_DIR": str(self.result), "JR_PARAMS": text or json.dumps(params), "SLURM_JOB_ID": "7"}
        return subprocess.run(argv + list(args), env=env, cwd=self.dataset, capture_output=True, text=True, timeout=120, check=False)

    def read(self, name):
        return json.loads((self.result / name).read_text())


@pytest.fixture
def job(tmp_path):
    return Job(tmp_path)


def test_every_template_names_programs_and_parameters_that_exist():
    keys = sorted(p.stem for p in COMMANDS.glob("*.json"))
    assert keys == ["echo_params", "pytorch_example", "pytorch_infer"]
    for key in keys:
        template = json.loads((COMMANDS / f"{key}.json").read_text())
        for word in template["run"]:
            if word.startswith("./"):
                assert (COMMANDS / word).is_file()
            if word.startswith("{"):
                assert word.strip("{}").removesuffix("...") in template["params"]


@pytest.mark.parametrize("text", ['{"lr": 0.1, "quote": "it\'s"}', '{"big": 123456789012345678901234567890, "far": 1e999}',
                                  '{"s": "\\ud800 $(id) `id` \\u0000 \u202e"}', "{}"])
def test_echo_gives_the_parameters_back_byte_for_byte(job, text):
    done = job.run("echo_params", None, text=text)
    assert done.returncode == 0, done.stderr
    written = (job.result / "result.json").read_text()
    assert written == '{"ok": true, "params": ' + text + "}\n"
    assert job.read("result.json")["ok"] is True


def test_example_writes_weights_result_and_manifest(job):
    done = job.run("pytorch_example", {"tag": 1}, "50", "0.1")
    assert done.returncode == 0, done.stderr
    result = job.read("result.json")
    assert result["ok"] is True and result["params"] == {"tag": 1}
    assert result["device_count"] == len(result["device_names"])
    assert result["cuda_available"] == (result["device_count"] > 0)
    assert job.read("manifest.json") == {"experimentId": "job-7", "outputs": [
        {"id": "summary", "path": "result.json"}, {"id": "weights", "path": "weights/model.pth"}]}
    assert (job.result / "weights/model.pth").stat().st_size > 0
    assert "epoch 50/50" in done.stdout


@pytest.mark.parametrize("place", ["train.csv", "points/train.csv"])
def test_example_learns_what_the_dataset_holds(job, place):
    (job.dataset / place).parent.mkdir(exist_ok=True)
    rows = [(x / 50 - 1, -4 * (x / 50 - 1) + 1) for x in range(101)]
    (job.dataset / place).write_text("x,y\n" + "".join(f"{x},{y}\n" for x, y in rows))
    assert job.run("pytorch_example", {"experimentId": "exp-1"}, "400", "0.2").returncode == 0
    result = job.read("result.json")
    assert (result["data"], result["rows"]) == (place, 101)
    assert result["model"]["weight"][0][0] == pytest.approx(-4, abs=0.01)
    assert result["model"]["bias"][0] == pytest.approx(1, abs=0.01)
    assert job.read("manifest.json")["experimentId"] == "exp-1"
    if result["framework"].startswith("plain"):
        assert pickle.loads((job.result / "weights/model.pth").read_bytes()) == result["model"]


def test_example_ends_with_an_error_where_the_training_blows_up(job):
    done = job.run("pytorch_example", {}, "2000", "1000")
    assert done.returncode != 0 and "learning rate" in done.stderr
    assert not (job.result / "result.json").exists()


@pytest.mark.parametrize("key,args", [("echo_params", []), ("pytorch_example", ["2", "0.1"]), ("pytorch_infer", ["run.py"])])
def test_our_programs_import_nothing_from_the_dataset(job, key, args):
    for module in ("json", "os", "csv", "pickle", "torch", "sitecustomize", "subprocess"):
        (job.dataset / f"{module}.py").write_text(f"open({str(job.result / 'hijacked')!r}, 'w')\nraise SystemExit(3)\n")
    (job.dataset / "run.py").write_text("")
    if key == "pytorch_infer":  # the user's own script may import its neighbours: it imports none here
        for path in job.dataset.glob("*.py"):
            if path.name not in ("run.py", "subprocess.py", "json.py"):
                path.unlink()
    job.run(key, {}, *args)
    assert not (job.result / "hijacked").exists()


def test_infer_runs_the_script_with_data_params_and_args(job):
    (job.dataset / "sub").mkdir()
    (job.dataset / "sub/helper.py").write_text("VALUE = 5\n")
    (job.dataset / "sub/run.py").write_text(
        "import json, os, sys, helper\nopen(os.environ['RESULT_DIR'] + '/seen.json', 'w').write(json.dumps([os.getcwd(), helper.VALUE] + sys.argv[1:]))\n")
    done = job.run("pytorch_infer", {"script": "sub/run.py"}, "sub/run.py", "--flag", "a b", "$(id)")
    assert done.returncode == 0, done.stderr
    assert job.read("seen.json") == [str(job.dataset), 5, "--data", str(job.dataset), "--params", '{"script": "sub/run.py"}', "--flag", "a b", "$(id)"]
    assert job.read("result.json")["ok"] is True
    manifest = job.read("manifest.json")
    assert manifest["experimentId"] == "job-7"
    assert {(o["id"], o["path"]) for o in manifest["outputs"]} == {("result", "result.json"), ("seen", "seen.json")}


def test_infer_leaves_the_scripts_own_result_and_manifest_alone(job):
    (job.dataset / "run.py").write_text("import os\nfor n in ('result', 'manifest'):\n    open(os.environ['RESULT_DIR'] + f'/{n}.json', 'w').write('{\"mine\": 1}')\n")
    assert job.run("pytorch_infer", {}, "run.py").returncode == 0
    assert job.read("result.json") == job.read("manifest.json") == {"mine": 1}


def test_infer_gives_files_of_one_name_ids_of_their_own_and_names_no_links(job):
    (job.dataset / "run.py").write_text(
        "import os\nr = os.environ['RESULT_DIR']\n"
        "for d in 'ab':\n    os.mkdir(f'{r}/{d}')\n    open(f'{r}/{d}/out.bin', 'w')\nos.symlink('/etc/passwd', r + '/link')\n")
    assert job.run("pytorch_infer", {}, "run.py").returncode == 0
    listed = {o["path"]: o["id"] for o in job.read("manifest.json")["outputs"]}
    assert set(listed) == {"a/out.bin", "b/out.bin", "result.json"}
    assert len(set(listed.values())) == 3


@pytest.mark.parametrize("body,code", [("raise SystemExit(9)", 9), (f"import os; os.kill(os.getpid(), {int(signal.SIGKILL)})", 137)])
def test_infer_ends_with_the_scripts_code(job, body, code):
    (job.dataset / "run.py").write_text(body)
    assert job.run("pytorch_infer", {}, "run.py").returncode == code
    assert job.read("result.json")["ok"] is False and job.read("result.json")["exit_code"] == code


@pytest.mark.parametrize("script", ["../outside.py", "/etc/hostname", "absent.py", ".", "link.py"])
def test_infer_runs_nothing_that_is_not_a_file_of_the_dataset(job, script):
    (job.dataset.parent / "outside.py").write_text("open('" + str(job.result) + "/ran', 'w')")
    os.symlink("../outside.py", job.dataset / "link.py")
    done = job.run("pytorch_infer", {}, script)
    assert done.returncode == 1 and "script=" in done.stderr
    assert not (job.result / "ran").exists()
