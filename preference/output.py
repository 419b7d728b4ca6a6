"""Write a result for people: tables, text, and a figure of wins, ties and losses."""

import csv
import io
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from core.statistics import adjust_holm
from preference.files import write_text

_RATER_COLUMNS = (
    "rater", "wins", "ties", "losses", "win_share_of_decisive", "sign_test_p", "trained_as_a",
    "trained_as_b", "warnings",
)  # fmt: skip


def write_tables(result: Mapping[str, Any], out: Path) -> list[Path]:
    """Writes what `tabulate_study` gives."""
    return [write_text(out / name, text) for name, text in tabulate_study(result).items()]


def tabulate_study(result: Mapping[str, Any]) -> dict[str, str]:
    """summary.txt, figure.svg, categories.csv and raters.csv of one study, by name."""
    categories = [
        [c["category"], c["prompts"], c["wins"], c["ties"], c["losses"], c["net"]]
        for c in result["categories"]
    ]
    raters = [
        [
            r["rater"],
            r["wins"],
            r["ties"],
            r["losses"],
            r["win_share_of_decisive"],
            r["sign_test_p"],
            r["trained_as_a"],
            r["trained_as_b"],
            " ".join(r["warnings"]),
        ]
        for r in result["raters"]
    ]
    return {
        "summary.txt": summarise(result),
        "figure.svg": draw_figure([result]),
        "categories.csv": to_csv(
            ["category", "prompts", "wins", "ties", "losses", "net"], categories
        ),
        "raters.csv": to_csv(_RATER_COLUMNS, raters),
    }


def summarise(result: Mapping[str, Any]) -> str:
    """The result in words, for a terminal."""
    study, estimate = result["study"], result["estimate"]
    lines = [
        (
            f"{study.get('title', 'Study')}: {study.get('trained', 'trained')} against"
            f" {study.get('base', 'base')} ({study.get('language') or 'language not given'})"
        ),
        f"{result['votes']} votes of {_count_raters(result)} on {result['prompts']} prompts",
        *(f"WARNING ({w['name']}): {w['sentence']}" for w in result["warnings"]),
        "",
    ]
    for name, label in (
        ("wins", "trained preferred"),
        ("ties", "equal"),
        ("losses", "base preferred"),
    ):
        lines.append(f"  {label:<18} {_write_share(estimate[name])}")
    net = estimate["net"]
    bounds = net["interval"]
    lines += [
        f"  {'net preference':<18} "
        + ("-" if net["value"] is None else f"{net['value']:+.3f}")
        + ("" if bounds is None else f"  [{bounds['low']:+.3f}, {bounds['high']:+.3f}]"),
        "",
        f"primary test ({result['primary']['test']}): {_write_p(result['primary']['p'])}"
        + _name_warnings([warning["name"] for warning in result["warnings"]]),
    ]
    lines += _describe_stopping(result.get("stopping"))
    lines += _describe_excluded(result)
    for rater in result["raters"]:
        lines.append(
            f"  {rater['rater']}: {rater['wins']} / {rater['ties']} / {rater['losses']}"
            f" (trained / equal / base), sign test {_write_p(rater['sign_test_p'])}"
            + _name_warnings(rater["warnings"])
            + _write_side_share(rater["trained_as_a"], rater["trained_as_b"])
        )
    if result["raters"]:
        shown = [sum(r[f"trained_as_{side}"] for r in result["raters"]) for side in "ab"]
        lines.append(f"all raters{_write_side_share(*shown)}" if any(shown) else "sides: not known")
    if verdicts := result["verdicts"]:
        for arm in ("trained", "base"):
            name, row = study.get(arm, arm), verdicts[arm]
            lines.append(
                f"called good: {name} {_write_share(row)} of {row['judged']} answers judged"
            )
    if agreed := result["agreement"]:
        lines.append(f"agreement (Krippendorff's alpha, nominal): {agreed['alpha']:.2f}")
    if position := result["position"]:
        lines.append(f"position: A chosen in {position['share_a']:.0%} of decisive votes")
    if repeats := result["repeats"]:
        lines.append(
            f"repeats: {repeats['same_answer']} of {repeats['pairs']} answered alike with sides"
            " swapped"
        )
    if checks := result["checks"]:
        lines.append(f"checks: {checks['passed']} of {checks['shown']} passed")
    if (blinding := result["blinding"]) and blinding["all"]:
        lines.append(f"blinding (Bang's index, 0 is blind): {blinding['all']['index']:+.2f}")
    for arm, values in (result["texts"] or {}).items():
        off = (
            "not told"
            if values["off_language"] is None
            else f"{values['off_language']} of {values['off_language_known']}"
        )
        lines.append(
            f"answers of {arm}: {values['characters_mean']:.0f} characters on average, in another"
            f" language {off}"
        )
    found = result["power"]["needed_share_of_decisive"]
    lines.append(
        f"power: one rater, {result['power']['prompts']} prompts and {result['power']['ties']:.0%}"
        " ties find "
        + (
            "nothing with 80% power"
            if found is None
            else f"{found:.0%} of decisive votes with 80% power"
        )
    )
    for question, why in study.get("dropped_questions", {}).items():
        lines.append(f"left out: question {question}: {why}")
    for name, why in result["gaps"].items():
        lines.append(f"not computed: {name}: {why}")
    return "\n".join(make_printable(line) for line in lines) + "\n"


