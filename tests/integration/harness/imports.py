"""Imports as tests begin, watch and end them."""
import pathlib
import time

MIB = 1 << 20


def root_of(remote):
    return pathlib.Path(remote.environment["JR_ROOT"])


def begin(api, ask="/datasets/import", **fields):
    answer = api.post(ask, data=fields)
    assert answer.status_code == 202, answer.text
    assert answer.headers["Location"] == f"/{'imports' if 'import' in ask else 'exports'}/{answer.json()['id']}"
    return answer.json()["id"]


def ended(api, name, state="COMPLETED", seconds=120, among="imports"):
    end = time.monotonic() + seconds
    while not (found := api.get(f"/{among}/{name}", params={"wait": 30}).json())["done"]:
        assert time.monotonic() < end, f"not done after {seconds} s: {found}"
    assert found["state"] == state, str(found)
    return found


def imported(api, **fields):
    return ended(api, begin(api, **fields))


def refused(api, status, **fields):
    """The import's error, which must have that status."""
    found = ended(api, begin(api, **fields), "FAILED")
    assert found["error"]["status"] == status and found["dataset"] is None, found
    return found["error"]["detail"]


def left_over(remote):
    """What imports have left on the disk besides datasets."""
    top = root_of(remote) / "datasets"
    return [*(top / ".staging").iterdir(), *(top / ".transfers").iterdir()]


def nothing_left(site, remote):
    site.wait_until(lambda: not left_over(remote), 20, "no staging folder and no transfer's folder is left")


def wait_for(api, name, condition, seconds=60, among="imports"):
    """The import as soon as `condition` holds, seen by waiting for its changes."""
    found, end = api.get(f"/{among}/{name}").json(), time.monotonic() + seconds
    while not condition(found):
        assert time.monotonic() < end and not found["done"], str(found)
        found = api.get(f"/{among}/{name}", params={"wait": 5, "since": found["seq"]}).json()
    return found
