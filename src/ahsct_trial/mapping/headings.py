"""What a heading may mean, in English, German, French, Spanish, Italian and Portuguese.

A pattern is searched in the heading in lower case, without accents, with a blank for each other sign:
`Todesdatum`, `Date de décès` and `fecha_muerte` are all of a death. Of several meanings the first in the list
is taken.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_OTHER_SIGNS = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Meaning:
    """What a heading may mean, and whether the word leaves no doubt."""

    role: str
    pattern: re.Pattern[str]
    is_sure: bool = True


def plain(heading: str) -> str:
    """A heading in lower case, without accents, its words parted by one blank."""
    text = _CAMEL.sub(" ", heading).replace("ß", "ss").casefold()
    bare = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return _OTHER_SIGNS.sub(" ", bare).strip()


def _meanings(*declared: tuple[str, str] | tuple[str, str, bool]) -> tuple[Meaning, ...]:
    return tuple(Meaning(role, re.compile(pattern), *rest) for role, pattern, *rest in declared)


#: Columns that identify the patient.
PATIENT = _meanings(
    ("patient_id", r"^(usubjid|record id|pat(ient(en|s)?)? ?(id|nr|no|nummer|code|number|num|ident\w*))$"),
    ("patient_id", r"^(id|patient|patid|patnr|subjid|subject( id)?|pid|study id|studien ?(id|nr))$"),
    ("patient_id", r"^(identifiant|(n|no|num|numero|id|codigo|codice|code) (del |do |de )?(patient|paciente|paziente|doente|dossier)|paciente|paziente|doente)$"),
    ("patient_id", r"\b(patient|paciente|paziente|doente|subject|proband|fall ?(nr|nummer|id)|mrn)\b|^(nr|no|code|codigo|codice|numero|num)$", False),
)  # fmt: skip

#: Columns of dates.
DATES = _meanings(
    ("birth", r"birth|\bdob\b|geburt|\bgeb\b|naiss|nacim|nascit|nascim"),
    ("death", r"death|\bdied\b|\bdthdtc?\b|\bdth|deceas\w*|verstorb\w*|\btod(es\w*)?\b|gestorb\w*|sterbe|\bdeces|\bmort\b|\bmort[eo]|fallec\w*|muerte|defunc\w*|\bobito|falec\w*|exitus"),
    ("other", r"\b(ms|disease|erkrankung\w*|krankheit\w*|maladie|enfermedad|malattia|doenca|first|erst\w*)\b.*(onset|beginn|debut|inizio|inicio)|diagnos|symptom|consent|einwillig|created|modified|randomi"),
    ("last_contact", r"\b(last|letzt\w*|dern\w*|ultim\w*)\b.*(contact|kontakt|seen|visit|kontrol|control|follow|fu\b|info|exam|clinical|nouvel|suivi|seguim|contat|unters|consult|revis)\w*|\blfu\b|end of (study|follow)"),
    ("transplant", r"transplant|\btx\b|hsct|hszt|\baszt\b|\basct\b|\bsct\b|\bstammzell|\bszt\b|trapiant|trasplant|greffe|stem cell|\bbmt\b|\bkmt\b|\b[ta]?c?tmo\b"),
    ("transplant", r"\bop\b|infusion|\b(day|tag|jour|dia|giorno) ?0\b", False),
    ("relapse", r"relaps|schub|schueb|pousse|\bbrote|ricadut|recidiv|recaid|\bsurto|\battack|\bbout\b"),
    ("therapy", r"therap|treat|\bdmt\b|\bdrug|medik|traitement|trattam|tratam|farmac|behandl"),
    ("mri", r"\bmri\b|\bmrt\b|\birm\b|\brmn?\b|\bscan|magnet"),
    ("visit", r"\bdate|datum|\bfecha|\bdata\b|\bdat\b|visit\w*|\bexam\w*|unters\w*|assess\w*|\bdtc\b"),
)  # fmt: skip

#: Columns of whole days from transplant.
DAYS = _meanings(("day", r"\b(day|days|tag|tage|jour|jours|dia|dias|giorno|giorni)\b"))

#: Columns of scores and counts.
MEASURES = _meanings(
    ("edss", r"^(edss|edss (score|total|wert|gesamt|value|entered|punkte|puntaje|punteggio)|(score|total|gesamt) edss)$"),
    ("edss", r"\bedss\b", False),
    ("enlarging", r"enlarg\w*|grosser\w*|groesser\w*|vergross\w*|vergroess\w*|agrand\w*|ingrand\w*|crecim\w*|aument\w*"),
    ("new_t2_lesions", r"(new|neue?|nouv\w*|nuev\w*|nuov\w*|nov[ao]s?) ?t2|t2 ?(new|neu|nouv|nuev|nuov|nov)"),
    ("gd_lesions", r"\bgd\b|\bgad\w*|gadolin\w*|enhanc\w*|\bkm\b|kontrast\w*|rehauss\w*|realce|captant\w*|captaz\w*|\bt1 ?gd"),
    ("new_t2_lesions", r"\b(new|neue?|nouv\w*|nuev\w*|nuov\w*|nov[ao]s?)\b", False),
)  # fmt: skip

#: An age of which nothing says when.
AGE_ALONE = re.compile(r"^(age|alter|edad|eta|idade)( (in )?(y|yrs|years|jahren?|ans|anos|anni))?$")
#: Columns of what is known of a patient, and of codes.
ATTRIBUTES = _meanings(
    ("cause_of_death", r"todesursache|(cause|causa|ursache|grund).*(death|\btod|deces|mort|muerte|fallec|obito|exitus)|(death|decesso|exitus).*cause|^cod$"),
    ("vital_status", r"vital ?(status|state)|^status$|\b(alive|dead|deceased|died|death|lives?|lebt|lebend|verstorben|gestorben|tot|tod|vivant|decede|decedee|mort|morte|morto|viv[ao]|fallecid[ao]|muert[ao]|exitus|decedut[ao]|falecid[ao]|obito)\b|statut vital|estado vital|stato in vita"),
    ("sex", r"^(sex|sexe|sexo|sesso|gender|genre|genero|geschl\w*)\b"),
    ("ms_course", r"course|verlauf\w*|\bms ?(type|typ|form|phenotype)|phenotyp|fenotip|^(forme|forma|tipo)( (de|di) .*)?$|evoluti"),
    ("age_years", AGE_ALONE.pattern),
    ("age_years", r"^(age (at )?(baseline|transplant|tx|inclusion|hsct|ahsct)|alter bei (transplantation|tx|hsct|ahsct|szt|einschluss|studieneinschluss|op))$"),
    ("site", r"^(site|sites?id|site id|cent(er|re)|zentrum|hospital|hopital|ospedale|centro)\b"),
    ("site", r"^klinik$", False),
    ("arm", r"^(arm|trt01p|treatment arm|bras|braccio|brazo|braco)$"),
    ("arm", r"^(gruppe|group)$", False),
    ("region", r"region|exam type|body (part|site)|localis|localiz|\barea\b|organ\b|koerperteil"),
    ("treatment", r"^(treatment|treatment name|therap\w*|drug|inn|medik\w*|traitement|trattamento|tratamiento|tratamento|procedure|prtrt)$"),
)  # fmt: skip

#: What the name of a file or sheet says of its rows.
TABLES = _meanings(
    ("relapse", r"relaps|schub|schueb|pousse|brote|ricadut|recidiv|surto|episod|attack"),
    ("mri", r"\bmri\b|\bmrt\b|\birm\b|\brmn?\b|scan"),
    ("edss", r"edss|visit|clinical|klinik"),
    ("therapy", r"therap|treat|\bdmt\b|medik|traitement|trattam|tratam"),
)

#: Texts that mean that nothing is known, as they are found in sheets; not those that may mean none.
UNKNOWN = frozenset(
    ("-", "--", "–", "—", "?", "??", "n.e.", "ne", "n.d.", "nd", "n/d", "k.a.", "ka", "k. a.", "unk", "unknown",
     "unbekannt", "missing", "fehlt", "inconnu", "inconnue", "desconocido", "sconosciuto", "desconhecido", "s/d",
     "nicht bekannt", "not known", "not available", "not done"),
)  # fmt: skip

#: A text that names the transplant among other treatments.
TRANSPLANT = re.compile(
    r"hsct|hszt|\ba?szt\b|\ba?sct\b|\bbmt\b|\bkmt\b|\btmo\b|stem cell|transplant|stammzell|trapiant|trasplant|greffe"
)
#: A text that says nothing else: not an allogeneic one, nor the mobilisation before it, nor one that was planned.
TRANSPLANT_ALONE = re.compile(
    r"((auto|autolog\w*|a?hsct|asct|a?hszt|aszt|sct|szt|stem|cell|cells|transplant|transplants|transplantation|transplante"
    r"|trasplante|trapianto|greffe|ha?ematopoietic|hamatopoetische?|hematopoietiques?|stammzell(en|transplantation|tx)?|cellules?|souches?"
    r"|cellule|staminali|celulas|madre|tronco|de|di|of)( |$))+"
)


#: Dates of which a heading names one: with two of them it may mean either.
ONE_OF = frozenset(["death", "last_contact", "transplant", "relapse"])

#: A date of one relapse among several.
ONE_OF_SEVERAL = re.compile(r"\b(1st|first|last|latest|erst\w*|letzt\w*|prem\w*|prim\w*|dern\w*|ultim\w*)\b")
#: Units of a time that a heading names.
UNITS = (
    ("months", re.compile(r"\b(mo|months?|monate?n?|mois|mes|meses|mesi|mese)\b")),
    ("days", re.compile(r"\b(d|days?|tage?n?|jours?|dias?|giorn[io])\b")),
    ("years", re.compile(r"\b(y|yrs?|years?|jahre?n?|ans?|annees?|anos?|ann[io])\b")),
)

#: Words that add nothing to a heading.
_NEUTRAL = frozenset(
    [
        "a",
        "am",
        "an",
        "date",
        "dates",
        "datum",
        "dat",
        "dt",
        "dtc",
        "day",
        "tag",
        "jour",
        "dia",
        "giorno",
        "data",
        "fecha",
        "of",
        "the",
        "de",
        "der",
        "des",
        "die",
        "den",
        "del",
        "della",
        "di",
        "do",
        "da",
        "du",
        "la",
        "le",
        "l",
        "d",
        "el",
        "il",
        "o",
        "os",
        "as",
        "em",
        "et",
        "vom",
        "von",
        "bei",
        "at",
        "on",
        "time",
        "onset",
        "zeit",
        "beginn",
        "begin",
        "start",
        "debut",
        "inizio",
        "inicio",
        "heure",
        "n",
        "no",
        "count",
        "anzahl",
        "number",
        "nombre",
        "numero",
        "total",
        "n1",
        "nb",
        "anz",
        "lesion",
        "lesions",
        "lesioni",
        "lesiones",
        "lesoes",
        "lasionen",
        "laesionen",
        "ms",
        "id",
        "code",
        "letzter",
    ]
)


def meaning(heading: str, among: tuple[Meaning, ...]) -> Meaning | None:
    """The first meaning that a heading may have."""
    text = plain(heading)
    return next((each for each in among if each.pattern.search(text)), None)


#: What a matched part of a word may go on with: an ending, then a word that adds nothing, as in Schubbeginn and
#: Transplantationsdatum. Another rest makes another word: Schubende, Stammzellmobilisierung.
_REST = re.compile(r"(ation(s|en)?|[a-z]{0,2})s?(datum|date|dat|beginn|begin|start|onset|tag)?")


def has_other_words(heading: str, meant: Meaning) -> bool:
    """Whether a heading says more: `last relapse before transplant` is no date of transplant, `Schubende` no onset."""
    text = plain(heading)
    spans = [found.span() for found in meant.pattern.finditer(text)]
    for word in re.finditer(r"[^ ]+", text):
        ends = [end for start, end in spans if start < word.end() and end > word.start()]
        if not ends:
            if word[0] not in _NEUTRAL:
                return True
        elif not _REST.fullmatch(text[min(max(ends), word.end()) : word.end()]):
            return True
    return False
