"""Puts finished checkpoints and their data on the Hugging Face Hub.

licences     the licences that are known, and what may be published under them
plan         which repositories a store gives, and what is refused
votes        the votes of blind studies
looking      damage, contamination and secrets, looked for before anything is sent
data         the rows of sources as Parquet files
cards        the pages of models and data sets
registered   the data sets that are benchmarks to the Hub
results      scores in the forms that the Hub reads
pace         how far a publication is
send         one commit for each repository, private first
cli          `kakugo-publish`
"""

from core.versions import VERSION

__version__ = VERSION
