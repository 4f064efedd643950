# The hypervisor: every .c and .S below hypervisor/, linked into dist/boot/argon.
HV_BUILD := $(BUILD)/hv-$(VARIANT)
HV_SRC_C := $(sort $(shell find hypervisor -name '*.c'))
HV_SRC_S := $(sort $(shell find hypervisor -name '*.S'))
HV_OBJ   := $(HV_SRC_C:%.c=$(HV_BUILD)/%.o) $(HV_SRC_S:%.S=$(HV_BUILD)/%.S.o)

.PHONY: hypervisor hypervisor-objects
hypervisor-objects: $(HV_OBJ)

$(HV_BUILD)/%.o: %.c Config.mk
	@mkdir -p $(@D)
	$(CC) $(HV_CFLAGS) -MMD -MP -c $< -o $@

$(HV_BUILD)/%.S.o: %.S Config.mk
	@mkdir -p $(@D)
	$(CC) $(HV_AFLAGS) -MMD -MP -c $< -o $@

hypervisor: hypervisor-objects

-include $(patsubst %.o,%.d,$(HV_OBJ))
