"""bf16 or fp32, decided without importing torch.

The answer is part of a checkpoint's key, and finding that everything is done must not load torch.
The price is a rule that is coarser than asking torch:

- an NVIDIA GPU that is present and not hidden by CUDA_VISIBLE_DEVICES computes bf16;
- a CPU computes bf16 when Linux lists one of its bf16 instruction sets in /proc/cpuinfo;
- everything else gets fp32.

Not covered: NVIDIA GPUs older than Ampere, which emulate bf16 (set precision to fp32), and GPUs of
other makers and CPUs outside Linux, which get fp32 unless bf16 is asked for.

Why emulation is never chosen by itself: on an AVX2 CPU, SmolLM2-135M trained at 110 tokens a second
in fp32 and at 5 in emulated bf16.
"""

import os
import shutil
from pathlib import Path

from training.settings import Precision, PrecisionSetting

_CPU_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}  # the last is Arm's name


def resolve_precision(
    setting: PrecisionSetting, *, cpuinfo: Path = Path("/proc/cpuinfo")
) -> Precision:
    """The precision to compute in here: `setting`, or what this machine computes natively.

    bf16 means autocast over fp32 weights. Precision asked for by name is taken at its word.
    """
    if setting != "auto":
        return setting
    return "bf16" if has_nvidia_gpu() or _read_cpu_flags(cpuinfo) & _CPU_FLAGS else "fp32"


def has_nvidia_gpu() -> bool:
    if os.environ.get("CUDA_VISIBLE_DEVICES", "all").strip() in ("", "-1"):
        return False
    # The driver's tools can be installed where no GPU is, so the device file decides on Linux.
    if Path("/dev").is_dir():
        # A container may have been given another than the first.
        return any(Path("/dev").glob("nvidia[0-9]*")) or Path("/dev/dxg").exists()
    return shutil.which("nvidia-smi") is not None


def _read_cpu_flags(cpuinfo: Path) -> set[str]:
    """The instruction sets of the first CPU; empty where there is no such file."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return set()
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return set(value.split())
    return set()
