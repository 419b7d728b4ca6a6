"""Small sets of our own writing in the layouts of the benchmarks that the paper does not have."""

import json
from pathlib import Path
from typing import Any

SENTENCES = [
    ("The dogs near the gate bark.", "The dogs near the gate barks."),
    ("The dogs near the gate bark.", "The dogs near the gate barking."),
    ("My sister has two goats.", "My sister have two goats."),
    ("These rivers run to the lake.", "These rivers runs to the lake."),
    ("The child who sings is tired.", "The child who sings are tired."),
    ("Farmers plant maize in March.", "Farmers plants maize in March."),
]
ENDINGS = [
    ("To keep a fire from smoking,", "use dry wood.", "use wet wood, since it burns slowly.", 0),
    ("To find north at night,", "look for the moon's shadow.", "look for the pole star.", 1),
    ("To soften dry beans,", "leave them in water overnight.", "leave them in the sun.", 0),
    ("Before you paint a wall,", "grease it well.", "clean it.", 1),
    ("To cool a clay pot,", "wrap it in a wet cloth.", "wrap it in wool.", 0),
]
CAUSES = [
    ("Mvua ilinyesha usiku.", "Ardhi ilikuwa na maji.", "Jua lilikuwa kali.", "effect", 0),
    ("Mtoto alilia.", "Alipata zawadi.", "Alianguka.", "cause", 1),
    ("Taa ilizimika.", "Umeme ulikatika.", "Mlango ulifunguliwa.", "cause", 0),
    ("Mkulima alipanda mahindi.", "Shamba liliungua.", "Mahindi yaliota.", "effect", 1),
    ("Gari lilisimama.", "Mafuta yaliisha.", "Dereva aliimba.", "cause", 0),
]
QUESTIONS = [
    ("Nini huchemka kwa nyuzi 100?", "['Maji', 'Chuma', \"Jiwe la 'moto'\", 'Mbao']", "A"),
    ("Wiki ina siku ngapi?", "['Tano', 'Saba', 'Nane', 'Kumi']", "B"),
    ("Mji mkuu wa Kenya ni upi?", "['Mombasa', 'Kisumu', 'Nairobi', 'Nakuru']", "C"),
    ("Tatu na nne ni ngapi?", "['Tano', 'Sita', 'Nane', 'Saba']", "D"),
    ("Ndege huruka kwa nini?", "['Mabawa', 'Miguu', 'Macho', 'Mkia']", "A"),
]
NEWS = [
    ("bulletin.1", "Soko jipya lilifunguliwa jana.", "A new market opened yesterday."),
    ("bulletin.1", "Watu wengi walikuja.", "Many people came."),
    ("bulletin.1", "Bei zilikuwa nafuu.", "Prices were low."),
    ("bulletin.2", "Timu yetu ilishinda.", "Our team won."),
    ("bulletin.2", "Kocha alifurahi sana.", "The coach was very glad."),
    ("bulletin.3", "Barabara itajengwa upya.", "The road will be built anew."),
]

EXAMS = [
    ("Which is a river?", ["Amu", "Tien Shan", "Karakum", "Khiva"], "A"),
    ("Which is a river?", ["Amu", "Tien Shan", "Karakum", "Khiva"], "A"),
    ("Two and two?", ["3", "4", "4", "5"], "B"),
    ("Three and four?", ["5", "6", "7", "8"], "C"),
    ("Who sang, with all?", ["a, b", "c", "d", "e"], "D"),
]
WORDS = [
    ("a lot", "ein r\u00fagva"),
    ("a lot", "eina ru\u0301gvu"),
    ("dog", "hundur"),
    ("cat", "ketta"),
    ("cat", "k\u00f8ttur"),
    ("bread", "breyd"),
    ('the "sun"', "s\u00f3lin"),
    ("sea", "hav"),
    ("boat", "b\u00e1tur"),
    ("rain", " "),
    ("ram", "ve\u00f0rur"),
]


def write_lines(path: Path, rows: list[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def write_sets(root: Path) -> Path:
    """Writes a set of each benchmark below `root`, and returns it."""
    pairs = [dict(zip(("sen", "wrong_sen"), row, strict=True)) for row in SENTENCES]
    write_lines(root / "multiblimp" / "eng.jsonl", pairs)
    names = ("prompt", "solution0", "solution1", "label")
    endings = [dict(zip(names, row, strict=True)) for row in ENDINGS]
    write_lines(root / "global_piqa" / "eng_latn.jsonl", endings)
    columns = ("premise", "choice1", "choice2", "question", "label", "idx")
    causes = [dict(zip(columns, (*row, n), strict=True)) for n, row in enumerate(CAUSES)]
    write_lines(root / "xcopa" / "test.sw.jsonl", causes)
    asked = [
        {"subject": "all", **dict(zip(("question", "choices", "answer"), row, strict=True))}
        for row in QUESTIONS
    ]
    write_lines(root / "afrimmlu" / "swa.jsonl", asked)
    exams = [
        {"subject": "History", **dict(zip(("question", "choices", "answer"), row, strict=True))}
        for row in EXAMS
    ]
    write_lines(root / "tumlu" / "tatar.jsonl", exams)
    write_lines(root / "gatitos" / "en_fo.tsv", ["\t".join(row) for row in WORDS])
    folder = root / "ntrex"
    for name, place in (("DOCUMENT_IDS.tsv", 0), ("swh_Latn.txt", 1), ("eng_Latn.txt", 2)):
        write_lines(folder / name, [row[place] for row in NEWS])
    return root
