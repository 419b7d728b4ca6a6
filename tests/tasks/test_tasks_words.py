"""The table of the prompts' words: every entry is whole, and what is not there is named."""

from pathlib import Path

import pytest
import yaml

from tasks.errors import WordsMalformed, WordsMissing
from tasks.words import TABLE, TOPICS, find_words

LANGUAGES = Path(__file__).parents[2] / "conf" / "language"
NAMES = {yaml.safe_load(path.read_text())["name"] for path in LANGUAGES.glob("*.yaml")}
ENTRIES = yaml.safe_load(TABLE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("language", ENTRIES)
def test_an_entry_is_whole_and_of_a_known_language(language: str) -> None:
    assert language in NAMES
    entry = find_words(language)
    assert len({entry.topics[topic] for topic in TOPICS}) == len(TOPICS)
    assert entry.to_english != entry.from_english
    if language != "English":
        assert entry.english != "English"
        assert "{language}" not in entry.this_language


def test_a_language_without_an_entry_names_the_file_to_edit() -> None:
    with pytest.raises(
        WordsMissing, match=r"not written in Mizo yet.*add an entry 'Mizo' to .*yaml"
    ):
        find_words("Mizo")
    assert find_words().passage == "Passage"


def test_a_broken_table_says_what_it_lacks(tmp_path: Path) -> None:
    def table(content: str) -> Path:
        path = tmp_path / f"{abs(hash(content))}.yaml"
        path.write_text(content, encoding="utf-8")
        return path

    whole = yaml.safe_dump({"English": ENTRIES["English"]})
    assert find_words(table=table(whole)).answer == "Answer"
    for change, message in (
        ({"answer": None}, r"English: there is no answer\. Remedy: mend it"),
        ({"answers": "x"}, "not known: answers"),
        ({"answer": 5}, "must be text: answer"),
        ({"topics": "all"}, "topics must be a table of the seven topics"),
        ({"topics": {**ENTRIES["English"]["topics"], "sports": ""}}, r"there is no topics\.sports"),
    ):
        with pytest.raises(WordsMalformed, match=message):
            find_words(table=table(yaml.safe_dump({"English": ENTRIES["English"] | change})))
    for content in ("[1", "- x"):
        with pytest.raises(WordsMalformed):
            find_words(table=table(content))
