# SPDX-License-Identifier: BSD-2-Clause
# Debian's xl and xenstored, our xenconsoled.
export PATH=/usr/lib/xen-4.17/bin:/usr/bin:/bin:/sbin LD_LIBRARY_PATH=/usr/lib/xen-4.17/lib/x86_64-linux-gnu
logs=/var/log/xen/console
for m in xen_evtchn xen_privcmd xen_gntdev xen_gntalloc; do modprobe $m; done
mkdir -p /var/lock /var/run/xen /run/xen /var/lib/xenstored /run/xenstored /var/run/xenstored
ip link set lo up
/usr/lib/xen-4.17/bin/xenstored --pid-file /run/xenstored.pid && /usr/lib/xen-4.17/bin/xen-init-dom0 || exit 1

wait_for() {
	local n=$1
	shift
	while ! "$@" >/dev/null 2>&1; do
		n=$((n - 1))
		[ $n -gt 0 ] || { echo "gave up waiting for: $*"; return 1; }
		sleep 1
	done
}
fail() {
	echo "FAILED: $*"
	xl list
	xenstore-ls /local/domain/1/console
	tail -n 5 $logs/*.log /tmp/out*
	ls -l /run/argon/console
	cat "/proc/$(cat /run/xenconsoled.pid)/"{wchan,syscall,stack}
	xl debug-keys e; xl dmesg | tail -n 50
	logread 2>/dev/null | tail -n 20
	exit 1
}
daemon() { LD_LIBRARY_PATH= /usr/sbin/xenconsoled --log=all --log-dir=$logs --pid-file=/run/xenconsoled.pid; }
guest() {
	printf 'name = "%s"\ntype = "pv"\nkernel = "/guest/echo"\nmemory = 8\n' "$1" > "/tmp/$1.cfg"
	xl create "/tmp/$1.cfg" || fail "xl create $1"
}

daemon || fail "xenconsoled does not start"
! LD_LIBRARY_PATH= /usr/sbin/xenconsoled -i || fail "a second one starts"
for g in one two three; do
	guest $g
done
for g in one two three; do
	wait_for 10 grep -q ECHO-UP $logs/guest-$g.log || fail "$g says nothing"
done
xenstore-read /local/domain/1/console/tty || fail "no tty in the store"
grep -q . $logs/hypervisor.log || fail "nothing in hypervisor.log"
# Debian's client, on the pty.
mkfifo /tmp/keys
/test/onpty xl console one < /tmp/keys > /tmp/out &
exec 3> /tmp/keys
wait_for 10 grep -q ECHO-UP /tmp/out || fail "what was printed before anybody looked is not shown"
sleep 1
echo hello >&3
wait_for 10 grep -q 'echo: hello' /tmp/out || fail "no echo through the pty"
printf '\035' >&3
wait_for 5 sh -c '! pidof onpty' || fail "does not detach"
exec 3>&-
echo CONSOLES up

# Three floods of 3,000 lines while the daemon is killed time and again: each line must be in the log, in order.
type_to() { printf "$2\r" > "$(xenstore-read "/local/domain/$1/console/tty")"; }
for id in 1 2 3; do
	type_to $id 'flood 3000'
done
for round in 1 2 3 4 5; do
	sleep 1
	kill -9 "$(cat /run/xenconsoled.pid)"
	sleep 1
	daemon || fail "does not start again"
done
for g in one two three; do
	wait_for 60 grep -q 'echo: flood 3000' $logs/guest-$g.log || fail "$g does not end its flood"
	# A kill between writing the log and noting so may show a piece twice, never hide one.
	tr -d '\r' < $logs/guest-$g.log | grep -o '^[0-9]\{8\}: -*$' | sort -u | wc -l | grep -q '^3000$' || fail "lines of $g are missing"
done
echo CONSOLES kept

# One floods: another one is served all the same.
type_to 1 'flood 200000'
before=$(date +%s)
type_to 2 'while it floods'
wait_for 5 grep -q 'echo: while it floods' $logs/guest-two.log || fail "a flood keeps others from their console"
echo CONSOLES fair

mv $logs/guest-two.log $logs/guest-two.log.1
kill -HUP "$(cat /run/xenconsoled.pid)"
sleep 1
type_to 2 'anew'
wait_for 5 grep -q 'echo: anew' $logs/guest-two.log || fail "the log is not opened again"
echo CONSOLES rotated

for g in one two three; do
	xl destroy $g || fail "xl destroy $g"
done
sleep 7
[ "$(ls /run/argon/console | grep -c '^[0-9]*$')" = 0 ] || fail "spools left"
[ "$(ls /proc/$(cat /run/xenconsoled.pid)/fd | wc -l)" -lt 25 ] || fail "files left open"
[ "$(xl list | wc -l)" = 2 ] || fail "domains left"
echo CONSOLES gone
