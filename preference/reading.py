"""A closed study to read: each prompt with its two texts, who chose what, in which time and words.

One HTML file beside the votes, for the researcher alone: it names the arms and holds raters' words,
and no step publishes it. It needs no server, no connection and no JavaScript. Prompts on which
raters disagree come first.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from preference.chain import as_event
from preference.closing import read_closed_rows
from preference.comments import READER, Remark, read_remarks
from preference.exclusions import find_excluded
from preference.files import write_text
from preference.key import Key, read_key
from preference.languages import find_direction, find_font_file
from preference.pack import pack_of
from preference.publishing import compute_result, name_rater
from preference.rater_app import list_texts
from preference.rendering import render_answer
from preference.standing import fold_sitting
from preference.timing import compute_median, measure_seconds
from preference.web import make_environment, make_style_sheet

_SCORES = {"trained": 1, "equal": 0, "base": -1}


@dataclass(frozen=True)
class ReadVote:
    """One rater's vote on a prompt. chosen: `trained`, `base` or `equal`; side: where the trained
    arm stood; again: what was chosen when the prompt was shown once more, or None; seconds: how
    long it took, where that is known; left_out: why the plan leaves the rater out, or empty."""

    rater: str
    chosen: str
    side: str
    again: str | None
    seconds: float | None
    verdicts: Mapping[str, str]
    comments: tuple[str, ...]
    left_out: str


@dataclass(frozen=True)
class ReadPrompt:
    """A prompt, its texts by arm, and its votes, by rater."""

    question: str
    category: str
    prompt: str
    texts: Mapping[str, str]
    votes: tuple[ReadVote, ...]

    @property
    def counted(self) -> list[int]:
        """The scores (+1 for trained, 0, -1) of the votes that count."""
        return [_SCORES[vote.chosen] for vote in self.votes if not vote.left_out]

    @property
    def net(self) -> float | None:
        """Their mean; None without any."""
        return sum(self.counted) / len(self.counted) if self.counted else None

    @property
    def spread(self) -> float:
        """Tells how far raters are apart: the variance of their scores, from 0 to 1."""
        mean = self.net or 0.0
        scores = self.counted
        return sum((score - mean) ** 2 for score in scores) / len(scores) if scores else 0.0

    @property
    def unsteady(self) -> int:
        """Counts the raters who chose differently when they saw it again."""
        counted = [vote for vote in self.votes if not vote.left_out]
        return sum(vote.again not in (None, vote.chosen) for vote in counted)


def write_reader(pack_dir: Path, key_path: Path) -> Path:
    """PACK/reader.html, readable by its owner alone. Raises StudyStateError while the study is
    open, and VerificationError where key or comments are not the study's."""
    remarks = read_remarks(pack_dir, key_path)
    rows, _ = read_closed_rows(pack_dir)
    key = read_key(key_path)
    result = compute_result(key, rows)
    prompts = list_prompts(key, [as_event(row) for row in rows], remarks)
    return write_text(pack_dir / READER, _write_page(key, result, prompts), secret=True)


def list_prompts(
    key: Key, events: Sequence[Any], remarks: Sequence[Remark] = ()
) -> list[ReadPrompt]:
    """All prompts, those first on which raters are furthest apart, then those that were answered
    differently when shown again, then by how clearly an arm was preferred."""
    words: dict[tuple[str, str], list[str]] = {}
    for remark in remarks:
        if remark.comment and remark.kind != "check":
            words.setdefault((name_rater(remark.rater - 1), remark.question), []).append(
                remark.comment
            )
    votes: dict[str, list[ReadVote]] = {row[0]: [] for row in key.content.rows}
    excluded = find_excluded(key, events)
    arm_of = key.map_texts()
    for slot, items in enumerate(key.list_items()):
        own = [event for event in events if event.slot == slot]
        sitting, seconds = fold_sitting(own), measure_seconds(own)
        by_id = {item.id: item for item in items}
        read: dict[tuple[str, str], tuple[str, str, Any]] = {}
        for name, vote in sitting.votes.items():
            side = "a" if arm_of[vote.body["a"]][1] == key.trained else "b"
            chosen = vote.body["choice"]
            chosen = "equal" if chosen == "equal" else "trained" if chosen == side else "base"
            read[by_id[name].kind, by_id[name].question] = (chosen, side, vote)
        for (kind, question), (chosen, side, vote) in read.items():
            if kind != "main":
                continue
            again = read.get(("repeat", question))
            other = "b" if side == "a" else "a"
            verdicts = {
                arm: vote.body[f"verdict_{where}"]
                for arm, where in (("base", other), ("trained", side))
                if f"verdict_{where}" in vote.body
            }
            votes[question].append(
                ReadVote(
                    rater=name_rater(slot),
                    chosen=chosen,
                    side=side,
                    again=None if again is None else again[0],
                    seconds=seconds.get(vote.seq),
                    verdicts=verdicts,
                    comments=tuple(words.get((name_rater(slot), question), ())),
                    left_out=excluded.get(slot, ""),
                )
            )
    found = [
        ReadPrompt(
            question,
            category,
            prompt,
            {"base": texts[1 - key.trained], "trained": texts[key.trained]},
            tuple(votes[question]),
        )
        for question, category, prompt, *texts in key.content.rows
    ]
    order = {row[0]: place for place, row in enumerate(key.content.rows)}
    return sorted(
        found, key=lambda p: (-p.spread, -p.unsteady, -abs(p.net or 0.0), order[p.question])
    )


def describe_seconds(seconds: float | None) -> str:
    """Seconds as a person says them; empty where they are not known."""
    if seconds is None:
        return ""
    return f"{seconds:.0f} s" if seconds < 60 else f"{seconds / 60:.1f} min"


def _write_page(key: Key, result: Mapping[str, Any], prompts: Sequence[ReadPrompt]) -> str:
    language = key.settings.language
    font = language["font"]
    url = None
    if font:
        letters = base64.b64encode(find_font_file(font, list_texts(pack_of(key))))
        url = f"data:font/woff2;base64,{letters.decode('ascii')}"
    style = make_style_sheet(url)
    digest = base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode("ascii")
    names = {
        "base": str(key.arms[1 - key.trained]["name"]),
        "trained": str(key.arms[key.trained]["name"]),
        "equal": "equal",
    }
    times = [v.seconds for p in prompts for v in p.votes if v.seconds is not None]

    def html(text: str) -> Markup:
        return render_answer(
            text,
            direction=find_direction(text, language["direction"] or "ltr"),
            code_label="Code",
            table_label="Table",
        )

    page: str = (
        make_environment()
        .get_template("reader.html.j2")
        .render(
            title=key.settings.title,
            language=language["name"],
            text_tag=language["tag"],
            text_direction=language["direction"],
            style=style,
            style_hash=f"sha256-{digest}",
            prompts=prompts,
            names=names,
            result=result,
            median=describe_seconds(compute_median(times)),
            describe=describe_seconds,
            html=html,
        )
    )
    return page
