"""What a report of a fault needs, collected into one file without what is nobody's business."""

from __future__ import annotations

import json
import os
import re
import sys
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fresco_engine.errors import OutputNotWritable
from fresco_settings import PROMPTS

from fresco_cli import destinations
from fresco_cli.checks import Check
from fresco_cli.daemons import Tools
from fresco_cli.options import DaemonOptions
from fresco_cli.output import Output

_LOG_LINES = 500
_PREFIXES = ("FRESCO_", "HF_", "CUDA_", "OMP_", "PYTORCH_", "LANG", "LC_")
_SECRET = re.compile("TOKEN|KEY|SECRET|PASS", re.IGNORECASE)
_LEFT_OUT = "(left out)"


def check_place(path: Path) -> None:
    """Raises: OutputNotWritable or OutputExists when no report can be written to `path`."""
    if path.suffix.lower() not in (".zip", ".txt"):
        raise OutputNotWritable(path, "reports are written as .zip or .txt")
    destinations.check_file(path, overwrite=False)


def write(path: Path, parts: Mapping[str, str]) -> None:
    """Writes the parts, each a file of a .zip or a section of a .txt.

    Raises:
        DiskFull, OutputNotWritable: it cannot be written.
    """
    from fresco_media.files.disk import partial_name, storing

    temporary = partial_name(path)
    with storing(path):
        try:
            if path.suffix.lower() == ".zip":
                with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
                    for name, text in parts.items():
                        archive.writestr(name, text)
            else:
                sections = (f"===== {name} =====\n{text}\n" for name, text in parts.items())
                temporary.write_text("\n".join(sections), encoding="utf-8")
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@dataclass(frozen=True)
class FaultReport:
    """Collects what there is to say of this machine and its daemon."""

    tools: Tools
    data: Path | None
    with_prompts: bool

    def parts(self, checks: Sequence[Check]) -> dict[str, str]:
        """File names and texts."""
        from fresco_client import data_folder
        from fresco_client.places import log_file, output_file

        folder = data_folder(self.data)
        secrets = _tokens(folder)
        raw = {
            "checks.txt": "\n".join(
                f"{'ok' if check.is_ok else 'MISSING':8}{check.name}: {check.detail}"
                for check in checks
            ),
            "settings.txt": _settings(folder),
            "daemon.txt": self._daemon(),
            "jobs.json": self._jobs(),
            "daemon.log": self._log(log_file(folder)),
            "daemon-output.log": self._log(output_file(folder)),
        }
        return {name: cleaned(text, secrets) for name, text in raw.items()}

    def _daemon(self) -> str:
        from fresco_client import ClientError

        from fresco_cli.status import status_as_json

        try:
            with self.tools.session(self._options(), Output(), start=False) as session:
                status = status_as_json(session.server(), session.address)
                return json.dumps(status, indent=2, default=str)
        except ClientError as error:
            return error.message

    def _jobs(self) -> str:
        from fresco_client import ClientError

        from fresco_cli.jobs_table import job_as_json

        try:
            with self.tools.session(self._options(), Output(), start=False) as session:
                jobs = [job_as_json(job) for job in session.jobs()]
        except ClientError as error:
            return json.dumps({"problem": error.message})
        if not self.with_prompts:
            for job in jobs:
                _leave_out_prompts(job)
        return json.dumps(jobs, indent=2, ensure_ascii=False)

    def _options(self) -> DaemonOptions:
        return DaemonOptions(data=self.data)

    def _log(self, path: Path) -> str:
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            return f"there is none ({error.strerror})"
        lines = text.splitlines()[-_LOG_LINES:]
        if not self.with_prompts:
            # Messages about a prompt quote it.
            lines = [_LEFT_OUT if "prompt" in line else line for line in lines]
        return "\n".join(lines)


def _settings(folder: Path) -> str:
    from fresco_client.places import read_program

    lines = [f"program: {sys.executable}", f"data folder: {folder}"]
    lines.append(f"kept command: {read_program(folder)}")
    for name, value in sorted(os.environ.items()):
        if name.startswith(_PREFIXES):
            lines.append(f"{name}={_LEFT_OUT if _SECRET.search(name) else value}")
    return "\n".join(lines)


def _leave_out_prompts(job: dict[str, Any]) -> None:
    settings: dict[str, Any] = job["settings"] or {}
    for name in PROMPTS:
        if settings.get(name):
            settings[name] = _LEFT_OUT
    if job["result"]:
        job["result"]["report_json"] = _LEFT_OUT
    # What they quote is the prompt, if they are about it.
    if job["failure"] and "prompt" in job["failure"]["message"]:
        job["failure"]["message"] = job["failure"]["log_tail"] = _LEFT_OUT


def _tokens(folder: Path) -> list[str]:
    from fresco_client.places import read_discovery

    announced = read_discovery(folder)
    tokens = [announced.token] if announced else []
    with suppress(OSError, UnicodeDecodeError):
        tokens.append((folder / "token").read_text(encoding="utf-8").strip())
    return [token for token in tokens if token]


def cleaned(text: str, secrets: Sequence[str]) -> str:
    """The text without the secrets, and with ~ for the user's own folder."""
    for secret in secrets:
        text = text.replace(secret, _LEFT_OUT)
    home = str(Path.home())
    if len(home) > 1:
        for form in (home, json.dumps(home)[1:-1], home.replace("\\", "/")):
            text = text.replace(form, "~")
    return text
