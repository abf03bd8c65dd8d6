"""Citations and the reference list in a journal's style (CSL), and the list as BibTeX and RIS.

Styles are formatted by citeproc-py. Entries are CSL-JSON (https://docs.citationstyles.org/en/v1.0.2/specification.html).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from her2radiomics.article.document import Cite, Manuscript
from her2radiomics.core.errors import StudyError
from her2radiomics.core.libraries import citeproc
from her2radiomics.manuscript.tables.text import escape_latex

Entry = Mapping[str, Any]
_NUMBER = re.compile(r"\d+")
#: CSL's types that CSL 1.0.1 does not have, by the nearest that it has.
_NEAREST = {"software": "webpage", "dataset": "webpage"}
_BIBTEX = {"article-journal": "article", "paper-conference": "inproceedings", "book": "book", "chapter": "incollection"}
_RIS = {"article-journal": "JOUR", "paper-conference": "CPAPER", "book": "BOOK", "chapter": "CHAP", "software": "COMP"}
_FIELDS = {  # CSL's variable to BibTeX's field and RIS's tag
    "title": ("title", "TI"),
    "container-title": ("journal", "JO"),
    "volume": ("volume", "VL"),
    "issue": ("number", "IS"),
    "publisher": ("publisher", "PB"),
    "publisher-place": ("address", "CY"),
    "DOI": ("doi", "DO"),
    "URL": ("url", "UR"),
    "ISBN": ("isbn", "SN"),
    "version": ("version", "ET"),
}


@dataclass(frozen=True)
class ReferenceList:
    """The references that a manuscript cites, in the order of their first citation.

    Attributes
    ----------
    entries
        Key to CSL-JSON.
    printed
        Key to the entry as the journal prints it, without its number.
    citations
        The keys of a citation to the citation as printed: ``[1, 3]``.
    """

    entries: Mapping[str, Entry]
    printed: Mapping[str, str]
    citations: Mapping[tuple[str, ...], str]

    def number(self, key: str) -> int:
        """Number of an entry, from 1."""
        return list(self.entries).index(key) + 1


def reference_list(manuscript: Manuscript, style: str | Path) -> ReferenceList:
    """Number and format what a manuscript cites; entries that nothing cites follow, so that none is lost.

    Parameters
    ----------
    manuscript
        The manuscript.
    style
        CSL file of a numbered style.

    Raises
    ------
    StudyError
        A citation names an entry that the manuscript does not hold.
    """
    cites = [run.keys for _, run in manuscript.runs() if isinstance(run, Cite)]
    keys = list(dict.fromkeys([key for found in cites for key in found] + list(manuscript.references)))
    unknown = [key for key in keys if key not in manuscript.references]
    if unknown:
        known = ", ".join(manuscript.references)
        raise StudyError(f"references: found a citation of '{unknown[0]}', expected one of {known}. Add the entry.")
    # citeproc writes keys in small letters: numbers instead, which differ in no case
    source = [
        {**_spaced(manuscript.references[key]), "id": str(place), "type": _nearest(manuscript.references[key])}
        for place, key in enumerate(keys)
    ]
    places = {key: str(place) for place, key in enumerate(keys)}
    made = citeproc.CitationStylesBibliography(
        citeproc.CitationStylesStyle(str(style), validate=False),
        citeproc.source.json.CiteProcJSON(source),
        citeproc.formatter.plain,
    )
    groups = {found: _citation([places[key] for key in found]) for found in dict.fromkeys(cites)}
    for group in [*groups.values(), *(_citation([places[key]]) for key in keys)]:
        made.register(group)
    listed = [_tidy(str(item)).split(". ", 1)[1] for item in made.bibliography()] if keys else []
    return ReferenceList(
        entries={key: manuscript.references[key] for key in keys},
        printed=dict(zip(keys, listed, strict=True)),
        citations={found: _ranges(str(made.cite(group, _unknown))) for found, group in groups.items()},
    )


def _citation(keys: Sequence[str]) -> Any:
    return citeproc.Citation([citeproc.CitationItem(key) for key in keys])


def _unknown(item: Any) -> str:
    raise StudyError(f"references: found a citation of '{item.key}' without an entry. Add the entry.")


def _nearest(entry: Entry) -> str:
    kind = str(entry["type"])
    return _NEAREST.get(kind, kind)


def _spaced(entry: Entry) -> dict[str, Any]:
    """The entry with initials apart (``J J M``), since a style takes initials from names; ranges with a hyphen."""
    people = {
        role: [{**name, "given": _apart(name["given"])} if name.get("given") else dict(name) for name in entry[role]]
        for role in ("author", "editor")
        if role in entry
    }
    return {**entry, **people}


def _apart(given: str) -> str:
    return " ".join(given) if given.isalpha() and given.isupper() else given


def _ranges(text: str) -> str:
    """Three or more numbers in a row as a range: ``[1,2,3,5]`` as ``[1–3,5]`` (citeproc-py leaves them)."""
    numbers = [int(number) for number in _NUMBER.findall(text)]
    delimiter = next(iter(re.findall(r"\d(\D+)\d", text)), ",")
    groups: list[list[int]] = []
    for number in sorted(set(numbers)):
        if groups and number == groups[-1][-1] + 1:
            groups[-1].append(number)
        else:
            groups.append([number])
    shown = [f"{g[0]}–{g[-1]}" if len(g) > 2 else delimiter.join(map(str, g)) for g in groups]
    return f"{_NUMBER.split(text)[0]}{delimiter.join(shown)}{_NUMBER.split(text)[-1]}"


def _tidy(text: str) -> str:
    """Without the doubled stops that arise where a title ends with its own mark."""
    for double, single in (("..", "."), ("?.", "?"), ("!.", "!")):
        text = text.replace(double, single)
    return text


def to_csl(entries: Mapping[str, Entry]) -> str:
    """Entries as CSL-JSON, for reference managers."""
    return json.dumps([{**entry, "id": key} for key, entry in entries.items()], ensure_ascii=False, indent=1) + "\n"


def to_bibtex(entries: Mapping[str, Entry]) -> str:
    """Entries as BibTeX, every key kept; what is special to LaTeX is escaped, capitals of titles stay."""
    made = []
    for key, entry in entries.items():
        fields = {"author": " and ".join(map(_person, entry.get("author", ())))}
        for variable, (name, _) in _FIELDS.items():
            value = _field(entry, variable)
            name = "booktitle" if (name, entry["type"]) == ("journal", "paper-conference") else name
            fields[name] = value if variable in ("DOI", "URL") else escape_latex(value)
        fields["title"] = "{" + fields["title"] + "}"
        fields["year"], fields["pages"] = _year(entry), escape_latex(str(entry.get("page", "")))
        lines = [f"  {name} = {{{value}}}" for name, value in fields.items() if value]
        made.append(f"@{_BIBTEX.get(entry['type'], 'misc')}{{{key},\n" + ",\n".join(lines) + "\n}\n")
    return "\n".join(made)


def to_ris(entries: Mapping[str, Entry]) -> str:
    """Entries as RIS, with the key as the entry's identifier."""
    made = []
    for key, entry in entries.items():
        lines = [f"TY  - {_RIS.get(entry['type'], 'GEN')}", f"ID  - {key}"]
        lines += [f"AU  - {_ris_person(name)}" for name in entry.get("author", ())]
        lines += [f"{tag}  - {_field(entry, name)}" for name, (_, tag) in _FIELDS.items() if _field(entry, name)]
        first, _, last = str(entry.get("page", "")).partition("–")
        lines += [f"PY  - {_year(entry)}"] if _year(entry) else []
        lines += [f"{tag}  - {page}" for tag, page in (("SP", first), ("EP", last)) if page]
        made.append("\r\n".join([*lines, "ER  - ", ""]))
    return "\r\n".join(made)


def _field(entry: Entry, name: str) -> str:
    return " ".join(str(entry.get(name, "")).split())


def _year(entry: Entry) -> str:
    parts = entry.get("issued", {}).get("date-parts") or [[""]]
    return str(parts[0][0])


def _person(name: Mapping[str, str]) -> str:
    if "literal" in name:
        return "{" + escape_latex(name["literal"]) + "}"
    return escape_latex(", ".join(part for part in (name["family"], _dotted(name.get("given", ""))) if part))


def _ris_person(name: Mapping[str, str]) -> str:
    return name.get("literal") or ", ".join(part for part in (name["family"], _dotted(name.get("given", ""))) if part)


def _dotted(given: str) -> str:
    """``JJM`` as ``J. J. M.``, which BibTeX's styles and reference managers take apart."""
    return ". ".join(given) + "." if given.isalpha() and given.isupper() else given
