# SPDX-License-Identifier: BSD-2-Clause
"""Boots a kernel as dom0 of a hypervisor in QEMU, and what the options of a test mean."""
import argparse
import os
import re
import selectors
import signal
import subprocess
import sys
import tempfile
import time

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../.."))
# What ends a run early: the hypervisor's last words.
DEAD = re.compile(r"Domain 0 (crashed|shutdown)|Reboot in five seconds|panic|Panic on CPU|Hardware Dom0 (crashed|halted)")


# Whoever ends this program ends the machine with it.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(9))


def option_parser(usage):
    p = argparse.ArgumentParser(usage=usage)
    p.add_argument("--smp", type=int, default=1)
    p.add_argument("--mem", type=int, default=512)
    p.add_argument("--dom0-mem", type=int, default=64)
    p.add_argument("--timeout", type=float, default=60)
    p.add_argument("--options", default="")
    p.add_argument("--cmdline", default="")
    # SMAP, MWAIT and RDTSCP of this emulator have flaws that hit PV kernels.
    p.add_argument("--cpu", default="EPYC,-smap,-monitor,-rdtscp")
    p.add_argument("--quiet", action="store_true")
    p.add_argument("--child", action="store_true", help="the kernel gets its own image as module, to make domains with")
    # Tests that run as domains of tests/guest-driver.
    p.add_argument("--domains", type=int, default=0, help="run as so many domains that another dom0 makes")
    p.add_argument("--vcpus", type=int, default=1, help="of each of them")
    p.add_argument("--pages", type=int, default=3072, help="of each of them")
    p.add_argument("--limit", type=int, default=60, help="seconds that they may take")
    p.add_argument("--pin", action="store_true", help="all on one CPU")
    p.add_argument("--mortal", action="store_true", help="domains but the first may end without a verdict")
    return p


def boot(args, hypervisor, kernel, initrd, ended, seconds):
    """Boots; returns (console text, whether it ended). ended(text) is asked after each output; None: just end with the machine."""
    with tempfile.TemporaryDirectory() as tmp:
        image = os.path.join(tmp, "disk.img")
        options = "com1=115200 console=com1 dom0_mem=%dM dom0_max_vcpus=%d %s" % (args.dom0_mem, args.smp, args.options)
        subprocess.run([os.path.join(TOP, "tests/system/mkimage"), image, hypervisor, options, kernel, args.cmdline] +
                       ([initrd] if initrd else []), check=True, cwd=TOP)
        qemu = subprocess.Popen(
            ["qemu-system-x86_64", "-accel", "tcg" + (",thread=multi" if args.smp > 1 else ""), "-cpu", args.cpu,
             "-smp", str(args.smp), "-m", str(args.mem), "-display", "none", "-serial", "stdio", "-monitor", "none",
             "-no-reboot", "-net", "none", "-drive", "file=%s,format=raw,if=virtio" % image],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            return watch(qemu, not args.quiet, ended, seconds)
        finally:
            qemu.kill()
            qemu.wait()


def watch(qemu, echo, ended, seconds):
    text, end, linger = "", time.monotonic() + seconds, None
    sel = selectors.DefaultSelector()
    sel.register(qemu.stdout, selectors.EVENT_READ)
    while True:
        left = (linger or end) - time.monotonic()
        if left <= 0:
            return text, linger is not None
        if not sel.select(left):
            continue
        data = os.read(qemu.stdout.fileno(), 65536)
        if not data:
            return text, True
        part = data.decode("utf-8", "replace").replace("\r", "")
        text += part
        if echo:
            sys.stdout.write(part)
            sys.stdout.flush()
        if linger is None and ended(text):
            return text, True
        if linger is None and DEAD.search(text):
            linger = min(end, time.monotonic() + 2)  # the rest of the message


def kernel_path(name):
    return os.path.join(os.environ.get("GUEST_BUILD", os.path.join(TOP, "build/guest")), name + ".elf")
