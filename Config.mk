# Build settings. Override on the command line: make CC=clang DEBUG=1
CC      ?= gcc
ifeq ($(origin CC),default)
CC      := gcc
endif
LD      ?= ld
OBJCOPY ?= objcopy
NM      ?= nm
READELF ?= readelf
DEBUG   ?= 0
# 1: every preemption point preempts (a test build)
PREEMPT ?= 0

BUILD   := build
DIST    := dist
CCNAME  := $(notdir $(firstword $(CC)))
VARIANT := $(CCNAME)$(if $(filter 1,$(DEBUG)),-debug)$(if $(filter 1,$(PREEMPT)),-preempt)

WARN := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wswitch-enum -Wvla -Wundef \
	-Wpointer-arith -Wwrite-strings -Werror

# Frames need no more than 8-byte alignment; entry code leaves it at that.
HV_STACK_ALIGN := $(if $(findstring clang,$(CC)),-mstack-alignment=8,-mpreferred-stack-boundary=3)

# Indirect branches go through thunks that boot takes out where the CPU does not need them.
HV_THUNKS := $(if $(findstring clang,$(CC)),-mretpoline -mretpoline-external-thunk,-mindirect-branch=thunk-extern -mindirect-branch-register)

# Flags that hypervisor code is compiled with wherever it runs (target and host).
HV_WARN := $(WARN) -Wconversion -Wno-sign-conversion
HV_INC  := -Ihypervisor/include -Iguest-abi/include
HV_STD  := -std=gnu11 -D__XEN__ -fno-strict-aliasing -fno-common -fwrapv
HV_CFLAGS := $(HV_STD) $(HV_WARN) $(HV_INC) -O2 -g -ffreestanding -fPIE -include hypervisor/include/hv/visibility.h \
	-mno-red-zone -mgeneral-regs-only -fno-stack-protector -fno-asynchronous-unwind-tables \
	-fcf-protection=none -fno-jump-tables -ffunction-sections -fdata-sections \
	$(HV_STACK_ALIGN) $(HV_THUNKS) -ffile-prefix-map=$(CURDIR)/= -DARGON_DEBUG=$(DEBUG) -DARGON_PREEMPT_ALWAYS=$(PREEMPT)
HV_AFLAGS := $(HV_INC) -g -D__ASSEMBLY__ -ffile-prefix-map=$(CURDIR)/=

# Host builds (unit tests) of the same sources: with sanitizers, or with counters of executed lines.
COVERAGE ?= 0
HOST_SANITIZE := $(if $(filter 1,$(COVERAGE)),--coverage,-fsanitize=address,undefined)
HOST_CFLAGS := $(HV_STD) $(WARN) $(HV_INC) -Itests/host/include -O1 -g -DARGON_DEBUG=1 -DARGON_HOST=1 \
	-fno-omit-frame-pointer $(HOST_SANITIZE) $(if $(filter 1,$(COVERAGE)),-fdata-sections,-fno-sanitize-recover=undefined)
HOST_LIBS := -lcmocka -llzma -lzstd -llz4 -lz
