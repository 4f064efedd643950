# SPDX-License-Identifier: BSD-2-Clause
export PATH=/usr/lib/xen-4.17/bin:/bin:/sbin:/usr/bin:/usr/sbin LD_LIBRARY_PATH=/usr/lib/xen-4.17/lib/x86_64-linux-gnu
for m in xen_evtchn xen_privcmd xen_gntdev xen_gntalloc; do modprobe $m; done
mkdir -p /var/run/xen /run/xen /var/lib/xenstored /var/log/xen /run/xenstored /var/run/xenstored /tmp/guest
ip link set lo up
xenstored --pid-file /run/xenstored.pid || exit 1
xen-init-dom0 || echo "xen-init-dom0: $?"
xenconsoled --log=all --log-dir=/var/log/xen || exit 2
cp /test/writer /tmp/guest/init
(cd /tmp/guest && find . | cpio -o -H newc | gzip -1) > /tmp/initrd
cat > /tmp/guest.cfg <<CFG
name = "mover"
type = "pv"
kernel = "/guest/vmlinuz"
ramdisk = "/tmp/initrd"
extra = "console=hvc0 quiet"
memory = 128
vcpus = 2
on_crash = "preserve"
CFG

# Waits until the guest has said so many lines more than it had; the whole log must be free of complaints.
progress() {
	# The receiver's domain has another name while it is made, and so has the log of its console.
	local log=/tmp/log from
	cat /var/log/xen/guest-mover*.log > $log
	from=$(grep -c GUEST-ROUND $log)
	for i in $(seq 120); do
		cat /var/log/xen/guest-mover*.log > $log
		if grep -q 'GUEST-BAD\|Oops\|BUG' $log; then grep -B2 -A20 'GUEST-BAD\|Oops\|BUG' $log; return 1; fi
		[ "$(grep -c GUEST-ROUND $log)" -ge $((from + $1)) ] && return 0
		sleep 1
	done
	echo "no progress: $from rounds"; tail -n 20 $log; xl list; xl vcpu-list; xl dmesg | tail -n 30
	return 1
}

xl create /tmp/guest.cfg || { xl dmesg | tail -n 30; exit 5; }
progress 3 || exit 6
echo MIGRATE-GUEST-UP
time xl -v save mover /tmp/image || { xl dmesg | tail -n 30; exit 7; }
ls -l /tmp/image
xl list
echo MIGRATE-SAVED
time xl -v restore /tmp/image || { xl dmesg | tail -n 30; exit 8; }
xl list
progress 3 || exit 9
rm /tmp/image # dom0's root is memory
echo MIGRATE-RESTORED
time xl migrate -s '' mover 'xl migrate-receive' || { xl list; xl dmesg | tail -n 30; exit 10; }
xl list
[ "$(xl list | grep -c mover)" = 1 ] || exit 11
progress 3 || exit 12
echo MIGRATE-MIGRATED
time xl save -c mover /tmp/image2 || { xl dmesg | tail -n 30; exit 13; }
progress 3 || exit 14
xl destroy mover
xl restore /tmp/image2 || exit 15
progress 3 || exit 16
echo MIGRATE-CHECKPOINT
xl destroy mover
