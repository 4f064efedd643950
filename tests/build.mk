# Host tests. Each directory tests/host/NAME is one cmocka program made of its own *.c and of the sources that its file
# `uses` names, one a line (the word `sim` stands for the simulated machine and everything that runs on it).
HOST_BUILD := $(BUILD)/host$(if $(filter 1,$(COVERAGE)),-coverage)
# PREEMPT=1: the same programs, with each preemption point preempting wherever a test does not say otherwise.
HOST_OK := ok$(if $(filter 1,$(PREEMPT)),-preempt)
, := ,
HOST_TESTS := $(sort $(patsubst tests/host/%/uses,%,$(wildcard tests/host/*/uses)))
HOST_RUNS  := $(HOST_TESTS:%=$(HOST_BUILD)/%.$(HOST_OK))

.PHONY: host-tests
#: make host-tests [PREEMPT=1]   the host tests that changed; with each preemption point preempting
host-tests: $(HOST_RUNS)

# What `sim` stands for: the simulated machine, and the modules that every program over it links (others name theirs in
# `uses`; what is missing then has a weak stand-in in tests/host/sim). Allocations pass through it, so that they can be made to fail.
SIM_SRC := $(sort $(wildcard tests/host/sim/*.c)) tests/host/sim_mm/glue.c $(addprefix hypervisor/arch/x86/mm/, \
	heap.c heap_offline.c domain_frames.c frame_type.c dirty_log.c) $(addprefix hypervisor/arch/x86/pv/, \
	mmu_domain.c mmu_entry.c mmu_ext.c mmu_fault.c mmu_grant.c mmu_log.c mmu_mirror.c mmu_update.c \
	domain.c decode.c descriptor.c gpr.c)
SIM_LDFLAGS := $(foreach f,hv_alloc page_alloc frames_alloc domain_frames_alloc domain_frames_reserve,-Wl,--wrap=$(f))

# What `full` stands for: the same with all of core, hypercall and pv, and what these need, linked as one object (tests/host/full/full.h).
FULL_SRC := $(sort $(SIM_SRC) $(filter-out %/state.c,$(wildcard tests/host/full/*.c)) \
	$(filter-out %/string.c,$(wildcard hypervisor/lib/*.c)) $(wildcard hypervisor/core/*.c hypervisor/core/*/*.c hypervisor/hypercall/*.c hypervisor/arch/x86/pv/*.c) \
	$(addprefix hypervisor/arch/x86/,mm/ptab.c cpu/policy.c cpu/policy_guest.c cpu/policy_list.c cpu/policy_features.c \
	cpu/msr_guest.c irq/irq.c irq/vector.c irq/pirq.c irq/ioapic.c) \
	$(addprefix hypervisor/drivers/,console/console.c console/ring.c console/input.c console/options.c console/uart.c \
	console/screen.c console/font.c acpi/fadt.c acpi/madt.c acpi/numa.c acpi/tables.c))
$(HOST_BUILD)/full.o: $(FULL_SRC:%.c=$(HOST_BUILD)/%.o) tests/host/full/state.ld
	$(LD) -r $(patsubst -Wl$(,)%,%,$(SIM_LDFLAGS)) -T tests/host/full/state.ld $(filter %.o,$^) -o $@
-include $(FULL_SRC:%.c=$(HOST_BUILD)/%.d)

define host_test
$(1)_WORDS := $$(shell grep -vF . tests/host/$(1)/uses)
$(1)_SRC := $$(sort $$(wildcard tests/host/$(1)/*.c) $$(shell grep -F . tests/host/$(1)/uses) \
	$$(if $$(filter sim,$$($(1)_WORDS)),$(SIM_SRC)) $$(if $$(filter full,$$($(1)_WORDS)),tests/host/full/state.c))
$(1)_OBJ := $$($(1)_SRC:%.c=$(HOST_BUILD)/%.o)
$(HOST_BUILD)/$(1): $$($(1)_OBJ) $$(if $$(filter full,$$($(1)_WORDS)),$(HOST_BUILD)/full.o)
	@mkdir -p $$(@D)
	$$(CC) $(HOST_SANITIZE) $$^ -o $$@ $$(if $$(filter sim,$$($(1)_WORDS)),$$(SIM_LDFLAGS)) $$(HOST_LIBS)
$(HOST_BUILD)/$(1).$(HOST_OK): $(HOST_BUILD)/$(1)
	$(if $(filter 1,$(PREEMPT)),SIM_PREEMPT=1) $$< && touch $$@
-include $$($(1)_OBJ:.o=.d)
endef
$(foreach t,$(HOST_TESTS),$(eval $(call host_test,$(t))))

$(HOST_BUILD)/%.o: %.c Config.mk
	@mkdir -p $(@D)
	$(CC) $(HOST_CFLAGS) -MMD -MP -c $< -o $@

# ---- Coverage -------------------------------------------------------------------------------------------------------
COVERED := hypervisor/hypercall hypervisor/core hypervisor/arch/x86/pv
.PHONY: coverage coverage-run
#: make coverage   lines of hypercall, core and pv that the host tests execute; UNCOVERED=1 lists the others
coverage:
	@$(MAKE) -s COVERAGE=1 coverage-run
	@tests/coverage $(if $(filter 1,$(UNCOVERED)),-u) $(BUILD)/host-coverage $(COVERED)
coverage-run: $(patsubst %.c,$(HOST_BUILD)/%.o,$(shell find $(COVERED) -name '*.c')) $(HOST_TESTS:%=$(HOST_BUILD)/%)
	@find $(HOST_BUILD) -name '*.gcda' -delete
	@$(foreach t,$(HOST_TESTS),$(HOST_BUILD)/$(t) > $(HOST_BUILD)/$(t).out 2>&1 || { cat $(HOST_BUILD)/$(t).out; exit 1; };)

# ---- Fuzzing ---------------------------------------------------------------------------------------------------------
# tests/fuzz/NAME.c is a libFuzzer target; NAME.uses names what it links, as for host tests.
FUZZ_TARGETS := $(patsubst tests/fuzz/%.uses,%,$(sort $(wildcard tests/fuzz/*.uses)))
FUZZ_BUILD := $(BUILD)/fuzz
FUZZ_CFLAGS := $(HV_STD) $(WARN) $(HV_INC) -Itests/host/include -O1 -g -DARGON_DEBUG=1 -DARGON_HOST=1 \
	-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer

$(FUZZ_BUILD)/full.o: $(FULL_SRC:%.c=$(FUZZ_BUILD)/%.o) tests/host/full/state.ld
	$(LD) -r $(patsubst -Wl$(,)%,%,$(SIM_LDFLAGS)) -T tests/host/full/state.ld $(filter %.o,$^) -o $@
-include $(FULL_SRC:%.c=$(FUZZ_BUILD)/%.d)

define fuzz_target
$(1)_FUZZ_WORDS := $$(shell grep -vF . tests/fuzz/$(1).uses)
$(1)_FUZZ := tests/fuzz/$(1).c $$(shell grep -F . tests/fuzz/$(1).uses) $$(if $$(filter sim,$$($(1)_FUZZ_WORDS)),$$(SIM_SRC)) \
	$$(if $$(filter full,$$($(1)_FUZZ_WORDS)),tests/host/full/state.c)
$(FUZZ_BUILD)/$(1): $$($(1)_FUZZ:%.c=$(FUZZ_BUILD)/%.o) $$(if $$(filter full,$$($(1)_FUZZ_WORDS)),$(FUZZ_BUILD)/full.o)
	clang -fsanitize=fuzzer,address,undefined $$^ -o $$@ $$(if $$(filter sim,$$($(1)_FUZZ_WORDS)),$$(SIM_LDFLAGS)) $$(FUZZ_LIBS)
-include $$($(1)_FUZZ:%.c=$(FUZZ_BUILD)/%.d)
endef
$(foreach t,$(FUZZ_TARGETS),$(eval $(call fuzz_target,$(t))))

$(FUZZ_BUILD)/%.o: %.c Config.mk
	@mkdir -p $(@D)
	clang $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c $< -o $@

# What the simulated machine does is of no interest to the fuzzer.
$(FUZZ_BUILD)/tests/%.o: tests/%.c Config.mk
	@mkdir -p $(@D)
	clang $(FUZZ_CFLAGS) -MMD -MP -c $< -o $@

.PHONY: fuzz fuzz-programs $(FUZZ_TARGETS:%=fuzz-%)
#: make fuzz [SECONDS=60]   all fuzz targets: so many seconds for the hypervisor's together, and for the toolstack's; make fuzz-NAME for one. Inputs are kept in build/fuzz/corpus
SECONDS ?= 60
fuzz-programs: $(FUZZ_TARGETS:%=$(FUZZ_BUILD)/%)
fuzz: fuzz-hypervisor fuzz-tools
.PHONY: fuzz-hypervisor
fuzz-hypervisor: fuzz-programs
	@tests/fuzz/run $(SECONDS) $(FUZZ_BUILD) $(FUZZ_TARGETS)
$(FUZZ_TARGETS:%=fuzz-%): fuzz-%: $(FUZZ_BUILD)/%
	@tests/fuzz/run $(SECONDS) $(FUZZ_BUILD) $*

.PHONY: deps test
#: make deps       install the packages of tests/env/packages.txt that are missing
deps:
	tests/env/install

#: make test       everything: needs nothing but this tree and Debian 12
test: deps
	@tests/all

#: make check      host tests and lint: a few minutes
.PHONY: check host-programs
check: deps
	@tests/all lint host
host-programs: $(HOST_TESTS:%=$(HOST_BUILD)/%)

.PHONY: demo
#: make demo       boot dom0 from GRUB in QEMU and show it, with a guest
demo: deps
	@$(MAKE) --no-print-directory -s hypervisor tools guest
	@tests/system/demo

.PHONY: bench-tools
#: make bench-tools   our toolstack on Argon beside Debian's on Xen 4.17: creating, destroying, listing, memory
bench-tools: deps
	@$(MAKE) --no-print-directory -s hypervisor tools guest
	@tests/bench/tools/run

# ---- Lint: rules that the compiler does not check. Each script in tests/lint is one of them. --------------------------
LINT := text sizes goto-forward conditionals include-direction headers-alone options-documented links

.PHONY: lint lint-abi lint-selftest lint-call-direction $(LINT:%=lint-%)
#: make lint       rules of the tree: sizes, includes, calls, gotos, conditionals, text, the ABI against libxen-dev
lint: lint-abi lint-selftest $(LINT:%=lint-%)
lint-abi:
	tests/lint/abi-check
lint-selftest:
	tests/lint/selftest
#: make lint-call-direction   calls from lower folders to higher ones, by the symbols of the object files
lint-call-direction: hypervisor-objects
$(LINT:%=lint-%) lint-call-direction: lint-%:
	@CC="$(CC)" HV_CFLAGS='$(HV_CFLAGS)' HV_BUILD=$(HV_BUILD) tests/lint/$*

# ---- Guest kernels: tests/guest/NAME under a hypervisor in QEMU. ------------------------------------------------------
HYPERVISOR ?= $(DIST)/boot/argon.gz

.PHONY: guest-tests
#: make guest-tests [HYPERVISOR=FILE]   run the test kernels under a hypervisor
guest-tests: guest $(filter $(DIST)/%,$(HYPERVISOR))
	GUEST_BUILD=$(GUEST_BUILD) tests/guest/run-all $(HYPERVISOR)

# ---- What things cost, in instructions of an emulated machine that counts them (docs/performance.md). -----------------
.PHONY: bench bench-check bench-baseline bench-latency bench-latency-check bench-scale profile
#: make bench      what each path into the hypervisor and Debian's kernel as dom0 cost, beside Xen 4.17
bench: deps
	@tests/bench/dom0
	@tests/bench/run
# Against the baselines in the tree: a path that costs 3% more is a failure.
bench-check:
	@tests/bench/run check
#: make bench-baseline   write the costs measured now as the baselines that make test compares with
bench-baseline:
	@tests/bench/run baseline
#: make bench-latency   the longest stretch of each hypercall without a preemption point, over the worst inputs and the test kernels
bench-latency:
	@tests/bench/latency
bench-latency-check:
	@tests/bench/latency check
#: make bench-scale   what things cost with 1 to 500 domains, booting with 1 to 32 CPUs and 1 to 16 GiB
bench-scale:
	@tests/bench/scale
#: make profile PATH=NAME   where the instructions of one path go, by function
profile:
	@tests/bench/run profile $(PROFILE)

.PHONY: test-reference
#: make test-reference  the same test kernels under Debian's Xen 4.17: what differs there is in the tests' files `differs`
test-reference: guest
	tests/env/fetch --xen
	GUEST_BUILD=$(GUEST_BUILD) REFERENCE=1 tests/guest/run-all $(BUILD)/cache/xen/xen.gz
