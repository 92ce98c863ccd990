"""A small stand-in for the Hugging Face Hub on loopback, for tests that run the real `huggingface_hub` client.

It creates repositories and branches, takes commits, and serves files by HEAD and GET. Everything lives in memory, and
every file is a regular one: Git LFS and Xet are the client's business.

    with HubServer(users={"hf_secret": "kim"}) as hub:
        subprocess.run([...], env={**os.environ, **hub.environment(home=tmp_path, token="hf_secret")})
        hub.files("kim/model")["config.json"]
"""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml


@dataclass
class Repository:
    private: bool
    branches: dict[str, dict[str, bytes]] = field(default_factory=lambda: {"main": {}})


class Refusal(Exception):  # noqa: N818 (an answer, not a failure of the server)
    """An error answer with the `X-Error-Code` from which the client picks its exception."""

    def __init__(self, status: int, message: str, code: str = "", **body: Any):
        super().__init__(message)
        self.status = status
        self.headers = {"X-Error-Code": code, "X-Error-Message": message}
        self.body = {"error": message, **body}


class HubServer:
    """Serve while the context is open.

    Args:
        users: Token -> user name. A user may write to repositories of that name only, and a private repository is
            found by its owner only.
    """

    def __init__(self, users: Mapping[str, str]):
        self.users = users
        self.repositories: dict[str, Repository] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": self}))
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *error):
        self._server.shutdown()
        self._server.server_close()

    def environment(self, home: Path, token: str = "") -> dict[str, str]:
        """The environment variables that make a client use this server, with its caches in `home`."""
        off = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
        on = ("HF_HUB_DISABLE_XET", "HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DISABLE_PROGRESS_BARS")
        folders = {"HF_HOME": home, "HF_HUB_CACHE": home / "hub", "HF_MODULES_CACHE": home / "modules"}
        return {
            "HF_ENDPOINT": self.endpoint,
            "HF_TOKEN": token,
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            **{name: str(folder) for name, folder in folders.items()},
            **dict.fromkeys(off, "0"),
            **dict.fromkeys(on, "1"),
        }

    def files(self, repo: str, branch: str = "main") -> dict[str, bytes]:
        """The files of a branch by their paths; the branch is named by itself or by its commit's id."""
        for name, tree in self.repositories[repo].branches.items():
            if branch in (name, oid(tree)):
                return tree
        raise Refusal(404, f"Invalid rev id: {branch}", "RevisionNotFound")

    # The routes: each takes the user, the body and the variable parts of its path, and returns what becomes JSON.

    def create(self, user: str, body: bytes) -> dict[str, str]:
        options = json.loads(body)
        owner = options.get("organization") or user
        repo = f"{owner}/{options['name']}"
        if owner != user:
            raise Refusal(403, f'You don\'t have the rights to create a model under the namespace "{owner}"')
        if repo in self.repositories:
            raise Refusal(409, "You already created this model repo", url=f"{self.endpoint}/{repo}")
        self.repositories[repo] = Repository(
            private=options.get("visibility") == "private" or bool(options.get("private"))
        )
        return {"url": f"{self.endpoint}/{repo}", "name": repo, "id": repo}

    def information(self, user: str, body: bytes, repo: str, branch: str = "main") -> dict[str, Any]:
        repository = self._readable(user, repo)
        tree = self.files(repo, branch)
        siblings = [{"rfilename": path} for path in tree]
        return {"id": repo, "private": repository.private, "sha": oid(tree), "siblings": siblings}

    def tree(self, user: str, body: bytes, repo: str, branch: str) -> list[dict[str, Any]]:
        self._readable(user, repo)
        files = self.files(repo, branch).items()
        return [{"type": "file", "path": path, "size": len(content), "oid": ""} for path, content in files]

    def branch(self, user: str, body: bytes, repo: str, branch: str) -> dict[str, str]:
        self.repositories[repo].branches.setdefault(branch, dict(self.files(repo)))
        return {}

    def check_card(self, user: str, body: bytes) -> dict[str, list[Any]]:
        block = re.match(r"---\n(.*?)^---$", json.loads(body)["content"], re.DOTALL | re.MULTILINE)
        try:
            yaml.safe_load(block[1] if block else "")
        except yaml.YAMLError as error:
            raise Refusal(400, "Invalid metadata", errors=[{"message": str(error)}], warnings=[]) from error
        return {"errors": [], "warnings": []}

    def upload_modes(self, user: str, body: bytes, repo: str, branch: str) -> dict[str, Any]:
        self.files(repo, branch)
        files = json.loads(body)["files"]
        return {"files": [{"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in files]}

    def commit(self, user: str, body: bytes, repo: str, branch: str) -> dict[str, str]:
        tree = self.files(repo, branch)
        for operation in map(json.loads, body.splitlines()):
            if operation["key"] == "file":
                tree[operation["value"]["path"]] = base64.b64decode(operation["value"]["content"])
        url = f"{self.endpoint}/{repo}/commit/{oid(tree)}"
        return {"commitUrl": url, "commitOid": oid(tree), "hookOutput": ""}

    def file(self, user: str, body: bytes, repo: str, branch: str, path: str) -> tuple[bytes, str]:
        self._readable(user, repo)
        tree = self.files(repo, branch)
        if path not in tree:
            raise Refusal(404, "Entry not found", "EntryNotFound")
        return tree[path], oid(tree)

    def _readable(self, user: str | None, repo: str) -> Repository:
        repository = self.repositories.get(repo)
        if repository is None or (repository.private and user != repo.split("/")[0]):
            raise Refusal(404 if user else 401, "Repository not found", "RepoNotFound")
        return repository


REPO = "([^/]+/[^/]+)"
ROUTES = {
    "POST /api/repos/create": HubServer.create,
    f"GET /api/models/{REPO}": HubServer.information,
    f"GET /api/models/{REPO}/revision/([^/]+)": HubServer.information,
    f"GET /api/models/{REPO}/tree/([^/]+)": HubServer.tree,
    f"POST /api/models/{REPO}/branch/([^/]+)": HubServer.branch,
    "POST /api/validate-yaml": HubServer.check_card,
    f"POST /api/models/{REPO}/preupload/([^/]+)": HubServer.upload_modes,
    f"POST /api/models/{REPO}/commit/([^/]+)": HubServer.commit,
    f"(?:GET|HEAD) /{REPO}/resolve/([^/]+)/(.+)": HubServer.file,
}


def oid(tree: Mapping[str, bytes]) -> str:
    return hashlib.sha1(repr(sorted(tree.items())).encode()).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: HubServer

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            status, headers, content = 200, {}, self.route(body)
        except Refusal as refusal:
            status, headers, content = refusal.status, refusal.headers, refusal.body
        if isinstance(content, tuple):
            content, commit = content
            headers = {"ETag": f'"{hashlib.sha1(content).hexdigest()}"', "X-Repo-Commit": commit}
        else:
            content = json.dumps(content).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def route(self, body: bytes) -> Any:
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme and token not in self.hub.users:
            raise Refusal(401, "Invalid credentials in Authorization header")
        for pattern, function in ROUTES.items():
            if match := re.fullmatch(pattern, f"{self.command} {urlsplit(self.path).path}"):
                return function(self.hub, self.hub.users.get(token), body, *map(unquote, match.groups()))
        raise Refusal(404, f"No {self.command} {self.path} here", "EntryNotFound")

    do_GET = do_HEAD = do_POST = answer  # noqa: N815 (names that http.server calls)

    def log_message(self, *details: object) -> None:
        """Say nothing: pytest shows what a test prints."""
