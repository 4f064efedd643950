# SPDX-License-Identifier: BSD-2-Clause
disk=/dev/$(grep -o 'testdisk=[a-z0-9]*' /proc/cmdline | cut -d= -f2)
modprobe virtio_pci; modprobe virtio_blk; modprobe ahci; modprobe sd_mod; modprobe nvme
for i in 1 2 3 4 5 6 7 8 9 10; do [ -b "$disk" ] && break; sleep 1; done
[ -b "$disk" ] || { ls /sys/block; exit 1; }
cpus=$(nproc)
for i in $(seq "$cpus"); do nice -n 19 sh -c 'while :; do :; done' & done
# 256 MiB in which no two blocks are the same: random bytes, begun at another place each time.
head -c 8388608 /dev/urandom > /tmp/random
stream() {
	for i in $(seq 1 32); do
		tail -c +$((i * 1001)) /tmp/random
		head -c $((i * 1001 - 1)) /tmp/random
	done
}
stream | dd of="$disk" bs=1M iflag=fullblock 2>/dev/null || exit 2
sync
echo 3 > /proc/sys/vm/drop_caches
want=$(stream | md5sum)
got=$(dd if="$disk" bs=1M count=256 2>/dev/null | md5sum)
grep -E 'virtio|ahci|nvme' /proc/interrupts
kill $(jobs -p) 2>/dev/null
[ "$want" = "$got" ] || exit 3
echo DISK-SAME "$got"
