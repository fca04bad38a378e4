"""What a work found: measurements with their medians, and targets that were met or missed. As JSON and as Markdown."""
import dataclasses
import json
import math
import os
import platform
import time

from .rounds import median


def short(value):
    """Three digits that count; large numbers in full."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if not math.isfinite(value):
        return str(value)
    if value == int(value):
        return f"{int(value):,}"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def with_unit(value, unit):
    return f"{short(value)} {unit}".rstrip()


@dataclasses.dataclass
class Measurement:
    what: str
    who: str
    unit: str
    values: list
    cpu_us: list  # of one request or item, where that is known

    @property
    def median(self):
        return median(self.values)

    def row(self):
        spread = f"{short(min(self.values))} - {short(max(self.values))}" if len(self.values) > 1 else ""
        cpu = short(median(self.cpu_us)) if self.cpu_us else ""
        return f"| {self.what} | {self.who} | {with_unit(self.median, self.unit)} | {spread} | {cpu} |"


@dataclasses.dataclass
class Target:
    what: str
    value: float
    bound: float
    at_least: bool
    unit: str

    @property
    def met(self):
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def row(self):
        sign = ">=" if self.at_least else "<="
        return f"| {self.what} | {with_unit(self.value, self.unit)} | {sign} {with_unit(self.bound, self.unit)} | {'met' if self.met else 'missed'} |"


class Result:
    def __init__(self, name, title):
        self.name, self.title = name, title
        self.measurements, self.targets, self.notes, self.plots = [], [], [], []
        self.quick = False

    def measured(self, what, who, values, unit, cpu_us=()):
        """`values` by round, and CPU microseconds a request likewise; answers the measurement."""
        values = list(values) if isinstance(values, (list, tuple)) else [values]
        made = Measurement(what, who, unit, values, list(cpu_us))
        self.measurements.append(made)
        return made

    def target(self, what, value, at_least=None, at_most=None, unit=""):
        """`value` is one number, or one of each round, whose median counts."""
        value = median(value) if isinstance(value, (list, tuple)) else value
        bound = at_most if at_least is None else at_least
        self.targets.append(Target(what, value, bound, at_least is not None, unit))

    def note(self, sentence):
        self.notes.append(sentence)

    def markdown(self):
        lines = ["Of tiny sizes: that it works, not how fast.", ""] if self.quick else []
        if self.measurements:
            lines += ["| measured | of | median | lowest - highest | CPU us each |", "|---|---|---|---|---|"]
            lines += [one.row() for one in self.measurements] + [""]
        if self.targets:
            lines += ["| target | is | wanted | |", "|---|---|---|---|"]
            lines += [one.row() for one in self.targets] + [""]
        lines += [f"- {note}" for note in self.notes]
        return "\n".join(lines).replace("|  |", "| |").replace("|  |", "| |").rstrip() + "\n"

    def write(self, folder, quick):
        """NAME.json and NAME.md in the folder."""
        self.quick = quick
        about = {"work": self.name, "title": self.title, "quick": quick,
                 "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "machine": machine(),
                 "measurements": [{**dataclasses.asdict(one), "median": one.median} for one in self.measurements],
                 "targets": [{**dataclasses.asdict(one), "met": one.met} for one in self.targets],
                 "notes": self.notes, "plots": self.plots}
        (folder / f"{self.name}.json").write_text(json.dumps(about, indent=1) + "\n")
        pictures = "".join(f"\n![{self.title}]({plot})\n" for plot in self.plots)
        (folder / f"{self.name}.md").write_text(f"### {self.name}: {self.title}\n\n{self.markdown()}{pictures}")


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), platform.machine())
    return {"cpu": model, "cores": os.cpu_count(), "kernel": platform.release(), "load": os.getloadavg()[0]}
