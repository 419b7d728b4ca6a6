"""Reads and asks the rows of SEA-HELM in the one way that all of its sets share
(arXiv 2502.14301, `aisingapore/SEA-HELM`).

A row: id=411, label="positive", prompts=[{"text": "Cepak saka hotelku ..."}],
prompt_templates=["Apa sentimen ...{fewshot_examples}\\n\\nUkara:\\n```{text}```"],
metadata={"language": "jv"}

Each row brings the words in which it is asked: what stands before ``{fewshot_examples}`` is the
preamble, said once; what stands behind it asks the item. A chat is one message without examples. A
base model sees five examples and then the item, blank lines between all of them, and an answer ends
at the first blank line behind its tag, at which other blank lines do not end it.

A directory holds ``seahelm/<pillar>/<task>/data/<code>_*.jsonl`` as version 1 published them
(``seahelm_tasks/`` in its repository); a file ``*_examples.jsonl`` beside it has the examples. On
the Hub: a repository a set, a configuration per two-letter code, splits `eval` and `examples`; they
are gated, and were read of and not tried.

Traps: labels are English words or numbers in the rows and the language's own words in the examples
(both are taken); few sets tell their rows apart; one model's answer is read in ways of its own
(`tasks.reading`); licences differ by set, and some forbid commercial use.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tasks.benchmark import Asking, Benchmark, Item, Naming, Place, WrittenForm
from tasks.errors import DataMalformed
from tasks.files import is_there, read_jsonl, report_missing
from tasks.reading import Wording
from tasks.rows import Raw, Row, RowColumn, read_keys, read_texts

SUITE = "SEA-HELM"
HUB_COLUMNS = ("label", "prompts")
HUB_ASIDES = tuple(RowColumn(name) for name in ("id", "prompt_templates", "metadata", "kwargs"))
CODES = {
    "ind_Latn": "id", "jav_Latn": "jv", "sun_Latn": "su", "tam_Taml": "ta", "tha_Thai": "th",
    "vie_Latn": "vi", "tgl_Latn": "tl", "lao_Laoo": "lo", "zsm_Latn": "ms", "mya_Mymr": "my",
    "khm_Khmr": "km",
}  # fmt: skip
"""SEA-HELM's codes by FLORES's."""
TAGS = {
    "id": "Jawaban:", "jv": "Jawaban:", "su": "Jawaban:", "ta": "பதில்:", "th": "คำตอบ:",
    "vi": "Câu trả lời:", "tl": "Sagot:", "lo": "ຄຳຕອບ:", "ms": "Jawapan:", "my": "အဖြေ-",
    "km": "ចម្លើយ៖",
}  # fmt: skip
"""The tag that stands before an answer."""
LETTERS = "ABCD"
NOTHING = "-"
EXAMPLES = "{fewshot_examples}"
_FOLDERS = ("seahelm", "seahelm_tasks")

Labels = Mapping[str, tuple[str, ...]]
"""The answers to choose from, each with the other names that rows have for it."""


def list_columns(*fields: str) -> tuple[RowColumn, ...]:
    """Returns the columns of rows whose prompt has these fields."""
    # The category and the template are never blank, so that no row is left out for them.
    own = ("label", "written", "category", "references", "template")
    return (*read_keys("id"), *read_texts(*fields, *own))


def select_codes(codes: Sequence[str]) -> dict[str, str]:
    """Returns the codes that a set has, by the languages' FLORES codes."""
    return {flores: code for flores, code in CODES.items() if code in codes}


def name_letters(number: int, letters: str = LETTERS) -> dict[str, tuple[str, ...]]:
    """Returns the first letters as labels, which rows also call by their position."""
    return {letter: (str(place),) for place, letter in enumerate(letters[:number])}


def make_wordings(
    labels: Mapping[str, Labels] | None,
    max_tokens: int,
    codes: Sequence[str] = (),
    tags: Mapping[str, str] = TAGS,
) -> dict[str, Wording]:
    """Returns the wording of each language: of its `labels`, or of a text for each of `codes`."""
    if labels is None:
        return {code: Wording(tags[code], max_tokens) for code in codes}
    return {code: Wording(tags[code], max_tokens, own) for code, own in labels.items()}


