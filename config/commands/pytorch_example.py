"""Trains y = w.x + b and saves it: weights/model.pth, result.json, manifest.json.

Arguments: epochs, learning rate. With PyTorch the model is a saved state_dict, for torch.load;
without, a pickled dict of lists with the same keys, for pickle.load.
"""

import csv
import json
import os
import pickle
import random
import sys
import time

MAX_ROWS = 20000  # an example: enough to see it learn, soon done without PyTorch too


def find_csv(dataset):
    """train.csv of the dataset, or of a folder in it (archives often hold one)."""
    for folder in [dataset] + sorted(e.path for e in os.scandir(dataset) if e.is_dir(follow_symlinks=False)):
        path = os.path.join(folder, "train.csv")
        if os.path.isfile(path):
            return path
    return None


def load(dataset):
    """(rows, where they are from); a row is numbers, the last of them what is to be learnt."""
    path = find_csv(dataset)
    rows = []
    if path:
        with open(path, newline="", encoding="utf-8") as f:
            for row in csv.reader(f):
                try:
                    rows.append([float(cell) for cell in row])
                except ValueError:
                    continue  # the heading
                if len(rows) == MAX_ROWS:
                    break
        rows = [r for r in rows if len(r) == len(rows[0]) and len(r) > 1]
        if rows:
            return rows, os.path.relpath(path, dataset)
    made = random.Random(1)
    for _ in range(500):
        x = made.uniform(-1, 1)
        rows.append([x, 3 * x + 2 + made.gauss(0, 0.05)])
    return rows, "made-up points, y = 3x + 2"


def train_plain(rows, epochs, lr):
    """(model, loss per printed epoch's last value), by gradient descent in plain Python."""
    w, b, n = [0.0] * (len(rows[0]) - 1), 0.0, len(rows)
    loss = 0.0
    for epoch in range(1, epochs + 1):
        gw, gb, loss = [0.0] * len(w), 0.0, 0.0
        for *x, y in rows:
            error = sum(wi * xi for wi, xi in zip(w, x)) + b - y
            loss += error * error / n
            gb += 2 * error / n
            for i, xi in enumerate(x):
                gw[i] += 2 * error * xi / n
        w = [wi - lr * g for wi, g in zip(w, gw)]
        b -= lr * gb
        report(epoch, epochs, loss)
    return {"weight": [w], "bias": [b]}, loss


def train_torch(torch, rows, epochs, lr):
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    data = torch.tensor(rows, dtype=torch.float32, device=device)
    x, y = data[:, :-1], data[:, -1:]
    model = torch.nn.Linear(x.shape[1], 1).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    loss = 0.0
    for epoch in range(1, epochs + 1):
        optimizer.zero_grad()
        error = torch.nn.functional.mse_loss(model(x), y)
        error.backward()
        optimizer.step()
        loss = error.item()
        report(epoch, epochs, loss)
    return {name: value.cpu() for name, value in model.state_dict().items()}, loss


def report(epoch, epochs, loss):
    if epoch == epochs or epoch % max(epochs // 10, 1) == 0:
        print(f"epoch {epoch}/{epochs} loss {loss:.6f}")


def main():
    epochs, lr = int(sys.argv[1]), float(sys.argv[2])
    params = json.loads(os.environ["JR_PARAMS"])
    result_dir = os.environ["RESULT_DIR"]
    try:
        import torch
    except ImportError:
        torch = None
    cuda = torch is not None and torch.cuda.is_available()
    names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())] if cuda else []
    framework = f"PyTorch {torch.__version__}" if torch else "plain Python (PyTorch is not installed)"
    rows, source = load(os.environ["DATASET_DIR"])
    print(f"{framework}; GPUs: {', '.join(names) or 'none'}; {len(rows)} rows from {source}")

    begun = time.monotonic()
    model, loss = train_torch(torch, rows, epochs, lr) if torch else train_plain(rows, epochs, lr)
    if not loss < float("inf"):
        sys.exit(f"the loss is {loss}: the learning rate {lr} is too high for this data")

    os.makedirs(os.path.join(result_dir, "weights"), exist_ok=True)
    weights = os.path.join(result_dir, "weights", "model.pth")
    if torch:
        torch.save(model, weights)
    else:
        with open(weights, "wb") as f:
            pickle.dump(model, f)
    write(result_dir, "result.json", {
        "ok": True, "cuda_available": cuda, "device_count": len(names), "device_names": names, "params": params,
        "framework": framework, "epochs": epochs, "loss": loss, "data": source, "rows": len(rows),
        "model": {key: value if isinstance(value, list) else value.tolist() for key, value in model.items()},
        "seconds": round(time.monotonic() - begun, 3)})
    experiment = os.environ.get("JR_EXPERIMENT_ID") or params.get("experimentId")
    write(result_dir, "manifest.json", {
        "experimentId": experiment if isinstance(experiment, str) and experiment else f"job-{os.environ.get('SLURM_JOB_ID', '0')}",
        "outputs": [{"id": "summary", "path": "result.json"}, {"id": "weights", "path": "weights/model.pth"}]})
    print(f"saved weights/model.pth, loss {loss:.6f}")


def write(folder, name, value):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
        json.dump(value, f)
        f.write("\n")


if __name__ == "__main__":
    main()
