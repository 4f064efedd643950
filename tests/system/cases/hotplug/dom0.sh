# SPDX-License-Identifier: BSD-2-Clause
# vCPUs of dom0 go offline and come back, under load, several times.
for i in 1 2 3 4; do (while :; do :; done) & done
for round in 1 2 3; do
	for cpu in 1 2 3; do
		echo 0 > /sys/devices/system/cpu/cpu$cpu/online || exit 1
	done
	[ "$(nproc)" = 1 ] || exit 2
	for cpu in 1 2 3; do
		echo 1 > /sys/devices/system/cpu/cpu$cpu/online || exit 3
	done
	[ "$(nproc)" = 4 ] || exit 4
done
kill $(jobs -p)
echo HOTPLUG-DONE
