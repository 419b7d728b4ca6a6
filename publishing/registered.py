"""Asks which data sets are benchmarks to the Hub, and by which names they call their tasks.

A data set is registered by a file `eval.yaml` of its own, in which its tasks have their ids; only
under such an id does the Hub take a result (https://huggingface.co/docs/hub/eval-results). Of a
data set without one, no id is made up: its scores stand in `model-index` and on the page.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import yaml

from publishing.hub import try_again

if TYPE_CHECKING:
    from huggingface_hub import HfApi

FILE = "eval.yaml"
_LONGEST = 1_000_000  # characters


@dataclass(frozen=True)
class RegisteredTask:
    """A task of a registered benchmark: `config` and `split` are None where any is meant."""

    id: str
    config: str | None
    split: str | None


Registered = Mapping[str, Sequence[RegisteredTask]]
"""The tasks of data sets by the data set's name; no tasks where it is not registered."""


def fetch_registered(api: "HfApi", names: Iterable[str]) -> Registered:
    """Fetches the tasks of data sets. Raises HubError where the Hub cannot be asked."""
    return {
        name: read_tasks(try_again(partial(_fetch, api, name), f"looking up {FILE} of {name}"))
        for name in sorted(set(names))
    }


def read_tasks(text: str) -> list[RegisteredTask]:
    """Reads the tasks of an `eval.yaml`; none of a text that is not one."""
    try:
        content = yaml.safe_load(text[:_LONGEST])
    except yaml.YAMLError:
        return []
    listed = content.get("tasks") if isinstance(content, dict) else None
    return [
        RegisteredTask(str(one["id"]), _read_name(one, "config"), _read_name(one, "split"))
        for one in (listed if isinstance(listed, list) else [])
        if isinstance(one, dict) and one.get("id")
    ]


def find_task(tasks: Sequence[RegisteredTask], config: str | None, split: str | None) -> str | None:
    """Finds the id of the only task that is of a configuration and split; None where there is
    none, or several."""
    found = [one.id for one in tasks if one.config in (None, config) and one.split in (None, split)]
    return found[0] if len(found) == 1 else None


def _read_name(task: Mapping[str, Any], name: str) -> str | None:
    value = task.get(name)
    return None if value is None else str(value)


def _fetch(api: "HfApi", name: str) -> str:
    from huggingface_hub import get_session, hf_hub_url, hf_raise_for_status
    from huggingface_hub.utils._headers import build_hf_headers

    address = hf_hub_url(name, FILE, repo_type="dataset", endpoint=api.endpoint)
    headers = build_hf_headers(token=api.token, library_name="kakugo-publish")
    answer = get_session().get(address, headers=headers, follow_redirects=True)
    if answer.status_code in (401, 403, 404):  # gated, or not there
        return ""
    hf_raise_for_status(answer)
    return str(answer.text)
