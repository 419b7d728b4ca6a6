"""Writes the text of `kakugo --help`: purpose, the groups as they are on disk, examples."""

import shutil
import textwrap

from core.languages import list_languages, list_papers_languages
from harness.languages import GROUP
from harness.overrides import CONF

HEADER = """\
kakugo: from a language's name to a scored model and a report.

Without arguments it runs the embedded quickstart: a small teacher writes Swahili training data, a
small student is fine-tuned on it, and both it and its base are scored on five tasks.

Usage: kakugo [-m] [GROUP=OPTION ...] [KEY=VALUE ...]
"""
# Folders of conf/ of which an experiment is not put together.
_NO_GROUPS = ("hydra", "cluster")
FOOTER = """\
Examples
  kakugo                                          the quickstart
  kakugo language=yoruba mix=topic                another language, data from topics alone
  kakugo language=Tsakonian mix=topic             any language, by name alone
  kakugo data_dir=DIR evaluate.limit=50           scored on the benchmarks' own files
  kakugo data_dir=hub                             scored on the Hub's data sets
  kakugo -m evaluate.protocol.answers=letters,labels
                                                  two ways of asking; nothing else runs twice
  kakugo -m mix=topic,scenario,gen                a sweep; shared stages run once
  kakugo -m mix=topic language=other 'language.name=Yorùbá,"Kurdish, Central"'
                                                  with -m a comma separates, but not in quotes
  kakugo -m sweep=subsets hydra/launcher=two_at_once
                                                  the data subsets, two jobs at a time
  kakugo experiment=paper language=yoruba teacher.base_url=URL
                                                  the paper's run; see conf/experiment/paper.yaml
  kakugo experiment=paper language=yoruba teacher.base_url=URL plan=true pilot=5
                                                  what the data will cost, after 5 calls a step
  kakugo stop_after=mix                           the data only (also: sources, train)
  kakugo --cfg job                                the whole configuration

Results   kakugo-report --store DIR               tables and one page, from what DIR holds
Cluster   kakugo submit -m ... cluster=slurm      a sweep as jobs of SLURM; kakugo submit --help
Buckets   kakugo send ADDRESS store=DIR           what is finished, to a bucket; kakugo fetch, back
Talk      kakugo chat artifacts/train/KEY         to what was trained; kakugo chat --help
Export    kakugo export [-m] [OVERRIDES]          GGUF files, scored; kakugo export --help
Shell     eval "$(kakugo -sc install=bash)"       completion of groups, options and keys
More      kakugo --hydra-help                     what Hydra itself can do
          kakugo --version                        the version of this project
"""


def write_help() -> str:
    """Returns the help, as wide as the terminal allows."""
    width = min(100, shutil.get_terminal_size().columns)
    groups = []
    for folder in sorted(path for path in CONF.iterdir() if path.is_dir()):
        if folder.name in _NO_GROUPS:
            continue
        options = ", ".join(sorted(path.stem for path in folder.glob("*.yaml")))
        if folder.name == GROUP:
            more = len(list_languages()) - len(list_papers_languages())
            options += f"; {more} more, and any of them by any name or code: frisian, gaeilge, yor"
        groups.append(
            textwrap.fill(
                f"  {folder.name:<12}{options}",
                width,
                subsequent_indent=" " * 14,
                break_on_hyphens=False,
            )
        )
    return "\n".join([HEADER, "Groups", *groups, "", FOOTER])
