"""The Hub in miniature, to be written to: what its client calls in order to publish.

It keeps repositories (a dictionary of files for each commit), large files by their SHA-256, and
collections, and answers as the Hub does: 401 without a token, 403 for one that may not write there,
409 for what exists, 404 where Xet storage is asked for, which it has not. Troubles are put on it:
a status for the next requests to a path, or a connection that is cut.
"""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

TOKEN = "hf_" + "t" * 34
READER = "hf_" + "r" * 34
CUT = -1
CUT_AFTER = -2
LARGE = (".safetensors", ".parquet")


@dataclass
class Repo:
    """A repository: its files by their paths, large ones as the SHA-256 of their content."""

    place: str
    private: bool
    files: dict[str, bytes] = field(default_factory=lambda: {".gitattributes": b"*.x\n"})
    large: dict[str, str] = field(default_factory=dict)
    commits: int = 1


@dataclass
class Hub:
    """The state of the server. `troubles` gives the statuses of the next requests whose line
    contains a text: CUT cuts the connection instead of answering, CUT_AFTER does so once the
    request is done."""

    url: str = ""
    repos: dict[str, Repo] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    collections: dict[str, dict[str, Any]] = field(default_factory=dict)
    registered: dict[str, object] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    troubles: dict[str, list[int]] = field(default_factory=dict)

    def count(self, part: str) -> int:
        """Counts the requests whose line contains a text."""
        return sum(part in line for line in self.asked)

    def read(self, name: str, path: str) -> bytes:
        """The content of a file, `name` as in "model org/name"."""
        repo = self.repos[name]
        return self.blobs[repo.large[path]] if path in repo.large else repo.files[path]


