"""The role of a producer: where its checkpoint comes from."""

import re
from typing import Literal, get_args

Role = Literal["base", "trained", "published"]
"""What a checkpoint is to a report: the one from which gains are measured, one that was made here,
or one that was made elsewhere."""
ROLES: tuple[str, ...] = get_args(Role)


def find_role(producer: str, role: str | None = None) -> str:
    """Returns the role that a record gives, or that which stands at the beginning of the
    producer's name, as in "trained:general" and "base (student)": records had none at first, and
    tables have none."""
    return role or re.split("[:# ]", producer, maxsplit=1)[0]
