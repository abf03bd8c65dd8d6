"""What a protocol's ``tables:`` section may say: the options of all kinds, found in the modules beside this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from her2radiomics.manuscript import tables
from her2radiomics.manuscript.tables.registry import KINDS, TableOptions

KINDS.discover(tables.__name__, tables.__path__)

if TYPE_CHECKING:
    TableSettings = TableOptions
else:
    TableSettings = KINDS.union()
