# Argon: top-level Makefile. `make help` lists the targets.
include Config.mk

all: hypervisor
include hypervisor/build.mk
include guest-abi/build.mk
include tests/build.mk

.PHONY: all help clean quick
help:
	@sed -n 's/^#: //p' Makefile hypervisor/build.mk tests/build.mk

#: make            build everything into dist/
#: make quick      compile every source file and run the host tests that changed
quick: hypervisor-objects host-tests guest

#: make clean      remove build output (downloads stay in build/cache)
clean:
	rm -rf $(DIST) $(BUILD)/hv-* $(BUILD)/host
