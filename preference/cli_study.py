"""The steps of `kakugo-preference` that make a study: questions, answers, pack and key."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from core.shell import quote_for_shell
from preference.cli_steps import Step, add_listening
from preference.rule import LEAST_SPEAKERS, OVER

if TYPE_CHECKING:
    from preference.languages import StudyLanguage


def add_steps(step: Step) -> None:
    """Adds questions, correct, freeze, answer and prepare. step: makes a step's parser."""
    one = step(
        "questions",
        _make_questions,
        "take questions and their translations into a study's directory",
    )
    one.add_argument("study", type=Path)
    one.add_argument(
        "--from",
        dest="source",
        required=True,
        metavar="FILE",
        help="MT-Bench's question.jsonl, or any JSONL with `prompt`; hub: MT-Bench from the Hub",
    )
    translated = one.add_mutually_exclusive_group()
    translated.add_argument(
        "--translations",
        type=Path,
        metavar="FILE",
        help="the same questions in the language; without it, --from is in the language already",
    )
    translated.add_argument(
        "--translate",
        nargs="*",
        metavar="KEY=VALUE",
        help="let the teacher translate; settings as kakugo takes them, such as"
        " teacher=gpt_oss_120b teacher.base_url=http://HOST:8000/v1",
    )
    one.add_argument(
        "--language", required=True, help="the language, by its file's name in conf/language"
    )

    one = step(
        "words",
        _make_words,
        "let the teacher draft the words of the raters' pages, where no catalogue is shipped;"
        " `questions --translate` does so by itself",
    )
    one.add_argument("study", type=Path)
    one.add_argument(
        "settings",
        nargs="*",
        metavar="KEY=VALUE",
        help="as for `questions --translate`, such as teacher=gpt_oss_120b",
    )

    one = step(
        "correct",
        _serve_corrections,
        "serve the page on which speakers correct and approve the translations",
    )
    one.add_argument("study", type=Path)
    add_listening(one, 8780)

    one = step("freeze", _freeze, "freeze the corrected questions; answers are made from these")
    one.add_argument("study", type=Path)
    one.add_argument(
        "--unreviewed",
        action="store_true",
        help="allow questions that no speaker confirmed (recorded)",
    )
    one.add_argument(
        "--approval",
        action="store_true",
        help="require that a second speaker approves each question",
    )

    one = step(
        "answer",
        _answer_questions,
        "let the checkpoints answer the frozen questions, greedily (temperature 0)",
    )
    one.add_argument("study", type=Path)
    for arm in ("base", "trained"):
        one.add_argument(
            f"--{arm}",
            metavar="NAME=CHECKPOINT",
            help=f"the {arm} arm: a checkpoint's directory, or its artifact in a store",
        )
    one.add_argument(
        "--system-prompt",
        metavar="TEXT",
        help="the system prompt of both arms (default: the chat template's own)",
    )
    one.add_argument(
        "--thinking",
        choices=("on", "off"),
        help="reasoning before the answer (default: the chat template's own); recorded",
    )
    one.add_argument(
        "--max-new-tokens",
        type=int,
        default=1024,
        help="most tokens of an answer, reasoning included (default: 1024)",
    )
    one.add_argument("--precision", choices=("auto", "fp32", "bf16"), default="auto")

    one = step("prepare", _prepare, "make the pack, the key and the commitment")
    one.add_argument("study", type=Path)
    for arm in ("base", "trained"):
        one.add_argument(
            f"--{arm}",
            metavar="NAME=FILE",
            help=f"the {arm} arm's answers (default: what `answer` wrote)",
        )
    one.add_argument("--pack", type=Path, required=True, metavar="DIR")
    one.add_argument(
        "--key",
        type=Path,
        required=True,
        metavar="FILE",
        help="where to write the secret key; must lie outside the pack",
    )
    one.add_argument(
        "--raters",
        type=int,
        default=2,
        help="number of raters; an even number balances the sides exactly (default: 2)",
    )
    one.add_argument(
        "--repeats", type=int, help="prompts shown a second time, with sides swapped (default: 8)"
    )
    one.add_argument(
        "--checks",
        type=int,
        help="prompts on which one answer belongs to another prompt (default: 3)",
    )
    one.add_argument(
        "--guesses", type=int, help="prompts on which raters guess at the end (default: 4)"
    )
    one.add_argument(
        "--part",
        type=int,
        metavar="N",
        help="how many questions each rater gets; every question gets the same number of raters,"
        " within two (default: each rater gets all)",
    )
    one.add_argument("--no-practice", action="store_true", help="begin without the two examples")
    one.add_argument("--title", default="", help="what raters read at the top")
    one.add_argument("--contact", default="", help="whom raters may ask")
    one.add_argument(
        "--consent",
        type=Path,
        metavar="FILE",
        help="the study's own words on taking part, in the raters' language (Markdown); what this"
        " program keeps, and how to leave, is said below them",
    )
    one.add_argument(
        "--verdicts", action="store_true", help="also ask whether each answer is good or bad"
    )
    one.add_argument(
        "--messages", type=Path, metavar="FILE", help="a corrected catalogue of the raters' words"
    )
    one.add_argument(
        "--hide",
        action="append",
        default=[],
        metavar="WORD",
        help="a further word that would tell raters which model answered",
    )
    one.add_argument(
        "--leave-out",
        action="append",
        default=[],
        metavar="KIND",
        help="leave questions of this kind out of both arms: unanswered, empty, error (a tool's"
        " error stands for the answer), template, naming (the answer names a model) or mention",
    )
    one.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="KIND",
        help="report problems of this kind instead of refusing: unasked, error, template,"
        " naming, identical, language or same-model",
    )
    one.add_argument(
        "--stop",
        choices=OVER,
        help="let `look` end the voting as soon as enough is known: for a claim about speakers like"
        f" the raters ({LEAST_SPEAKERS} of these or more), or about this panel of raters",
    )
    one.add_argument(
        "--worth",
        type=float,
        default=0.6,
        metavar="SHARE",
        help="with --stop: the share of decisive votes for one arm that is worth finding"
        " (default: 0.6)",
    )
    one.add_argument(
        "--exclude",
        action="append",
        default=[],
        metavar="RULE",
        help="leave out raters by a rule that is published before the first vote: checks=0.67 (who"
        " passes a smaller share of the checks), seconds=8 (whose votes take less in the median)",
    )
    one.add_argument(
        "--plan", default="", help="further commitments of the analysis, in your own words"
    )


