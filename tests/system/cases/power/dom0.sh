# SPDX-License-Identifier: BSD-2-Clause
case $(grep -o 'power=[a-z]*' /proc/cmdline | cut -d= -f2) in
reboot) reboot -f ;;
off) poweroff -f ;;
panic) echo 1 > /proc/sys/kernel/sysrq; echo c > /proc/sysrq-trigger ;;
esac
sleep 60
exit 1
