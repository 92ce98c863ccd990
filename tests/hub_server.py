"""A stand-in of the Hugging Face Hub's HTTP API on loopback, for tests that run the real `huggingface_hub` client.

Repositories live in memory and are gone when the server stops. What is answered: who am I, create and delete a
repository (private or gated too), commits (regular files, Git LFS files, deletions, copies), branches and tags,
information and file listings of any revision, and downloads by HEAD and GET. What the Hub refuses is refused with the
Hub's status codes and `X-Error-Code` headers, from which the client picks its exceptions.

    with HubServer(users={"hf_secret": "kim"}) as hub:
        subprocess.run([...], env={**os.environ, **hub.environment(home=tmp_path, token="hf_secret")})
        hub.files("kim/model")["config.json"]

As on the Hub, large files are not served by the API's own host: uploads and downloads are sent to a storage host by
signed address, which must be asked without the user's token. The same server plays both hosts, under two names of
loopback. Xet, the Hub's newer transfer of large files, is not spoken here, so `environment` turns it off in the client.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import yaml

# Beginning of the list that the Hub writes into the .gitattributes of a new model repository.
LFS_SUFFIXES = (".bin", ".safetensors", ".pt", ".pth", ".pkl", ".pickle", ".onnx", ".h5", ".npy", ".npz", ".zip", ".gz")
GIT_ATTRIBUTES = "".join(f"*{suffix} filter=lfs diff=lfs merge=lfs -text\n" for suffix in LFS_SUFFIXES).encode()
LARGEST_REGULAR_FILE = 10 * 1024 * 1024


@dataclass(frozen=True)
class File:
    """One version of one file."""

    content: bytes
    lfs: bool = False

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def pointer(self) -> bytes:
        """What git itself stores in place of a Git LFS file."""
        size = len(self.content)
        return f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.sha256}\nsize {size}\n".encode()

    @property
    def oid(self) -> str:
        """The git blob id."""
        stored = self.pointer if self.lfs else self.content
        return hashlib.sha1(b"blob %d\0" % len(stored) + stored).hexdigest()


Tree = dict[str, File]


@dataclass
class Repository:
    """Commits and the names that point at them."""

    id: str
    private: bool = False
    gated: bool = False
    commits: dict[str, Tree] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def owner(self) -> str:
        return self.id.split("/")[0]

    def commit(self, branch: str, tree: Tree, message: str) -> str:
        parent = self.branches.get(branch, "")
        text = json.dumps([parent, len(self.commits), message, sorted((path, file.oid) for path, file in tree.items())])
        oid = hashlib.sha1(text.encode()).hexdigest()
        self.commits[oid] = tree
        self.branches[branch] = oid
        return oid

    def resolve(self, revision: str) -> str:
        """The commit that a branch, tag or commit id names."""
        oid = self.branches.get(revision) or self.tags.get(revision) or revision
        if oid not in self.commits:
            raise Refusal(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return oid


class Refusal(Exception):  # noqa: N818 (an answer, not a failure of the server)
    """An error answer: status, the Hub's error code (may be empty) and message, and the commit it is about."""

    def __init__(self, status: int, code: str, message: str, commit: str = "", **body: Any):
        super().__init__(message)
        self.status = status
        self.headers = {"X-Error-Code": code, "X-Error-Message": message, "X-Repo-Commit": commit}
        self.body = {"error": message, **body}


