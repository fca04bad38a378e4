"""Plots as SVG, the same bytes for the same numbers. Each function answers the file's name."""
import matplotlib

matplotlib.use("Agg")
matplotlib.rcParams["svg.hashsalt"] = "jobrunner"

from matplotlib import pyplot  # noqa: E402


def lines(path, title, x_label, y_label, series, log_x=True, log_y=True):
    """`series` is {name: [(x, y), ...]}."""
    figure, axes = pyplot.subplots(figsize=(7, 4.2))
    for name, points in series.items():
        axes.plot(*zip(*points), marker="o", label=name)
    if log_x:
        axes.set_xscale("log")
    if log_y:
        axes.set_yscale("log")
    axes.set(title=title, xlabel=x_label, ylabel=y_label)
    axes.grid(True, alpha=0.3)
    axes.legend()
    return _save(figure, path)


def bars(path, title, x_label, values, log_x=True):
    """`values` is {name: number}, drawn from top to bottom with the number beside it."""
    figure, axes = pyplot.subplots(figsize=(7, 0.6 + 0.45 * len(values)))
    drawn = axes.barh(list(values), list(values.values()))
    axes.bar_label(drawn, fmt="%.3g", padding=3)
    axes.invert_yaxis()
    if log_x:
        axes.set_xscale("log")
    axes.margins(x=0.15)
    axes.set(title=title, xlabel=x_label)
    return _save(figure, path)


def _save(figure, path):
    figure.tight_layout()
    figure.savefig(path, format="svg", metadata={"Date": None})
    pyplot.close(figure)
    return path.name
