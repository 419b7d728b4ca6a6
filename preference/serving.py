"""Runs the study's listeners: the raters' on the address asked for, the admin's on loopback."""

import asyncio
import contextlib
import os
import socket
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from filelock import FileLock, Timeout
from starlette.applications import Starlette

from core.files import LOCKLESS
from preference.addresses import list_reachable
from preference.admin_app import make_admin_app
from preference.closing import open_ballots
from preference.errors import PreferenceError, StudyStateError
from preference.invitations import make_code_finder, remember_addresses
from preference.pack import read_pack
from preference.rater_app import RaterApp


@contextmanager
def served_alone(directory: Path, what: str) -> Iterator[None]:
    """Holds the directory's lock, so that one program at a time serves it; the system frees it when
    the program ends, however it ends."""
    with _holding_lock(directory / "serve.lock", f"{directory}: {what}"):
        yield


@contextmanager
def _holding_lock(path: Path, what: str) -> Iterator[None]:
    # A lock file in place of a lock would outlive a crash.
    lock = FileLock(path, timeout=0, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout:
        raise StudyStateError(
            f"{what} is served by another program already. Remedy: stop that one, or use it"
        ) from None
    except OSError as error:
        if error.errno not in LOCKLESS:
            raise
        raise StudyStateError(
            f"{path.parent}: its file system has no locks, which votes need. Remedy: a folder on a "
            "disk of this machine"
        ) from None
    try:
        yield
    finally:
        lock.release()


def serve(
    pack_dir: Path,
    *,
    host: str,
    port: int,
    admin_port: int,
    https: bool = False,
    trust_proxy: str | None = None,
    say: Callable[[str], None] = print,
) -> None:
    """Serves a study until it is interrupted. https: raters come through a proxy that speaks TLS;
    trust_proxy: the proxy's address, whose X-Forwarded-For is believed (for the rate limits)."""
    pack = read_pack(pack_dir)
    # The second lock is for a copy of the pack: its votes would be another study's.
    user = os.getuid() if hasattr(os, "getuid") else 0
    copies = Path(tempfile.gettempdir()) / f"kakugo-study-{user}-{pack['study']}.lock"
    with (
        served_alone(pack_dir, "this study"),
        _holding_lock(copies, f"{pack_dir}: a copy of this pack"),
    ):
        ballots = open_ballots(pack_dir, pack)
        try:
            if ballots.is_closed():
                raise StudyStateError(
                    f"the study in {pack_dir} is closed; no vote is taken any more"
                )

            def opened(found: list[list[str]]) -> None:
                # Behind a proxy, raters come by its address, which nobody here knows.
                remember_addresses(pack_dir, [] if https else found[0])
                through = "raters, through the proxy" if https else "raters"
                for what, addresses in zip((through, "counts, for you alone"), found, strict=True):
                    for address in addresses:
                        say(f"{what}: {address}/")

            run_apps(
                [
                    (
                        RaterApp(
                            pack, ballots, https=https, find_code=make_code_finder(pack_dir)
                        ).make_app(),
                        host,
                        port,
                    ),
                    (make_admin_app(pack, ballots), "127.0.0.1", admin_port),
                ],
                trust_proxy=trust_proxy,
                opened=opened,
            )
        finally:
            ballots.close_file()


def run_apps(
    apps: Sequence[tuple[Starlette, str, int]],
    *,
    opened: Callable[[list[list[str]]], None],
    trust_proxy: str | None = None,
) -> None:
    """Runs applications, each on its address, in one process until interrupted. Port 0 takes any
    free one. opened: is told the addresses of each application, once it listens. Access logs are
    off: they would keep the tokens and addresses of raters."""
    with contextlib.ExitStack() as first:
        # Where one cannot listen, those before it are closed again.
        sockets = [first.enter_context(_bind_socket(host, port)) for _, host, port in apps]
        first.pop_all()
    opened(
        [
            list_reachable(host, bound.getsockname()[1])
            for (_, host, _), bound in zip(apps, sockets, strict=True)
        ]
    )

    async def run() -> None:
        servers = [
            uvicorn.Server(
                uvicorn.Config(
                    app,
                    access_log=False,
                    log_level="warning",
                    server_header=False,
                    date_header=False,
                    proxy_headers=trust_proxy is not None,
                    forwarded_allow_ips=trust_proxy or "",
                    timeout_graceful_shutdown=5,
                )
            )
            for app, *_ in apps
        ]
        tasks = [
            asyncio.create_task(server.serve(sockets=[bound]))
            for server, bound in zip(servers, sockets, strict=True)
        ]
        # When one ends, on an interrupt or a fault, so does the other.
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for server in servers:
            server.should_exit = True
        await asyncio.gather(*tasks)

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run())


def _bind_socket(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    try:
        bound.bind((host, port))
        # Two listeners may be bound to one address; only one of them can listen.
        bound.listen()
    except OSError as error:
        bound.close()
        raise PreferenceError(
            f"cannot listen on {host}:{port} ({error.strerror}). Remedy: another --port,"
            " --admin-port or --host"
        ) from None
    return bound