def compare_studies(results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row a study with its p and Holm's adjusted p over all of them. Studies without a p have
    none, and do not count among the tests."""
    adjusted = iter(adjust_holm([p for r in results if (p := r["primary"]["p"]) is not None]))
    return [
        {
            "language": result["study"].get("language", ""),
            "prompts": result["prompts"],
            "raters": len(result["raters"]),
            **{
                name: result["estimate"][name]["value"]
                for name in ("wins", "ties", "losses", "net")
            },
            "p": result["primary"]["p"],
            "p_holm": None if result["primary"]["p"] is None else next(adjusted),
            "warnings": " ".join(w["sentence"] for w in result["warnings"]),
        }
        for result in results
    ]


def draw_figure(results: Sequence[Mapping[str, Any]]) -> str:
    """Stacked bars of wins, ties and losses, one a study, as in the paper's Figure 2; SVG that
    needs no fonts or scripts. Shares are means over prompts and add up to 100%."""
    width, left, bar, gap, top = 640, 150, 30, 22, 58
    inner = width - left - 20
    colours = (
        ("wins", "trained", "#2f7d4f", "#ffffff"),
        ("ties", "equal", "#c9ccd3", "#16181d"),
        ("losses", "base", "#b3552b", "#ffffff"),
    )
    height = top + len(results) * (bar + gap) + 24
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
            ' font-family="system-ui, sans-serif" font-size="13" role="img" aria-labelledby="t">'
        ),
        '<title id="t">Which answer native speakers preferred</title>',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    x = float(left)
    for _, label, colour, _ in colours:
        parts.append(
            f'<rect x="{x:.0f}" y="16" width="14" height="14" fill="{colour}"/><text'
            f' x="{x + 20:.0f}" y="28" fill="#16181d">{label} preferred</text>'.replace(
                "equal preferred", "equal"
            )
        )
        x += 140
    for row, result in enumerate(results):
        y = top + row * (bar + gap)
        parts.append(
            f'<text x="{left - 10}" y="{y + 20}" text-anchor="end"'
            f' fill="#16181d">{escape(str(result["study"].get("language", "")))}</text>'
        )
        x = float(left)
        for name, _, colour, ink in colours:
            value = result["estimate"][name]["value"]
            if value is None:
                parts.append(f'<text x="{left}" y="{y + 20}" fill="#16181d">no votes</text>')
                break
            parts.append(
                f'<rect x="{x:.1f}" y="{y}" width="{inner * value:.1f}" height="{bar}"'
                f' fill="{colour}"/>'
            )
            if value >= 0.08:
                parts.append(
                    f'<text x="{x + inner * value / 2:.1f}" y="{y + 20}" text-anchor="middle"'
                    f' fill="{ink}">{value:.0%}</text>'
                )
            x += inner * value
        p = result["primary"]["p"]
        parts.append(
            f'<text x="{left}" y="{y + bar + 14}" font-size="11" fill="#4b5160">{result["prompts"]}'
            f" prompts, {_count_raters(result)}, {escape(_write_p(p) + _count(result))}</text>"
        )
    return "\n".join([*parts, "</svg>", ""])


def to_csv(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """CSV whose text cells no spreadsheet takes for a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow([_write_cell(value) for value in row])
    return out.getvalue()


def _write_cell(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return "" if value is None else value


def _write_share(value: Mapping[str, Any]) -> str:
    if value["value"] is None:
        return "-"
    bounds = value["interval"]
    return f"{value['value']:.1%}" + (
        "" if bounds is None else f"  [{bounds['low']:.1%}, {bounds['high']:.1%}]"
    )


def _write_side_share(a: int, b: int) -> str:
    """Count how often the trained arm stood on side A; empty where nobody knows."""
    return f", trained on A in {a} of {a + b}" if a + b else ""


def _describe_excluded(result: Mapping[str, Any]) -> list[str]:
    """Say whom the plan left out, and what the result is with them."""
    excluded = result.get("excluded")
    if excluded is None:
        return []
    lines = [
        f"left out, as the plan said before: {who}, who {why}" for who, why in excluded.items()
    ]
    if whole := result.get("with_excluded"):
        net = whole["net"]["value"]
        shown = "-" if net is None else f"{net:+.3f}"
        lines.append(f"with everyone: net preference {shown}, {_write_p(whole['p'])}")
    return lines or ["left out, as the plan said before: nobody"]


def _describe_stopping(stopping: Mapping[str, Any] | None) -> list[str]:
    """Say when the votes were enough; nothing of a study whose plan has no such rule."""
    if stopping is None:
        return []
    by = ", ".join(f"by {name} {e:.3g}" for name, e in stopping["e_by"].items())
    wanted = 1 / stopping["level"]
    about = {"speakers": "speakers like these raters", "panel": "these raters"}[stopping["over"]]
    lines = [f"evidence about {about}: e = {stopping['e']:.3g} ({by}); {wanted:g} is enough"]
    if stopping["reached_at"] is not None:
        told = stopping["told_at"]
        lines.append(
            f"enough at vote {stopping['reached_at']} of {stopping['planned']}; raters were "
            + ("not told" if told is None else f"told at vote {told}")
        )
    return lines


def _count_raters(result: Mapping[str, Any]) -> str:
    count = len(result["raters"])
    return f"{count} rater" + ("" if count == 1 else "s")


def _name_warnings(names: Sequence[str]) -> str:
    """The names of warnings, to stand where a p does; "" without any."""
    return f" (warnings: {', '.join(names)})" if names else ""


def _count(result: Mapping[str, Any]) -> str:
    count = len(result["warnings"])
    return f", {count} warning{'s' * (count > 1)}" if count else ""


def _write_p(p: float | None) -> str:
    if p is None:
        return "p not computed"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def make_printable(line: str) -> str:
    """A line that can neither move the cursor nor reorder what is around it."""
    return "".join(c if c.isprintable() else "?" for c in line)
