# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The few calls of huggingface_hub that are made, with errors that name repository and fix."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from evla_ros.errors import EvlaError, shorten

RepoType = Literal["dataset", "model"]
_REPO = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
_LICENCE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,40}", re.ASCII)


class HubError(EvlaError):
    """A repository that cannot be reached, read or written."""


def check_repo(repo: str) -> str:
    """Return the name of a repository when it is one.

    Raises:
        HubError: It is no `owner/name`.
    """
    if not _REPO.fullmatch(repo) or ".." in repo or "--" in repo:
        raise HubError(f"{shorten(repr(repo))} is no repository: give OWNER/NAME")
    return repo


def check_licence(licence: str) -> str:
    """Return a licence when it is spelled as the hub does; `none` means that none is given.

    Raises:
        HubError: There is none, or it is no identifier.
    """
    if not licence:
        raise HubError(
            "under which licence may others use it? Give --licence, such as cc-by-4.0, "
            "apache-2.0 or other; --licence none sends it without one"
        )
    if not _LICENCE.fullmatch(licence):
        raise HubError(f"licence {shorten(repr(licence))}: give an identifier such as cc-by-4.0")
    return "" if licence == "none" else licence


@dataclass(frozen=True)
class Repository:
    """One repository of the hub."""

    name: str
    kind: RepoType

    def send(self, folder: Path, path: str, card: str, *, public: bool) -> str:
        """Make the repository if need be, and write a folder and its card into it in one commit.

        Args:
            folder: What is sent, all of it.
            path: Where in the repository it goes; empty: its root.
            card: The README.md at the root.
            public: Whether a repository that is made now can be read by everybody.

        Returns:
            The address of the commit.

        Raises:
            HubError: The repository cannot be made or written.
        """
        hub = _library()
        api = hub.HfApi()
        prefix = f"{path}/" if path else ""
        files = sorted(file for file in folder.rglob("*") if file.is_file())
        adds = [
            hub.CommitOperationAdd(prefix + file.relative_to(folder).as_posix(), str(file))
            for file in files
            if prefix or file.name != "README.md" or file.parent != folder
        ]
        adds.append(hub.CommitOperationAdd("README.md", card.encode("utf-8")))
        with _told(self, "written"):
            api.create_repo(self.name, repo_type=self.kind, private=not public, exist_ok=True)
            commit = api.create_commit(
                self.name, adds, commit_message=f"Add {path or folder.name}", repo_type=self.kind
            )
        return str(commit.commit_url)

    def fetch(self, folder: Path, revision: str | None) -> None:
        """Copy the repository into an empty folder.

        Args:
            folder: Where to.
            revision: A branch, tag or commit; None: the newest.

        Raises:
            HubError: It is not there, or cannot be read.
        """
        hub = _library()
        with _told(self, "read"):
            hub.snapshot_download(
                self.name, repo_type=self.kind, revision=revision, local_dir=str(folder)
            )

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def _library() -> Any:
    try:
        import huggingface_hub
        import huggingface_hub.errors
    except ImportError as error:
        raise HubError(
            "the hub needs huggingface_hub, which is not installed: pip install 'evla_ros[hub]'"
        ) from error
    return huggingface_hub


@contextlib.contextmanager
def _told(repository: Repository, done: str) -> Iterator[None]:
    errors = _library().errors
    try:
        yield
    except errors.RepositoryNotFoundError as error:
        raise HubError(
            f"{repository} is not there, or you may not see it (`hf auth login`)"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise HubError(f"{repository} has no such revision") from error
    except errors.HfHubHTTPError as error:
        status = getattr(error.response, "status_code", "")
        raise HubError(
            f"{repository} cannot be {done}: the hub answered {status}"
            + (" (`hf auth login`, with a token that may write)" if status in (401, 403) else "")
        ) from error
    except EvlaError:
        raise
    except Exception as error:  # its HTTP library raises of any kind
        raise HubError(f"{repository} cannot be {done}: {shorten(str(error), 200)}") from error
