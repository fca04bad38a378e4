"""A file of 1 GiB from our server and from nginx with sendfile."""
from harness import ports

from bench.harness import data, plot
from bench.harness.result import Result
from bench.harness.rounds import column, interleaved, median, ratios
from bench.harness.stage import PEERS


def start_nginx(stage, folder):
    top, port = stage.folder("nginx"), ports.free(1)[0]
    text = (PEERS / "nginx.conf").read_text()
    for name, value in (("TOP", top), ("PORT", port), ("FILES", folder)):
        text = text.replace(f"@{name}@", str(value))
    (top / "nginx.conf").write_text(text)
    return stage.spawn("nginx", ["nginx", "-p", top, "-e", "stderr", "-c", top / "nginx.conf"], port=port)


def run(stage):
    mebibytes, times = stage.size(1024, 16), stage.size(4, 1)
    site = stage.site()
    with site.client() as client:
        job = data.finished_job(client)
        data.noise_file(data.result_dir(job) / "big.bin", mebibytes)
        client.post(f"/outputs/index/{job['job_id']}", timeout=120)
        # Until it is hashed, somebody else reads it too.
        site.wait_until(lambda: client.outputs(job["job_id"])["big.bin"].get("sha256"), 120, "the file's hash")
    nginx = start_nginx(stage, data.result_dir(job))

    def download(peer, path, *headers):
        def one():
            cpu, seconds = data.thread_seconds(peer.pid), 0
            for _ in range(times):
                answer = data.tool(stage, "sink", "127.0.0.1", peer.port, path, *headers)
                if (answer["status"], answer["bytes"]) != (200, mebibytes * data.MIB):
                    raise RuntimeError(f"not the file: {answer}")
                seconds += answer["seconds"]
            return {"rate": times * mebibytes / 1024 / seconds, "cpu": (data.thread_seconds(peer.pid) - cpu) / times * 1024 / mebibytes}
        return one

    got = interleaved(stage.rounds, {
        "ours": download(site.server, f"/outputs/download_by_job?job_id={job['job_id']}&rel_path=big.bin", f"Authorization: Bearer {site.token}"),
        "nginx": download(nginx, "/big.bin")})
    result = Result("download", f"a file of {mebibytes} MiB over loopback, into a client that copies nothing")
    for who, answers in got.items():
        result.measured("download", who, column(answers, "rate"), "GiB/s", [1e6 * cpu for cpu in column(answers, "cpu")])
    result.note("CPU is that of one GiB. Ours checks the token, and that the file is still the one that was asked for until its last byte is sent.")
    result.target("rate beside nginx", ratios(column(got["ours"], "rate"), column(got["nginx"], "rate")), at_least=0.95, unit="x")
    result.target("CPU beside nginx", ratios(column(got["ours"], "cpu"), column(got["nginx"], "cpu")), at_most=1.2, unit="x")
    plot.bars(stage.out / "download.svg", "CPU time to send 1 GiB", "seconds",
              {who: median(column(answers, "cpu")) for who, answers in got.items()}, log_x=False)
    result.plots.append("download.svg")
    return result
