# SPDX-License-Identifier: BSD-2-Clause
. /etc/toolstack.sh
toolstack_start || exit 1
printf 'name = "t"\ntype = "pv"\nkernel = "/guest/echo"\nmemory = 8\n' > /tmp/t.cfg
xl create /tmp/t.cfg || exit 2
failed=0
# try STATUS PROGRAM...: what it must end with; "any": it may end as it likes, and its output is shown.
try() {
	local want=$1 got
	shift
	timeout 40 "$@" > /tmp/out 2>&1
	got=$?
	echo "PROGRAM $*: $got"
	head -n 4 /tmp/out | sed 's/^/    /'
	if [ "$want" != any ] && [ $got != "$want" ]; then
		sed 's/^/    | /' /tmp/out | tail -n 20
		failed=1
	fi
}
try 0 xentop -b -i 2 -d 1
try 0 xentop -b -f -v -n -x -i 1
try 0 lsevtchn 0
try 0 lsevtchn 1
try 0 xenpm get-cpu-topology
try any xenpm get-cpuidle-states
try any xenpm get-cpufreq-para
try any xenpm get-cpufreq-average
try 0 test-resource
try any test-tsx
try any test-cpu-policy
try any test-paging-mempool
try 0 xen-cpuid -p
try any xenperf
try any xenlockprof
try any xen-hptool
try any xen-diag gnttab_query_size 1
try 0 xenhypfs ls /
try 0 xenhypfs cat /buildinfo/version/major
try any xen-ucode
try 0 xen-detect
try 0 xenctx -a 1
try 0 xen-mfndump dump-m2p
try any xencov
try any xen-livepatch list
try any flask-getenforce
try any xentrace -D -e all -T 1 /tmp/trace
try any gdbsx --help
try 0 xenstore-ls -f /local/domain/1
try 0 xl info -n
try 0 xl list -l
try 0 xl list -v
try any xl list -Z
try 0 xl uptime
try 0 xl vcpu-list
try 0 xl vcpu-pin t 0 0
try 0 xl cpupool-list -c
try 0 xl cpupool-create 'name="second"' 'sched="credit"'
try any xl cpupool-numa-split
try 0 xl cpupool-destroy second
try 0 xl sched-credit2 -s
try 0 xl mem-max t 16
try 0 xl claims
try 0 xl sysrq t h
try 0 xl debug-keys q
try 0 xl set-parameters loglvl=all
try 0 xl rename t u
try any xl dump-core u /tmp/core
try any xl psr-hwinfo
try any xl pci-assignable-list
try 0 xl network-list u
try 0 xl block-list u
try 0 xl channel-list u
try 0 xl console --help
try 0 xl trigger u nmi
[ -z "$(xl domid u 2>/dev/null)" ] || try any xl destroy u
echo PROGRAMS DONE
exit $failed
