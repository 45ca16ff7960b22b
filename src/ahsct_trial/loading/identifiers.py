"""What is wrong with identifiers: rows of totals, invisible characters, and those of perhaps one patient."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ahsct_trial.columns import PATIENT_ID
from ahsct_trial.loading.problems import Violation, of_rows
from ahsct_trial.loading.table import Table
from ahsct_trial.loading.values import Values
from ahsct_trial.records import IntArray
from ahsct_trial.results import Notice
from ahsct_trial.trial import Places

#: What stands in place of an identifier before totals, means and other summaries.
_SUMMARY_WORDS = (
    "((sub|sous|grand|zwischen)[ -]?)?(total|totals|totaux|totale|totales|totaal|totalt|summe)"
    "|sum|sums|mean|means|average|averages|median|count|number|overall|((all|no\\. of|number of) )?patients"
    "|minimum|maximum|range|interquartile range|standard deviation|standard error|percent|percentage"
    "|std?\\.? ?dev|(gesamt|teil)summe|gesamt|gesamtergebnis|insgesamt|mittelwert|mittel|prozent"
    "|durchschnitt|anzahl|stdabw|standardabweichung|varianz|alle patienten|somme|moyenne|médiane|mediane|ensemble"
    "|nombre|[ée]cart[ -]type|variance|pourcentage|somma|media|medie|mediana|varianza|deviazione standard|percentuale"
    "|promedio|desviación estándar|porcentaje|gemiddelde|mediaan|aantal|média|desvio padrão|summa|medel"
    "|medelvärde|snitt|antall|prosent|i alt|gjennomsnitt|gennemsnit|keskiarvo|yhteensä|średnia|razem|celkem"
    "|průměr|ukupno|skupaj|összesen|összeg|átlag|medián|toplam|ortalama|σύνολο|итого|всего|среднее"
    "|合計|平均|平均値|总计|合计|합계|평균"
)
#: The same where it may be a patient's initials.
_SHORT_SUMMARY_WORDS = (
    "n|sd|se|sem|std|iqr|min|max|avg|mw|med|moy|all|alle|tous|tutti|todos|suma|som|soma|antal|σ|∑|ø|%"
)
#: Those of them that are names, too.
_NAMES = "max|min|antal|suma|som|soma"
#: What may follow: a comment in brackets, a second measure, a number of patients, words. Not a number alone, as in an
#: identifier that begins with the name of a trial.
_AFTER_SUMMARY = r"(\s*([(\[].*[)\]]|[±+/&:].*|[–-]\s*max\.?)|(\s+\pL+)*\s*=\s*[0-9.,]+|(\s+\pL+)+)?$"
#: What such a comment begins with.
_SIGNS = "([=±:"
#: An identifier that is perhaps no patient's: those without a digit, and those with such a comment.
_MAYBE_SUMMARY = rf"^[^0-9]+$|[{re.escape(_SIGNS)}]"

#: Groups of identifiers that are told.
_SHOWN_GROUPS = 5


def unusable_identifiers(values: Values) -> Iterator[Violation]:
    """Identifiers that cannot be read in a list."""
    if _are_plain(values.texts):
        return
    is_broken = pc.match_substring_regex(values.texts, r"[\r\n]").to_numpy(zero_copy_only=False)
    if (rows := values.rows_of(is_broken)).size:
        yield Violation(
            rows,
            values.column.name,
            "an identifier stands on one line",
            "Correct it, and look for a quote that is opened there and not closed.",
        )
    is_unseen = pc.match_substring_regex(values.texts, r"^[\s\pZ\p{C}]+$").to_numpy(zero_copy_only=False)
    if (rows := values.rows_of(is_unseen & ~is_broken)).size:
        yield Violation(rows, values.column.name, "it consists of invisible characters alone", "Correct it.")


def summary_rows(table: Table, *, is_patient_table: bool, is_end: bool) -> NDArray[np.intp]:
    """Rows of totals or means, by their identifier.

    A word such as ``Total`` stands for no patient wherever it is. What may be initials, as ``N`` or ``SD``, is one only
    in the last rows of a patient table, and where every identifier of a patient is longer or has a digit.
    """
    identifiers = table.texts_of(PATIENT_ID.name)
    if _are_numbered(identifiers.texts):
        return np.empty(0, dtype=np.intp)
    is_maybe = pc.match_substring_regex(identifiers.texts, _MAYBE_SUMMARY).to_numpy(zero_copy_only=False)
    if not is_maybe.any():
        return np.empty(0, dtype=np.intp)
    is_word, is_short = (
        _is_one_of(identifiers.texts, is_maybe, words) for words in (_SUMMARY_WORDS, _SHORT_SUMMARY_WORDS)
    )
    rows = identifiers.rows_of(is_word)
    if not (is_patient_table and is_end and is_short.any()):
        return rows
    is_patient = ~(is_word | is_short)
    # A text that stands for missing is in no row.
    is_patient[np.setdiff1d(np.arange(len(identifiers.texts)), identifiers.codes)] = False
    patients = identifiers.texts.filter(pa.array(is_patient))
    shortest = pc.min(pc.utf8_length(patients)).as_py() or 0
    has_digits = bool(pc.all(pc.match_substring_regex(patients, "[0-9]")).as_py())
    if pc.any(pc.match_substring(patients, ":")).as_py():  # SE:001 beside NO:001 is a patient's
        is_short &= ~pc.match_substring(identifiers.texts, ":").to_numpy(zero_copy_only=False)
    is_short &= has_digits | (pc.utf8_length(identifiers.texts).to_numpy(zero_copy_only=False) < shortest)
    is_summary = np.append(is_word | is_short, False)[identifiers.codes]
    others = np.flatnonzero(~is_summary)
    start = others[-1] + 1 if others.size else 0
    is_name = _is_one_of(identifiers.texts, is_short, _NAMES)
    if not has_digits and start == len(table) - 1 and is_name[identifiers.codes[start]]:
        return rows  # Max beside Anna and Bert; a maximum mostly stands beside a minimum or a mean
    return np.union1d(rows, np.arange(start, len(table)))


def _are_numbered(texts: pa.StringArray) -> bool:
    """Whether each ends in a digit and none has a sign of a comment, so that none is a summary.

    Most are like that, and the regular expression takes ten times as long to see it.
    """
    last = _last_characters(texts)
    if not (last.min(initial=ord("0")) >= ord("0") and last.max(initial=ord("9")) <= ord("9")):
        return False
    used = _characters(texts)
    return not any(np.any(used == sign) for sign in _SIGNS.encode())


def _is_one_of(texts: pa.StringArray, is_maybe: NDArray[np.bool_], words: str) -> NDArray[np.bool_]:
    """Which of the texts that may be one of these words are, without regard to case and signs around them."""
    is_one = np.zeros(len(texts), dtype=bool)
    folded = pc.utf8_lower(pc.utf8_trim(texts.filter(pa.array(is_maybe)), characters=" \t:.=*-–—'\"_#~<>"))
    is_one[is_maybe] = pc.match_substring_regex(folded, f"^({words}){_AFTER_SUMMARY}").to_numpy(
        zero_copy_only=False
    )
    return is_one


# ---- All rows of a file ----------------------------------------------------------------------------------


def alike_identifiers(
    identifiers: pa.StringArray, rows_of: Callable[[IntArray], IntArray], places: Places
) -> Iterator[Notice]:
    """Different identifiers that are perhaps of one patient, by the line on which each stands first.

    Parameters
    ----------
    identifiers
        The different identifiers; null where one is missing, which is another problem.
    rows_of
        Gives the first row of each of some identifiers, by their places.
    places
        Where rows stand.
    """
    if not _may_be_alike(identifiers):
        return
    # The first place is that of missing ones.
    codes = _fold(identifiers).dictionary_encode().indices.fill_null(-1).to_numpy() + 1
    n_of = np.bincount(codes)
    groups = np.flatnonzero(n_of[1:] > 1) + 1
    if not groups.size:
        return
    order = np.argsort(codes, kind="stable")
    start = np.cumsum(n_of) - n_of
    rows = [np.sort(rows_of(order[start[one] : start[one] + n_of[one]])) for one in groups[:_SHOWN_GROUPS]]
    told = "; ".join(of_rows(places, group) for group in rows)
    n_more = len(groups) - _SHOWN_GROUPS
    more = f"; and {n_more:,} more" if n_more > 0 else ""
    noun = "group of identifiers differs" if len(groups) == 1 else "groups of identifiers differ"
    text = (
        f"{len(groups):,} {noun} only by case, blanks, forms of letters, leading zeros or a final .0 "
        f"({told}{more}). Each identifier is a patient here: is it one patient?"
    )
    yield Notice(code="identifiers-alike", severity="look first", text=text)


def _may_be_alike(identifiers: pa.StringArray) -> bool:
    """False where bytes and lengths show that no two can be: folding a million takes a second."""
    if not _are_plain(identifiers):
        return True
    used = _characters(identifiers)
    has_lower = np.any((used >= ord("a")) & (used <= ord("z")))
    has_upper = np.any((used >= ord("A")) & (used <= ord("Z")))
    if (has_lower and has_upper) or np.any(used == ord(".")):
        return True
    # Of the same length they are still different without leading zeros.
    shortest, longest = (pc.min_max(pc.binary_length(identifiers))[end].as_py() for end in ("min", "max"))
    return bool(shortest != longest and pc.any(pc.starts_with(identifiers, "0")).as_py())


def _fold(texts: pa.StringArray) -> pa.StringArray:
    """Identifiers without what people and programs change: form, case, blanks, leading zeros, a final .0."""
    folded: Any = pc.utf8_lower(pc.utf8_normalize(texts, form="NFKC"))
    for letter, other in (("ß", "ss"), ("ς", "σ")):  # of which upper case makes one
        folded = pc.replace_substring(folded, letter, other)
    folded = pc.replace_substring_regex(folded, r"[\s\pZ\p{Cf}]", "")
    folded = pc.replace_substring_regex(folded, r"\.0+$", "")
    return pc.replace_substring_regex(folded, r"^0+(.)", r"\1")


# ---- The characters of many texts ------------------------------------------------------------------------


def _characters(texts: pa.StringArray) -> NDArray[np.uint8]:
    """The bytes of all strings of an array, one after the other."""
    data = texts.buffers()[2]
    if data is None:
        return np.zeros(0, dtype=np.uint8)
    ends = _ends(texts)
    return np.frombuffer(data, np.uint8)[ends[0] : ends[-1]]


def _last_characters(texts: pa.StringArray) -> NDArray[np.uint8]:
    """The last byte of each string of an array that is not empty."""
    starts, ends = _ends(texts)[:-1], _ends(texts)[1:]
    data = texts.buffers()[2]
    return np.frombuffer(b"" if data is None else data, np.uint8)[ends[ends > starts] - 1]


def _ends(texts: pa.StringArray) -> NDArray[np.int32]:
    """Where the strings of an array begin in its bytes, and behind the last where that ends."""
    return np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1]


def _are_plain(texts: pa.StringArray) -> bool:
    """Whether all characters are visible ones of ASCII; a closer look at others costs ten times as much."""
    used = _characters(texts)
    return bool(used.min(initial=0x21) > ord(" ") and used.max(initial=0) < 0x7F)
