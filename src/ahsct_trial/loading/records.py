"""Raw records, one row per observation, from a file to a `Trial`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ahsct_trial.columns import ATTRIBUTES, MEASUREMENTS, PATIENT_ID, RECORDS
from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.loading.checks import Violation, cell_violations
from ahsct_trial.loading.coded_records import CODES, NOBODY, Coded, Condensed, code, condense, kinds, spread
from ahsct_trial.loading.header import Header
from ahsct_trial.loading.problems import fatal
from ahsct_trial.loading.reading import IsWrong, Shape, read_checked, similar_identifiers
from ahsct_trial.loading.rows import CodedTexts, Rows
from ahsct_trial.loading.source import Source
from ahsct_trial.protocol import TimeZero
from ahsct_trial.records import IntArray, Observations, Records, is_first_of_patient, is_same_day
from ahsct_trial.results import Notice
from ahsct_trial.trial import Trial

if TYPE_CHECKING:
    from pandas import DataFrame

_ONCE = ("baseline", "transplant", "observed_from", "death")
_LONGEST_DAYS = next(column.high for column in RECORDS if column.name == "day")


def read_records(source: Source, header: Header, time_zero: TimeZero) -> Trial:
    """Read, check and code the records.

    Raises
    ------
    DataProblems
        All that is wrong with the file, at once.
    """
    has_day, has_date = (
        any(column.name == name for column in header.known.values()) for name in ("day", "date")
    )
    if has_day == has_date:
        raise fatal(
            source.file,
            "the header has both day and date" if has_day else "the header has neither day nor date",
            "records have whole days from transplant or dates",
            "Keep one of the two columns." if has_day else "Add one of the two columns.",
            line=header.body_line - 1,
        )
    if header.date_format is not None:
        _refuse_date_format(header.date_format)
    read = read_checked(source, header, _SHAPE)
    coded = read.meaning
    records = Records(
        observations={kind: own for kind, (own, _) in coded.ordered.items()},
        values={name: own for _, values in coded.ordered.values() for name, own in values.items()},
        patients=_patients(coded),
    )
    notices = (*header.notices, *similar_identifiers(coded.identifiers), *_notices(coded))
    return read.trial(records, notices, time_zero)


def _refuse_date_format(form: str) -> None:
    """Raise UsageError for a form that does not hold a whole date."""
    import re

    day = date(2003, 12, 31)
    try:
        is_whole = datetime.strptime(day.strftime(form), form).date() == day
    except (ValueError, re.error):  # the latter for a directive that stands there twice
        is_whole = False
    if not is_whole:
        raise UsageError(
            f"The date format is '{shown(form)}'; it must have a day, a month and a year once each, "
            "for example %d.%m.%Y."
        )


def _check_rows(
    rows: Rows, header: Header, is_unreadable: Mapping[str, NDArray[np.bool_]], is_wrong: IsWrong
) -> Iterator[Violation]:
    for violation in cell_violations(rows, header.known.values(), is_unreadable, is_wrong):
        is_of_other_form = violation.column == "date" and header.date_format is not None
        yield replace(violation, rule=_rule_of_form(header)) if is_of_other_form else violation
    yield from _misplaced(rows, is_unreadable)


def _judge(
    parts: Sequence[Condensed], lines: NDArray[np.int64], is_wrong: IsWrong, header: Header
) -> tuple[Coded, Iterator[Violation]]:
    clock = next(column.name for column in header.known.values() if column.name in {"day", "date"})
    coded = code(parts, clock, lines)
    return coded, _violations(coded, is_wrong)


def _violations(coded: Coded, is_wrong: IsWrong) -> Iterator[Violation]:
    coded, found = _judge_days(coded, is_wrong.get(coded.clock))
    yield from found
    yield from _repeated(coded)
    yield from _impossible_order(coded)
    yield from _contradicting_edss(coded, is_wrong.get("edss"))
    yield from _never_followed(coded)


def _rule_of_form(header: Header) -> str:
    form = shown(str(header.date_format)).replace("{", "{{").replace("}", "}}")
    return f"it must be a date that exists, in the form {form}"


def _misplaced(rows: Rows, is_unreadable: Mapping[str, NDArray[np.bool_]]) -> Iterator[Violation]:
    """Measurements that a kind of record needs and lacks, or has and does not take."""
    codes = kinds(rows)
    for kind, columns in MEASUREMENTS.items():
        present = [column for column in columns if rows.has(column)]
        has_value = np.zeros(len(rows), dtype=bool)
        for column in present:
            given = rows.columns[column].rows
            if column in is_unreadable:
                given = np.union1d(given, np.flatnonzero(is_unreadable[column]))
            has_value[given] = True
            others = given[(codes[given] != CODES[kind]) & (codes[given] >= 0)]
            if others.size:
                yield Violation(
                    others,
                    column,
                    f"the record is {{record}}, and only {_article(kind)} record holds it",
                    "Move it to a record of its own, or leave it empty.",
                )
        lacking = np.flatnonzero((codes == CODES[kind]) & ~has_value)
        if kind != "death" and lacking.size:
            needs = "it" if len(columns) == 1 else f"one of {', '.join(columns)}"
            yield Violation(
                lacking,
                (present or columns)[0],
                f"{_article(kind)} record needs {needs}",
                "Enter it, or remove the record.",
            )


def _article(kind: str) -> str:
    return f"an {kind}" if kind in {"edss", "mri", "observed_from"} else f"a {kind}"


def _judge_days(coded: Coded, is_wrong: NDArray[np.bool_] | None) -> tuple[Coded, list[Violation]]:
    """What is wrong with days, and the records without them, so that nothing else is said of them.

    `is_wrong` is where the cell itself was found wrong.
    """
    found = []
    if is_wrong is None:
        is_wrong = np.zeros(0, dtype=bool)
    else:
        coded = _without_days(coded, is_wrong)
    if coded.is_dateless.any():
        is_missing = ~coded.has_time & coded.is_dateless & (coded.kind >= 0)
        if is_wrong.size:
            is_missing &= ~is_wrong
        if is_missing.any():
            rule = "every record but a baseline needs it"
            found.append(Violation(np.flatnonzero(is_missing), coded.clock, rule, "Enter it."))
        if coded.clock == "date":
            found += _without_transplant(coded)
    if coded.clock == "day":
        transplants = coded.ordered["transplant"][0]
        moved = np.sort(transplants.row[transplants.day != 0])
        if moved.size:
            found.append(
                Violation(moved, "day", "the transplant is day 0", "Count all days from the transplant.")
            )
    elif max(-int(coded.day.min(initial=0)), int(coded.day.max(initial=0))) > _LONGEST_DAYS:
        is_far = np.abs(coded.day) > _LONGEST_DAYS
        coded = _without_days(coded, is_far)
        rule = f"it is more than {_LONGEST_DAYS:,.0f} days from the patient's transplant"
        found.append(Violation(np.flatnonzero(is_far), "date", rule, "Correct one of the two."))
    return coded, found


def _without_days(coded: Coded, is_wrong: NDArray[np.bool_]) -> Coded:
    """The records, with no day where it is wrong."""
    is_dateless = coded.is_dateless | (is_wrong & (coded.kind != CODES["baseline"]))
    return replace(coded, day=np.where(is_wrong, np.int32(0), coded.day), is_dateless=is_dateless)


def _without_transplant(coded: Coded) -> Iterator[Violation]:
    """Patients of a dated file without a transplant, at the first of their dates.

    One whose transplant has no date, or who has a record of unknown kind, has another problem to solve first.
    """
    is_excused = np.zeros(coded.n_patients + 1, dtype=bool)
    is_excused[coded.patient[(coded.kind < 0) | (coded.kind == CODES["transplant"])]] = True
    is_excused[NOBODY] = True
    lost = np.flatnonzero(coded.is_dateless & ~is_excused[coded.patient] & coded.has_time)
    if lost.size:
        yield Violation(
            _first_of_each(coded.patient, lost),
            "date",
            "the patient has no transplant record, so no day 0",
            "Add the transplant with its date.",
        )


def _first_of_each(patient: IntArray, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """The first of the rows for each patient that has one, ascending."""
    return np.sort(rows[np.unique(patient[rows], return_index=True)[1]])


def _repeated(coded: Coded) -> Iterator[Violation]:
    """Records of which a patient has one, and has more."""
    for kind in _ONCE:
        patient = coded.ordered[kind][0].patient
        if not (~is_first_of_patient(patient) & (patient != NOBODY)).any():
            continue
        rows = coded.rows[kind]
        rows = rows[coded.patient[rows] != NOBODY]
        _, first, place = np.unique(coded.patient[rows], return_index=True, return_inverse=True)
        is_again = first[place] != np.arange(len(rows))
        yield Violation(
            rows[is_again],
            "record",
            f"the patient has {_article(kind)} record on line {{other_line}} already",
            "Keep one of them.",
            rows[first[place]][is_again],
        )


def _impossible_order(coded: Coded) -> Iterator[Violation]:
    clock = coded.clock
    deaths = coded.ordered["death"][0]
    early = np.sort(deaths.row[deaths.day < 0])
    if early.size:
        yield Violation(
            early, clock, "that is a death before the transplant", "Correct it, or remove the patient."
        )
    is_dated = (deaths.patient != NOBODY) & (deaths.day >= 0) & ~coded.is_dateless[deaths.row]
    # One place more than there are patients: rows without an identifier are compared with "never" at −1. Of
    # two deaths the later one stands.
    died_on = np.full(coded.n_patients + 1, np.iinfo(np.int32).max, dtype=np.int32)
    died_on[deaths.patient[is_dated]] = deaths.day[is_dated]
    if (coded.last_day > died_on[:-1]).any():
        after = np.flatnonzero(coded.day > died_on[coded.patient])
        death_of = np.zeros(coded.n_patients + 1, dtype=np.intp)
        death_of[deaths.patient[is_dated]] = deaths.row[is_dated]
        yield Violation(
            after,
            clock,
            "the patient died before, by the record on line {other_line}",
            "Correct one of the two.",
            death_of[coded.patient[after]],
        )
    starts = coded.ordered["observed_from"][0]
    late = np.sort(starts.row[starts.day > 0])
    if late.size:
        fix = "Correct it: days before the transplant are negative." if clock == "day" else "Correct it."
        yield Violation(late, clock, "the relapse history begins at or before the transplant", fix)


def _contradicting_edss(coded: Coded, is_wrong: NDArray[np.bool_] | None) -> Iterator[Violation]:
    """EDSS scores of one patient and day that differ from the first one; wrong cells are left out."""
    visits, values = coded.ordered["edss"]
    if "edss" not in values:
        return
    edss = values["edss"]
    is_again = is_same_day(visits)
    if not (is_again & (edss[1:] != edss[:-1])).any():
        return
    is_known = ~np.isnan(edss) & (visits.patient != NOBODY) & ~coded.is_dateless[visits.row]
    if is_wrong is not None:
        is_known &= ~is_wrong[visits.row]
    visits, edss = Observations(*(own[is_known] for own in visits)), edss[is_known]
    is_new_day = np.append(True, ~is_same_day(visits))[: len(edss)]
    first = np.maximum.accumulate(np.where(is_new_day, np.arange(len(edss)), 0))
    differs = np.flatnonzero(edss != edss[first])
    differs = differs[np.argsort(visits.row[differs])]
    if differs.size:
        yield Violation(
            visits.row[differs],
            "edss",
            "line {other_line} has another score of the same day",
            "Keep the right one.",
            visits.row[first[differs]],
        )


def _never_followed(coded: Coded) -> Iterator[Violation]:
    """Patients without a record from day 0 on, at the first of their rows."""
    is_unseen = coded.last_day < 0
    if not is_unseen.any():
        return
    rows = np.flatnonzero(np.append(is_unseen, False)[coded.patient])  # nobody, at −1, is not missed
    yield Violation(
        _first_of_each(coded.patient, rows),
        "record",
        "the patient has no record from the transplant on, so no follow-up",
        "Add a transplant and a last_contact record, or remove the patient.",
    )


def _patients(coded: Coded) -> DataFrame:
    """`patient_id` and the attributes of the baseline records, one row per patient."""
    import pandas as pd  # not before it is needed: it may be imported while the file is read

    columns: dict[str, Any] = {PATIENT_ID.name: coded.identifiers.to_pandas()}
    rows = coded.rows["baseline"]
    if rows.size:
        place = np.full(coded.n_patients, -1)  # for a patient without one: what is appended stands last
        place[coded.patient[rows]] = np.arange(len(rows))
        for name, cells in coded.attributes.items():
            if isinstance(cells, CodedTexts):
                places = np.append(cells.places, np.int32(-1))[place]
                texts = pd.Categorical.from_codes(places, pd.Index(cells.different), validate=False)
                # Some may stand on records of other kinds alone.
                columns[name] = texts.remove_unused_categories()
            else:
                columns[name] = np.append(cells, np.nan)[place]
    return pd.DataFrame(columns, copy=False)


def _notices(coded: Coded) -> Iterator[Notice]:
    """What a person should know about records that are read and not used."""
    elsewhere = [column.name for column in ATTRIBUTES if column.name in coded.attributed_elsewhere]
    if elsewhere:
        text = f"Not read on records other than baseline: {', '.join(elsewhere)}."
        yield Notice(code="attributes-elsewhere", text=text)
    if coded.has_time[coded.ordered["baseline"][0].row].any():
        yield Notice(code="baseline-time", text=f"Not read on baseline records: {coded.clock}.")
    if "new_lesions" in coded.values:
        n_fewer = _n_scans_with_fewer_new_lesions(coded)
        if n_fewer:
            noun = "1 scan" if n_fewer == 1 else f"{n_fewer:,} scans"
            yield Notice(
                code="fewer-new-lesions",
                text=f"On {noun} new_lesions is lower than gd_lesions or new_t2_lesions, and should "
                "hold each of these once. It is taken as it is.",
            )
    relapses, starts = coded.ordered["relapse"][0], coded.ordered["observed_from"][0]
    if not relapses.row.size and not starts.row.size:
        text = "There is no relapse or observed_from record: relapse endpoints are not in this file."
        yield Notice(code="no-relapse-record", text=text)
    begin = np.full(coded.n_patients, np.iinfo(np.int32).min)
    begin[starts.patient] = starts.day
    n_early = int(np.count_nonzero(relapses.day < begin[relapses.patient]))
    if n_early:
        noun = "1 relapse lies" if n_early == 1 else f"{n_early:,} relapses lie"
        text = f"{noun} before observed_from, outside the observed time: left out of the rate before."
        yield Notice(code="relapses-before-history", text=text)
    for kind, noun in (("relapse", "relapse"), ("mri", "scan")):
        n_again = int(np.count_nonzero(is_same_day(coded.ordered[kind][0])))
        if n_again:
            of_them = f"1 {noun} stands" if n_again == 1 else f"{n_again:,} {noun}s stand"
            yield Notice(
                code="same-day",
                text=f"{of_them} on a day on which the patient has another one already: each is counted. "
                "Is it entered twice?",
            )


def _n_scans_with_fewer_new_lesions(coded: Coded) -> int:
    new_lesions = coded.values["new_lesions"]
    is_fewer = np.zeros(len(new_lesions), dtype=bool)
    for kind in ("gd_lesions", "new_t2_lesions"):
        if kind in coded.values:
            is_fewer |= new_lesions < coded.values[kind]
    return int(np.count_nonzero(is_fewer))


_SHAPE = Shape(_check_rows, condense, _judge, spread)
