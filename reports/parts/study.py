"""The part that tells what native speakers preferred in blind studies."""

from reports.figures import gallery
from reports.parts.making import make_from_studies
from reports.parts.omissions import DETAIL, RECORD
from reports.section import Part, Section
from reports.tables import preference

PREFERENCE = Part(
    "preference",
    "Native speakers",
    (
        Section(
            "preference",
            "What native speakers preferred",
            "Which answers native speakers preferred, without knowing whose they were.",
            make=make_from_studies(preference.describe_studies),
            make_file=make_from_studies(preference.tabulate_studies),
            draw=gallery.draw_studies,
        ),
        Section(
            "preference_trust",
            "How far to trust the votes",
            "Whether raters agreed, repeated themselves and stayed blind.",
            make=make_from_studies(preference.tabulate_trust),
        ),
        Section(
            "preference_verdicts",
            "Answers called good",
            "How many answers raters called good.",
            make=make_from_studies(preference.tabulate_verdicts),
        ),
        Section(
            "preference_raters",
            "Votes of each rater",
            "How each rater voted.",
            make=make_from_studies(preference.tabulate_raters),
        ),
        Section(
            "preference_categories",
            "Votes by category",
            "How the votes fell in each category of prompts.",
            make=make_from_studies(preference.tabulate_categories),
            left_out={"terminal": DETAIL},
        ),
        Section(
            "preference_texts",
            "The answers that were compared",
            "How long the answers were, and in which language.",
            make=make_from_studies(preference.tabulate_texts),
            left_out={"terminal": DETAIL},
        ),
        Section(
            "preference_record",
            "What was left out, and the proof",
            "What a study does not count, and the hashes that prove its votes.",
            make=make_from_studies(preference.tabulate_record),
            left_out={"terminal": DETAIL, "latex": RECORD},
        ),
    ),
)
