"""Write what it takes to serve a study on a domain of one's own: HTTPS, a service, backups.

OUT/Caddyfile             for Caddy, which gets and renews the certificate by itself
OUT/kakugo-study.service  for systemd: starts with the machine, and again after a fault
OUT/kakugo-backup.service, kakugo-backup.timer   a copy of the votes every hour, kept for some days
OUT/steps.txt             what to type, in order
"""

import re
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from core.shell import quote_for_shell
from preference.errors import PreferenceError
from preference.files import write_text
from preference.pack import read_pack

_FILES = (
    "Caddyfile",
    "kakugo-study.service",
    "kakugo-backup.service",
    "kakugo-backup.timer",
    "steps.txt",
)
_TEMPLATES = Path(__file__).with_name("recipe")
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
# What systemd would take for something of its own in a path.
_SPECIAL = re.compile(r"""[%$"'\\\s]""")


@dataclass(frozen=True)
class Host:
    """A machine that serves a study. domain: the name under which raters reach it; user: who runs
    the service; port, admin_port: on loopback; keep_days: how old a backup becomes."""

    domain: str
    user: str
    port: int = 8770
    admin_port: int = 8771
    keep_days: int = 14


def write_recipe(pack_dir: Path, out: Path, host: Host) -> list[Path]:
    """Writes the files for a pack into `out`; returns their paths, the steps last.

    Raises PreferenceError for a name that is no domain, a path that a service cannot have, or where
    one of the files is there already.
    """
    read_pack(pack_dir)
    pack, backups = pack_dir.resolve(), pack_dir.resolve().with_name(f"{pack_dir.name}-backups")
    command = Path(sys.executable).with_name("kakugo-preference")
    _check(host, pack, command)
    if there := [out / name for name in _FILES if (out / name).exists()]:
        raise PreferenceError(
            f"{there[0]} exists already and is not replaced. Remedy: another --out"
        )
    values: Mapping[str, object] = {
        "host": host,
        "pack": pack,
        "backups": backups,
        "command": command,
        "out": out.resolve(),
        "q": quote_for_shell,
    }
    env = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,
    )
    return [
        write_text(out / name, env.get_template(f"{name}.j2").render(values)) for name in _FILES
    ]


def _check(host: Host, pack: Path, command: Path) -> None:
    labels = host.domain.lower().split(".")
    if len(labels) < 2 or len(host.domain) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise PreferenceError(
            f"--domain {host.domain}: not the name of a machine. Remedy: such as"
            " study.example.org, without https:// and without a port"
        )
    if not re.fullmatch("[a-z_][a-z0-9_-]{0,31}", host.user) or host.user == "root":
        raise PreferenceError(
            f"--user {host.user}: allowed is the name of a user of this machine, not root. Remedy:"
            " sudo useradd --system --create-home study, and --user study"
        )
    for path in (pack, command):
        if _SPECIAL.search(str(path)):
            raise PreferenceError(
                f"{shlex.quote(str(path))}: a service's path may hold no spaces, quotes, % or $."
                " Remedy: move it"
            )
