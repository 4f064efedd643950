# SPDX-License-Identifier: BSD-2-Clause
n=$(grep -o 'dom0-expects=[0-9]*' /proc/cmdline | cut -d= -f2)
[ -z "$n" ] || [ "$(nproc)" = "$n" ] || exit 1
echo CPUS-SEEN $(nproc)
[ "$(cat /sys/hypervisor/type)" = xen ] || exit 2
[ "$(cat /sys/hypervisor/version/major).$(cat /sys/hypervisor/version/minor)" = 4.17 ] || exit 3
grep -q control_d /proc/xen/capabilities || exit 4
for m in xen_evtchn xen_privcmd xen_gntdev xen_gntalloc; do modprobe $m; done
for dev in evtchn privcmd gntdev gntalloc xenbus_backend hypercall; do
	[ -e /dev/xen/$dev ] || { echo "no /dev/xen/$dev"; exit 5; }
done
[ -d /sys/devices/system/xen_memory/xen_memory0 ] || exit 6
cat /sys/hypervisor/version/extra
echo HYPERVISOR-SEEN
# The clock runs, and in step with the RTC.
a=$(date +%s); sleep 2; b=$(date +%s)
[ $((b - a)) -ge 2 ] && [ $((b - a)) -le 4 ] || exit 7
[ "$(date +%Y)" -ge 2024 ] || exit 8
