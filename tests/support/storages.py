"""A real storage that speaks S3 (SeaweedFS), on free ports."""

from __future__ import annotations

import json
import shutil
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from swarm.settings import Files
from tests.support import binaries
from tests.support.processes import Program, folder, free_port

KEY, SECRET, BUCKET = "the-key", "the-secret-of-the-storage", "swarm-files"


class Seaweed(Program):
    """Master, volume, filer and gateway in one process; what is put into it stays in its folder."""

    def __init__(self, home: Path, program: Path) -> None:
        ports = [free_port() for _each in range(8)]
        self.port = ports[0]
        who = {"name": "swarm", "credentials": [{"accessKey": KEY, "secretKey": SECRET}]}
        rights = {"actions": ["Admin", "Read", "Write", "List", "Tagging"]}
        (home / "s3.json").write_text(json.dumps({"identities": [who | rights]}))
        (home / "data").mkdir()
        services = ("s3", "master", "volume", "filer")
        names = [name for one in services for name in (f"{one}.port", f"{one}.port.grpc")]
        options = {
            **dict(zip(names, map(str, ports), strict=True)),
            "dir": str(home / "data"),
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            "s3.config": str(home / "s3.json"),
            "s3.port.iceberg": "0",
            "s3.port.lance": "0",
            "s3.iam": "false",
            "volume.max": "8",
            "master.volumeSizeLimitMB": "64",
            "master.telemetry": "false",
        }
        given: list[str | Path] = [f"-{name}={value}" for name, value in options.items()]
        command: list[str | Path] = [program, "-logtostderr=true", "server", "-filer", "-s3", *given]
        super().__init__(command, home / "log", self._answers, stop_signal=signal.SIGKILL)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _answers(self) -> bool:
        from swarm.files.shelf import Away
        from swarm.files.storages import shelf_of

        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=1):
                pass
            shelf_of(self.settings(self.log.parent / "arriving")).try_out()
        except (Away, urllib.error.URLError):
            return False
        return True

    def settings(self, arriving: Path, **more: str) -> Files:
        """What `[files]` says of it."""
        return Files(folder=str(arriving), **self.named(), **more)  # type: ignore[arg-type]

    def named(self) -> dict[str, str]:
        """The settings but for the folder."""
        return {
            "storage": "s3",
            "bucket": BUCKET,
            "prefix": "desk/one",
            "endpoint": self.url,
            "access_key": KEY,
            "secret_key": SECRET,
        }


@contextmanager
def seaweed() -> Iterator[Seaweed]:
    """One that a test may freeze or kill."""
    home = folder()
    try:
        with Seaweed(home, binaries.weed()) as server:
            yield server
    finally:
        shutil.rmtree(home, ignore_errors=True)
