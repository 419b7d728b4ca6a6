"""The parts that tell of seeds and mixtures of training: how far they differ, and which is best."""

from reports.figures import gallery
from reports.parts.making import make_from_surfaces
from reports.parts.omissions import RECORD
from reports.section import Part, Section
from reports.tables import next_runs, replicates, surface

SEEDS = Part(
    "seeds",
    "Seeds of training",
    (
        Section(
            "replicates",
            "Gains over training seeds",
            "The mean gain of one mixture trained from several seeds, with their spread.",
            make=lambda report: (
                replicates.tabulate_replicates(report.replicates) if report.view else None
            ),
            of_sweep=True,
        ),
    ),
)

MIXTURES = Part(
    "mixtures",
    "Which mixture is best",
    (
        Section(
            "surface",
            "The best mixture by a surface",
            "The mixture that a surface over all trainings predicts to be best, and how sure.",
            make=make_from_surfaces(surface.tabulate_surfaces),
            draw=gallery.draw_surface,
            of_sweep=True,
        ),
        Section(
            "next_runs",
            "What to train next",
            "The trainings that would tell most of which mixture is best, for what they cost.",
            make=make_from_surfaces(next_runs.tabulate_next_runs),
            left_out={"latex": RECORD},
            of_sweep=True,
        ),
    ),
)
