"""The progress line: counts, share, and time left from the durations of finished jobs."""

from __future__ import annotations

from pathlib import Path

import yaml
from snakemake_interface_logger_plugins.registry import LoggerPluginRegistry

from her2radiomics.engine.progress import Progress, ProgressHandler, clock_time

ROOT = Path(__file__).resolve().parents[2]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_time_left_by_hand():
    clock = Clock()
    progress = Progress(clock)
    progress.plan({"extract": 4, "merge": 1, "total": 5})
    progress.start(1, "extract", "features: P1")
    progress.start(2, "extract", "features: P2")
    clock.now = 10.0
    assert progress.finish(1) == "[1/5]  20 %  0:10 gone, about 0:40 left   features: P1"
    progress.finish(2)
    # two jobs of 10 s side by side: 3 left (2 extract, 1 merge at the mean) of 10 s each, two at a time
    assert progress.seconds_left() == 15.0


def test_the_last_line_has_no_time_left():
    clock = Clock()
    progress = Progress(clock)
    progress.plan({"merge": 1, "total": 1})
    progress.start(7, "merge", "merge")
    clock.now = 3.0
    assert progress.finish(7) == "[1/1] 100 %  0:03 gone   merge"
    assert progress.finish(8) is None


def test_clock_time():
    assert [clock_time(s) for s in (0, 59.6, 61, 3661)] == ["0:00", "1:00", "1:01", "1:01:01"]


def test_snakemake_finds_it_by_the_projects_name():
    """A plug-in is there for every workflow of the environment: its name says whose it is."""
    profile = yaml.safe_load((ROOT / "profiles/default/config.yaml").read_text(encoding="utf-8"))
    assert profile["logger"] == "her2radiomics"
    assert LoggerPluginRegistry().get_plugin(profile["logger"]).log_handler is ProgressHandler
