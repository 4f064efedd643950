# SPDX-License-Identifier: BSD-2-Clause
for m in xen_evtchn xen_privcmd xen_gntdev xen_gntalloc; do modprobe $m; done
cd /test
./libs -n 3 hello.elf "three ticks" || exit 1
./libs -q -v 128 hello.elf "three ticks" || exit 2
./libs -m 5 hello.elf "three ticks" || exit 3
echo LIBS-TINY
# The first one unpacks the kernel and fills the cache, the second one finds it there.
debian="-m 160 -v 2 -r /guest/initrd -c /var/cache/argon/kernels"
./libs $debian -a "console=hvc0 quiet" /guest/vmlinuz "GUEST-UP" || exit 4
./libs $debian -q -a "console=hvc0 quiet" /guest/vmlinuz "GUEST-UP" || exit 5
ls -l /var/cache/argon/kernels
echo LIBS-DEBIAN
# Refused, with a reason, and nothing is left.
./libs -m 2 hello.elf x && exit 6
./libs -m 100000 hello.elf x && exit 7
./libs /guest/initrd x && exit 8
./libs /test/nothing x && exit 9
./libs -r /test/nothing hello.elf x && exit 10
echo LIBS-REFUSED
