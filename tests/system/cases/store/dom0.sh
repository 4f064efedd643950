# SPDX-License-Identifier: BSD-2-Clause
export PATH=/usr/lib/xen-4.17/bin:/bin:/sbin:/usr/bin:/usr/sbin LD_LIBRARY_PATH=/usr/lib/xen-4.17/lib/x86_64-linux-gnu
for m in xen_evtchn xen_privcmd xen_gntdev xen_gntalloc; do modprobe $m; done
mkdir -p /var/run/xen /run/xen /var/lib/xenstored /var/log/xen /run/xenstored
[ -e /var/run/xenstored ] || ln -s /run/xenstored /var/run/xenstored
ip link set lo up
mount -t xenfs xenfs /proc/xen 2>/dev/null
/test/xenstored --pid-file /run/xenstored.pid -T /var/log/xen/xenstored.log || { cat /var/log/xen/xenstored.log; exit 1; }
kill_store() {
	pid=$(cat /run/xenstored.pid)
	kill -9 "$pid"
	while [ "$(cat /run/xenstored.pid)" = "$pid" ]; do usleep 10000; done
}
xenstore-write /a b || exit 2
xen-init-dom0 || echo "xen-init-dom0: $?"
xenconsoled --log=all --log-dir=/var/log/xen || exit 2
xenstore-ls
echo STORE-READY
# Our client over the kernel's device, and so over dom0's own ring.
dev() {
	XENSTORED_PATH=/dev/xen/xenbus /test/xenstore "$@"
}
[ "$(dev read /a)" = b ] || exit 3
dev write /dev/x 1 /dev/y 2 || exit 3
dev watch -n 3 /dev/x > /tmp/watched &
usleep 300000
for i in 1 2; do kill_store; dev write /dev/x $i || exit 3; done
wait $!
[ "$(tr '\n' ' ' < /tmp/watched)" = "/dev/x /dev/x /dev/x " ] || { cat /tmp/watched; exit 3; }
/test/xenstore ls -f -p /dev
echo STORE-DEVICE
cat > /tmp/guest.cfg <<CFG
name = "tiny"
type = "pv"
kernel = "/guest/vmlinuz"
ramdisk = "/guest/initrd"
extra = "console=hvc0"
memory = 128
vcpus = 2
on_crash = "destroy"
CFG
# The daemon dies again and again while xl works.
(for i in $(seq 20); do kill_store; usleep 200000; done; touch /tmp/killed) &
xl create /tmp/guest.cfg || { cat /var/log/xen/xenstored.log; exit 5; }
xl list
echo STORE-CREATED
for i in $(seq 90); do
	grep -q GUEST-UP /var/log/xen/guest-tiny.log 2>/dev/null && break
	sleep 1
done
grep GUEST-UP /var/log/xen/guest-tiny.log || { tail -n 30 /var/log/xen/guest-tiny.log; cat /var/log/xen/xenstored.log; xl list; xenstore-ls; exit 6; }
echo STORE-GUEST-UP
while [ ! -e /tmp/killed ]; do sleep 1; done
# The guest still hears of changes: it removes its second CPU and shuts down when told.
for i in 1 2 3; do kill_store; done
xl vcpu-set tiny 1 || exit 7
id=$(xl domid tiny)
for i in $(seq 40); do
	[ "$(xl vcpu-list tiny | grep -c -- '--p')" = 1 ] && break
	sleep 1
done
xl vcpu-list tiny
[ "$(xl vcpu-list tiny | grep -c -- '--p')" = 1 ] || { xenstore-ls -f /local/domain/$id; exit 8; }
kill_store
[ "$(xenstore-read /a)" = b ] || exit 9
xenstore-ls -f /local/domain/$id > /tmp/before
kill_store
xenstore-ls -f /local/domain/$id > /tmp/after
cmp /tmp/before /tmp/after || exit 10
grep -c ended /var/log/xen/xenstored.log
echo STORE-KILLED
xl destroy tiny || exit 11
sleep 1
xl list
[ "$(xl list | wc -l)" = 2 ] || exit 12
xenstore-ls /local/domain/$id && exit 13
kill_store
xenstore-ls -f
echo STORE-GONE
