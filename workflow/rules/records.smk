# Results that were cut, edited or made from other inputs than those of today: marked as incomplete, which Snakemake makes again.
# Only the process that plans looks; a dry run shows what would be made again and renames nothing.
import gc

from snakemake.logging import logger

from her2radiomics.engine import file_records
from her2radiomics.engine.patches import incomplete, jobs

CHANGED = file_records.find_changed() if workflow.is_main_process else []

for change in CHANGED[:20]:
    logger.warning(f"{change.path}: found {change.why}; it is made again.")
if CHANGED[20:]:
    logger.warning(f"… and {len(CHANGED) - 20} more results that are made again.")
incomplete.mark(workflow, [change.path for change in CHANGED])


onstart:
    gc.enable()
    again = jobs.outputs_to_make(workflow)
    aside = file_records.set_aside(
        change for change in CHANGED if change.path in again
    )
    for path, kept in aside.items():
        logger.warning(f"{path}: what was found there is kept as {kept}.")
    for path in file_records.clean():
        logger.info(f"{path}: left by a job that was killed; deleted.")
