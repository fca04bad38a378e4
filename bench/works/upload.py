"""An upload of 1 GiB, its hash checked and durable, beside FastAPI and beside what the processor hashes and the disk takes."""
import hashlib
import shutil

from bench.harness import data, plot
from bench.harness.result import Result
from bench.harness.rounds import Cost, column, interleaved, median, memory, ratios, reset_peak


def run(stage):
    mebibytes = stage.size(1024, 16)
    site = stage.site()
    file = data.noise_file(stage.folder("from") / "noise.bin", mebibytes)
    with open(file, "rb") as opened:
        sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
    app_root = stage.folder("app")
    app = stage.fastapi(site, JR_ROOT=str(app_root))
    pid, base, gib = site.server.pid, site.server.base, mebibytes / 1024

    def ours(*arguments):
        def one():
            data.settle()
            before = memory(pid)
            reset_peak(pid)
            with Cost(pid) as cost:
                seconds = data.curl(*arguments, token=site.token)
            grown = memory(pid, "VmHWM") - before
            with site.client() as client:
                if client.delete(f"/datasets/{sha256}").status_code not in (200, 204):
                    raise RuntimeError("the dataset is not there, or stays")
            return {"rate": gib / seconds, "cpu": 1e6 * cost.cpu / gib, "grown": grown / data.MIB}
        return one

    def fastapi():
        data.settle()
        with Cost(app.pid) as cost:
            seconds = data.curl("-F", f"file=@{file}", f"{app.base}/datasets/upload", token=app.token)
        forget(app_root)
        return {"rate": gib / seconds, "cpu": 1e6 * cost.cpu / gib}

    def disk():
        data.settle()
        to = site.root / "disk-rate"
        answer = data.tool(stage, "disk_rate", file, to)
        to.unlink()
        return {"rate": gib / answer["seconds"]}

    def one_core():
        return {"rate": gib / data.tool(stage, "hash_rate", mebibytes)["seconds"]}

    got = interleaved(stage.rounds, {
        "ours, PUT": ours("-T", file, f"{base}/datasets/{sha256}?filename=noise.bin"),
        "ours, multipart": ours("-F", f"sha256={sha256}", "-F", f"file=@{file}", f"{base}/datasets/upload"),
        "FastAPI, multipart": fastapi, "disk with fdatasync": disk, "sha256 on one core": one_core})
    result = Result("upload", f"a file of {mebibytes} MiB by curl")
    for who, answers in got.items():
        result.measured("upload" if "cpu" in answers[0] else "limit", who, column(answers, "rate"), "GiB/s",
                        column(answers, "cpu") if "cpu" in answers[0] else ())
    limit = [min(pair) for pair in zip(column(got["disk with fdatasync"], "rate"), column(got["sha256 on one core"], "rate"))]
    grown = [max(pair) for pair in zip(column(got["ours, PUT"], "grown"), column(got["ours, multipart"], "grown"))]
    result.measured("memory grown in an upload", "ours", grown, "MiB")
    result.note("CPU is that of one GiB. The limit is the slower one of disk and hash in the same round.")
    for way in ("PUT", "multipart"):
        rates = column(got[f"ours, {way}"], "rate")
        result.target(f"{way} beside FastAPI", ratios(rates, column(got["FastAPI, multipart"], "rate")), at_least=8, unit="x")
        result.target(f"{way} beside the limit", ratios(rates, limit), at_least=0.9, unit="x")
    result.target("memory grown in an upload", max(grown), at_most=32, unit="MiB")
    plot.bars(stage.out / "upload.svg", "An upload of 1 GiB", "GiB/s", {who: median(column(answers, "rate")) for who, answers in got.items()})
    result.plots.append("upload.svg")
    return result


def forget(app_root):
    """Another upload of the same is to be written again."""
    for path in (app_root / "datasets").iterdir():
        shutil.rmtree(path)
