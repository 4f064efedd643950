# SPDX-License-Identifier: BSD-2-Clause
# The machine's CPUs, as the hypervisor's driver in Linux shows them: down to one, and up again, several times, under load.
dir=/sys/devices/system/xen_cpu
for i in 1 2 3; do (while :; do :; done) & done
for round in 1 2 3; do
	for cpu in 1 2; do
		echo 0 > $dir/xen_cpu$cpu/online || exit 1
		[ "$(cat $dir/xen_cpu$cpu/online)" = 0 ] || exit 2
	done
	date > /dev/null
	for cpu in 1 2; do
		echo 1 > $dir/xen_cpu$cpu/online || exit 3
		[ "$(cat $dir/xen_cpu$cpu/online)" = 1 ] || exit 4
	done
done
kill $(jobs -p)
echo PCPU-DONE
