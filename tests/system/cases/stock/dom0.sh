# SPDX-License-Identifier: BSD-2-Clause
export PATH=/usr/lib/xen-4.17/bin:/bin:/sbin:/usr/bin:/usr/sbin LD_LIBRARY_PATH=/usr/lib/xen-4.17/lib/x86_64-linux-gnu
for m in xen_evtchn xen_privcmd xen_gntdev xen_gntalloc; do modprobe $m; done
mkdir -p /var/run/xen /run/xen /var/lib/xenstored /var/log/xen /run/xenstored /var/run/xenstored
ip link set lo up
xenstored --pid-file /run/xenstored.pid || exit 1
xen-init-dom0 || echo "xen-init-dom0: $?"
xenconsoled --log=all --log-dir=/var/log/xen || exit 2
xl info || exit 3
xl list || exit 4
xl vcpu-list; xl dmesg | tail -n 3; xl cpupool-list
echo STOCK-INFO
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
xl -v create /tmp/guest.cfg || { xl dmesg | tail -n 30; exit 5; }
xl list
echo STOCK-CREATED
for i in $(seq 90); do
	grep -q GUEST-UP /var/log/xen/guest-tiny.log 2>/dev/null && break
	sleep 1
done
grep GUEST-UP /var/log/xen/guest-tiny.log || { tail -n 30 /var/log/xen/guest-tiny.log; xl list; xl dmesg | tail -n 40; exit 6; }
echo STOCK-GUEST-UP
xl pause tiny && xl list && xl unpause tiny || exit 7
xl vcpu-set tiny 1 || exit 8
xl sched-credit2 -d tiny -w 512 || xl sched-credit -d tiny -w 512 || exit 9
echo STOCK-PAUSED
xl destroy tiny || exit 10
sleep 1
xl list
[ "$(xl list | wc -l)" = 2 ] || exit 11
echo STOCK-GONE
