# Before anything is read: the library, the environment of the jobs, and config.yaml by the reader of all settings.
import atexit
import gc
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

# a plan is millions of small objects that all stay: looking for garbage among them takes a sixth of the time. Until jobs begin.
gc.disable()
atexit.register(gc.freeze)  # nor when the process ends, which frees all of it
sys.path.insert(0, f"{workflow.basedir}/src")

import her2radiomics

if (
    Path(her2radiomics.__file__).resolve().parents[1]
    != Path(workflow.basedir, "src").resolve()
):
    raise WorkflowError(
        f"found the library in {Path(her2radiomics.__file__).parents[1]}, expected it in {workflow.basedir}/src. "
        "Was the folder moved or copied? Call 'make setup' in it (delete .venv/.ready first)."
    )

if set("{}") & set(str(workflow.basedir)):
    raise WorkflowError(
        f"found braces in the path of this folder, {workflow.basedir}, which Snakemake takes for placeholders; expected a path "
        "without them. Rename the folder."
    )

from her2radiomics.core.errors import StudyError
from her2radiomics.engine import environment
from her2radiomics.engine.patches import cores

cores.all_by_default(workflow)
try:
    # before numpy is loaded, which then reads how many threads it may use
    FOREIGN = environment.prepare(Path(workflow.basedir) / "src", cores=workflow.cores)
except StudyError as error:
    raise WorkflowError(str(error)) from None

from her2radiomics.engine.patches import lookups, python_path, scheduling, slurm
from her2radiomics.study.config import read_config

slurm.keep_unknown_jobs()
scheduling.one_timer()
lookups.look_once()
python_path.quote_python()

try:
    SETTINGS = read_config(
        "config.yaml",
        more=workflow.config_settings.configfiles,
        laid_over=workflow.config_settings.config,
        alone=workflow.config_settings.replace_workflow_config,
    )
except StudyError as error:
    raise WorkflowError(str(error)) from None
