"""Libraries that load on first use."""

import gc
import subprocess
import sys

import pytest

from her2radiomics.core import libraries

SCRIPT = """
import gc, sys
from her2radiomics.core.libraries import ruamel_yaml
assert "ruamel.yaml" not in sys.modules and gc.get_freeze_count() == 0
ruamel_yaml.YAML
assert "ruamel.yaml" in sys.modules and gc.isenabled()
print(gc.get_freeze_count())
"""


def test_what_an_import_makes_is_no_longer_looked_through_for_garbage():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, encoding="utf-8", check=True)
    assert int(done.stdout) > 1000


def test_garbage_is_collected_again_after_a_failed_import():
    with pytest.raises(ModuleNotFoundError):
        libraries._imported("her2radiomics.no_such_module")
    assert gc.isenabled()


def test_who_collects_no_garbage_still_does_not():
    gc.disable()
    try:
        libraries._imported("json")
        assert not gc.isenabled()
    finally:
        gc.enable()


DOCSTRINGS = """
from her2radiomics.core.libraries import scipy
assert scipy.stats.ttest_ind([1, 2], [3, 4]).df == 2
print("Calculate the T-test" in (scipy.stats.ttest_ind.__doc__ or ""))
"""


def test_scipy_parses_no_docstrings_while_it_is_imported():
    done = subprocess.run([sys.executable, "-c", DOCSTRINGS], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == "False"
