"""A real Slurm of three nodes on this machine, for as long as a command runs.

    python tests/cluster/slurm.py COMMAND [ARGUMENT ...]     run COMMAND with the cluster up; exit as it does
    python tests/cluster/slurm.py bash                       the same, to look around by hand

Debian's own packages are installed where they are absent, without starting their services. Slurm reads
``/etc/slurm/slurm.conf`` (the Snakemake plugin clears ``SLURM_CONF`` within jobs), so a machine that has one is refused.
Everything else lies in a temporary folder. Whatever happens to COMMAND, all processes and files are taken away again; what
a killed test left behind is taken away by the next one. Daemons and jobs are known by a variable that they inherit.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

NODES = ("n1", "n2", "n3")
CONF = Path("/etc/slurm/slurm.conf")
MARK = "# Made by her2radiomics' test cluster in "
FOLDER = "HER2RADIOMICS_TEST_CLUSTER"  # in the environment of every process that belongs to the cluster
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol")
POLICY = Path("/usr/sbin/policy-rc.d")

# SlurmdTimeout: a dead node is noticed after this many seconds. MinJobAge: how long squeue remembers ended jobs, which the
# plugin's status command needs. ReturnToService: a node that registers again is used again. TaskPlugin, ProctrackType and
# JobAcctGatherType: no control groups, which a container does not let us make; so memory is reserved, not enforced.
SETTINGS = """\
ClusterName=her2radiomics
SlurmctldHost=localhost(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=5,batch_sched_delay=1,defer_batch
ReturnToService=2
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmdSpoolDir={folder}/spool/%n
StateSaveLocation={folder}/state
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
SlurmctldPort=16817
SlurmdParameters=config_overrides
SlurmctldTimeout=30
SlurmdTimeout=20
InactiveLimit=0
KillWait=5
MinJobAge=600
Waittime=0
NodeName=n[1-3] NodeHostname=localhost NodeAddr=127.0.0.1 Port=[17001-17003] CPUs=4 RealMemory=16000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO LLN=YES
"""


class Impossible(Exception):
    """No Slurm can be had on this machine."""


def wait_for(what: str, check: Callable[[], object], seconds: float) -> None:
    """Wait until ``check`` is true.

    Raises
    ------
    TimeoutError
        It was not within ``seconds``.
    """
    end = time.monotonic() + seconds
    while not check():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.2)


def output_of(*command: str) -> str:
    """What a Slurm command prints; empty where the controller does not answer."""
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    return done.stdout if done.returncode == 0 else ""


def processes(folder: Path) -> list[psutil.Process]:
    """Daemons, job steps and jobs of the cluster in this folder, without this process and those that started it.

    A job step writes its title over its environment; it is ours by its name, since this machine has no other Slurm.
    """
    me = psutil.Process()
    apart = {me.pid, *(parent.pid for parent in me.parents())}
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            ours = process.name() == "slurmstepd" or process.environ().get(FOLDER) == str(folder)
            if process.pid not in apart and ours:
                found.append(process)
    return found


class Cluster:
    """Slurm's daemons in a folder; used by the tests to kill and to start them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = os.environ | {FOLDER: str(folder)}

    def start(self) -> None:
        """Start munge, the controller and the nodes, and wait until all are idle."""
        (self.folder / "state").mkdir()
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        CONF.parent.mkdir(exist_ok=True)
        CONF.write_text(f"{MARK}{self.folder}\n" + SETTINGS.format(folder=self.folder), encoding="utf-8")
        files = {"key": "key", "socket": "socket", "pid": "pid", "log": "log", "seed": "seed"}
        options = [f"--{name}-file={self.folder}/munge.{end}" for name, end in files.items() if name != "socket"]
        self._run("munged", "--force", f"--socket={self.folder}/munge.socket", *options)
        self.start_controller("-c")
        for node in NODES:
            self.start_node(node)
        self.wait_until_idle()

    def _run(self, *command: str) -> None:
        done = subprocess.run(command, env=self.environment, capture_output=True, encoding="utf-8", check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed: {done.stdout}{done.stderr}")

    def start_controller(self, *options: str) -> None:
        """Start slurmctld; ``-c`` forgets the state of an earlier one."""
        self._run("slurmctld", *options)

    def start_node(self, node: str) -> None:
        """Start a node's slurmd."""
        (self.folder / "spool" / node).mkdir(parents=True, exist_ok=True)
        self._run("slurmd", "-N", node)

    def wait_until_idle(self, seconds: float = 30) -> None:
        """Wait until all nodes can take jobs."""
        idle = ("sinfo", "--noheader", "--Node", "--states=idle", "--format=%N")
        wait_for("three idle nodes", lambda: len(output_of(*idle).split()) == len(NODES), seconds)

    def kill_controller(self) -> None:
        """Kill -9 slurmctld."""
        self._kill("slurmctld.pid")

    def kill_node(self, node: str) -> None:
        """Kill -9 a node's slurmd and its job steps; the jobs' own processes run on as orphans, as behind a lost network."""
        # not squeue --nodelist: it goes by host, which is one for all nodes here
        jobs = {job["id"] for job in self.jobs("RUNNING") if job["node"] == node}
        self._kill(f"slurmd.{node}.pid")
        for process in processes(self.folder):
            with contextlib.suppress(psutil.Error):
                title = " ".join(process.cmdline())
                if title.startswith("slurmstepd: [") and title[13:].split(".")[0].rstrip("]") in jobs:
                    process.kill()

    def _kill(self, name: str) -> None:
        process = psutil.Process(int((self.folder / name).read_text(encoding="ascii")))
        process.kill()
        wait_for(f"end of {name}", lambda: not process.is_running(), 10)

    @staticmethod
    def jobs(states: str = "all") -> list[dict[str, str]]:
        """Slurm's jobs in these states, ended ones too: id, state, node, restarts, memory, comment (rule and wildcards)."""
        columns = {"id": "JobID", "state": "State", "node": "NodeList", "restarts": "RestartCnt"}
        columns |= {"memory": "MinMemory", "cpus": "NumCPUs", "comment": "Comment"}
        form = ",".join(f"{column}:|" for column in columns.values()).removesuffix("|") + "200"
        printed = output_of("squeue", "--noheader", f"--states={states}", f"--Format={form}")
        return [dict(zip(columns, map(str.strip, line.split("|")), strict=True)) for line in printed.splitlines()]


def remove(folder: Path) -> None:
    """End every process of the cluster in this folder and take its files away."""
    for end in (psutil.Process.terminate, psutil.Process.kill):
        left = processes(folder)
        for process in left:
            with contextlib.suppress(psutil.Error):
                end(process)
        psutil.wait_procs(left, timeout=5)
    if CONF.exists() and CONF.read_text(encoding="utf-8").startswith(f"{MARK}{folder}\n"):
        CONF.unlink()
    shutil.rmtree(folder, ignore_errors=True)


def check_machine() -> None:
    """Refuse what must not be touched, and clear what a killed test left.

    Raises
    ------
    Impossible
        Not Debian, not root, or a Slurm of its own.
    """
    if not Path("/etc/debian_version").exists() or not shutil.which("apt-get"):
        raise Impossible("the test cluster is made from Debian's packages slurm-wlm and munge; this is no Debian.")
    if os.geteuid() != 0:
        raise Impossible("the test cluster must be started by root: it writes /etc/slurm/slurm.conf.")
    if not (CONF.exists() or CONF.is_symlink()):
        return
    first = CONF.read_text(encoding="utf-8").splitlines()[:1] if CONF.exists() else []
    if not first or not first[0].startswith(MARK):
        raise Impossible(f"{CONF} exists: this machine has a Slurm of its own, which is left alone.")
    folder = Path(first[0].removeprefix(MARK))
    owner = folder / "owner.pid"
    if owner.exists() and psutil.pid_exists(int(owner.read_text(encoding="ascii"))):
        raise Impossible(f"another test cluster is running in {folder}: wait for its end.")
    print(f"removing what a killed test left in {folder}", flush=True)
    remove(folder)


def install() -> None:
    """Install Debian's packages where a program is absent; their services are not started.

    Raises
    ------
    Impossible
        The packages cannot be had.
    """
    os.environ["PATH"] = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"])
    if all(map(shutil.which, PROGRAMS)):
        return
    ours = not POLICY.exists()
    if ours:
        POLICY.write_text("#!/bin/sh\nexit 101\n", encoding="ascii")
        POLICY.chmod(0o755)
    apt = ["apt-get", "--quiet=2", "-o", "DPkg::Lock::Timeout=300"]
    packages = ["install", "--yes", "--no-install-recommends", "slurm-wlm", "munge"]
    try:
        for words in (["update"], packages):
            environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
            done = subprocess.run([*apt, *words], env=environment, capture_output=True, encoding="utf-8", check=False)
            if done.returncode:
                raise Impossible(f"apt-get {words[0]} failed: {done.stderr.strip()[-500:]}")
    finally:
        if ours:
            POLICY.unlink()


@contextlib.contextmanager
def cluster() -> Iterator[Cluster]:
    """The cluster, up; taken away at the end of the block."""
    check_machine()
    install()
    folder = Path(tempfile.mkdtemp(prefix="her2radiomics-slurm-"))
    (folder / "owner.pid").write_text(str(os.getpid()), encoding="ascii")
    started = Cluster(folder)
    try:
        started.start()
        yield started
    finally:
        remove(folder)


def main(words: list[str]) -> int:
    """Run the command with the cluster up and return its exit code; 1 where no cluster can be had."""
    skip = words[:1] == ["--or-skip"]
    command = words[1:] if skip else words
    if not command:
        print(__doc__, file=sys.stderr)
        return 2
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(130))
    try:
        begun = time.monotonic()
        with cluster() as up:
            print(f"Slurm with {len(NODES)} nodes is up after {time.monotonic() - begun:.1f} s", flush=True)
            return subprocess.run(command, env=up.environment, check=False).returncode
    except Impossible as why:
        print(f"{'*' * 100}\nNO CLUSTER TEST WAS RUN: {why}\n{'*' * 100}", file=sys.stderr, flush=True)
        return 0 if skip else 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
