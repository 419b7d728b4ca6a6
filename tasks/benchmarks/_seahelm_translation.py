"""Reads translations out of what is written, asked for in both directions as SEA-HELM does.

A row of `id_to_jv.jsonl`: id=0, label="Cepak saka ...", prompts=[{"text": "Dekat dengan ..."}],
prompt_templates=["Terjemahna teks ...{fewshot_examples}\\n\\nTeks: {text}"]

Each direction is a file with words and sentences of its own; both are read, and most sentences must
be the same (in FLORES a few differ by a sign).

SEA-HELM scores translations with MetricX-24-XXL, a model of 13 billion parameters; here chrF++
takes its place, which SEA-HELM has in its program and does not use. The two are not comparable.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.benchmark import Asking, Benchmark, Item, Naming, Place, WrittenForm
from tasks.benchmarks._seahelm import (
    CODES,
    HUB_ASIDES,
    HUB_COLUMNS,
    SUITE,
    find_place,
    flatten_row,
    make_wordings,
    name_version,
    read_file,
    write_query,
)
from tasks.errors import DataMalformed
from tasks.reading import Wording
from tasks.rows import Raw, Row, read_keys, read_texts

TAGS = {
    "id": "Terjemahan:", "jv": "Terjemahan:", "su": "Tarjamahan:", "ms": "Terjemahan:",
    "vi": "Bản dịch:", "th": "คำแปล:", "ta": "மொழிபெயர்ப்பு:", "tl": "Salin:", "lo": "ຄຳແປ:",
}  # fmt: skip
TOKENS = 256
COLUMNS = (
    *read_keys("id"),
    *read_texts("text", "other", "template", "text_back", "other_back", "template_back"),
)


@dataclass(frozen=True)
class TranslationSet:
    """A set of sentences in a language and another one, whose code is `other` and whose FLORES code
    `flores`.

    folder: below `seahelm/`, with `{split}`.
    files: (the language's code, is it from the other one) -> the file's name without its end.
    """

    folder: str
    codes: Sequence[str]
    other: str
    flores: str
    files: Callable[[str, bool], str]

    def make_benchmark(
        self, name: str, title: str, place: int, pillar: str, complete: int | None
    ) -> Benchmark:
        """Declares the benchmark with a task for each direction."""
        tasks = (
            Naming(f"{name}_xx_{self.other}", f"{SUITE} {title} xx→{self.other}"),
            Naming(f"{name}_{self.other}_xx", f"{SUITE} {title} {self.other}→xx", True),
        )
        return Benchmark(
            name=name,
            tasks=tasks,
            place=place,
            repository="aisingapore/NLG-Machine-Translation",
            split="eval",
            complete=complete,
            columns=COLUMNS,
            hub_columns=HUB_COLUMNS,
            asides=HUB_ASIDES,
            identity=("id",),
            read_files=self.read_files,
            read_hub=self.read_hub,
            item=self.make_item,
            shots=0,
            codes={flores: code for flores, code in CODES.items() if code in self.codes},
            reading=WrittenForm("chrf++", self.wordings, read_examples=self.read_examples),
            other=self.flores,
            suite=Place(SUITE, pillar, "translation"),
        )

    @property
    def wordings(self) -> Mapping[str, Wording]:
        """The wording of each language."""
        return make_wordings(None, TOKENS, self.codes, TAGS)

    def read_files(self, root: Path, code: str) -> list[Raw]:
        """Returns the rows of a language, both sides in each."""
        return self._read(root, code, "devtest", "")

    def read_examples(self, root: Path, code: str) -> list[Raw]:
        """Returns the examples of a language."""
        return self._read(root, code, "dev", "_examples")

    def read_hub(self, load: Callable[[str], list[Raw]], code: str) -> list[Raw]:
        """Returns the rows of the Hub's repository, a configuration a direction."""
        there, back = f"{self.other}_to_{code}", f"{code}_to_{self.other}"
        return self.join(load(there), load(back), code)

    def _read(self, root: Path, code: str, split: str, end: str) -> list[Raw]:
        folder = find_place(root, self.folder.format(split=split))
        sides = [folder / f"{self.files(code, way)}{end}.jsonl" for way in (True, False)]
        there, back = (read_file(path) for path in sides)
        return self.join(there, back, code)

    def join(self, there: Sequence[Raw], back: Sequence[Raw], code: str) -> list[Raw]:
        """Joins both directions; raises DataMalformed where they do not hold the same sentences."""
        wording = self.wordings[code]
        pairs = [
            [flatten_row(raw, n, wording, ("text",)) for n, raw in enumerate(side, 1)]
            for side in (there, back)
        ]
        if len(there) != len(back):
            raise DataMalformed(
                f"{there[0].file if there else 'one direction'} has {len(there)} rows, "
                f"{back[0].file if back else 'the other'} {len(back)}: they must be the two "
                "directions of the same sentences. Remedy: take both from one release"
            )
        joined = [
            Raw(one.file, one.place, {
                "id": number,
                "text": one.cells["label"],
                "other": one.cells["text"],
                "template": one.cells["template"],
                "text_back": other.cells["text"],
                "other_back": other.cells["label"],
                "template_back": other.cells["template"],
            })
            for number, (one, other) in enumerate(zip(*pairs, strict=True), 1)
        ]  # fmt: skip
        alike = sum(raw.cells["text"] == raw.cells["text_back"] for raw in joined)
        if 2 * alike < len(joined):
            raise DataMalformed(
                f"{there[0].file} and {back[0].file}: {alike} of {len(joined)} rows have the same "
                "sentence; they must be the two directions of the same sentences. Remedy: take "
                "both from one release"
            )
        return joined

    def make_item(self, row: Row, asking: Asking) -> Item:
        """Makes the item of a row in the direction that is asked."""
        names = ("other", "text") if asking.from_english else ("text_back", "other_back")
        template = row["template" if asking.from_english else "template_back"]
        source, target = (row[name] for name in names)
        examples = [{"text": one[names[0]], "written": one[names[1]]} for one in asking.examples]
        tag = self.wordings[asking.code].tag
        asked = {"id": row["id"], "text": source}
        return Item(
            id=row["id"],
            cluster=row["id"],
            text=row["text" if asking.from_english else "text_back"],
            query=write_query(asked, asking, tag, template, examples),
            source=source,
            target=target,
            references=(target,),
            wording=name_version(template),
        )
