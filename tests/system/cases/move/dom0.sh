# SPDX-License-Identifier: BSD-2-Clause
. /etc/toolstack.sh
toolstack_start || exit 1
mkdir -p /tmp/guest
cp /test/writer /tmp/guest/init
(cd /tmp/guest && find . | cpio -o -H newc | gzip -1) > /tmp/initrd
head -c 4194304 /dev/urandom > /tmp/disk.img
ip link add xenbr0 type bridge && ip link set xenbr0 up || exit 2
cat > /tmp/guest.cfg <<CFG
name = "mover"
type = "pv"
kernel = "/guest/vmlinuz"
ramdisk = "/tmp/initrd"
extra = "console=hvc0 quiet"
memory = 128
vcpus = 2
disk = [ "format=raw,vdev=xvda,access=rw,target=/tmp/disk.img" ]
vif = [ "bridge=xenbr0" ]
on_crash = "preserve"
CFG

fail() {
	echo "FAILED: $*"
	xl list
	xl vcpu-list
	tail -n 30 /var/log/xen/console/guest-mover*.log
	xl dmesg | tail -n 30
	exit 3
}

# Waits until the guest has said so many lines more than it had; the whole log must be free of complaints.
progress() {
	local log=/tmp/log from
	cat /var/log/xen/console/guest-mover*.log > $log
	from=$(grep -c GUEST-ROUND $log)
	for i in $(seq 120); do
		cat /var/log/xen/console/guest-mover*.log > $log
		if grep -q 'GUEST-BAD\|Oops\|BUG' $log; then grep -B2 -A20 'GUEST-BAD\|Oops\|BUG' $log; return 1; fi
		[ "$(grep -c GUEST-ROUND $log)" -ge $((from + $1)) ] && return 0
		sleep 1
	done
	echo "no progress: $from rounds"
	return 1
}

xl create /tmp/guest.cfg || fail create
progress 3 || fail "the guest does not come up"
echo MOVE guest up
time xl save mover /tmp/image || fail save
ls -l /tmp/image
[ "$(xl list | grep -c mover)" = 0 ] || fail "still there after save"
echo MOVE saved
time xl restore /tmp/image || fail restore
progress 3 || fail "restored, but"
echo MOVE restored
rm /tmp/image
old=$(xl domid mover)
time xl migrate -s '' mover 'xl migrate-receive' || fail migrate
[ "$(xl list | grep -c mover)" = 1 ] && [ "$(xl domid mover)" != "$old" ] || fail "two or none after migration"
progress 3 || fail "migrated, but"
echo MOVE migrated
xl checkpoint mover /tmp/image || fail checkpoint
progress 3 || fail "goes on after the checkpoint, but"
xl destroy mover
xl restore /tmp/image || fail "restore of the checkpoint"
progress 3 || fail "restored from the checkpoint, but"
echo MOVE checkpoint
# Whatever goes wrong on the other side, the guest runs on here, and nothing is left there.
old=$(xl domid mover)
! xl migrate -s '' mover 'false' || fail "migration to nobody"
! xl migrate -s '' mover 'head -c 100000 | xl migrate-receive' || fail "migration over a line that is cut"
! xl migrate -s '' mover 'sh -c "xl migrate-receive & sleep 2; kill -9 \$!"' || fail "migration to one that dies"
! xl save mover /dev/full || fail "save to a full disk"
head -c 3000000 /tmp/image > /tmp/cut
! xl restore /tmp/cut || fail "restore of half a file"
[ "$(xl list | grep -c mover)" = 1 ] && [ "$(xl domid mover)" = "$old" ] || fail "not as it was"
progress 3 || fail "after failures"
echo MOVE refused
xl destroy mover || fail destroy
sleep 2
[ "$(xl list | wc -l)" = 2 ] || fail "domains left"
[ -z "$(losetup -a)" ] || fail "loop devices left: $(losetup -a)"
[ "$(ls /sys/class/net/xenbr0/brif | wc -l)" = 0 ] || fail "bridge ports left"
echo MOVE nothing left
