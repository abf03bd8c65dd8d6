"""Names of the package that nothing uses, as vulture finds them: ``python tests/dead_code.py``, a part of ``make lint``.

Tests count as no use: what only they call is dead. Used are also the names in rules and pages' templates, what a
registry finds, and what is listed below with its reason.
"""

from __future__ import annotations

import keyword
import re
import sys
import tempfile
from pathlib import Path

from vulture import Vulture

ROOT = Path(__file__).resolve().parents[1]
#: Files that vulture cannot read and that use names of the package.
OTHERS = (
    "Snakefile",
    "workflow/rules/*.smk",
    "src/her2radiomics/**/*.html",
    "src/her2radiomics/**/templates/**/*.txt",
    "src/her2radiomics/**/*.css",
)
#: Of pydantic, and of our registries: who is decorated is found.
DECORATORS = [
    *(
        "@field_validator",
        "@model_validator",
        "@selection_step",
        "@analysis",
        "@estimator",
        "@model_kind",
        "@image_format",
        "@segmentation",
        "@figure",
    ),
    "@table",
]
#: Called by a library, which looks them up by name.
CALLED = {
    "pydantic": "model_config",
    "Python": "__getattr__",
    "Snakemake": "_lookup",
    "Snakemake's logger": "writes_to_stream writes_to_file has_filter has_formatter needs_rulegraph",
    "PyYAML": "yaml_implicit_resolvers",
    "PyRadiomics": "_applyBinning _calculateCoefficients get*FeatureValue SurfaceArea diameters eigenValues",
    "scikit-learn": "classes_ features_in_ features_out_ note_ get_feature_names_out input_features memo",
    "columns of tables, by the fields of a row": "image_peak",
    "notebooks": "_repr_html_",
    "openpyxl": "freeze_panes",
    "zipfile": "create_system external_attr compress_type",
    "python-docx": "autofit alignment left_indent last_modified_by comments language revision created modified "
    "orientation page_height page_width space_after space_before keep_with_next "
    "page_break_before widow_control base_style quick_style first_line_indent vertical_alignment rgb val",
}
#: For people: contracts of the package (tests/test_public_names.py), and what documentation tells them to read.
PUBLIC = {
    "statistics": "auc_a auc_b c_statistic_error delong_test_unpaired development_size events_per_parameter "
    "expected_shrinkage icc likelihood_ratio_test mean_absolute_error mean_kept optimism_corrected_auc variable_tests "
    "selection_stability shrinkage total_points useful validation_size",
    "modelling": "cross_validated_scores",
    "evidence": "chain_of coverage equal_orders expected_auc extrapolation rows",
    "extraction": "extract_features",
    "settings that only documentation shows": "fallback mri_date exclude_reason ParticipantRow",
    "fields that are read by name": "ppv npv accuracy lasso_cv slice_index",
    "patches' reports, which tests read": "distribution upstream",
}


def used_elsewhere() -> set[str]:
    """Words of files that are not Python."""
    texts = [path.read_text(encoding="utf-8") for pattern in OTHERS for path in ROOT.glob(pattern)]
    return {word for text in texts for word in re.findall(r"[A-Za-z_]\w*", text) if not keyword.iskeyword(word)}


def unused() -> list[str]:
    """Each name that nothing uses, with its place."""
    names = [name for group in (CALLED, PUBLIC) for words in group.values() for name in words.split()]
    vulture = Vulture(ignore_names=names, ignore_decorators=DECORATORS)
    with tempfile.TemporaryDirectory() as folder:
        others = Path(folder) / "others.py"
        others.write_text("\n".join(f"_.{word}" for word in sorted(used_elsewhere())), encoding="utf-8")
        vulture.scavenge([ROOT / "src", ROOT / "scripts", others])
    return [item.get_report().removeprefix(f"{ROOT}/") for item in vulture.get_unused_code(min_confidence=60)]


if __name__ == "__main__":
    found = unused()
    print("\n".join(found))
    sys.exit(bool(found))
