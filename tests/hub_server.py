"""The Hub in miniature: a real HTTP server that serves local git repositories, as data sets and as
models.

It answers what the Hub's clients ask for in order to read one: what it is at a revision, which
files it has there, and a file. Each answer is of the commit that was asked for.
"""

import json
import subprocess
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

# The repository whose files are for those with a token only; everyone may see what it is.
GATED = "me/flores"


def git(root: Path, *arguments: str) -> bytes:
    return subprocess.run(
        ["git", "-C", str(root), *arguments], capture_output=True, check=True
    ).stdout


@contextmanager
def serving(
    repositories: Mapping[str, Path], gated: Collection[str] = (GATED,)
) -> Iterator[tuple[str, list[str]]]:
    """The endpoint's address and, as they come, the paths that were asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def answer_json(self, value: object) -> None:
            self.answer(200, json.dumps(value).encode(), Content_Type="application/json")

        def handle_any(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = unquote(urlsplit(self.path).path)
            asked.append(path)
            parts = path.removeprefix("/api").strip("/").split("/")
            # A model's files lie at the root: /owner/name/resolve/...
            parts = parts[1:] if parts[0] in ("datasets", "models") else parts
            name, rest = "/".join(parts[:2]), parts[2:]
            root = repositories.get(name)
            if root is None:
                return self.answer(404, X_Error_Code="RepoNotFound")
            revision = rest[1] if len(rest) > 1 else "HEAD"
            try:
                commit = git(root, "rev-parse", "HEAD" if revision == "main" else revision)
                files = git(root, "ls-tree", "-r", "--name-only", commit.decode().strip())
            except subprocess.CalledProcessError:
                return self.answer(404, X_Error_Code="RevisionNotFound")
            sha, names = commit.decode().strip(), files.decode().split("\n")[:-1]

            def entry(file: str) -> dict[str, object]:
                blob = git(root, "rev-parse", f"{sha}:{file}").decode().strip()
                size = len(git(root, "cat-file", "blob", blob))
                return {"type": "file", "path": file, "size": size, "oid": blob}

            def children(folder: str) -> list[dict[str, object]]:
                """What lies directly in a folder, folders before files."""
                start = f"{folder}/" if folder else ""
                inside = [file for file in names if file.startswith(start)]
                heads = {file.removeprefix(start).partition("/")[0] for file in inside}
                folders = sorted(start + head for head in heads if start + head not in names)
                found = [
                    {"type": "directory", "path": path, "size": 0, "oid": sha} for path in folders
                ]
                return found + [
                    entry(file) for file in inside if file.count("/") == start.count("/")
                ]

            match rest[:1]:
                case [] | ["revision"]:
                    siblings = [{"rfilename": file, "size": entry(file)["size"]} for file in names]
                    self.answer_json({"id": name, "sha": sha, "siblings": siblings})
                case ["tree"]:
                    self.answer_json(children("/".join(rest[2:])))
                case ["paths-info"]:
                    paths = json.loads(sent)["paths"] if sent[:1] == b"{" else []
                    self.answer_json([entry(file) for file in paths if file in names])
                case ["resolve"] if name in gated and not self.headers.get("Authorization"):
                    self.answer(401, X_Error_Code="GatedRepo", X_Error_Message="gated")
                case ["resolve"]:
                    file = "/".join(rest[2:])
                    if file not in names:
                        return self.answer(404, X_Error_Code="EntryNotFound", X_Repo_Commit=sha)
                    blob = git(root, "cat-file", "blob", f"{sha}:{file}")
                    self.answer(200, blob, ETag=f'"{entry(file)["oid"]}"', X_Repo_Commit=sha)
                case _:
                    self.answer(404)
            return None

        do_GET = do_HEAD = do_POST = handle_any  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