@dataclass(frozen=True)
class SeahelmSet:
    """A set of SEA-HELM: where its rows lie, and how they are asked.

    folder: below `seahelm/`.
    fields: those of the prompt.
    wordings: by SEA-HELM's code of a language.
    kind: a part of the file's name, where a folder holds several sets.
    passage: the field that questions may share; they are then no independent items.
    by_phenomenon: items are balanced by their linguistic phenomenon instead of the right answer,
        and their ids are told apart by it.
    """

    folder: str
    fields: tuple[str, ...]
    wordings: Mapping[str, Wording]
    kind: str = ""
    by_phenomenon: bool = False
    passage: str = ""

    def make_benchmark(
        self, name: str, title: str, place: int, repository: str, pillar: str, reading: WrittenForm
    ) -> Benchmark:
        """Declares the benchmark of one task: `place` is that in reports, `pillar` that of
        SEA-HELM."""
        return Benchmark(
            name=name,
            tasks=(Naming(name, f"{SUITE} {title}"),),
            place=place,
            repository=repository,
            split="eval",
            complete=None,
            columns=list_columns(*self.fields),
            hub_columns=HUB_COLUMNS,
            asides=HUB_ASIDES,
            identity=("id",),
            read_files=self.read_files,
            read_hub=self.read_hub,
            item=self.make_item,
            shots=0,
            codes=select_codes(list(self.wordings)),
            reading=replace(reading, wordings=self.wordings, read_examples=self.read_examples),
            suite=Place(SUITE, pillar, title),
        )

    def read_files(self, root: Path, code: str) -> list[Raw]:
        """Returns the rows of a language, flat."""
        return self.flatten(read_file(self.find_file(root, code)), code)

    def read_examples(self, root: Path, code: str) -> list[Raw]:
        """Returns the examples of a language, flat."""
        return self.flatten(read_file(self.find_file(root, code, examples=True)), code)

    def find_folder(self, root: Path, code: str, *, examples: bool) -> str:
        """Returns the folder of a language's rows, or of its examples."""
        return self.folder

    def find_file(self, root: Path, code: str, *, examples: bool = False) -> Path:
        """Returns the file of a language, or the one that it should be. Raises DataMalformed where
        there are several."""
        folder = self.find_folder(root, code, examples=examples)
        here = find_place(root, folder)
        apart = examples and not folder.endswith("/examples")
        found = [
            path
            for path in sorted(here.glob(f"{code}_*.jsonl"))
            if self.kind in path.stem and path.stem.endswith("_examples") == apart
        ]
        if len(found) > 1:
            names = ", ".join(path.name for path in found)
            raise DataMalformed(f"{here} has {names}. Remedy: leave one file of {code} there")
        end = "_examples" if apart else ""
        return found[0] if found else here / f"{code}_{self.kind or 'NAME'}{end}.jsonl"

    def read_hub(self, load: Callable[[str], list[Raw]], code: str) -> list[Raw]:
        """Returns the rows of the Hub's repository, flat."""
        return self.flatten(load(code), code)

    def flatten(self, raws: Sequence[Raw], code: str) -> list[Raw]:
        """Returns SEA-HELM's rows with the columns of `list_columns`."""
        return [
            flatten_row(
                *(raw, number, self.wordings[code], self.fields),
                apart=self.by_phenomenon,
                kind=self.kind,
            )
            for number, raw in enumerate(raws, 1)
        ]

    def make_item(self, row: Row, asking: Asking) -> Item:
        """Makes the item of a row."""
        wording, template = self.wordings[asking.code], row["template"]
        labels = tuple(wording.labels or ())
        label = row["label"] if labels else ""
        return Item(
            id=row["id"],
            cluster=row["id"],
            text="\n".join(row[name].strip() for name in self.fields if row[name] != NOTHING),
            query=write_query(row, asking, wording.tag, template, asking.examples),
            label=label,
            choices=labels,
            answer=labels.index(label) if labels else 0,
            references=tuple(json.loads(row["references"])),
            stratum=row["category"] if self.by_phenomenon else label,
            wording=name_version(template),
            category=row["category"] if row["category"] != "-" else None,
            passage=hash_passage(row[self.passage]) if self.passage else None,
        )


def hash_passage(text: str) -> str:
    """Returns a short name of a passage, the same for the same text but for outer white space."""
    return hashlib.sha256(text.strip().encode()).hexdigest()[:16]


# How rows are found and read.


def find_place(root: Path, folder: str) -> Path:
    """Returns the place of a folder of SEA-HELM's, such as `nlu/metaphor/data`."""
    places = [root / name / folder for name in _FOLDERS]
    return next((place for place in places if is_there(place)), places[0])


