"""The seed's API in the seed's way: FastAPI and uvicorn, one process, SQLite, sudo and squeue for each status, uploads spooled by the
framework. A peer to measure beside, no product: short, and without what the seed has no need of here."""
import hashlib
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import tarfile
import time

import uvicorn
from fastapi import Depends, FastAPI, File, Form, Header, HTTPException, Query, UploadFile
from fastapi.responses import FileResponse, PlainTextResponse

ROOT = pathlib.Path(os.environ["JR_ROOT"])
TOKEN = os.environ["JR_AUTH_TOKEN"]
USER = os.environ["JR_JOB_USER"]
DATASETS, RESULTS, LOGS = ROOT / "datasets", ROOT / "results", ROOT / "logs"
ENDED = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "OUT_OF_MEMORY", "NODE_FAIL"}
ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.lzma")
app = FastAPI()


def database():
    made = sqlite3.connect(ROOT / "jr_slurm.db", check_same_thread=False)
    made.row_factory = sqlite3.Row
    return made


def setup():
    for folder in (DATASETS, RESULTS, LOGS):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o777)
    with database() as db:
        db.executescript("""
            CREATE TABLE IF NOT EXISTS datasets(sha256 TEXT PRIMARY KEY, rel_path TEXT, bytes INTEGER, created_at TEXT);
            CREATE TABLE IF NOT EXISTS jobs(slurm_id INTEGER PRIMARY KEY, dataset_sha TEXT, command_key TEXT, params_json TEXT,
                                            result_dir TEXT, log_path TEXT, created_at TEXT);
            CREATE TABLE IF NOT EXISTS outputs(experiment_id TEXT, output_id TEXT, path TEXT, job_id INTEGER, created_at TEXT,
                                               PRIMARY KEY(experiment_id, output_id));
            CREATE INDEX IF NOT EXISTS outputs_job ON outputs(job_id);""")


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def authorized(authorization: str = Header(None)):
    if authorization != f"Bearer {TOKEN}":
        raise HTTPException(401, "Unauthorized")


def as_user(*command):
    return subprocess.run(["sudo", "-n", "-u", USER, f"SLURM_CONF={os.environ['SLURM_CONF']}", *command], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)


def job_row(job_id):
    with database() as db:
        row = db.execute("SELECT * FROM jobs WHERE slurm_id = ?", (job_id,)).fetchone()
    if not row:
        raise HTTPException(404, "Unknown job")
    return dict(row)


