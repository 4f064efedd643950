# The hypervisor: every .c and .S below hypervisor/, linked into dist/boot/argon.
HV_BUILD := $(BUILD)/hv-$(VARIANT)
HV_SRC_C := $(sort $(shell find hypervisor -name '*.c' ! -name 'asm-offsets.c'))
HV_SRC_S := $(sort $(shell find hypervisor -name '*.S'))
HV_OBJ   := $(HV_SRC_C:%.c=$(HV_BUILD)/%.o) $(HV_SRC_S:%.S=$(HV_BUILD)/%.S.o)
HV_GEN   := $(HV_BUILD)/include/hv/asm_offsets.h
HV_LDS   := hypervisor/arch/x86/boot/argon.lds
HV_LDFLAGS := -static -nostdlib -z noexecstack -z max-page-size=4096 --build-id=none --gc-sections --fatal-warnings \
	-T $(HV_LDS)

# What GRUB loads has its physical addresses for virtual ones too (GRUB looks for the entry point among these): image_start - LINK_PADDR.
HV_LOAD_SHIFT := 0xffff807fbfe00000
# The low half of image_start, for the table of branches.
HV_IMAGE_LOW := 3221225472

.PHONY: hypervisor hypervisor-objects
hypervisor-objects: $(HV_OBJ)

$(HV_BUILD)/%.o: %.c Config.mk
	@mkdir -p $(@D)
	$(CC) $(HV_CFLAGS) -MMD -MP -c $< -o $@

$(HV_BUILD)/%.S.o: %.S $(HV_GEN) Config.mk
	@mkdir -p $(@D)
	$(CC) $(HV_AFLAGS) -I$(HV_BUILD)/include -MMD -MP -c $< -o $@

# Constants of C headers for assembly.
$(HV_GEN): hypervisor/arch/x86/cpu/asm-offsets.c Config.mk
	@mkdir -p $(@D) $(HV_BUILD)/hypervisor
	$(CC) $(HV_CFLAGS) -g0 -MMD -MP -MT $@ -MF $(HV_BUILD)/hypervisor/asm-offsets.d -S $< -o $(HV_BUILD)/asm-offsets.s
	sed -n 's/.*\.ascii[[:space:]]*"\(#define [^"]*\)".*/\1/p' $(HV_BUILD)/asm-offsets.s > $@

# Two links: the second one has the symbol table, which lies behind everything else.
$(HV_BUILD)/argon.1: $(HV_OBJ) $(HV_LDS)
	$(LD) $(HV_LDFLAGS) --emit-relocs $(HV_OBJ) -o $@
$(HV_BUILD)/symbols.S: $(HV_BUILD)/argon.1 hypervisor/arch/x86/boot/symbols.awk hypervisor/arch/x86/boot/sites.awk
	$(NM) -n $< | LC_ALL=C awk -f hypervisor/arch/x86/boot/symbols.awk > $@
	$(READELF) -rW $< | LC_ALL=C awk -v base=$(HV_IMAGE_LOW) -f hypervisor/arch/x86/boot/sites.awk >> $@
$(HV_BUILD)/symbols.o: $(HV_BUILD)/symbols.S
	$(CC) -c $< -o $@
# dist/ holds one variant at a time: another compiler or DEBUG means to link again.
$(BUILD)/variant: FORCE
	@mkdir -p $(@D)
	@echo $(VARIANT) | cmp -s - $@ || echo $(VARIANT) > $@
.PHONY: FORCE
FORCE:
$(DIST)/boot/argon: $(HV_BUILD)/argon.1 $(HV_BUILD)/symbols.o $(BUILD)/variant
	@mkdir -p $(@D)
	$(LD) $(HV_LDFLAGS) $(HV_OBJ) $(HV_BUILD)/symbols.o -o $@
$(DIST)/boot/argon.gz: $(DIST)/boot/argon
	$(OBJCOPY) -S --change-section-vma '*-$(HV_LOAD_SHIFT)' $< $(HV_BUILD)/argon.stripped
	gzip -9nc $(HV_BUILD)/argon.stripped > $@.new && mv $@.new $@

#: make hypervisor  build only dist/boot/argon.gz and dist/boot/argon (with symbols)
hypervisor: $(DIST)/boot/argon.gz

-include $(patsubst %.o,%.d,$(HV_OBJ)) $(HV_BUILD)/hypervisor/asm-offsets.d
