"""Jobs that write down each of their runs, and what their diaries say."""
import json
import secrets
import sqlite3


class Diaries:
    def __init__(self, site):
        self.site = site
        self.folder = site.top / "diaries"
        self.folder.mkdir(exist_ok=True)
        self.folder.chmod(0o777)  # not sticky: jobs of another user write there

    def form(self, dataset_sha, seconds=0.2, **fields):
        """A request for a job with a diary of its own, and the diary's name."""
        name = secrets.token_hex(8)
        params = {"script": "once.py", "diary": str(self.folder / name), "seconds": seconds}
        return name, {"dataset_sha": dataset_sha, "command_key": "pytorch_infer", "params_json": json.dumps(params), "gpus": 0, "cpus": 1,
                      "mem_gb": 1, "time_limit": "00:05:00", **fields}

    def words(self, name):
        path = self.folder / name
        return [line.split()[0] for line in path.read_text().splitlines()] if path.exists() else []

    def check(self, name, job):
        """Never two runs at once, never two that ended, and one that ended where the job says so."""
        words = self.words(name)
        assert "overlap" not in words, (job, words)
        assert words.count("end") <= 1, (job, words)
        assert job["done"], job
        if job["status"] == "COMPLETED":
            assert words.count("end") == 1 and words[-1] == "end", (job, words)
        return words

    def ends(self, job_id):
        """How often the job's state became final."""
        database = sqlite3.connect(f"file:{self.site.root}/jr_slurm.db?mode=ro", uri=True, timeout=20)
        try:
            return database.execute("SELECT count(*) FROM events WHERE job_id=? AND done=1 AND type='state'", (job_id,)).fetchone()[0]
        finally:
            database.close()
