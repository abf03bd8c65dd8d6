"""What the start of a job, and of a plan, loads: libraries that take long come in when they are used."""

from __future__ import annotations

import ast
import os
import subprocess
import sys

#: pandas is needed by nearly every job.
HEAVY = {"sklearn", "scipy", "matplotlib", "seaborn", "lifelines", "statsmodels", "radiomics", "SimpleITK", "skimage"}

#: Parameter files are checked by PyRadiomics' own schema when a study is planned.
UNPLANNED = HEAVY - {"radiomics", "SimpleITK"}

#: A settings class builds its validator when it is first used, not when it is imported. (A generic one has none of its own.)
BUILT = """
from her2radiomics.core.settings import Settings
def below(kind):
    return [*(own := kind.__subclasses__()), *(item for one in own for item in below(one))]
own = [kind for kind in below(Settings) if not kind.__pydantic_generic_metadata__["parameters"]]
built = [kind for kind in own if kind.__pydantic_complete__]
assert len(own) > 150 and not built, built
"""


def test_no_script_and_no_plan_loads_or_builds_what_it_may_not_need(root):
    lines = ["import sys", "import her2radiomics.study.plan"]
    for path in sorted((root / "scripts").glob("*.py")):
        found = ast.parse(path.read_text(encoding="utf-8")).body
        lines += [ast.unparse(item) for item in found if isinstance(item, ast.Import | ast.ImportFrom)]
        lines.append(f"assert not {HEAVY} & set(sys.modules), {path.stem!r}")
    lines.append(BUILT)
    code = "\n".join(line for line in lines if "__future__" not in line)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_planning_every_study_loads_none_of_them(root):
    """Also where a random split is drawn, as three of the studies do."""
    code = "\n".join(
        [
            "import sys",
            "from pathlib import Path",
            "from her2radiomics.study.config import read_config",
            "from her2radiomics.study.plan import Plan",
            "plan = Plan(read_config('config.yaml'), Path('workflow'))",
            "assert len(plan.runs) == 4 and plan.targets('all')",
            "assert {run.protocol.partitions.kind for run in plan.runs.values()} >= {'random'}",
            f"assert not {UNPLANNED} & set(sys.modules), {UNPLANNED} & set(sys.modules)",
        ]
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=os.environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
