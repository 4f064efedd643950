# SPDX-License-Identifier: BSD-2-Clause
# Measures one toolstack in dom0: lines "sample NAME VALUE", times in ms and sizes in KiB.
. /etc/toolstack.sh
toolstack_start || exit 1
fail() {
	echo "FAILED: $*"
	xl list
	xl dmesg | tail -n 20
	exit 1
}
logs=/var/log/xen/console
head -c 4194304 /dev/urandom > /tmp/disk.img
ip link add xenbr0 type bridge && ip addr add 10.0.9.1/24 dev xenbr0 && ip link set xenbr0 up || fail "bridge"
cat > /tmp/debian.cfg <<CFG
name = "debian"
type = "pv"
kernel = "/guest/vmlinuz"
ramdisk = "/guest/initrd"
extra = "console=hvc0"
memory = 128
vcpus = 1
disk = [ "format=raw,vdev=xvda,access=rw,target=/tmp/disk.img" ]
vif = [ "bridge=xenbr0" ]
CFG
config() { printf 'name = "t%d"\ntype = "pv"\nkernel = "/guest/echo"\nmemory = 8\n' "$1" > "/tmp/t$1.cfg"; }
seen() { grep -q "$2" "$logs/guest-$1.log" 2>/dev/null; }
wait_seen() {
	local n=0
	while ! seen "$1" "$2"; do
		n=$((n + 1))
		[ $n -lt 150 ] || return 1
		usleep 200000
	done
}
# What programs and kernel use, without what only caches files.
dom0_used() { sync; echo 3 > /proc/sys/vm/drop_caches; awk '/MemTotal/ { t = $2 } /MemAvailable/ { a = $2 } END { print t - a }' /proc/meminfo; }

cat > /tmp/create <<'LOOP'
for i in $(seq "$1"); do xl create "/tmp/t$i.cfg" > /dev/null || exit 1; done
LOOP
cat > /tmp/destroy <<'LOOP'
for i in $(seq "$1"); do xl destroy "t$i" || exit 1; done
LOOP

rounds=$(grep -o "rounds=[0-9]*" /proc/cmdline | cut -d= -f2)
case $(grep -o "bench=[a-z]*" /proc/cmdline | cut -d= -f2) in
compare)
	for round in $(seq "$rounds"); do
		/test/timed create-debian xl create /tmp/debian.cfg > /tmp/out || { cat /tmp/out; fail "xl create debian"; }
		grep sample /tmp/out
		xl destroy debian || fail "xl destroy debian"
		sleep 2
	done
	for i in $(seq 20); do config $i; done
	config 99
	xl create /tmp/t99.cfg > /dev/null && xl destroy t99 || fail "warming up"
	sleep 2
	for round in $(seq "$rounds"); do
		dom0_before=$(dom0_used)
		hv_before=$(/test/freepages)
		/test/timed create-20 sh /tmp/create 20 || fail "20 tiny guests"
		[ "$(xl list | wc -l)" = 22 ] || fail "20 tiny guests are not there"
		wait_seen t20 ECHO-UP || fail "the 20th does not answer"
		sleep 2
		echo "sample dom0-kib-per-guest $(awk "BEGIN { print ($(dom0_used) - $dom0_before) / 20 }")"
		echo "sample hypervisor-kib-per-guest $(awk "BEGIN { print ($hv_before - $(/test/freepages)) / 20 - 8192 }")"
		for i in 1 2 3 4 5; do
			/test/timed list-20 xl list | grep sample
			/test/timed pause xl pause t$i | grep sample
			xl unpause t$i
		done
		/test/timed destroy-20 sh /tmp/destroy 20 || fail "destroy"
		sleep 2
		[ "$(xl list | wc -l)" = 2 ] || fail "guests left"
		rm -f $logs/guest-t*.log
	done
	;;
many)
	for i in $(seq 200); do
		config $i
		/test/timed create xl create /tmp/t$i.cfg > /tmp/out || { cat /tmp/out; fail "xl create t$i"; }
		sed "s/sample create/sample create-$i/" /tmp/out | grep sample
	done
	for i in $(seq 200); do
		wait_seen t$i ECHO-UP || fail "t$i does not come up"
		printf 'are you there\r' | xl console t$i > /dev/null
	done
	for i in $(seq 200); do
		wait_seen t$i 'echo: are you there' || fail "t$i does not answer"
	done
	echo "MANY answered: 200"
	sh /tmp/destroy 200 || fail "destroy"
	[ "$(xl list | wc -l)" = 2 ] || fail "guests left"
	;;
esac
echo BENCH-DONE
