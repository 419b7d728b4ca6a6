"""The parts that tell what numbers were made of: data, training, cost, provenance, problems."""

from reports.figures import gallery
from reports.parts.making import make_from_gains, make_from_panels, make_from_store
from reports.parts.omissions import ALONE, CROWDED, LONG, MANY_LANGUAGES, NO_OTHER, RECORD, WIDE
from reports.section import Part, Section
from reports.tables import (
    cost,
    coverage,
    mixtures,
    on_the_way,
    output_language,
    precision,
    problems,
    protocols,
    provenance,
    quality,
    revisions,
    training,
    worth,
    yields,
)

EACH_SCORE = Part(
    "each-score",
    "Each score",
    (
        Section(
            "precision",
            "How sure each score is",
            "The interval of each score, and the least gain that its test would find.",
            make=make_from_panels(precision.tabulate_precision),
            left_out={"terminal": LONG, "markdown": LONG, "latex": LONG},
        ),
        Section(
            "translations",
            "Translations beside chrF++",
            "What spBLEU-200 and COMET say of the same translations, and why where they do not.",
            make=lambda report: report.other_scores,
            left_out={"terminal": NO_OTHER, "latex": LONG},
        ),
        Section(
            "revisions",
            "Sentences that differ between revisions",
            "Which sentences are not the same where a task was scored on two revisions of its "
            "data.",
            make=lambda report: (
                revisions.tabulate_revisions(
                    report.view, {panel.language.name for panel in report.panels}
                )
                if report.view
                else None
            ),
            left_out={"terminal": CROWDED, "latex": LONG},
        ),
        Section(
            "output_language",
            "Language of answers",
            "Whether texts that a model wrote are in the language that was asked for.",
            make=lambda report: output_language.tabulate_output_language(report.everything),
            left_out={"terminal": CROWDED, "latex": LONG},
        ),
        Section(
            "measures",
            "Tokens and output",
            "How many tokens the prompts took, and what was odd in the answers.",
            make=lambda report: (
                coverage.tabulate_measures(report.everything) if report.view else None
            ),
            left_out={"terminal": CROWDED},
        ),
    ),
)

DATA = Part(
    "data",
    "Training data",
    (
        Section(
            "yields",
            "Data yields",
            "How many rows each step of each source asked for, and how many it kept.",
            make=make_from_store(yields.tabulate_yields),
            left_out={"terminal": CROWDED},
        ),
        Section(
            "mixture",
            "Mixtures",
            "How much each training mixture took of each source.",
            make=make_from_store(mixtures.tabulate_mixtures),
            left_out={"terminal": CROWDED},
        ),
        Section(
            "data_quality",
            "Quality of the training data",
            "What the checks of the training data found.",
            make=make_from_store(quality.tabulate_quality),
            left_out={"terminal": CROWDED},
        ),
        Section(
            "mixture_figures",
            "Gains and mixtures",
            "How the gain changes with the size and the sources of the training data.",
            draw=gallery.draw_mixtures,
        ),
    ),
)

TRAINING = Part(
    "training",
    "Training",
    (
        Section(
            "training",
            "Training",
            "Steps, loss and speed of each training run.",
            make=make_from_store(training.tabulate_training),
            draw=gallery.draw_training,
            left_out={"terminal": CROWDED},
        ),
        Section(
            "on_the_way",
            "Gains over the steps of training",
            "The gain of each checkpoint that a training kept on its way, and of their mean.",
            make=lambda report: (
                on_the_way.tabulate_on_the_way(report.runs_on_the_way) if report.view else None
            ),
            draw=gallery.draw_on_the_way,
            left_out={"terminal": CROWDED},
        ),
    ),
)

COST = Part(
    "cost",
    "Cost",
    (
        Section(
            "worth",
            "Gain per dollar and GPU-hour",
            "What a point of gain cost, where the price is known.",
            make=make_from_gains(worth.tabulate_mean_worth),
            left_out={"terminal": ALONE, "latex": WIDE},
        ),
        Section(
            "worth_by_language",
            "Gain per dollar and GPU-hour, each language",
            "The same for each gain, and why where it is not known.",
            make=make_from_gains(worth.tabulate_worth),
            left_out={
                "terminal": LONG,
                "markdown": LONG,
                "latex": LONG,
                "html": MANY_LANGUAGES,
            },
            folded=True,
        ),
        Section(
            "cost_by_language",
            "Cost of each language",
            "Time, tokens and money that each language took.",
            make=make_from_store(cost.tabulate_cost_by_language),
            draw=gallery.draw_cost,
        ),
        Section(
            "cost_by_stage",
            "Cost by stage",
            "Time, tokens and money that each stage took.",
            make=make_from_store(cost.tabulate_cost_by_stage),
        ),
        Section(
            "cost",
            "Cost of each artifact",
            "Time, tokens and money that each artifact took.",
            make=make_from_store(cost.tabulate_cost),
            left_out={"terminal": LONG, "markdown": LONG, "latex": LONG},
            folded=True,
        ),
    ),
)

PROVENANCE = Part(
    "provenance",
    "Provenance",
    (
        Section(
            "runs",
            "Runs",
            "The command of each run, which makes its numbers again.",
            make=make_from_store(provenance.tabulate_runs),
            left_out={"terminal": LONG, "markdown": LONG, "latex": LONG},
            folded=True,
        ),
        Section(
            "protocols",
            "Protocols",
            "How each score came about: prompt, data, engine and metric.",
            make=make_from_store(protocols.tabulate_protocols),
            left_out={"terminal": WIDE, "latex": WIDE},
            folded=True,
        ),
        Section(
            "provenance",
            "Provenance",
            "The key, version, commit and packages of each artifact.",
            make=make_from_store(provenance.tabulate_provenance),
            left_out={"terminal": LONG, "markdown": LONG, "latex": LONG},
            folded=True,
        ),
    ),
    opening="What every number above was made of and with; the command of a run makes it again.",
)

PROBLEMS = Part(
    "problems",
    "Problems",
    (
        Section(
            "failed_runs",
            "Failed runs",
            "No score was planned when they failed, so no table names them.",
            make=make_from_store(problems.tabulate_failed_runs),
            left_out={"latex": RECORD},
            form="alarm",
            of_sweep=True,
        ),
        Section(
            "problems",
            "Damaged files",
            "What they hold is not in this report.",
            make=make_from_store(problems.tabulate_problems),
            left_out={"latex": RECORD},
            form="alarm",
            of_sweep=True,
        ),
    ),
)
