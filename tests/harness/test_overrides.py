"""Whatever a person types as a value reaches the configuration as it was typed."""

import json
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small import KAKUGO, run

from core.languages import list_languages
from core.places import expand
from harness.errors import ConfigError
from harness.languages import explain_unknown
from harness.overrides import prepare_arguments
from harness.values import make_readable, parse_override, quote, show_override

NAMES = (
    "Yorùbá",
    "Māori",
    "N'Ko",
    "'Are'are",
    "!Xóõ",
    "Aranese (Occitan)",
    "Kurdish, Central",
    "كوردی، سۆرانی",
    "አማርኛ",
    "Ju|'hoan = Ju",
    'the "old" [draft] {x}',
    "back\\slash\\",
    "costs $5 #1",
    "two\nlines é",
)
PATHS = ("/tmp/a b (c)/Yorùbá", "/tmp/key=value, x", "~/Māori", "C:\\a\\'b'\\")


@pytest.fixture
def typed(composed: Callable[..., Any]) -> Callable[..., Any]:
    """The configuration of what was typed, as `kakugo` makes it."""
    return lambda *arguments: composed(*prepare_arguments(arguments))


@pytest.mark.parametrize("name", NAMES)
def test_a_language_has_the_name_that_was_typed(typed: Callable[..., Any], name: str) -> None:
    assert typed("language=other", f"language.name={name}", "mix=topic").language.name == name


@pytest.mark.parametrize("path", PATHS)
def test_a_path_is_the_one_that_was_typed(typed: Callable[..., Any], path: str) -> None:
    config = typed(f"store={path}", f"data_dir={path}", "student=directory", f"student.path={path}",
                   "student.name=x", f"published=[{{name: é, kind: directory, path: {path}}}]"
                   if "," not in path else "published=[]")  # fmt: skip
    path = expand(path)
    assert (config.store, config.data_dir, config.student.path) == (path, path, path)
    assert all(student.path == path for student in config.published)


