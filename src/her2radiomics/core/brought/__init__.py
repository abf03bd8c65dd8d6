"""Tables that a user hands over: read as the file shows them, or refused by name.

:mod:`.reading` reads CSV, TSV, XLSX, ODS and Parquet, also compressed; :mod:`.numbers` tells numbers from text;
:mod:`.likeness` finds names that nearly match. ``docs/what_happens_when.md`` lists what is read, said and refused.
"""
