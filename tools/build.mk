# The toolstack. Libraries are the directories tools/lib/NAME, programs the directories tools/NAME that hold .c files; both are
# made of all their *.c. A library becomes libargonNAME.a (what our programs link) and libargonNAME.so.VERSION (what others do).
TOOLS_BUILD  := $(BUILD)/tools-$(VARIANT)
TOOLS_VERSION := 1
# Lower ones first: each may use those before it and none after it.
TOOLS_LIBS   := $(filter $(notdir $(patsubst %/,%,$(dir $(wildcard tools/lib/*/*.c)))),base dev ctrl store build migrate domain)
TOOLS_PROGS  := $(sort $(filter-out lib include,$(patsubst tools/%/,%,$(sort $(dir $(wildcard tools/*/*.c))))))
TOOLS_INC    := -Itools/include -Iguest-abi/include $(shell pkg-config --cflags libxml-2.0 libnl-route-3.0 2>/dev/null)
TOOLS_STD    := -std=gnu11 -D_GNU_SOURCE -D__XEN_TOOLS__ -fno-strict-aliasing -fno-common
TOOLS_CFLAGS := $(TOOLS_STD) $(HV_WARN) $(TOOLS_INC) -O2 -g -fPIC -fstack-protector-strong -D_FORTIFY_SOURCE=2 \
	-ffile-prefix-map=$(CURDIR)/=
TOOLS_LDLIBS := -lxml2 -ljson-c -lnl-route-3 -lnl-3 -llzma -lzstd -llz4 -lz -lbz2 -lutil
TOOLS_DIST   := $(DIST)/usr
TOOLS_A      := $(TOOLS_LIBS:%=$(TOOLS_BUILD)/libargon%.a)
TOOLS_SO     := $(TOOLS_LIBS:%=$(TOOLS_DIST)/lib/libargon%.so.$(TOOLS_VERSION))

XENSTORE_APPLETS := chmod exists list ls read rm watch write

.PHONY: tools
#: make tools      the toolstack, into dist/usr
tools: $(TOOLS_A) $(TOOLS_SO) $(TOOLS_PROGS:%=$(TOOLS_DIST)/sbin/%) $(XENSTORE_APPLETS:%=$(TOOLS_DIST)/bin/xenstore-%)

# One program under many names.
$(TOOLS_DIST)/bin/xenstore-%: $(TOOLS_DIST)/sbin/xenstore
	@mkdir -p $(@D)
	ln -sf ../sbin/xenstore $(@D)/xenstore
	ln -sf ../sbin/xenstore $@

$(TOOLS_BUILD)/%.o: %.c Config.mk tools/build.mk
	@mkdir -p $(@D)
	$(CC) $(TOOLS_CFLAGS) -MMD -MP -c $< -o $@

# Every library that one depends on is in the list before it.
tools_lower = $(wordlist 2,9,$(shell echo $(TOOLS_LIBS) | tr ' ' '\n' | sed '/^$(1)$$/q' | tac))

