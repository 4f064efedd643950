#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
keyboard() {
	modprobe xhci_pci; modprobe usbhid; modprobe hid_generic
	modprobe evdev
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		handlers=$(sed -n '/USB Keyboard/,/^H:/s/^H: Handlers=//p' /proc/bus/input/devices)
		[ -z "$handlers" ] || break
		sleep 1
	done
	echo "KEYBOARD-FOUND $(sed -n 's/^N: Name="\(.*USB Keyboard\)"/\1/p' /proc/bus/input/devices)"
	event=$(echo "$handlers" | grep -o 'event[0-9]*')
	# Records of 24 bytes: time (16), type (2), code (2), value (4). The first is the scan code, the second the key (type 1) going down.
	(sleep 1; echo KEYBOARD-WAITS) &
	head -c 48 "/dev/input/$event" | hexdump -v -e '24/1 "%02x " "\n"' | sed -n 's/.* 01 00 \(..\) 00 01 00 00 00 *$/KEY-CODE 0x\1/p'
}

serial() {
	echo SERIAL-WAITS
	read -r line < /dev/hvc0; echo "GOT $line"
	read -r line < /dev/hvc0; echo "GOT $line"
}

case $(cat /proc/cmdline) in
*input=keyboard*) keyboard ;;
*input=serial*) serial ;;
esac
