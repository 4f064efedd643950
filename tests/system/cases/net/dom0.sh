# SPDX-License-Identifier: BSD-2-Clause
modprobe virtio_pci; modprobe virtio_net; modprobe e1000e
for i in 1 2 3 4 5 6 7 8 9 10; do [ -e /sys/class/net/eth0 ] && break; sleep 1; done
ip link set lo up; ip link set eth0 up
ip addr add 10.0.2.15/24 dev eth0
for i in $(seq "$(nproc)"); do nice -n 19 sh -c 'while :; do :; done' & done
# So many MiB in which no two blocks are the same: random bytes, begun at another place each time.
size=$(grep -o 'testsize=[0-9]*' /proc/cmdline | cut -d= -f2)
size=${size:-256}
head -c 8388608 /dev/urandom > /tmp/random
stream() {
	for i in $(seq 1 $((size / 8))); do
		tail -c +$((i * 1001)) /tmp/random
		head -c $((i * 1001 - 1)) /tmp/random
	done
}
want=$(stream | md5sum)
got=$(stream | nc 10.0.2.100 7 | head -c $((size << 20)) | md5sum)
grep -E 'eth0|virtio' /proc/interrupts
kill $(jobs -p) 2>/dev/null
[ "$want" = "$got" ] || exit 3
echo NET-SAME "$got"
