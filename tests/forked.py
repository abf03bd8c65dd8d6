"""Python as forks of one process that has the libraries loaded, so that a job of a study does not import them again.

:func:`python` is a program that is called as Python is: ``-m snakemake …`` or ``script.py``. It hands its words, folder,
environment and open files to a server, which forks; the fork runs the module or script, and the program ends as it ended.
Snakemake that is started so starts its jobs so. Tests of what a new process does (imports, kills, clusters, environments)
start new ones.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import locale
import marshal
import os
import runpy
import select
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: What many jobs import. Which libraries a job used is noted when it calls them, not when they are imported.
LOADED = (
    "snakemake.cli snakemake.script pyarrow.parquet scipy.optimize scipy.ndimage scipy.stats sklearn.linear_model SimpleITK "
    "radiomics matplotlib.pyplot matplotlib.backends.backend_svg matplotlib.backends.backend_pdf lifelines docx jinja2"
)
#: The program, without anything that takes long to import. What it gets back is the exit code, or minus the signal.
CLIENT = """
import _socket, marshal, os, sys
server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
server.connect(sys.argv[1])
words = marshal.dumps(([os.fsencode(word) for word in sys.argv[2:]], os.getcwdb(), dict(os.environb)))
files = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2))
server.sendmsg([len(words).to_bytes(8, "big")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, files)])
server.sendall(words)
code = int(server.recv(16) or 1)
if code < 0:
    os.kill(os.getpid(), -code)
os._exit(code)
"""
#: Characters of a socket's path, at most.
LONGEST = 100
_SERVERS: list[subprocess.Popen[str]] = []


@cache
def python(*, ours: bool = True) -> str:
    """Path of the program, which has our own modules loaded too or not; Python itself where forks are not safe."""
    folder = Path(tempfile.mkdtemp(prefix="her2radiomics-"))
    client, program, address = folder / "client.py", folder / "python", folder / "socket"
    if sys.platform != "linux" or len(str(address)) > LONGEST:
        return sys.executable
    client.write_text(CLIENT, encoding="utf-8")
    words = shlex.join([sys.executable, "-IS", str(client), str(address)])
    program.write_text(f'#!/bin/sh\nexec {words} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    # as Snakemake sets it for its jobs, before numpy is loaded
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    environment = os.environ | threads | {"PYTHONPATH": "", "PYTHONNOUSERSITE": "1"}
    command = [sys.executable, __file__, str(address), *(["ours"] if ours else [])]
    server = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder, env=environment, encoding="utf-8"
    )
    assert server.stdout is not None and server.stdout.readline() == "ready\n"
    _SERVERS.append(server)
    return str(program)


def stop() -> None:
    """End the server of this process, and wait for it."""
    while _SERVERS:
        server = _SERVERS.pop()
        server.communicate()
        shutil.rmtree(Path(server.args[2]).parent)


def _load(*, ours: bool) -> None:
    """Import libraries, and of our own what the jobs' scripts import."""
    for name in LOADED.split():
        importlib.import_module(name)
    if ours:
        sys.path.insert(1, str(ROOT / "src"))
        for path in sorted((ROOT / "scripts").glob("*.py")):
            for line in path.read_text(encoding="utf-8").splitlines():
                if line.startswith(("from her2radiomics", "import her2radiomics")):
                    importlib.import_module(line.split()[1])
        del sys.path[1]
    gc.freeze()


def _wait(*, all_of_them: bool = False) -> None:
    """Reap the forks that have ended, or all."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, 0 if all_of_them else os.WNOHANG)[0]:
            pass


def _serve(address: str) -> list[str]:
    """Fork for each caller until the starter has closed its end; in a fork, the words to run."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen(128)
        print("ready", flush=True)
        while True:
            found, _, _ = select.select([listening, 0], [], [], 1)
            _wait()
            if 0 in found:
                _wait(all_of_them=True)
                return []
            if listening in found:
                caller, _ = listening.accept()
                if os.fork() == 0:
                    break
                caller.close()
    size, files, _, _ = socket.recv_fds(caller, 8, 3)
    content = caller.makefile("rb").read(int.from_bytes(size, "big"))
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        caller.sendall(str(os.waitstatus_to_exitcode(status)).encode())
        os._exit(0)
    caller.close()
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    words, folder, environment = marshal.loads(content)
    os.chdir(folder)
    os.environb.clear()
    os.environb.update(environment)
    sys.path[1:1] = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    time.tzset()
    locale.setlocale(locale.LC_CTYPE, "")
    return [os.fsdecode(word) for word in words]


def _run(words: list[str], program: Path) -> None:
    """A module or a script, as Python runs it; Snakemake starts its jobs by the same program."""
    if words[0] == "-m":
        sys.path[0], sys.argv = str(Path.cwd()), words[1:]
        if words[1] == "snakemake":
            sys.executable = str(program)
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.path[0], sys.argv = str(Path(words[0]).resolve().parent), words
        runpy.run_path(words[0], run_name="__main__")


if __name__ == "__main__":
    _load(ours="ours" in sys.argv)
    if given := _serve(sys.argv[1]):
        _run(given, Path(sys.argv[1]).with_name("python"))
