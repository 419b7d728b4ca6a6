"""The list of all sections, for people who look for a table."""

from collections.abc import Iterator

from reports.section import Format, Section
from reports.sections import PARTS


def list_sections() -> str:
    """Write each part with its sections: name, sentence, and which formats leave it out and why."""
    return "".join(f"{line}\n" for line in _list_lines())


def _list_lines() -> Iterator[str]:
    for number, part in enumerate(PARTS):
        yield from ([""] if number else [])
        yield part.title
        for section in part.sections:
            yield f"  {section.name:<22}{section.says}"
            for why, formats in _find_reasons(section).items():
                yield f"{'':24}not in {', '.join(formats)}: {why}"


def _find_reasons(section: Section) -> dict[str, list[Format]]:
    """Give the reasons why formats leave it out, each with the formats."""
    found: dict[str, list[Format]] = {}
    for form, omission in section.left_out.items():
        found.setdefault(omission.why, []).append(form)
    return found
