# SPDX-License-Identifier: BSD-2-Clause
"""An emulated machine that counts instructions: the same command line for every hypervisor."""
import os
import re
import selectors
import subprocess
import sys
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
OUT = TOP / "build/bench"
# Another build than the tree's, with its symbols beside it: HYPERVISOR=FILE.gz.
ARGON = Path(os.environ.get("HYPERVISOR", TOP / "dist/boot/argon.gz"))
XEN = TOP / "build/cache/xen/xen.gz"
# The time-stamp counter counts instructions, and idle time passes at once.
ICOUNT = "shift=0,sleep=off"
CPU = "EPYC,-smap,-monitor,-rdtscp"
OPTIONS = "com1=115200 console=com1"


def build(*targets):
    targets = [t for t in targets if t != "hypervisor" or "HYPERVISOR" not in os.environ]
    # What was given on the command line of an outer make is not for this one.
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS")}
    subprocess.run(["make", "-s", *targets], check=True, cwd=TOP, env=env)


def plugin():
    """The plugin that counts, compiled."""
    made = OUT / "count.so"
    source = TOP / "tests/bench/count.c"
    if not made.exists() or made.stat().st_mtime < source.stat().st_mtime:
        OUT.mkdir(parents=True, exist_ok=True)
        subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-shared", "-fPIC", "-fvisibility=hidden", str(source), "-o",
                        str(made)], check=True)
    return made


def command(image, smp=1, memory=512, more=()):
    return ["qemu-system-x86_64", "-accel", "tcg", "-icount", ICOUNT, "-cpu", CPU, "-smp", str(smp), "-m", str(memory),
            "-display", "none", "-serial", "stdio", "-monitor", "none", "-no-reboot", "-net", "none",
            "-drive", f"file={image},format=raw,if=virtio,snapshot=on", *more]


def image(name, hypervisor, options, kernel, cmdline="", initrd=""):
    """A boot disk; hypervisor "-": the kernel by itself."""
    OUT.mkdir(parents=True, exist_ok=True)
    made = OUT / f"{name}.img"
    subprocess.run([str(TOP / "tests/system/mkimage"), str(made), str(hypervisor), f"{OPTIONS} {options}", str(kernel), cmdline]
                   + ([str(initrd)] if initrd else []), check=True, cwd=TOP)
    return made


def run(args, end, timeout):
    """What the machine prints until a line matches `end`, or None when none does in time."""
    machine = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    text, deadline = "", time.monotonic() + timeout
    sel = selectors.DefaultSelector()
    sel.register(machine.stdout, selectors.EVENT_READ)
    try:
        while time.monotonic() < deadline:
            if not sel.select(1):
                continue
            data = os.read(machine.stdout.fileno(), 65536)
            text += data.decode("utf-8", "replace").replace("\r", "")
            if re.search(end, text, re.M):
                return text
            if not data:
                break
    finally:
        # A plugin writes what it knows at the end.
        machine.terminate()
        try:
            machine.wait(10)
        except subprocess.TimeoutExpired:
            machine.kill()
            machine.wait()
    print(text[-3000:], file=sys.stderr)
    return None
