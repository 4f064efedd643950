# SPDX-License-Identifier: BSD-2-Clause
/test/user64 || exit 1
/test/user32
echo USER32: $?
# Processes come and go on all CPUs.
storm() {
	i=0
	while [ $i -lt 40 ]; do
		/bin/true
		i=$((i + 1))
	done
}
storm & storm & storm
wait
echo STORM-SEEN