def hash_blob(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@contextmanager
def serving(owner: str = "org") -> Iterator[Hub]:
    """A server on loopback that knows two tokens: TOKEN may write to `owner`, READER only reads."""
    hub, lock = Hub(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, status: int, value: object = None, **headers: str) -> None:
            if self.after:
                self.close_connection = True
                self.connection.close()
                return
            body = b"" if value is None else json.dumps(value).encode()
            self.send_response(status)
            for name, content in headers.items():
                self.send_header(name.replace("_", "-"), content)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = unquote(urlsplit(self.path).path)
            line = f"{self.command} {path}"
            self.after = False
            with lock:
                hub.asked.append(line)
                for part, statuses in hub.troubles.items():
                    if part in line and statuses:
                        status = statuses.pop(0)
                        if status == CUT:
                            self.close_connection = True
                            self.connection.close()
                            return
                        if status != CUT_AFTER:
                            return self.answer(status, {"error": "trouble"}, Retry_After="0")
                        self.after = True
                self.act(path.strip("/").split("/"), body)

        def act(self, parts: list[str], body: bytes) -> None:
            token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
            if parts[0] == "blob":  # its address is its licence, as in any storage
                content_hash = hashlib.sha256(body).hexdigest()
                if content_hash != parts[1]:
                    return self.answer(400)
                hub.blobs[content_hash] = body
                return self.answer(200)
            if token not in (TOKEN, READER):
                return self.answer(401, {"error": "Invalid credentials"})
            writes = token == TOKEN
            match parts:
                case ["api", "whoami-v2"]:
                    role = "write" if writes else "read"
                    self.answer(
                        200,
                        {
                            "type": "user",
                            "name": "me",
                            "orgs": [{"name": owner}],
                            "auth": {"accessToken": {"role": role}},
                        },
                    )
                case ["api", "repos", "create"]:
                    asked = json.loads(body)
                    if not writes or asked["organization"] != owner:
                        return self.answer(403, {"error": "You have no right to create it"})
                    kind = asked.get("type", "model")
                    name = f"{kind} {asked['organization']}/{asked['name']}"
                    if name in hub.repos:
                        return self.answer(409, {"error": "You already created it"})
                    folder = "datasets/" if kind == "dataset" else ""
                    place = f"{hub.url}/{folder}{name.split(' ')[1]}"
                    hub.repos[name] = Repo(place, asked.get("visibility") == "private")
                    self.answer(200, {"url": place})
                case ["api", "validate-yaml"]:
                    self.answer(200, {"errors": [], "warnings": []})
                case ["api", "collections", *rest]:
                    self.collect(rest, body)
                case ["api", ("models" | "datasets") as kinds, org, short, *rest]:
                    name = f"{kinds.removesuffix('s')} {org}/{short}"
                    if name not in hub.repos:
                        return self.answer(404, {"error": "no such"}, X_Error_Code="RepoNotFound")
                    self.serve(hub.repos[name], rest, body, writes)
                case ["datasets", org, short, "resolve", _, "eval.yaml"]:
                    found = hub.registered.get(f"{org}/{short}")
                    self.answer(200 if found else 404, found)  # JSON is YAML
                case [*_, "info", "lfs", "objects", "batch"]:
                    wanted = json.loads(body)["objects"]
                    self.answer(
                        200, {"transfer": "basic", "objects": [self.place(o) for o in wanted]}
                    )
                case _:
                    self.answer(404, {"error": "no such page"})
            return None

        def place(self, wanted: dict[str, Any]) -> dict[str, Any]:
            address = {"upload": {"href": f"{hub.url}/blob/{wanted['oid']}"}}
            return wanted if wanted["oid"] in hub.blobs else {**wanted, "actions": address}

        def serve(self, repo: Repo, rest: list[str], body: bytes, writes: bool) -> None:
            match rest:
                case ["tree", *_]:
                    self.answer(200, [self.describe(repo, path) for path in sorted(repo.files)])
                case ["preupload", _]:
                    self.answer(
                        200,
                        {
                            "files": [
                                {
                                    "path": one["path"],
                                    "shouldIgnore": False,
                                    "oid": None,
                                    "uploadMode": "lfs"
                                    if one["path"].endswith(LARGE)
                                    else "regular",
                                }
                                for one in json.loads(body)["files"]
                            ]
                        },
                    )
                case ["commit", _] if not writes:
                    self.answer(403, {"error": "no right to write"})
                case ["commit", _]:
                    self.commit(repo, [json.loads(line) for line in body.splitlines()])
                case ["settings"]:
                    repo.private = json.loads(body)["visibility"] == "private"
                    self.answer(200, {})
                case _:  # xet-write-token among them
                    self.answer(404, {"error": "no such page"})

        def describe(self, repo: Repo, path: str) -> dict[str, Any]:
            content = repo.files[path]
            entry = {"type": "file", "path": path, "oid": hash_blob(content), "size": len(content)}
            if path in repo.large:
                size = len(hub.blobs[repo.large[path]])
                lfs = {"oid": repo.large[path], "size": size, "pointerSize": len(content)}
                entry |= {"size": size, "lfs": lfs}
            return entry

        def commit(self, repo: Repo, lines: list[dict[str, Any]]) -> None:
            for line in lines:
                value = line["value"]
                match line["key"]:
                    case "file":
                        repo.files[value["path"]] = base64.b64decode(value["content"])
                        repo.large.pop(value["path"], None)
                    case "lfsFile":
                        if value["oid"] not in hub.blobs:
                            return self.answer(400, {"error": "this file was never sent"})
                        repo.files[value["path"]] = f"pointer {value['oid']}".encode()
                        repo.large[value["path"]] = value["oid"]
                    case "deletedFile":
                        repo.files.pop(value["path"])
                        repo.large.pop(value["path"], None)
            repo.commits += 1
            self.answer(
                200, {"commitUrl": f"{repo.place}/commit/{'0' * 40}", "commitOid": "0" * 40}
            )
            return None

        def collect(self, rest: list[str], body: bytes) -> None:
            asked = json.loads(body) if body else {}
            if not rest:
                slug = f"{asked['namespace']}/{asked['title'].lower().replace(' ', '-')}-1"
                if slug in hub.collections:
                    return self.answer(409, {"error": "exists", "slug": slug})
                hub.collections[slug] = {
                    "slug": slug,
                    "title": asked["title"],
                    "owner": {"name": owner},
                    "items": [],
                    "lastUpdated": "2026-01-01T00:00:00.000Z",
                    "position": 0,
                    "theme": "blue",
                    "private": asked["private"],
                    "upvotes": 0,
                }
                return self.answer(200, hub.collections[slug])
            made = hub.collections["/".join(rest[:2])]
            if self.command == "PATCH":
                made |= asked
                return self.answer(200, {"data": made})
            if self.command == "POST":
                item = {"_id": str(len(made["items"])), "position": 0, **asked["item"]}
                if any(one["id"] == item["id"] for one in made["items"]):
                    return self.answer(409, {"error": "exists"})
                made["items"].append(item)
            return self.answer(200, made)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = handle_any  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
