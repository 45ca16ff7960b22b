"""What `ahsct check` shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ahsct_trial.escaping import shown
from ahsct_trial.rendering import formats as fmt
from ahsct_trial.rendering.sections import Section, file_section, plural, protocol_sentence, warnings_section

if TYPE_CHECKING:
    from ahsct_trial.checking import Check, CheckedFigure


def check_sections(check: Check) -> list[Section]:
    """What `ahsct check` shows: figures with verdicts, eligibility, what is uncertain."""
    publication = check.publication
    confidence = fmt.level(check.protocol.confidence_level)
    own_sites = "" if check.n_sites is None else f", {check.n_sites:,} {plural('site', check.n_sites)}"
    sizes = f"{fmt.count(publication.n_patients)} patients, {fmt.count(publication.n_sites)} sites"
    verdicts = {
        "reproduced": check.n_reproduced,
        "compatible": check.n_compatible,
        "differs": check.n_differs,
        "not computable": check.n_not_computable,
    }
    total = ", ".join(f"{n} {verdict}" for verdict, n in verdicts.items() if n)
    return [
        Section(
            f"Checked against {publication.id}",
            lead=(
                f"{total} of {len(check.figures)} published figures.",
                publication.title,
                f"Published: {sizes}. {shown(check.source.file)}: {check.n_patients:,} patients{own_sites}.",
            ),
            headings=("Figure", "Published", "This cohort", f"{confidence} CI", "Verdict"),
            rows=tuple(_check_row(figure) for figure in check.figures),
        ),
        Section(
            "Whom the trial would have taken",
            headings=("Criterion", "Met", "Not met", "Unknown"),
            rows=tuple(
                (each.criterion, fmt.count(each.n_met), fmt.count(each.n_not_met), fmt.count(each.n_unknown))
                for each in check.eligibility
            ),
        ),
        Section(
            "How to read this",
            lead=(
                "Reproduced: the cohort's figure rounds to the published one, and its interval to the "
                "published interval if there is one. Compatible: the published figure lies in the cohort's "
                "interval. Differs: neither. Not computable: the file does not give it.",
                protocol_sentence(check.protocol),
                *publication.uncertain,
                f"Source: {publication.citation}. "
                + "Read in: "
                + "; ".join(dict.fromkeys(f"{each.source} (mark {each.mark})" for each in check.figures))
                + ". Marks: V in the source's own text, S in a secondary source, D computed from V.",
            ),
        ),
        *warnings_section(check.warnings),
        file_section(check.source),
    ]


def _check_row(figure: CheckedFigure) -> tuple[str, ...]:
    published = figure.published + (f" {figure.unit}" if figure.unit else "")
    if figure.published_of is not None:
        published = f"{published} of {figure.published_of}"
    if figure.published_ci is not None:
        published = f"{published} ({figure.published_ci[0]}–{figure.published_ci[1]})"
    is_share = figure.unit == "%" or figure.ci_method == "clopper-pearson"
    span = fmt.percent_range if is_share else fmt.significant_range
    limits = span(figure.ci_low, figure.ci_high) + (" %" if is_share and figure.ci_low is not None else "")
    return (figure.label, published, _own(figure), limits, figure.verdict)


def _own(figure: CheckedFigure) -> str:
    if figure.value is None:
        return fmt.NOTHING
    if figure.unit == "%":
        return fmt.percent(figure.value)
    own = fmt.count(figure.value) if isinstance(figure.value, int) else fmt.significant(figure.value)
    return own if figure.of is None else f"{own} of {fmt.number(figure.of, 0)}"