def test_references_still_refer(typed: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLACE", "/a (b)/ṣ")
    config = typed("language=yoruba", "store=${oc.env:PLACE}/${language.autonym}, \\${x}")
    assert config.store == "/a (b)/ṣ/Yorùbá, ${x}"
    with pytest.raises(ConfigError, match=r"store=a \$\{x: \$\{ begins a reference"):
        typed("store=a ${x")


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"])))
def test_quotes_keep_any_text(text: str) -> None:
    read = parse_override(f"x={quote(text)}")
    assert read is not None
    assert read.value() == text


@pytest.mark.parametrize(
    "value",
    ["3", "null", "", "[a,b]", "{a: 1, b: [c]}", "'q, x'", '"é"', "choice(a,b)", "range(1,4)",
     "glob(*)", "sort(b,a)", "${store}/x", "a b", "a\\,b", "/tmp/a-b_c.d"],
)  # fmt: skip
@pytest.mark.parametrize("sweeps", [False, True])
def test_what_hydra_reads_is_left_alone(value: str, sweeps: bool) -> None:
    assert make_readable(value, sweeps) == value


@pytest.mark.parametrize(
    ("value", "single", "swept"),
    [
        ("a,b", '"a,b"', "a,b"),
        ("Yorùbá,Māori", '"Yorùbá,Māori"', '"Yorùbá","Māori"'),
        ("N'Ko,x", '"N\'Ko,x"', '"N\'Ko",x'),
        ("Aranese (Occitan, Val),x", '"Aranese (Occitan, Val),x"', '"Aranese (Occitan, Val)",x'),
        ("'Kurdish, Central',ṣ", "\"'Kurdish, Central',ṣ\"", "'Kurdish, Central',\"ṣ\""),
        ("${a:[x,y]},é", '"${a:[x,y]},é"', '${a:[x,y]},"é"'),
        ("é,", '"é,"', '"é,"'),
    ],
)
def test_a_comma_is_a_sweep_with_m_and_text_without(value: str, single: str, swept: str) -> None:
    assert make_readable(value, sweeps=False) == single
    assert make_readable(value, sweeps=True) == swept


@pytest.mark.parametrize(
    ("value", "means"),
    [
        ("[é, N'Ko, plain]", ["é", "N'Ko", "plain"]),
        ("{a: {kind: chat, files: [own/Yorùbá (1).jsonl]}}",
         {"a": {"kind": "chat", "files": ["own/Yorùbá (1).jsonl"]}}),
        ("{a: b=c, n: 3}", {"a": "b=c", "n": 3}),
        ("[ṣ", "[ṣ"),
        ("{ṣ}", "{ṣ}"),
        (" é ", "é"),
    ],
)  # fmt: skip
def test_texts_in_lists_and_dictionaries_are_read_too(value: str, means: object) -> None:
    read = parse_override(f"x={make_readable(value, sweeps=False)}")
    assert read is not None
    assert read.value() == means


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("yoruba", "neither KEY=VALUE nor GROUP=OPTION"),
        ("mix.weights.ṣ=1", "mix.weights.ṣ is no key"),
        ("=x", "nothing is no key"),
        ("sources.own={ṣ: {kind: chat}}", "cannot be read. Remedy"),
        ("mix=topic,gen", "several options are a sweep. Remedy: kakugo -m ... mix=topic,gen"),
        ("store=/tmp/\udcff", "not UTF-8"),
        ("language=", "language=: a name or code is needed"),
    ],
)
def test_what_cannot_be_read_is_said_in_words(argument: str, words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        prepare_arguments([argument])


def test_flags_come_first_with_their_values() -> None:
    given = ["mix=topic", "--cfg", "job", "--config-dir", "a=b", "seed=1", "--resolve"]
    wanted = ["--cfg", "job", "--config-dir", "a=b", "--resolve", "mix=topic", "++seed=1"]
    assert prepare_arguments(given) == wanted


@pytest.mark.slow
def test_every_language_is_found_by_its_names() -> None:
    for language in list_languages().values():
        for name in (*language.names, language.name.replace(" ", "_")):
            assert prepare_arguments([f"language={name}"]) == [f"language={language.id}"]
            (ready,) = prepare_arguments([f"language.name={name}"])
            read = parse_override(ready)
            assert read is not None
            assert read.value() == name


@pytest.mark.parametrize("name", [*NAMES[2:8], *NAMES[9:], "a `b` $(c)", "Wes Frysk"])
def test_a_hint_can_be_pasted_into_a_shell(name: str) -> None:
    hint = explain_unknown(name).split("For any other language: ")[1]
    pasted = subprocess.run(
        ["bash", "-c", f'printf "%s\\0" {hint}'], capture_output=True, text=True, check=True
    )
    assert pasted.stderr == ""
    other, ready = prepare_arguments(pasted.stdout.rstrip("\0").split("\0"))
    read = parse_override(ready)
    assert read is not None
    assert (other, read.value()) == ("language=other", name)


def test_a_name_that_nothing_knows_is_a_language(
    typed: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    language = typed("language=Tsakonian", "mix=topic").language
    assert (language.name, language.flores_code) == ("Tsakonian", None)
    assert "no flores code is known for Tsakonian" in language.find_gap("flores")
    said = capsys.readouterr().err
    assert "no language is known by the name Tsakonian" in said
    assert "Nearest: language=estonian" in said
    given = typed("language=Tsakonian", "language.benchmarks.flores=tsd_Grek").language
    assert given.find_code("flores") == "tsd_Grek"
    assert typed('language="Wes \'t Frysk"').language.name == "Wes 't Frysk"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("yorubaa", "much like yoruba. Nearest: language=yoruba."),
        ("Kurdish", "may be one of 3 that are known here. Nearest: language=central_kurdish, "),
        ("xyz_Latn", "is no code of a language"),
        ("xx", "is no code of a language"),
    ],
)
def test_a_slip_is_no_language(name: str, why: str) -> None:
    with pytest.raises(ConfigError, match=f"language={name}: this name .*{why}"):
        prepare_arguments([f"language={name}"])
    # A sweep's jobs are not told apart by a name that may be a slip.
    with pytest.raises(ConfigError, match="this name is not known here"):
        prepare_arguments(["-m", f"language={name},irish"])


