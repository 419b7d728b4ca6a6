"""Methods and limitations for a paper: methods.md, methods.tex, and references.bib of what they
cite."""

import re
from collections.abc import Sequence
from pathlib import Path

from reports.errors import StoreNeededError
from reports.outputs import latex, markdown
from reports.report import Report
from reports.store.files import write_whole
from reports.tables.methods import Passage, Sentence, describe_methods

BIBLIOGRAPHY = Path(__file__).parent / "references.bib"


def write_methods(report: Report, out: Path) -> list[Path]:
    """Writes methods.md, methods.tex and references.bib into a folder; returns the paths.

    Raises StoreNeededError for an imported table.
    """
    if report.view is None:
        raise StoreNeededError(
            "--format methods needs a store: an imported table tells nothing of how it was made.\n"
            "Remedy: --store DIR."
        )
    passages = describe_methods(report, report.view)
    texts = {
        "methods.md": as_markdown(passages),
        "methods.tex": as_latex(passages),
        "references.bib": list_references(passages),
    }
    out.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        write_whole(out / name, text)
    return [out / name for name in texts]


def as_markdown(passages: Sequence[Passage]) -> str:
    """Gives the passages as Markdown, with citations as Pandoc reads them."""
    parts = []
    for passage in passages:
        sentences = [_write_markdown(sentence) for sentence in passage.sentences]
        body = "\n".join(f"- {one}" for one in sentences) if passage.listed else " ".join(sentences)
        parts += [f"## {passage.title}", body]
    return "\n\n".join(parts) + "\n"


def as_latex(passages: Sequence[Passage]) -> str:
    r"""Gives the passages as paragraphs of LaTeX, with \cite, to be \input."""
    parts = [
        "% Made by kakugo-report, to be \\input; \\bibliography{references} lists what it cites."
    ]
    for passage in passages:
        sentences = [_write_latex(sentence) for sentence in passage.sentences]
        if passage.listed:
            items = "\n".join(f"\\item {one}" for one in sentences)
            body = f"\n\\begin{{itemize}}\n{items}\n\\end{{itemize}}"
        else:
            body = "\n" + "\n".join(sentences)
        parts.append(f"\\paragraph{{{passage.title}}}{body}")
    return "\n\n".join(parts) + "\n"


def list_references(passages: Sequence[Passage]) -> str:
    """Lists the BibTeX entries that the passages cite, in the order of the bibliography."""
    used = {name for passage in passages for one in passage.sentences for name in one.cites}
    return "\n".join(entry for name, entry in read_references().items() if name in used)


def read_references() -> dict[str, str]:
    """Reads the entries of the bibliography by their keys."""
    entries = re.split(r"\n(?=@)", BIBLIOGRAPHY.read_text(encoding="utf-8"))
    return {entry.partition("{")[2].partition(",")[0]: entry.strip() + "\n" for entry in entries}


def _write_markdown(sentence: Sentence) -> str:
    cites = "; ".join(f"@{name}" for name in sentence.cites)
    return markdown.escape(sentence.text) + (f" [{cites}]" if cites else "") + "."


def _write_latex(sentence: Sentence) -> str:
    cites = ",".join(sentence.cites)
    return latex.escape(sentence.text) + (f"~\\cite{{{cites}}}" if cites else "") + "."