define tools_lib
tools_$(1)_OBJ := $$(patsubst %.c,$(TOOLS_BUILD)/%.o,$$(sort $$(wildcard tools/lib/$(1)/*.c)))
$(TOOLS_BUILD)/libargon$(1).a: $$(tools_$(1)_OBJ)
	@rm -f $$@
	$$(AR) rcsD $$@ $$^
# What others may use is what its public headers name; all else is local to the library.
$(TOOLS_BUILD)/libargon$(1).map: $(TOOLS_BUILD)/libargon$(1).a $$(wildcard tools/include/argon/*.h) tools/symbols
	tools/symbols $(1) $$< > $$@
$(TOOLS_DIST)/lib/libargon$(1).so.$(TOOLS_VERSION): $(TOOLS_BUILD)/libargon$(1).map $$(tools_$(1)_OBJ) $$(patsubst %,$(TOOLS_DIST)/lib/libargon%.so.$(TOOLS_VERSION),$$(call tools_lower,$(1)))
	@mkdir -p $$(@D)
	$$(CC) -shared -Wl,-soname,$$(notdir $$@) -Wl,--as-needed -Wl,--build-id=none -Wl,-z,defs -Wl,-z,relro,-z,now -Wl,--version-script=$$(filter %.map,$$^) $$(filter-out %.map,$$^) $$(TOOLS_LDLIBS) -o $$@
	ln -sf $$(notdir $$@) $$(@D)/libargon$(1).so
-include $$(tools_$(1)_OBJ:.o=.d)
endef
$(foreach l,$(TOOLS_LIBS),$(eval $(call tools_lib,$(l))))

define tools_prog
tools_$(1)_OBJ := $$(patsubst %.c,$(TOOLS_BUILD)/%.o,$$(sort $$(wildcard tools/$(1)/*.c)))
$(TOOLS_DIST)/sbin/$(1): $$(tools_$(1)_OBJ) $(TOOLS_A)
	@mkdir -p $$(@D)
	$$(CC) -Wl,-z,relro,-z,now -Wl,--as-needed -Wl,--build-id=none $$(tools_$(1)_OBJ) -Wl,--start-group $(TOOLS_A) -Wl,--end-group $$(TOOLS_LDLIBS) -o $$@
-include $$(tools_$(1)_OBJ:.o=.d)
endef
$(foreach p,$(TOOLS_PROGS),$(eval $(call tools_prog,$(p))))

# ---- Tests: tests/tools/NAME is a cmocka program made of its own *.c and the sources (or directories of sources) in its `uses`,
# linked with what its `ldflags` says, if there is one.
# tests/tools/fuzz/NAME.c with NAME.uses is a libFuzzer target.
TOOLS_HOST   := $(BUILD)/host-tools
TOOLS_TESTS  := $(patsubst tests/tools/%/uses,%,$(sort $(wildcard tests/tools/*/uses)))
TOOLS_TEST_CFLAGS := $(TOOLS_STD) $(WARN) $(TOOLS_INC) -I. -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-fno-omit-frame-pointer
tools_sources = $(foreach u,$(shell cat $(1)),$(if $(filter %.c,$(u)),$(u),$(sort $(wildcard $(u)/*.c))))

$(TOOLS_HOST)/%.o: %.c Config.mk tools/build.mk
	@mkdir -p $(@D)
	$(CC) $(TOOLS_TEST_CFLAGS) -MMD -MP -c $< -o $@

define tools_test
tools_test_$(1)_OBJ := $$(patsubst %.c,$(TOOLS_HOST)/%.o,$$(sort $$(wildcard tests/tools/$(1)/*.c)) $$(call tools_sources,tests/tools/$(1)/uses))
$(TOOLS_HOST)/$(1): $$(tools_test_$(1)_OBJ)
	$$(CC) -fsanitize=address,undefined $$^ -o $$@ $$(shell cat tests/tools/$(1)/ldflags 2>/dev/null) -lcmocka $$(TOOLS_LDLIBS)
$(TOOLS_HOST)/$(1).ok: $(TOOLS_HOST)/$(1)
	$$< && touch $$@
-include $$(tools_test_$(1)_OBJ:.o=.d)
endef
$(foreach t,$(TOOLS_TESTS),$(eval $(call tools_test,$(t))))

.PHONY: tools-tests tools-test-programs
#: make tools-tests   unit tests of the toolstack that changed
tools-tests: $(TOOLS_TESTS:%=$(TOOLS_HOST)/%.ok) $(TOOLS_HOST)/examples.ok
$(TOOLS_HOST)/examples.ok: docs/libraries.md tests/tools/examples $(TOOLS_SO)
	tests/tools/examples && touch $@
tools-test-programs: $(TOOLS_TESTS:%=$(TOOLS_HOST)/%)

TOOLS_FUZZ_TARGETS := $(patsubst tests/tools/fuzz/%.uses,%,$(sort $(wildcard tests/tools/fuzz/*.uses)))
TOOLS_FUZZ := $(BUILD)/fuzz-tools
$(TOOLS_FUZZ)/%.o: %.c Config.mk tools/build.mk
	@mkdir -p $(@D)
	clang $(TOOLS_TEST_CFLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c $< -o $@
define tools_fuzz
tools_fuzz_$(1)_OBJ := $$(patsubst %.c,$(TOOLS_FUZZ)/%.o,tests/tools/fuzz/$(1).c $$(call tools_sources,tests/tools/fuzz/$(1).uses))
$(TOOLS_FUZZ)/$(1): $$(tools_fuzz_$(1)_OBJ)
	clang -fsanitize=fuzzer,address,undefined $$^ -o $$@ $$(TOOLS_LDLIBS)
-include $$(tools_fuzz_$(1)_OBJ:.o=.d)
endef
$(foreach t,$(TOOLS_FUZZ_TARGETS),$(eval $(call tools_fuzz,$(t))))
tools-fuzz-programs: $(TOOLS_FUZZ_TARGETS:%=$(TOOLS_FUZZ)/%)


# Beside the hypervisor's targets: make fuzz runs both, make fuzz-tools-NAME one.
.PHONY: tools-fuzz-programs fuzz-tools $(TOOLS_FUZZ_TARGETS:%=fuzz-tools-%)
#: make fuzz-tools [SECONDS=60]   the toolstack's fuzz targets alone
fuzz-tools: tools-fuzz-programs
	@tests/fuzz/run $(SECONDS) $(TOOLS_FUZZ) $(TOOLS_FUZZ_TARGETS)
$(TOOLS_FUZZ_TARGETS:%=fuzz-tools-%): fuzz-tools-%: $(TOOLS_FUZZ)/%
	@tests/fuzz/run $(SECONDS) $(TOOLS_FUZZ) $*

# ---- Against Debian's own daemon, on this host. -----------------------------------------------------------------------------------
.PHONY: bench-store store-conformance
#: make bench-store           our xenstored and Debian's: the same operations, side by side
bench-store: tools
	@tests/tools/stock/run bench
#: make store-conformance     what the protocol demands, from both
store-conformance: tools
	@tests/tools/stock/run conformance
