"""Heavy libraries, imported when they are first used, so that modules name them at their top.

A workflow has hundreds of short jobs, and each pays for what it imports: pandas takes half a second, scikit-learn and
lifelines more than one. A name from here is imported when its first attribute is read, and so is a submodule
(``mpl.patches``, ``scipy.special``). Type checkers see the plain imports. Each such reading is noted
(:mod:`her2radiomics.core.software`): it records which libraries a job used.

``lazy_loader`` serves the names of our own packages (``attach_stub``), not these: its ``load`` puts a module that has not
run into ``sys.modules``, and ``from sklearn.base import clone`` then runs ``sklearn.base`` twice, so that there are two
classes of each name.
"""

import contextlib
import gc
from functools import partialmethod
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from her2radiomics.core import software

if TYPE_CHECKING:
    import citeproc
    import citeproc.formatter.plain
    import citeproc.source.json
    import docx
    import docx.enum.section
    import docx.enum.style
    import docx.enum.table
    import docx.enum.text
    import docx.opc.constants
    import docx.opc.packuri
    import docx.opc.part
    import docx.oxml.ns
    import docx.shared
    import highdicom
    import highdicom.seg
    import jinja2
    import lifelines
    import lxml.etree
    import matplotlib as mpl
    import openpyxl
    import pandas as pd
    import PIL.Image
    import pyarrow as pa
    import pydicom
    import pywt
    import radiomics
    import ruamel.yaml as ruamel_yaml
    import scipy
    import seaborn as sns
    import SimpleITK as sitk
    import skimage
    import skimage.feature._texture as skimage_texture
    import skimage.measure
    import skimage.measure._ccomp as skimage_ccomp
    import sklearn
    import threadpoolctl
    from isal import isal_zlib
    from matplotlib.backends import _backend_pdf_ps as pdf_fonts
    from statsmodels.nonparametric import smoothers_lowess
    from statsmodels.stats import inter_rater
else:
    #: Libraries that import SciPy.
    WITH_SCIPY = {"lifelines", "scipy", "seaborn", "skimage", "sklearn", "statsmodels"}

    def _imported(name: str) -> ModuleType:
        """Import a module without looking for garbage among what it makes, which stays: a quarter of an import's time."""
        collecting = gc.isenabled()
        gc.disable()
        try:
            if name.partition(".")[0] in WITH_SCIPY:
                _leave_docstrings()
            return import_module(name)
        finally:
            gc.freeze()
            if collecting:
                gc.enable()

    def _leave_docstrings() -> None:
        """Let SciPy not parse its docstrings, to add notes to them, while it is imported: a third of that time."""
        with contextlib.suppress(ImportError, AttributeError):  # private; without it imports take longer, nothing else
            documented = import_module("scipy._lib._docscrape").FunctionDoc
            if not isinstance(vars(documented)["__init__"], partialmethod):
                documented.__init__ = partialmethod(documented.__init__, doc="")

    class _Library(ModuleType):
        """A library by name; its attributes and submodules are those of the library."""

        def __init__(self, name: str) -> None:
            super().__init__(name)
            self.__dict__["distribution"] = software.name_of(name)

        def __getattr__(self, name: str) -> Any:
            known = self.__dict__
            software.note(known["distribution"])
            library = known.get("library")
            if library is None:
                library = known["library"] = _imported(self.__name__)
            try:
                return getattr(library, name)
            except AttributeError:
                _imported(f"{self.__name__}.{name}")
                return getattr(library, name)

    citeproc = _Library("citeproc")
    docx = _Library("docx")
    highdicom = _Library("highdicom")
    inter_rater = _Library("statsmodels.stats.inter_rater")
    isal_zlib = _Library("isal.isal_zlib")
    jinja2 = _Library("jinja2")
    lifelines = _Library("lifelines")
    lxml = _Library("lxml")
    mpl = _Library("matplotlib")
    pdf_fonts = _Library("matplotlib.backends._backend_pdf_ps")
    openpyxl = _Library("openpyxl")
    pd = _Library("pandas")
    PIL = _Library("PIL")
    pa = _Library("pyarrow")
    pydicom = _Library("pydicom")
    pywt = _Library("pywt")
    radiomics = _Library("radiomics")
    ruamel_yaml = _Library("ruamel.yaml")
    scipy = _Library("scipy")
    sns = _Library("seaborn")
    sitk = _Library("SimpleITK")
    skimage = _Library("skimage")
    # the functions behind skimage.measure's and skimage.feature's, which import SciPy and matplotlib's colours for others
    skimage_ccomp = _Library("skimage.measure._ccomp")
    skimage_texture = _Library("skimage.feature._texture")
    sklearn = _Library("sklearn")
    smoothers_lowess = _Library("statsmodels.nonparametric.smoothers_lowess")
    threadpoolctl = _Library("threadpoolctl")

__all__ = [
    "PIL",
    "citeproc",
    "docx",
    "highdicom",
    "inter_rater",
    "isal_zlib",
    "jinja2",
    "lifelines",
    "lxml",
    "mpl",
    "openpyxl",
    "pa",
    "pd",
    "pdf_fonts",
    "pydicom",
    "pywt",
    "radiomics",
    "ruamel_yaml",
    "scipy",
    "sitk",
    "skimage",
    "skimage_ccomp",
    "skimage_texture",
    "sklearn",
    "smoothers_lowess",
    "sns",
    "threadpoolctl",
]
