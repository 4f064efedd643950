# Argon: top-level Makefile. `make help` lists the targets.
include Config.mk

# `make profile PATH=NAME`: programs are still looked for in the usual places.
ifeq ($(origin PATH),command line)
PROFILE := $(PATH)
override PATH := /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
endif

all: hypervisor tools
include hypervisor/build.mk
include guest-abi/build.mk
include tools/build.mk
include tests/build.mk

.PHONY: all help clean quick
help:
	@sed -n 's/^#: //p' Makefile hypervisor/build.mk guest-abi/build.mk tools/build.mk tests/build.mk

#: make            build everything into dist/
#: make quick      compile every source file and run the host tests that changed
quick: hypervisor-objects host-tests guest tools tools-tests

#: make install DESTDIR=...  copy what was built to its places: /boot, /etc, /usr
.PHONY: install
install: all
	install -d $(DESTDIR)/boot $(DESTDIR)/etc/grub.d $(DESTDIR)/usr/lib/debug/boot
	install -m 644 $(DIST)/boot/argon.gz $(DESTDIR)/boot/argon.gz
	install -m 644 $(DIST)/boot/argon $(DESTDIR)/usr/lib/debug/boot/argon
	tools/packaging/install $(abspath $(DESTDIR))
	install -m 755 hypervisor/grub/20_argon $(DESTDIR)/etc/grub.d/20_argon

#: make deb        Debian packages, into dist/deb
.PHONY: deb
deb: all
	tools/packaging/mkdeb

#: make clean      remove build output (downloads stay in build/cache)
clean:
	rm -rf $(DIST) $(BUILD)/hv-* $(BUILD)/tools-* $(BUILD)/host $(BUILD)/host-tools
