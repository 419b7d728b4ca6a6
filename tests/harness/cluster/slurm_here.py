"""A real SLURM on this machine, without systemd: munged, slurmctld, and two nodes; root on Debian.

Each node is a slurmd of its own. GPUs are plain files, which SLURM schedules by their number. As a
program it starts one:
`python tests/harness/cluster/slurm_here.py`.
"""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

PACKAGES = ("slurm-wlm", "munge")
# Of each node.
_GPUS = 4
_CPUS = 4
# MiB of a CPU, more than there are: only a job that asks for less is ended for what it takes.
_MEMORY = 64000
_CONTROL = Path("/var/lib/slurm/control")
_NODE = Path("/var/lib/slurm/node")
_NODES = {"first": 17001, "second": 17002}
_CONFIG = """
ClusterName=here
SlurmctldHost={host}(127.0.0.1)
SlurmUser=slurm
AuthType=auth/munge
StateSaveLocation={control}
SlurmdSpoolDir={node}/%n
SlurmctldPidFile=/run/slurmctld.pid
SlurmdPidFile=/run/slurmd-%n.pid
SlurmctldLogFile={control}/log
SlurmdLogFile={node}/%n/log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill,UsePss
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU={memory}
SchedulerParameters=batch_sched_delay=0,sched_min_interval=200000,bf_interval=2
MpiDefault=none
MinJobAge=3600
KillWait=10
ReturnToService=2
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
GresTypes=gpu
SlurmdParameters=config_overrides
{nodes}
PartitionName=main Nodes=ALL Default=YES MaxTime=120 State=UP PriorityTier=1
PartitionName=urgent Nodes=ALL MaxTime=60 State=UP PriorityTier=10 PreemptMode=OFF
"""


def is_possible() -> bool:
    """Says whether one can be started here: root, and the programs installed or to be had."""
    return os.getuid() == 0 and (is_installed() or shutil.which("apt-get") is not None)


def is_installed() -> bool:
    return all(shutil.which(name) for name in ("slurmctld", "slurmd", "munged", "sbatch"))


def start() -> None:
    """Installs SLURM where it is not, and starts it where it does not run."""
    if not is_installed():
        subprocess.run(["apt-get", "update", "-qq"], check=True, capture_output=True)
        install = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", *PACKAGES]
        subprocess.run(install, check=True, capture_output=True)
    if not _runs("munged"):
        _start_munge()
    if not _runs("slurmctld"):
        _configure()
        subprocess.run(["slurmctld"], check=True)
        for name in _NODES:
            subprocess.run(["slurmd", "-N", name], check=True)
    for _ in range(150):
        said = subprocess.run(["sinfo", "-h", "-o", "%t"], capture_output=True, text=True).stdout
        if {"idle", "mix", "alloc"} & set(said.split()):
            return
        time.sleep(0.2)
    raise RuntimeError("SLURM does not come up: " + said)


def _runs(program: str) -> bool:
    return subprocess.run(["pgrep", "-x", program], capture_output=True).returncode == 0


def _start_munge() -> None:
    key = Path("/etc/munge/munge.key")
    if not key.exists():
        subprocess.run(["mungekey", "--create"], check=True)
    Path("/run/munge").mkdir(exist_ok=True)
    for path in (key, Path("/run/munge")):
        shutil.chown(path, "munge", "munge")
    key.chmod(0o400)
    as_munge = ["setpriv", "--reuid=munge", "--regid=munge", "--clear-groups"]
    subprocess.run([*as_munge, shutil.which("munged") or "munged"], check=True)


def _configure() -> None:
    host = socket.gethostname().partition(".")[0]
    has = f"CPUs={_CPUS} RealMemory={_CPUS * _MEMORY} Gres=gpu:{_GPUS}"
    nodes, gpus = [], []
    _CONTROL.mkdir(parents=True, exist_ok=True)
    shutil.chown(_CONTROL, "slurm", "slurm")
    for name, port in _NODES.items():
        (_NODE / name).mkdir(parents=True, exist_ok=True)
        for number in range(_GPUS):
            (_NODE / name / f"gpu{number}").touch()
        place = f"NodeHostname={host} NodeAddr=127.0.0.1 Port={port}"
        nodes.append(f"NodeName={name} {place} {has} State=UNKNOWN")
        gpus.append(f"NodeName={name} Name=gpu File={_NODE}/{name}/gpu[0-{_GPUS - 1}]\n")
    values = {"host": host, "control": _CONTROL, "node": _NODE, "memory": _MEMORY}
    Path("/etc/slurm").mkdir(exist_ok=True)
    Path("/etc/slurm/slurm.conf").write_text(_CONFIG.format(**values, nodes="\n".join(nodes)))
    Path("/etc/slurm/gres.conf").write_text("".join(gpus))


if __name__ == "__main__":
    start()