@app.get("/health")
async def health():
    up = subprocess.run(["sinfo", "-h"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    return {"ok": True, "slurm": up, "b2_mounted": False}


@app.get("/datasets/exists/{sha256}", dependencies=[Depends(authorized)])
async def dataset_exists(sha256: str):
    with database() as db:
        row = db.execute("SELECT * FROM datasets WHERE sha256 = ?", (sha256,)).fetchone()
    return {"exists": True, "info": dict(row)} if row else {"exists": False}


@app.post("/datasets/upload", dependencies=[Depends(authorized)])
async def upload(file: UploadFile = File(...), sha256: str = Form(None)):
    spooled, hashed = ROOT / f"upload-{time.time_ns()}", hashlib.sha256()
    with open(spooled, "wb") as out:
        while chunk := await file.read(8192):
            hashed.update(chunk)
            out.write(chunk)
    digest = hashed.hexdigest()
    if sha256 and sha256 != digest:
        spooled.unlink()
        raise HTTPException(400, "sha256 mismatch")
    folder = DATASETS / digest
    if not folder.exists():
        folder.mkdir()
        if file.filename.endswith(ARCHIVES):
            with tarfile.open(spooled) as archive:
                for member in archive.getmembers():
                    target = (folder / member.name).resolve()
                    if not str(target).startswith(str(folder.resolve())):
                        raise HTTPException(400, "unsafe path")
                archive.extractall(folder)
            spooled.unlink()
        else:
            shutil.move(spooled, folder / file.filename)
    else:
        spooled.unlink()
    total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    with database() as db:
        db.execute("INSERT OR REPLACE INTO datasets VALUES(?, ?, ?, ?)", (digest, f"datasets/{digest}", total, now()))
    return {"sha256": digest, "stored_path": f"datasets/{digest}/", "bytes": total}


@app.post("/jobs", dependencies=[Depends(authorized)])
async def submit(dataset_sha: str = Form(...), command_key: str = Form(...), params_json: str = Form("{}"), gpus: int = Form(1),
                 cpus: int = Form(4), mem_gb: int = Form(16), time_limit: str = Form("04:00:00")):
    folder = DATASETS / dataset_sha
    if not folder.exists():
        raise HTTPException(404, "Unknown dataset")
    params = json.loads(params_json)
    result_dir = RESULTS / f"job_{time.time_ns()}_{os.getpid()}"
    result_dir.mkdir()
    result_dir.chmod(0o777)
    script = result_dir / "run.sh"
    command = f'sleep {float(params["seconds"])}; date +%s.%N >"$RESULT_DIR/ended"' if "seconds" in params else "echo '{\"ok\": true}' > \"$RESULT_DIR/result.json\""
    script.write_text(f"#!/bin/bash\nexport RESULT_DIR={result_dir} DATASET_DIR={folder}\necho JOB_START $(date)\n{command}\necho JOB_END $(date)\n")
    done = as_user("sbatch", "--parsable", f"--cpus-per-task={cpus}", f"--mem={mem_gb}G", f"--time={time_limit}",
                   *([f"--gres=gpu:{gpus}"] if gpus else []), f"--output={LOGS}/job_%j.out", str(script))
    if done.returncode:
        raise HTTPException(500, done.stderr)
    job_id = int(done.stdout.strip().split(";")[0])
    with database() as db:
        db.execute("INSERT INTO jobs VALUES(?, ?, ?, ?, ?, ?, ?)", (job_id, dataset_sha, command_key, params_json, str(result_dir),
                                                                  str(LOGS / f"job_{job_id}.out"), now()))
    return {"job_id": job_id, "status": "SUBMITTED"}


def state_of(job_id):
    shown = as_user("squeue", "-h", "-j", str(job_id), "-o", "%T").stdout.strip()
    if not shown or shown in ENDED:
        # As the seed does; without accounting this says nothing, and so does the seed.
        listed = as_user("sacct", "-n", "-P", "-j", str(job_id), "-o", "State").stdout.split("\n")[0].strip()
        return listed or shown or "UNKNOWN"
    return shown


@app.get("/jobs/{job_id}", dependencies=[Depends(authorized)])
async def job(job_id: int):
    meta, status = job_row(job_id), state_of(job_id)
    return {"job_id": job_id, "status": status, "done": status.split()[0] in ENDED, "meta": meta}


@app.get("/jobs/{job_id}/log", dependencies=[Depends(authorized)])
async def log(job_id: int):
    return PlainTextResponse(pathlib.Path(job_row(job_id)["log_path"]).read_text())


@app.post("/outputs/index/{job_id}", dependencies=[Depends(authorized)])
async def index(job_id: int):
    top, count = pathlib.Path(job_row(job_id)["result_dir"]), 0
    with database() as db:
        for path in top.rglob("*"):
            if path.is_file():
                name = str(path.relative_to(top))
                db.execute("INSERT OR REPLACE INTO outputs VALUES(?, ?, ?, ?, ?)", (f"job-{job_id}", name, name, job_id, now()))
                count += 1
    return {"experiment_id": f"job-{job_id}", "count": count}


@app.get("/outputs/by_job/{job_id}", dependencies=[Depends(authorized)])
async def by_job(job_id: int):
    with database() as db:
        rows = db.execute("SELECT * FROM outputs WHERE job_id = ?", (job_id,)).fetchall()
    return {"job_id": job_id, "result_dir": job_row(job_id)["result_dir"], "outputs": [dict(row) for row in rows]}


@app.get("/outputs/download_by_job", dependencies=[Depends(authorized)])
async def download(job_id: int = Query(...), rel_path: str = Query(...)):
    top = pathlib.Path(job_row(job_id)["result_dir"]).resolve()
    path = (top / rel_path).resolve()
    if not str(path).startswith(f"{top}/") or not path.is_file():
        raise HTTPException(404, "No such file")
    return FileResponse(path, filename=path.name)


if __name__ == "__main__":
    setup()
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["JR_PORT"]), log_level="warning", access_log=False)
