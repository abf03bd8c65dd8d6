"""What the protocol states of patients, pathology, images and readers, which no run can know, as sentences."""

from __future__ import annotations

from her2radiomics.manuscript.formatting import listing
from her2radiomics.report.info import RunInfo
from her2radiomics.report.words import lower_first


def _sentence(text: str) -> str:
    text = text.strip()
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."


def _of_the_paper(info: RunInfo, text: str) -> tuple[str, ...]:
    """A paragraph; on simulated patients it is said to be the paper's."""
    if not text:
        return ()
    return (f"Of the paper's patients, not of the simulated ones: {lower_first(text)}" if info.simulated else text,)


def patients(info: RunInfo) -> tuple[str, ...]:
    """Design, ethics, period, inclusion criteria and sample size."""
    said = info.protocol.reporting
    parts = [_sentence(said.design), _sentence(said.ethics)]
    if said.enrolment:
        parts.append(f"Enrolment: {said.enrolment}.")
    if info.protocol.inclusion:
        criteria = "; ".join(lower_first(item.rstrip(".")) for item in info.protocol.inclusion)
        parts.append(f"Inclusion criteria: {criteria}.")
    parts.append(_sentence(said.sample_size))
    return _of_the_paper(info, " ".join(filter(None, parts)))


def pathology(info: RunInfo) -> tuple[str, ...]:
    """How receptors and response were determined, and by which editions."""
    said = info.protocol.reporting
    parts = [_sentence(line) for line in said.pathology]
    if said.editions:
        editions = [f"{name} ({edition})" for name, edition in said.editions.items()]
        parts.append(f"Terms and stages follow {listing(editions)}.")
    return _of_the_paper(info, " ".join(parts))


def injection(info: RunInfo) -> tuple[str, ...]:
    """The contrast agent and its injection."""
    return _of_the_paper(info, _sentence(info.protocol.reporting.injection))


def readers(info: RunInfo) -> tuple[str, ...]:
    """Who outlined, blinded to what, and with which software."""
    said = info.protocol.reporting
    parts = [_sentence(said.readers), _sentence(said.blinding)]
    if said.software:
        parts.append(f"Software: {said.software}.")
    return _of_the_paper(info, " ".join(filter(None, parts)))
