# SPDX-License-Identifier: BSD-2-Clause
# The life of a guest, in words that Debian's xl and ours both know.
. /etc/toolstack.sh
toolstack_start || exit 1

# Something that takes its time: wait_for SECONDS COMMAND...
wait_for() {
	local n=$1
	shift
	while ! "$@" >/dev/null 2>&1; do
		n=$((n - 1))
		[ $n -gt 0 ] || { echo "gave up waiting for: $*"; return 1; }
		sleep 1
	done
}
# Says why the test ends, and all that may help to see the reason.
fail() {
	echo "FAILED: $*"
	xl list
	tail -n 40 /var/log/xen/console/guest-life.log /tmp/console
	xl dmesg | tail -n 30
	tail -n 30 /var/log/xen/*.log
	exit 1
}
# A command in the guest, through its console, and what it must print.
ask() {
	echo "$1" >&3
	wait_for 40 grep -q "$2" /tmp/console
}
state_of() { xl list "$1" | awk 'NR == 2 { print $5 }'; }

xl info > /tmp/info || fail "xl info"
grep -E '^(release|xen_version|nr_cpus|total_memory|free_memory|xen_scheduler)' /tmp/info
[ "$(grep -c '^xen_major *: 4$' /tmp/info)" = 1 ] || fail "xl info says what it runs on"
xl list || fail "xl list"
[ "$(xl list | awk 'NR == 2 { print $1, $2, NF }')" = "Domain-0 0 6" ] || fail "xl list: six columns"
echo LIFE info, list

head -c 4194304 /dev/urandom > /tmp/disk0.img
head -c 4194304 /dev/urandom > /tmp/disk1.img
ip link add xenbr0 type bridge && ip addr add 10.0.9.1/24 dev xenbr0 && ip link set xenbr0 up || fail "bridge"
cat > /tmp/life.cfg <<CFG
name = "life"
type = "pv"
kernel = "/guest/vmlinuz"
ramdisk = "/guest/initrd"
extra = "console=hvc0 addr=10.0.9.2/24"
memory = 128
maxmem = 160
vcpus = 1
maxvcpus = 2
disk = [ "format=raw,vdev=xvda,access=rw,target=/tmp/disk0.img" ]
vif = [ "bridge=xenbr0" ]
on_crash = "destroy"
CFG
xl create /tmp/life.cfg || fail "xl create"
xl list
[ "$(xl domid life)" -gt 0 ] || fail "xl domid"
[ "$(xl domname "$(xl domid life)")" = life ] || fail "xl domname"
wait_for 120 grep -q GUEST-UP /var/log/xen/console/guest-life.log || fail "the guest does not come up"
echo LIFE create

mkfifo /tmp/keys
/test/onpty xl console life < /tmp/keys > /tmp/console &
exec 3> /tmp/keys
sleep 2 # until the client has made its terminal raw, it may lose what is typed
ask 'echo SUM-$((40 + 2))' SUM-42 || fail "no answer on the console"
want=$(md5sum < /tmp/disk0.img | cut -c 1-32)
ask 'md5sum < /dev/xvda' "$want" || fail "xvda has other data"
wait_for 30 ping -c 1 -W 1 10.0.9.2 || fail "no answer to ping"
echo LIFE console, disk, network

xl pause life || fail "xl pause"
state_of life
case $(state_of life) in *p*) ;; *) fail "not paused" ;; esac
! ping -c 1 -W 1 10.0.9.2 >/dev/null || fail "answers while it is paused"
xl unpause life || fail "xl unpause"
wait_for 20 ping -c 1 -W 1 10.0.9.2 || fail "no answer after unpause"
echo LIFE pause, unpause

xl vcpu-set life 2 || fail "xl vcpu-set 2"
ask 'sleep 1; echo CPUS-$(nproc)' CPUS- && wait_for 30 sh -c 'echo "echo CPUS-\$(nproc)" >&3; sleep 1; grep -q CPUS-2 /tmp/console' ||
	fail "the second CPU does not come"
xl vcpu-list life
xl vcpu-set life 1 || fail "xl vcpu-set 1"
wait_for 30 sh -c 'echo "echo ONLY-\$(nproc)" >&3; sleep 1; grep -q ONLY-1 /tmp/console' || fail "the second CPU does not go"
echo LIFE vcpu-set, vcpu-list

before=$(xl list life | awk 'NR == 2 { print $3 }')
xl mem-set life 100m || fail "xl mem-set 100"
wait_for 30 sh -c '[ "$(xl list life | awk "NR == 2 { print \$3 }")" -le 101 ]' || fail "the balloon does not grow"
xl mem-set life 128m || fail "xl mem-set 128"
wait_for 30 sh -c '[ "$(xl list life | awk "NR == 2 { print \$3 }")" -ge 127 ]' || fail "the balloon does not shrink"
echo "LIFE mem-set ($before MiB at first)"

xl block-attach life 'format=raw,vdev=xvdb,access=rw,target=/tmp/disk1.img' || fail "xl block-attach"
xl block-list life
want=$(md5sum < /tmp/disk1.img | cut -c 1-32)
ask 'sleep 1; md5sum < /dev/xvdb' "$want" || fail "xvdb has other data"
ask 'echo written | dd of=/dev/xvdb conv=fsync,notrunc 2>/dev/null; echo WROTE-$((1 + 1))' WROTE-2 || fail "write to xvdb"
xl block-detach life xvdb || fail "xl block-detach"
[ "$(head -c 7 /tmp/disk1.img)" = written ] || fail "what the guest wrote is not in the file"
echo LIFE block-attach, block-detach

xl network-attach life bridge=xenbr0 mac=00:16:3e:00:00:77 || fail "xl network-attach"
xl network-list life
ask 'sleep 1; cat /sys/class/net/eth1/address | sed s/^/MAC-/' MAC-00:16:3e:00:00:77 || fail "no second network card"
xl network-detach life 1 || fail "xl network-detach"
echo LIFE network-attach, network-detach

xl sched-credit2 -d life -w 512 || fail "xl sched-credit2 -w"
xl sched-credit2 -d life
xl sched-credit2 -d life | grep -q 512 || fail "the weight was not taken"
echo LIFE sched-credit2
xl dmesg | grep -qi 'xen\|argon' || fail "xl dmesg"
xl dmesg | head -n 3
echo LIFE dmesg

extra_programs || fail "a program of this toolstack"
printf "\035" >&3 # Ctrl-]
wait_for 5 sh -c "! pidof onpty" || fail "Ctrl-] does not detach"
exec 3>&-
xl shutdown -w life || fail "xl shutdown"
wait_for 20 sh -c '! xl domid life' || fail "still there after shutdown"
echo LIFE shutdown
cat > /tmp/tiny.cfg <<CFG
name = "tiny"
type = "pv"
kernel = "/guest/echo"
memory = 8
CFG
xl create /tmp/tiny.cfg || fail "xl create tiny"
wait_for 10 grep -q ECHO-UP /var/log/xen/console/guest-tiny.log || fail "the tiny guest says nothing"
xl destroy tiny || fail "xl destroy"
wait_for 20 sh -c '! xl domid tiny' || fail "still there after destroy"
echo LIFE destroy
xl list
[ "$(xl list | wc -l)" = 2 ] || fail "domains left"
[ -z "$(losetup -a)" ] || fail "loop devices left: $(losetup -a)"
[ "$(ls /sys/class/net/xenbr0/brif | wc -l)" = 0 ] || fail "bridge ports left"
echo LIFE nothing left
