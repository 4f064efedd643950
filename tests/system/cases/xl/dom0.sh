# SPDX-License-Identifier: BSD-2-Clause
. /etc/toolstack.sh
toolstack_start || exit 1

fail() {
	echo "FAILED: $*"
	xl list
	ls -R /run/argon
	tail -n 20 /var/log/xen/argon-watch.log /var/log/xen/console/*.log
	exit 1
}
wait_for() {
	local n=$(($1 * 10))
	shift
	while ! "$@" >/dev/null 2>&1; do
		n=$((n - 1))
		[ $n -gt 0 ] || { echo "gave up waiting for: $*"; return 1; }
		sleep 0.1
	done
}
# says WORDS COMMAND...: the command fails, with these words.
says() {
	local words=$1
	shift
	if "$@" > /tmp/said 2>&1; then
		cat /tmp/said
		fail "$* should fail"
	fi
	grep -q "$words" /tmp/said || { cat /tmp/said; fail "$* does not say: $words"; }
}
free_memory() { xl info | awk '/^free_memory/ { print $3 }'; }
fds() { ls "/proc/$(pidof "$1")/fd" | wc -l; }
nothing_left() {
	[ "$(xl list | wc -l)" = 2 ] && [ -z "$(losetup -a)" ] && ! ip link | grep -q vif &&
		[ -z "$(ls /run/argon/domain /run/argon/creating /run/argon/lock /run/argon/destroying 2>/dev/null | grep -v :)" ] &&
		[ -z "$(ls /sys/bus/xen-backend/devices)" ]
}

ip link add xenbr0 type bridge && ip addr add 10.0.9.1/24 dev xenbr0 && ip link set xenbr0 up || fail bridge
truncate -s 4M /tmp/disk.img
cat > /tmp/tiny.cfg <<CFG
name = "tiny"
kernel = "/guest/echo"
memory = 8
disk = [ "/tmp/disk.img,raw,xvda,rw" ]
vif = [ "bridge=xenbr0" ]
CFG
cat > /tmp/debian.cfg <<CFG
name = "debian"
kernel = "/guest/vmlinuz"
ramdisk = "/guest/initrd"
extra = "console=hvc0"
memory = 192
vcpus = 8
on_crash = "preserve"
disk = [ "/tmp/disk.img,raw,xvda,rw" ]
CFG

part_clean() {
	says "nobr does not exist; create it with" xl create /tmp/tiny.cfg 'vif=["bridge=nobr"]'
	says "disk xvda: /nope does not exist" xl create /tmp/tiny.cfg 'disk=["/nope,raw,xvda"]'
	says "/nope" xl create /tmp/tiny.cfg kernel=/nope
	says "/nope" xl create /tmp/tiny.cfg ramdisk=/nope
	says "/tmp/bad.cfg:2:8: memory must be a number" sh -c 'printf "name=\"a\"\nmemory=\"x\"\n" > /tmp/bad.cfg; xl create /tmp/bad.cfg'
	says "not enough memory" xl create /tmp/tiny.cfg memory=90000
	says "runs PV guests only" xl create /tmp/tiny.cfg 'type="hvm"'
	xl create /tmp/tiny.cfg || fail "xl create"
	says 'a domain named "tiny" exists already' xl create /tmp/tiny.cfg
	xl list --json tiny | grep -q '"name": "tiny"' || fail "list --json"
	xl destroy tiny || fail "xl destroy"
	wait_for 5 nothing_left || fail "something is left after the errors"
	echo XL errors

	memory=$(free_memory) store=$(fds xenstored) console=$(fds xenconsoled) processes=$(ps | wc -l)
	for i in $(seq 50); do
		xl create -q /tmp/tiny.cfg && xl destroy tiny || fail "round $i"
	done
	wait_for 5 nothing_left || fail "something is left after 50 rounds"
	echo "memory $memory $(free_memory), files of the daemons $store $(fds xenstored) $console $(fds xenconsoled)," \
		"processes $processes $(ps | wc -l)"
	[ "$memory" = "$(free_memory)" ] && [ "$store" = "$(fds xenstored)" ] && [ "$console" = "$(fds xenconsoled)" ] ||
		fail "50 rounds leave memory or files"
	echo XL rounds

	for i in $(seq 25); do
		xl create -q /tmp/tiny.cfg &
		pid=$!
		usleep $((i * 9000))
		kill -9 $pid 2>/dev/null
		wait $pid 2>/dev/null
		sleep 0.3
		# Either it is complete, or it is gone.
		if xl domid tiny > /dev/null 2>&1; then
			[ -e "/run/argon/domain/$(xl domid tiny).json" ] || wait_for 5 sh -c '! xl domid tiny' || fail "kill $i leaves half a domain"
			xl destroy tiny 2>/dev/null
		fi
	done
	wait_for 5 nothing_left || fail "something is left after kills"
	# The watcher itself may be killed in the middle of a creation.
	xl create -q /tmp/tiny.cfg &
	pid=$!
	usleep 60000
	kill -9 $pid $(pidof argon-watch)
	wait $pid 2>/dev/null
	xl create -q /tmp/tiny.cfg name=other 'disk=[]' || fail "create after the watcher was killed"
	wait_for 5 sh -c '! xl domid tiny || [ -e /run/argon/domain/$(xl domid tiny).json ]' || fail "nobody clears up"
	xl destroy other || fail "destroy other"
	xl destroy tiny 2>/dev/null
	echo XL kills
	wait_for 5 nothing_left || fail "something is left at the end"
	[ "$memory" = "$(free_memory)" ] || fail "memory: $memory $(free_memory)"
	echo XL nothing left
}

up() { [ "$(grep -c GUEST-UP /var/log/xen/console/guest-debian.log 2>/dev/null)" = "$1" ]; }
part_guest() {
	xl create /tmp/debian.cfg || fail "xl create"
	wait_for 100 up 1 || fail "the guest does not come up"
	grep GUEST-UP /var/log/xen/console/guest-debian.log | grep -q '8 CPUs' || fail "not eight CPUs"
	xl vcpu-list debian
	echo XL eight CPUs
	xl dump-core debian /tmp/core || fail "dump-core"
	[ "$(head -c 4 /tmp/core | tail -c 3)" = ELF ] && [ "$(stat -c %s /tmp/core)" -gt 200000000 ] || fail "the dump is no ELF file"
	strings /tmp/core | grep -qm1 GUEST-UP || fail "the guest's memory is not in the dump"
	rm /tmp/core
	echo XL core
	first=$(xl domid debian)
	xl reboot debian || fail "xl reboot"
	wait_for 60 sh -c "[ \$(xl domid debian) -gt $first ]" || fail "it does not come back"
	wait_for 60 up 2 || fail "the guest does not come up again"
	echo XL reboot
	kill -9 $(pidof argon-watch)
	xl list > /dev/null
	xl shutdown -w debian &
	shutdown=$!
	sleep 1
	xl create -q /tmp/tiny.cfg || fail "create, which starts the watcher"
	wait $shutdown || fail "xl shutdown -w"
	wait_for 10 sh -c '! xl domid debian' || fail "nobody destroys it"
	echo XL shutdown
	xl create -q /tmp/tiny.cfg name=crasher kernel=/guest/hello 'disk=[]' on_poweroff=preserve || fail "create hello"
	wait_for 10 sh -c 'xl list crasher | grep -q -- --s' || fail "on_poweroff=preserve: $(xl list crasher)"
	xl destroy crasher && xl destroy tiny || fail "destroy"
	echo XL crash
}
part_$(sed 's/.*part=\([a-z]*\).*/\1/' /proc/cmdline)