@dataclass
class Request:
    """What a route needs to know of a request."""

    method: str
    query: dict[str, list[str]]
    user: str | None
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Answer:
    """An answer that is more than JSON with status 200."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""


Route = Callable[..., "Answer | dict[str, Any] | list[Any]"]
ROUTES: list[tuple[str, re.Pattern[str], Route]] = []


def route(methods: str, path: str) -> Callable[[Route], Route]:
    """Register a method of HubServer for a path; `<name>` stands for one path segment, `<repo>` for `owner/name`.

    A name that ends in `*` takes the rest of the path. The values are passed, unquoted, as keyword arguments.
    """
    pattern = path.replace("<repo>", "(?P<repo>[^/]+/[^/]+)")
    pattern = re.sub(r"<(\w+)\*>", r"(?P<\1>.+)", pattern)
    pattern = re.sub(r"(?<!\(\?P)<(\w+)>", r"(?P<\1>[^/]+)", pattern)

    def register(function: Route) -> Route:
        ROUTES.extend((method, re.compile(pattern), function) for method in methods.split())
        return function

    return register


class HubServer:
    """The stand-in; a context manager that serves while it is open.

    Args:
        users: who may log in: token -> user name. A user may write to repositories of that name only.
    """

    def __init__(self, users: Mapping[str, str]):
        self.users = dict(users)
        self.repositories: dict[str, Repository] = {}
        self.storage: dict[str, bytes] = {}  # Git LFS objects by sha256
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        port = self._server.server_address[1]
        self.endpoint = f"http://127.0.0.1:{port}"
        self.storage_endpoint = f"http://localhost:{port}"

    def __enter__(self) -> HubServer:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def environment(self, home: Path, token: str | None = None) -> dict[str, str]:
        """The environment variables that make a client use this server, its caches and credentials kept in `home`."""
        return {
            "HF_ENDPOINT": self.endpoint,
            "HF_TOKEN": token or "",
            "HUGGING_FACE_HUB_TOKEN": "",
            "HF_HOME": str(home),
            "HF_TOKEN_PATH": str(home / "token"),
            "HF_HUB_CACHE": str(home / "hub"),
            "HF_MODULES_CACHE": str(home / "modules"),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "HF_HUB_OFFLINE": "0",
            "TRANSFORMERS_OFFLINE": "0",
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
        }

    def files(self, repo: str, revision: str = "main") -> dict[str, bytes]:
        """The files of a repository, path -> content."""
        repository = self.repositories[repo]
        return {path: file.content for path, file in repository.commits[repository.resolve(revision)].items()}

    # Users and repositories

    @route("GET", "/api/whoami-v2")
    def whoami(self, request: Request) -> dict[str, Any]:
        user = self._logged_in(request)
        return {"type": "user", "name": user, "fullname": user, "orgs": [], "auth": {"type": "access_token"}}

    @route("POST", "/api/repos/create")
    def create_repository(self, request: Request) -> dict[str, Any]:
        options = request.json()
        owner = options.get("organization") or self._logged_in(request)
        repo = f"{owner}/{options['name']}"
        self._check_writer(request, owner)
        url = f"{self.endpoint}/{repo}"
        if repo in self.repositories:
            raise Refusal(409, "", "You already created this model repo", url=url)
        self.repositories[repo] = Repository(repo, private=options.get("visibility") == "private")
        self.repositories[repo].commit("main", {".gitattributes": File(GIT_ATTRIBUTES)}, "initial commit")
        return {"url": url, "name": repo, "id": repo}

    @route("DELETE", "/api/repos/delete")
    def delete_repository(self, request: Request) -> dict[str, Any]:
        options = request.json()
        repository = self._writable(request, f"{options.get('organization') or request.user}/{options['name']}")
        del self.repositories[repository.id]
        return {}

    @route("GET", "/api/models/<repo>(/revision/<revision>)?")
    def information(self, request: Request, repo: str, revision: str | None) -> dict[str, Any]:
        repository = self._readable(request, repo, gate=False)
        commit = repository.resolve(revision or "main")
        tree = repository.commits[commit]
        card = card_metadata(tree["README.md"].content.decode()) if "README.md" in tree else {}
        return {
            "id": repo,
            "author": repository.owner,
            "sha": commit,
            "private": repository.private,
            "gated": "auto" if repository.gated else False,
            "siblings": [{"rfilename": path} for path in sorted(tree)],
            "tags": card.get("tags", []),
            "pipeline_tag": card.get("pipeline_tag"),
            "library_name": card.get("library_name"),
            "cardData": card,
        }

    @route("GET", "/api/models/<repo>/refs")
    def references(self, request: Request, repo: str) -> dict[str, Any]:
        repository = self._readable(request, repo)

        def listed(names: dict[str, str], kind: str) -> list[dict[str, str]]:
            return [{"name": n, "ref": f"refs/{kind}/{n}", "targetCommit": oid} for n, oid in names.items()]

        branches, tags = listed(repository.branches, "heads"), listed(repository.tags, "tags")
        return {"branches": branches, "tags": tags, "converts": [], "pullRequests": []}

    @route("POST", "/api/models/<repo>/branch/<branch>")
    def create_branch(self, request: Request, repo: str, branch: str) -> dict[str, Any]:
        repository = self._writable(request, repo)
        if branch in repository.branches:
            raise Refusal(409, "", f"Reference already exists: {branch}")
        repository.branches[branch] = repository.resolve(request.json().get("startingPoint", "main"))
        return {}

    @route("POST", "/api/models/<repo>/tag/<revision>")
    def create_tag(self, request: Request, repo: str, revision: str) -> dict[str, Any]:
        repository = self._writable(request, repo)
        tag = request.json()["tag"]
        if tag in repository.tags:
            raise Refusal(409, "", f"Tag already exists: {tag}")
        repository.tags[tag] = repository.resolve(revision)
        return {}

    # Listing and downloading

    @route("GET", "/api/models/<repo>/tree/<revision>(/<folder>)?")
    def tree(self, request: Request, repo: str, revision: str, folder: str | None) -> list[Any]:
        repository = self._readable(request, repo)
        commit = repository.resolve(revision)
        top = PurePosixPath(folder or ".")
        recursive = request.query.get("recursive", ["false"])[0].lower() == "true"
        entries: dict[str, dict[str, Any]] = {}
        for path, file in sorted(repository.commits[commit].items()):
            parents = list(PurePosixPath(path).parents)  # nearest first, "." last
            if top not in parents:
                continue
            between = parents[: parents.index(top)]
            for parent in between:
                if recursive or parent.parent == top:
                    oid = hashlib.sha1(str(parent).encode()).hexdigest()
                    entries[str(parent)] = {"type": "directory", "path": str(parent), "oid": oid, "size": 0}
            if recursive or not between:
                entries[path] = file_entry(path, file)
        if folder and not entries:
            raise Refusal(404, "EntryNotFound", f"{folder} does not exist on {revision!r}", commit)
        return list(entries.values())

    @route("POST", "/api/models/<repo>/paths-info/<revision>")
    def paths(self, request: Request, repo: str, revision: str) -> list[Any]:
        repository = self._readable(request, repo)
        tree = repository.commits[repository.resolve(revision)]
        body = request.body.decode()
        wanted = json.loads(body)["paths"] if body.startswith("{") else parse_qs(body)["paths"]
        return [file_entry(path, tree[path]) for path in wanted if path in tree]

    @route("GET HEAD", "/<repo>/resolve/<revision>/<path*>")
    def download(self, request: Request, repo: str, revision: str, path: str) -> Answer:
        repository = self._readable(request, repo)
        commit = repository.resolve(revision)
        file = repository.commits[commit].get(path)
        if file is None:
            raise Refusal(404, "EntryNotFound", "Entry not found", commit)
        headers = {"X-Repo-Commit": commit, "ETag": f'"{file.oid}"'}
        if not file.lfs:
            return Answer(200, headers, file.content)
        headers["X-Linked-Etag"] = f'"{file.sha256}"'
        headers["X-Linked-Size"] = str(len(file.content))
        headers["Location"] = f"{self.storage_endpoint}/storage/{file.sha256}?signature=granted"
        return Answer(302, headers)

    # Uploading

    @route("POST", "/api/validate-yaml")
    def validate_card(self, request: Request) -> dict[str, Any]:
        try:
            metadata = card_metadata(request.json()["content"])
        except ValueError as error:
            raise Refusal(400, "", "Invalid metadata", errors=[{"message": str(error)}], warnings=[]) from error
        missing = [] if metadata else [{"message": "empty or missing yaml metadata in repo card"}]
        return {"errors": [], "warnings": missing}

    @route("POST", "/api/models/<repo>/preupload/<revision>")
    def upload_modes(self, request: Request, repo: str, revision: str) -> dict[str, Any]:
        repository = self._writable(request, repo)
        tree = repository.commits[repository.resolve(revision)]

        def mode(entry: dict[str, Any]) -> dict[str, Any]:
            binary = b"\0" in base64.b64decode(entry["sample"])
            large = entry["size"] > LARGEST_REGULAR_FILE or entry["path"].endswith(LFS_SUFFIXES) or binary
            there = tree.get(entry["path"])
            oid = None if there is None else there.sha256 if there.lfs else there.oid
            return {
                "path": entry["path"],
                "uploadMode": "lfs" if large else "regular",
                "shouldIgnore": False,
                "oid": oid,
            }

        return {"files": [mode(entry) for entry in request.json()["files"]]}

    @route("POST", "/<repo>.git/info/lfs/objects/batch")
    def lfs_batch(self, request: Request, repo: str) -> dict[str, Any]:
        self._writable(request, repo)

        def actions(wanted: dict[str, Any]) -> dict[str, Any]:
            oid, size = wanted["oid"], wanted["size"]
            if oid in self.storage:
                return {"oid": oid, "size": size}
            upload = {"href": f"{self.storage_endpoint}/storage/{oid}?signature=granted"}
            verify = {"href": f"{self.endpoint}/api/complete_lfs"}
            return {"oid": oid, "size": size, "actions": {"upload": upload, "verify": verify}}

        return {"transfer": "basic", "objects": [actions(wanted) for wanted in request.json()["objects"]]}

    @route("POST", "/api/complete_lfs")
    def lfs_verify(self, request: Request) -> dict[str, Any]:
        self._logged_in(request)
        wanted = request.json()
        if len(self.storage.get(wanted["oid"], b"")) != wanted["size"]:
            raise Refusal(422, "", f"LFS object {wanted['oid']} is missing, or not of {wanted['size']} bytes")
        return {}

    @route("POST", "/api/models/<repo>/commit/<branch>")
    def commit(self, request: Request, repo: str, branch: str) -> dict[str, Any]:
        repository = self._writable(request, repo)
        if branch not in repository.branches:
            raise Refusal(404, "RevisionNotFound", f"Invalid rev id: {branch}")
        tree = dict(repository.commits[repository.branches[branch]])
        message = ""
        for line in request.body.splitlines():
            operation = json.loads(line)
            key, value = operation["key"], operation["value"]
            if key == "header":
                message = value["summary"]
                parent = value.get("parentCommit")
                if parent and not repository.branches[branch].startswith(parent):
                    raise Refusal(412, "", "A commit has happened since. Please refresh and try again.")
            elif key == "file":
                tree[value["path"]] = File(base64.b64decode(value["content"]))
            elif key == "lfsFile":
                if value["oid"] not in self.storage:
                    raise Refusal(400, "", f"LFS object {value['oid']} of {value['path']} was never uploaded")
                tree[value["path"]] = File(self.storage[value["oid"]], lfs=True)
            elif key in ("deletedFile", "deletedFolder"):
                path = value["path"].rstrip("/")
                gone = [name for name in tree if name == path or PurePosixPath(path) in PurePosixPath(name).parents]
                if not gone:
                    raise Refusal(404, "EntryNotFound", f"A file with this name doesn't exist: {path}")
                for name in gone:
                    del tree[name]
            else:
                raise Refusal(400, "", f"Unknown operation in a commit: {key}")
        oid = repository.commit(branch, tree, message)
        return {"success": True, "commitOid": oid, "commitUrl": f"{self.endpoint}/{repo}/commit/{oid}"}

    # The storage host

    @route("PUT", "/storage/<oid>")
    def store(self, request: Request, oid: str) -> Answer:
        if hashlib.sha256(request.body).hexdigest() != oid:
            raise Refusal(400, "", f"The content of {oid} has another sha256")
        self.storage[oid] = request.body
        return Answer()

    @route("GET", "/storage/<oid>")
    def fetch(self, request: Request, oid: str) -> Answer:
        if oid not in self.storage:
            raise Refusal(404, "", "No such key")
        return Answer(200, {"ETag": f'"{oid}"'}, self.storage[oid])

    # Who may do what

    def _logged_in(self, request: Request) -> str:
        if request.user is None:
            raise Refusal(401, "", "Invalid username or password.")
        return request.user

    def _check_writer(self, request: Request, owner: str) -> None:
        if self._logged_in(request) != owner:
            raise Refusal(403, "", f'You don\'t have the rights to create a model under the namespace "{owner}"')

    def _readable(self, request: Request, repo: str, gate: bool = True) -> Repository:
        repository = self.repositories.get(repo)
        if repository is None or (repository.private and request.user != repository.owner):
            # A stranger must not learn whether a private repository exists.
            raise Refusal(404 if request.user else 401, "RepoNotFound", "Repository not found")
        if gate and repository.gated and request.user != repository.owner:
            raise Refusal(403 if request.user else 401, "GatedRepo", f"Access to model {repo} is restricted.")
        return repository

    def _writable(self, request: Request, repo: str) -> Repository:
        repository = self._readable(request, repo)
        self._check_writer(request, repository.owner)
        return repository

    def _answer(self, method: str, address: str, headers: Mapping[str, str], body: bytes) -> Answer:
        parts = urlsplit(address)
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        try:
            if parts.path.startswith("/storage/"):
                if token or parts.query != "signature=granted":
                    raise Refusal(400, "", "Storage takes signed addresses and no Authorization header")
            elif scheme and token not in self.users:
                raise Refusal(401, "", "Invalid credentials in Authorization header")
            request = Request(method, parse_qs(parts.query), self.users.get(token), body)
            for wanted, pattern, function in ROUTES:
                if wanted == method and (match := pattern.fullmatch(parts.path)):
                    values = {name: value and unquote(value) for name, value in match.groupdict().items()}
                    with self._lock:
                        answer = function(self, request, **values)
                    if isinstance(answer, Answer):
                        return answer
                    return Answer(200, {"Content-Type": "application/json"}, json.dumps(answer).encode())
            raise Refusal(404, "", f"This stand-in has no {method} {parts.path}")
        except Refusal as refusal:
            body = json.dumps(refusal.body).encode()
            headers = {name: quote(value, safe=" '\".,:()/") for name, value in refusal.headers.items() if value}
            return Answer(refusal.status, {"Content-Type": "application/json", **headers}, body)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_request(self) -> None:
                answer = hub._answer(self.command, self.path, self.headers, b"".join(self.body()))
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answer.content)

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = handle_request  # noqa: N815 (names that http.server calls)

            def body(self) -> Iterator[bytes]:
                if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
                    while size := int(self.rfile.readline().split(b";")[0], 16):
                        yield self.rfile.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                else:
                    yield self.rfile.read(int(self.headers.get("Content-Length", 0)))

            def log_message(self, *details: object) -> None:
                """Say nothing: pytest shows what a test prints."""

        return Handler


def card_metadata(card: str) -> dict[str, Any]:
    """The YAML block at the beginning of a model card, as the Hub reads it.

    Raises:
        ValueError: the block is not YAML, or not a mapping.
    """
    block = re.match(r"---\r?\n(.*?)^---\s*$", card, re.DOTALL | re.MULTILINE)
    try:
        metadata = yaml.safe_load(block[1]) if block else None
    except yaml.YAMLError as error:
        raise ValueError(f"the metadata is not YAML: {error}") from error
    if not isinstance(metadata, dict | None):
        raise ValueError(f"the metadata is not a mapping but {type(metadata).__name__}")
    return metadata or {}


def file_entry(path: str, file: File) -> dict[str, Any]:
    """A file in a listing."""
    entry: dict[str, Any] = {"type": "file", "path": path, "oid": file.oid, "size": len(file.content)}
    if file.lfs:
        entry["lfs"] = {"oid": file.sha256, "size": len(file.content), "pointerSize": len(file.pointer)}
    return entry