def read_file(path: Path) -> list[Raw]:
    """Returns the rows of a file; raises FileMissing where there is none."""
    if not is_there(path):
        raise report_missing(path)
    return read_jsonl(path)


def flatten_row(
    raw: Raw,
    number: int,
    wording: Wording,
    fields: Sequence[str],
    *,
    apart: bool = False,
    kind: str = "",
) -> Raw:
    """Returns a row with flat columns: the prompt's `fields`, the label as the task writes it and
    as it was `written`, all right answers as JSON, the template and the phenomenon, "-" for none.

    A row without an id has its `number`; ids that repeat are told `apart` by the phenomenon, and
    those of several sets by their `kind`. Raises
    DataMalformed for a row without a prompt, or with another label.
    """
    prompt, template = (take_first(raw, name) for name in ("prompts", "prompt_templates"))
    if not isinstance(prompt, Mapping):
        raise DataMalformed(
            f"{raw.file}, {raw.place}: no prompts. Remedy: the rows of SEA-HELM's own files"
        )
    told = raw.cells.get("metadata")
    phenomenon = (told or {}).get("linguistic_phenomenon") or NOTHING
    id_ = raw.cells.get("id")
    parts = [kind, phenomenon if apart else "", str(number if id_ is None else id_)]
    answers = read_labels(raw, wording)
    return Raw(raw.file, raw.place, {
        **{name: prompt.get(name) for name in fields},
        "id": "-".join(filter(None, parts)),
        "label": answers[0],
        "written": str(take_first(raw, "label")),
        "category": phenomenon,
        "references": json.dumps(answers, ensure_ascii=False),
        "template": template if isinstance(template, str) else NOTHING,
    })  # fmt: skip


def read_labels(raw: Raw, wording: Wording) -> list[str]:
    """Returns the right answers of a row, labels in the language's own words. Raises DataMalformed
    for a label that the task does not have."""
    found = raw.cells.get("label")
    answers = [str(one) for one in (found if isinstance(found, list) else [found])]
    if wording.labels is None:
        return answers
    names = {
        name.casefold(): label
        for label, others in wording.labels.items()
        for name in (label, *others)
    }
    wrong = [one for one in answers if one.casefold() not in names]
    if wrong or not answers:
        raise DataMalformed(
            f"{raw.file}, {raw.place}: the label is {found!r}, allowed are "
            f"{', '.join(names)}. Remedy: SEA-HELM's own files"
        )
    return [names[one.casefold()] for one in answers]


def take_first(raw: Raw, name: str) -> Any:
    """Returns a cell, or the first of those that it lists."""
    value = raw.cells.get(name)
    return value[0] if isinstance(value, list) and value else value


# How a row is asked.


def write_query(
    row: Row, asking: Asking, tag: str, template: str, examples: Sequence[Row] = ()
) -> str:
    """Writes what a model is asked: in a chat the preamble and the item; else the examples, too,
    each with its answer, and blank lines between all of them."""
    if template == NOTHING:
        raise DataMalformed(
            f"the row {row['id']} has no prompt_templates, the words in which it is asked. Remedy: "
            "the files of SEA-HELM's first version (github.com/aisingapore/SEA-HELM at 360c7cc)"
        )
    if tag not in template and "{answer_tag}" not in template:
        raise DataMalformed(
            f"the row {row['id']} asks for an answer behind another tag than {tag!r}. Remedy: the "
            "files of SEA-HELM's first version"
        )
    preamble, task = split_template(template.replace("{answer_tag}", tag))
    if asking.protocol.prompt != "plain":
        return "\n\n".join(filter(None, (preamble, fill(task, row))))
    shown = [part for one in examples for part in (fill(task, one), f"{tag} {one['written']}")]
    return "\n\n".join([*filter(None, [preamble]), *shown, fill(task, row), ""])


def split_template(template: str) -> tuple[str, str]:
    """Returns the preamble and what asks the item."""
    preamble, marked, task = template.partition(EXAMPLES)
    return (preamble.strip(), task.strip()) if marked else ("", template.strip())


def fill(task: str, row: Row) -> str:
    """Puts the row's fields into their places; braces of the texts stay as they are."""
    return re.sub(r"\{(\w+)\}", lambda name: row.get(name[1], name[0]), task)


def name_version(template: str) -> str:
    """Returns the version of the words: the first marks the answer's place by a dollar sign, the
    next by ANSWER; where there is neither, all versions have the same."""
    version = " 1.0" if "$" in template else " 1.1" if "ANSWER" in template else ""
    return f"{SUITE}{version}"