def test_languages_beside_the_papers_are_swept_and_completed(typed: Callable[..., Any]) -> None:
    assert prepare_arguments(["-m", "language=frisian,IRISH,ta"]) == [
        "-m",
        "language=west_frisian,irish,tamil",
    ]
    tamil = typed("language=தமிழ்").language
    assert (tamil.name, tamil.tag, tamil.find_code("belebele")) == ("Tamil", "ta", "tam_Taml")
    assert tamil.find_subset("HuggingFaceFW/fineweb-2") == "tam_Taml"
    chinese = typed("language=zho").language
    assert chinese.find_subset("HuggingFaceFW/fineweb-2") == "cmn_Hani"


def test_a_path_in_a_remedy_can_be_pasted_into_a_shell() -> None:
    for path in PATHS:
        (pasted,) = shlex.split(show_override("mix.exclude", Path(path)))
        read = parse_override(prepare_arguments([pasted])[0])
        assert read is not None
        assert read.value() == path


def test_a_comma_in_a_sweep_that_may_be_a_name_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    prepare_arguments(["-m", "language.name=Kurdish, Central"])
    said = capsys.readouterr().err
    assert "runs each of language.name=Kurdish, Central" in said
    (one,) = shlex.split(said.split("with a comma: ")[1])
    (_, ready) = prepare_arguments(["-m", one])
    read = parse_override(ready)
    assert read is not None
    assert not read.is_sweep_override()
    assert read.value() == "Kurdish, Central"
    prepare_arguments(["-m", "mix=topic,gen", "seed=1,2"])
    assert capsys.readouterr().err == ""


@pytest.mark.slow
def test_a_sweep_over_names_in_a_place_with_a_difficult_name(tmp_path: Path) -> None:
    """No benchmark has these languages, so that each job only writes down what it would score."""
    store = tmp_path / "a=b (c), Yorùbá"
    swept = "language.name=Yorùbá,Aranese (Occitan),N'Ko,'Kurdish, Central'"
    command = [
        *KAKUGO,
        "-m",
        "language=other",
        swept,
        "producers=[base]",
        "hydra/launcher=joblib",
    ]
    done = run([*command, f'store="{store}"', f"cache={tmp_path}"])
    assert done.returncode == 0, done.stdout + done.stderr
    plans = [json.loads(path.read_text("utf-8")) for path in store.glob("runs/*/*/plan.json")]
    names = {plan["language"]["name"] for plan in plans}
    assert names == {"Yorùbá", "Aranese (Occitan)", "N'Ko", "Kurdish, Central"}
    alone = ["language=other", "language.name=Aranese, Occitan (é)", "producers=[base]"]
    place = [f"store={store}", f"cache={tmp_path}", "hydra.run.dir=${store}/Māori=1"]
    single = run([*KAKUGO, *alone, *place])
    assert single.returncode == 0, single.stderr
    assert (store / "Māori=1" / "plan.json").is_file()


@pytest.mark.parametrize("key", ["store", "cache"])
@pytest.mark.parametrize("value", ["", " ", "''", '""'])
def test_an_empty_folder_is_none(key: str, value: str) -> None:
    """Hydra would make the run's folder at the root of the machine."""
    with pytest.raises(ConfigError, match=f"a folder is needed. Remedy: {key}=DIR"):
        prepare_arguments([f"{key}={value}"])


@pytest.mark.parametrize("value", ["", " ", "\u200b"])
def test_a_name_says_something(typed: Callable[..., Any], value: str) -> None:
    with pytest.raises(ConfigError, match=r"language\.name: a name is needed"):
        typed("language=other", f"language.name={value}", "mix=topic")
    with pytest.raises(ConfigError, match=r"student\.name: a name is needed"):
        typed(f"student.name={value}")


def test_a_sweep_is_no_configuration_to_show() -> None:
    for shown in (["--cfg", "job"], ["--info"]):
        with pytest.raises(ConfigError, match="leave -m out"):
            prepare_arguments(["-m", "mix=topic,gen", *shown])
        assert prepare_arguments(["mix=topic", *shown])[: len(shown)] == shown
