"""One way for every result to print itself: text, HTML and LaTeX from one table."""

from __future__ import annotations

from dataclasses import fields
from html import escape
from typing import Any

from her2radiomics.core.libraries import pd

_LATEX = {
    **{character: "\\" + character for character in "_%&#"},
    **{"χ": r"$\chi$", "²": r"$^2$", "±": r"$\pm$", "−": "$-$", "≥": r"$\geq$", "×": r"$\times$", "β": r"$\beta$"},
}


def _number(value: Any) -> Any:
    """Four significant digits for a real number; everything else unchanged."""
    return f"{value:.4g}" if isinstance(value, float) else value


class Result:
    """Mixin of the frozen result dataclasses.

    A result is shown as its table: the field ``table`` where it has one, else one row of its scalar fields; others
    override :meth:`to_frame`, and those with something to say override :attr:`remark`.
    """

    @property
    def title(self) -> str:
        """Heading of the printed result."""
        return (type(self).__doc__ or "").strip().splitlines()[0].rstrip(".")

    @property
    def remark(self) -> str:
        """What a reader must know before using the numbers; empty when there is nothing to say."""
        return ""

    def to_frame(self) -> pd.DataFrame:
        """Return the table that is shown, unrounded."""
        row = {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]
        if "table" in row:
            return row["table"]
        return pd.DataFrame([{k: v for k, v in row.items() if isinstance(v, (bool, int, float, str))}])

    def __getitem__(self, column: str) -> pd.Series:
        """Return a column of the shown table, unrounded."""
        return self.to_frame()[column]

    def _rounded(self) -> pd.DataFrame:
        """Return the table with real numbers as short text and empty cells for missing values."""
        frame = self.to_frame().astype(object)
        return frame.where(frame.notna(), "").map(_number)

    def __str__(self) -> str:
        """Return title, table and remark as plain text."""
        parts = [self.title, self._rounded().to_string(index=False)]
        return "\n".join([*parts, self.remark] if self.remark else parts)

    def to_html(self) -> str:
        """Return title, table and remark as an HTML fragment."""
        table = self._rounded().to_html(index=False, border=0)
        remark = f"<p>{escape(self.remark)}</p>" if self.remark else ""
        return f"<p><strong>{escape(self.title)}</strong></p>\n{table}\n{remark}"

    def _repr_html_(self) -> str:
        return self.to_html()

    def to_latex(self) -> str:
        """Return the table as a LaTeX ``tabular`` (booktabs), special characters escaped."""
        frame = self._rounded()
        escaped = str.maketrans(_LATEX)
        frame.columns = [str(name).translate(escaped) for name in frame.columns]
        return frame.map(lambda cell: str(cell).translate(escaped)).to_latex(index=False)
