"""Columns measured from images, brought into the participants table before it is typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from her2radiomics.core.columns import MISSING, Column
from her2radiomics.core.libraries import pd
from her2radiomics.core.tables import assemble


def with_measured(
    registered: pd.DataFrame, batches: Sequence[pd.DataFrame], columns: Mapping[str, Column]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Fill in what was measured; where nothing was, the table's own value stays.

    Parameters
    ----------
    registered
        The participants table, all text.
    batches
        Tables of the contract ``batch_measured``; none: nothing is measured.
    columns
        The protocol's columns.

    Returns
    -------
    tuple of pandas.DataFrame
        The participants table, all text; and the measured columns in the protocol's order (contract ``measured``), with
        where each value is from.
    """
    if not batches:
        return registered, assemble("measured")
    made, parts = registered.copy(), []
    for name, rows in pd.concat(batches).groupby("column", sort=False):
        found = rows.set_index("patient_id")
        own = registered.set_index("patient_id").get(name, pd.Series("", index=registered["patient_id"]))
        own = own.mask(own.isin(MISSING) & ~own.isin(list(columns[str(name)].levels)), "")
        values = found["value"].reindex(own.index, fill_value="")
        made[name] = values.where(values != "", own).to_numpy()
        other = own.loc[found.index].map(lambda value: "participants table" if value else "missing")
        parts.append(found.assign(origin=other.where(found["value"] == "", "images")).reset_index())
    order = {name: place for place, name in enumerate(columns)}
    table = pd.concat(parts).sort_values("column", key=lambda names: names.map(order), kind="stable")
    return made, assemble("measured", table.to_dict("records"))
