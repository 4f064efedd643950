# The guest library and the kernels made with it: examples, and the tests in tests/guest. Each directory
# guest-abi/examples/NAME or tests/guest/NAME with .c files is one kernel, $(BUILD)/guest/NAME.elf.
GUEST_BUILD  := $(BUILD)/guest
GUEST_INC    := -Iguest-abi/include -Iguest-abi/lib/include
GUEST_CFLAGS := $(filter-out -D__XEN__,$(HV_STD)) $(HV_WARN) $(GUEST_INC) -O2 -g -ffreestanding -fno-pie -mcmodel=kernel -mno-red-zone \
	-mgeneral-regs-only -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none \
	-ffile-prefix-map=$(CURDIR)/=
GUEST_LDS    := guest-abi/lib/guest.lds
GUEST_LIB_O  := $(patsubst guest-abi/lib/%.c,$(GUEST_BUILD)/lib/%.o,$(sort $(wildcard guest-abi/lib/*.c))) \
	$(GUEST_BUILD)/lib/entry.S.o
GUEST_DIRS   := $(patsubst %/,%,$(sort $(dir $(wildcard guest-abi/examples/*/*.c tests/guest/*/*.c tests/guest-driver/*.c \
	$(foreach b,paths worst domains,tests/bench/$(b)/*.c)))))
GUEST_ELF    := $(foreach d,$(GUEST_DIRS),$(GUEST_BUILD)/$(notdir $(d)).elf)

.PHONY: guest
#: make guest      the example kernel and the test kernels, into build/guest
guest: $(GUEST_ELF)

$(GUEST_BUILD)/lib/%.o: guest-abi/lib/%.c Config.mk guest-abi/build.mk
	@mkdir -p $(@D)
	$(CC) $(GUEST_CFLAGS) -MMD -MP -c $< -o $@

$(GUEST_BUILD)/lib/%.S.o: guest-abi/lib/%.S Config.mk guest-abi/build.mk
	@mkdir -p $(@D)
	$(CC) $(GUEST_INC) -g -D__ASSEMBLY__ -ffile-prefix-map=$(CURDIR)/= -MMD -MP -c $< -o $@

define guest_kernel
$$(GUEST_BUILD)/obj/$(1)/%.o: $(1)/%.c Config.mk guest-abi/build.mk
	@mkdir -p $$(@D)
	$$(CC) $$(GUEST_CFLAGS) -MMD -MP -c $$< -o $$@
$$(GUEST_BUILD)/$(notdir $(1)).elf: $$(patsubst %.c,$$(GUEST_BUILD)/obj/%.o,$$(sort $$(wildcard $(1)/*.c))) \
		$$(GUEST_LIB_O) $$(GUEST_LDS)
	$$(LD) -nostdlib -static -z max-page-size=4096 --build-id=none -T $$(GUEST_LDS) $$(filter %.o,$$^) -o $$@
-include $$(wildcard $$(GUEST_BUILD)/obj/$(1)/*.d)
endef
$(foreach d,$(GUEST_DIRS),$(eval $(call guest_kernel,$(d))))
-include $(GUEST_LIB_O:.o=.d)