def _make_questions(a: argparse.Namespace) -> None:
    from preference.languages import find_study_language
    from preference.questions import make_draft, read_prompts
    from preference.sources import LEDGER, TranslatedQuestions, find_questions, translate

    language = find_study_language(a.language)
    taken = find_questions(a.source)
    done = TranslatedQuestions(None, {}, {})
    if a.translations:
        texts = {key: text for key, (_, text) in read_prompts(a.translations).items()}
        done = TranslatedQuestions(texts, {}, {"translations": a.translations.name})
    elif a.translate is not None:
        a.study.mkdir(parents=True, exist_ok=True)
        done = translate(
            taken, language, overrides=a.translate, ledger=a.study / LEDGER, progress=_show_progress
        )
    origin = {**taken.origin, **done.origin}
    questions = make_draft(a.study, a.language, taken.rows, done.texts, origin=origin)
    for question, why in done.lost.items():
        print(f"not translated: question {question}: {why}", file=sys.stderr)
    print(
        f"{len(questions.questions)} questions in {a.study}"
        + (f", {len(done.lost)} of them for a speaker to translate" if done.lost else "")
        + f". Next: kakugo-preference correct {quote_for_shell(a.study)}"
    )
    if a.translate is not None:
        _make_word_draft(a.study, language, a.translate)


def _make_words(a: argparse.Namespace) -> None:
    from preference.languages import find_study_language
    from preference.questions import read_draft

    language = find_study_language(read_draft(a.study).language)
    if not _make_word_draft(a.study, language, a.settings):
        print(
            f"The raters' words in {language.name} are there already: a catalogue is shipped, or a"
            f" speaker has begun. Next: kakugo-preference correct {quote_for_shell(a.study)}"
        )


def _make_word_draft(study: Path, language: "StudyLanguage", settings: list[str]) -> bool:
    """Lets the teacher draft the raters' words; False where nothing is to be drafted."""
    from preference.drafting import make_catalogue_draft
    from preference.sources import LEDGER

    lost = make_catalogue_draft(
        study, language, overrides=settings, ledger=study / LEDGER, progress=_show_progress
    )
    if lost is None:
        return False
    for key, why in lost.items():
        print(f"not translated: the raters' {key}: {why}", file=sys.stderr)
    print(
        f"The raters' words in {language.name} are drafted in {study}"
        + (f", {len(lost)} of them for a speaker to translate" if lost else "")
    )
    return True


def _show_progress(done: int, total: int, note: str) -> None:
    """One line that is written over, where a person looks on."""
    if sys.stderr.isatty():
        end = "\n" if done == total else ""
        print(f"\r{done} of {total} {note}\033[K", end=end, file=sys.stderr, flush=True)


def _serve_corrections(a: argparse.Namespace) -> None:
    from preference.correct_app import serve_corrections

    serve_corrections(a.study, host=a.host, port=a.port)


def _freeze(a: argparse.Namespace) -> None:
    from preference.questions import freeze

    frozen = freeze(a.study, unreviewed=a.unreviewed, approval=a.approval)
    print(f"{len(frozen.questions)} questions frozen, SHA-256 {frozen.sha256}")


def _answer_questions(a: argparse.Namespace) -> None:
    from preference.answering import ARMS, Decoding, write_answers
    from preference.answers import split_named
    from preference.errors import AnswersError

    given = {arm: split_named(value) for arm in ARMS if (value := getattr(a, arm))}
    if not given:
        raise AnswersError("nobody to answer. Remedy: --base NAME=CHECKPOINT, --trained, or both")
    thinking = None if a.thinking is None else a.thinking == "on"
    decoding = Decoding(a.system_prompt, thinking, a.max_new_tokens, a.precision)
    for arm, (name, checkpoint) in given.items():
        print(write_answers(a.study, arm, name, checkpoint, decoding, _show_progress))


def _prepare(a: argparse.Namespace) -> None:
    from preference.preparation import Preparation
    from preference.preparing import prepare_study

    options = Preparation(
        study=a.study,
        pack=a.pack,
        key=a.key,
        base=a.base,
        trained=a.trained,
        raters=a.raters,
        repeats=a.repeats,
        checks=a.checks,
        guesses=a.guesses,
        title=a.title,
        contact=a.contact,
        verdicts=a.verdicts,
        messages=a.messages,
        hide=tuple(a.hide),
        leave_out=tuple(a.leave_out),
        allow=tuple(a.allow),
        plan=a.plan,
        consent=a.consent,
        practice=not a.no_practice,
        part=a.part,
        stop=a.stop,
        worth=a.worth,
        exclude=tuple(a.exclude),
    )
    published = prepare_study(options, say=lambda line: print(line, file=sys.stderr))
    print(f"Pack: {a.pack}. Key: {a.key} (keep it away from the pack).")
    print(f"Publish before the first vote: commitment {published['commitment']}")
