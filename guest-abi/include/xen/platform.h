/* SPDX-License-Identifier: BSD-2-Clause */
/* platform_op(op): the machine's clock, firmware, power states and CPUs, for dom0. Its one argument holds the command. */
#ifndef XEN_PUBLIC_PLATFORM_H
#define XEN_PUBLIC_PLATFORM_H

#include "xen.h"

#define XENPF_INTERFACE_VERSION 0x03000001

#define XENPF_settime32		 17
#define XENPF_add_memtype	 31
#define XENPF_del_memtype	 32
#define XENPF_read_memtype	 33
#define XENPF_microcode_update	 35
#define XENPF_platform_quirk	 39
#define XENPF_get_cpu_version	 48
#define XENPF_efi_runtime_call	 49
#define XENPF_firmware_info	 50
#define XENPF_enter_acpi_sleep	 51
#define XENPF_change_freq	 52
#define XENPF_getidletime	 53
#define XENPF_set_processor_pminfo 54
#define XENPF_get_cpuinfo	 55
#define XENPF_cpu_online	 56
#define XENPF_cpu_offline	 57
#define XENPF_cpu_hotadd	 58
#define XENPF_mem_hotadd	 59
#define XENPF_core_parking	 60
#define XENPF_resource_op	 61
#define XENPF_settime64		 62
#define XENPF_get_symbol	 63
#define XENPF_settime		 XENPF_settime64

#define QUIRK_NOIRQBALANCING	 1
#define QUIRK_IOAPIC_BAD_REGSEL	 2
#define QUIRK_IOAPIC_GOOD_REGSEL 3

/* EFI run-time services, and what misc means for them. */
#define XEN_EFI_get_time		      1
#define XEN_EFI_GET_TIME_SET_CLEARS_NS	      0x00000001
#define XEN_EFI_set_time		      2
#define XEN_EFI_get_wakeup_time		      3
#define XEN_EFI_GET_WAKEUP_TIME_ENABLED	      0x00000001
#define XEN_EFI_GET_WAKEUP_TIME_PENDING	      0x00000002
#define XEN_EFI_set_wakeup_time		      4
#define XEN_EFI_SET_WAKEUP_TIME_ENABLE	      0x00000001
#define XEN_EFI_SET_WAKEUP_TIME_ENABLE_ONLY   0x00000002
#define XEN_EFI_get_next_high_monotonic_count 5
#define XEN_EFI_get_variable		      6
#define XEN_EFI_set_variable		      7
#define XEN_EFI_VARIABLE_NON_VOLATILE	      0x00000001
#define XEN_EFI_VARIABLE_BOOTSERVICE_ACCESS   0x00000002
#define XEN_EFI_VARIABLE_RUNTIME_ACCESS	      0x00000004
#define XEN_EFI_get_next_variable_name	      8
#define XEN_EFI_query_variable_info	      9
#define XEN_EFI_VARINFO_BOOT_SNAPSHOT	      0x00000001
#define XEN_EFI_query_capsule_capabilities    10
#define XEN_EFI_update_capsule		      11

/* xenpf_firmware_info.type, and index for XEN_FW_EFI_INFO. */
#define XEN_FW_DISK_INFO	    1 /* index: from 0 until -ESRCH */
#define XEN_FW_DISK_MBR_SIGNATURE   2
#define XEN_FW_VBEDDC_INFO	    3
#define XEN_FW_EFI_INFO		    4
#define XEN_FW_EFI_VERSION	    0
#define XEN_FW_EFI_CONFIG_TABLE	    1
#define XEN_FW_EFI_VENDOR	    2
#define XEN_FW_EFI_MEM_INFO	    3
#define XEN_FW_EFI_RT_VERSION	    4
#define XEN_FW_EFI_PCI_ROM	    5
#define XEN_FW_EFI_APPLE_PROPERTIES 6
#define XEN_FW_KBD_SHIFT_FLAGS	    5

#define XENPF_ACPI_SLEEP_EXTENDED 0x00000001 /* val_a and val_b are sleep types of the reduced-hardware registers */

/* What a processor driver is able to handle: C, P and T states. */
#define XEN_PROCESSOR_PM_CX 1
#define XEN_PROCESSOR_PM_PX 2
#define XEN_PROCESSOR_PM_TX 4

/* xenpf_set_processor_pminfo.type */
#define XEN_PM_CX  0
#define XEN_PM_PX  1
#define XEN_PM_TX  2
#define XEN_PM_PDC 3

/* xen_processor_performance.flags: which ACPI objects are given. */
#define XEN_PX_PCT 1
#define XEN_PX_PSS 2
#define XEN_PX_PPC 4
#define XEN_PX_PSD 8

#define XEN_CPUPERF_SHARED_TYPE_HW  1 /* the hardware coordinates */
#define XEN_CPUPERF_SHARED_TYPE_ALL 2 /* all CPUs of the domain have to ask */
#define XEN_CPUPERF_SHARED_TYPE_ANY 3 /* any of them may */

#define XEN_PCPU_FLAGS_ONLINE  1
#define XEN_PCPU_FLAGS_INVALID 2 /* there is no such CPU */

#define XEN_CORE_PARKING_SET 1
#define XEN_CORE_PARKING_GET 2

#define XEN_RESOURCE_OP_MSR_READ  0
#define XEN_RESOURCE_OP_MSR_WRITE 1

#ifndef __ASSEMBLY__

/* Wall-clock time (since 1970) at a system time. */
typedef struct xenpf_settime32 {
	uint32_t secs; /* all IN */
	uint32_t nsecs;
	uint64_t system_time;
} xenpf_settime32_t;

#define xenpf_settime xenpf_settime64
typedef struct xenpf_settime64 {
	uint64_t secs; /* all IN */
	uint32_t nsecs;
	uint32_t mbz;
	uint64_t system_time;
} xenpf_settime64_t;
typedef xenpf_settime64_t xenpf_settime_t;
DEFINE_XEN_GUEST_HANDLE(xenpf_settime_t);

/* MTRRs. */
typedef struct xenpf_add_memtype {
	xen_pfn_t mfn; /* IN */
	uint64_t nr_mfns; /* IN */
	uint32_t type; /* IN */
	uint32_t handle; /* OUT */
	uint32_t reg; /* OUT */
} xenpf_add_memtype_t;
DEFINE_XEN_GUEST_HANDLE(xenpf_add_memtype_t);

typedef struct xenpf_del_memtype {
	uint32_t handle; /* IN */
	uint32_t reg; /* IN */
} xenpf_del_memtype_t;
DEFINE_XEN_GUEST_HANDLE(xenpf_del_memtype_t);

typedef struct xenpf_read_memtype {
	uint32_t reg; /* IN */
	xen_pfn_t mfn; /* OUT */
	uint64_t nr_mfns; /* OUT */
	uint32_t type; /* OUT */
} xenpf_read_memtype_t;
DEFINE_XEN_GUEST_HANDLE(xenpf_read_memtype_t);

typedef struct xenpf_microcode_update {
	XEN_GUEST_HANDLE(const_void) data; /* IN */
	uint32_t length; /* IN */
} xenpf_microcode_update_t;
DEFINE_XEN_GUEST_HANDLE(xenpf_microcode_update_t);

typedef struct xenpf_platform_quirk {
	uint32_t quirk_id; /* IN: QUIRK_* */
} xenpf_platform_quirk_t;
DEFINE_XEN_GUEST_HANDLE(xenpf_platform_quirk_t);

struct xenpf_efi_time {
	uint16_t year;
	uint8_t month;
	uint8_t day;
	uint8_t hour;
	uint8_t min;
	uint8_t sec;
	uint32_t ns;
	int16_t tz;
	uint8_t daylight;
};

struct xenpf_efi_guid {
	uint32_t data1;
	uint16_t data2;
	uint16_t data3;
	uint8_t data4[8];
};

typedef struct xenpf_efi_runtime_call {
	uint32_t function; /* IN: XEN_EFI_* */
	uint32_t misc; /* IN, OUT: flags, attributes or the count, as the service needs */
	xen_ulong_t status; /* OUT: EFI_STATUS */
	union {
		struct {
			struct xenpf_efi_time time;
			uint32_t resolution;
			uint32_t accuracy;
		} get_time;
		struct xenpf_efi_time set_time;
		struct xenpf_efi_time get_wakeup_time;
		struct xenpf_efi_time set_wakeup_time;
		struct {
			XEN_GUEST_HANDLE(void) name; /* UCS-2 */
			xen_ulong_t size;
			XEN_GUEST_HANDLE(void) data;
			struct xenpf_efi_guid vendor_guid;
		} get_variable, set_variable;
		struct {
			xen_ulong_t size;
			XEN_GUEST_HANDLE(void) name;
			struct xenpf_efi_guid vendor_guid;
		} get_next_variable_name;
		struct {
			uint32_t attr;
			uint64_t max_store_size;
			uint64_t remain_store_size;
			uint64_t max_size;
		} query_variable_info;
		struct {
			XEN_GUEST_HANDLE(void) capsule_header_array;
			xen_ulong_t capsule_count;
			uint64_t max_capsule_size;
			uint32_t reset_type;
		} query_capsule_capabilities;
		struct {
			XEN_GUEST_HANDLE(void) capsule_header_array;
			xen_ulong_t capsule_count;
			uint64_t sg_list; /* machine address */
		} update_capsule;
	} u;
} xenpf_efi_runtime_call_t;
DEFINE_XEN_GUEST_HANDLE(xenpf_efi_runtime_call_t);

/* What the BIOS or EFI told the boot code. */
typedef struct xenpf_firmware_info {
	uint32_t type; /* IN: XEN_FW_* */
	uint32_t index; /* IN */
	union {
		struct {
			uint8_t device; /* INT 13h drive number */
			uint8_t version; /* of the extensions (INT 13h, AH=41h) */
			uint16_t interface_support;
			uint16_t legacy_max_cylinder; /* geometry (INT 13h, AH=08h) */
			uint8_t legacy_max_head;
			uint8_t legacy_sectors_per_track;
			XEN_GUEST_HANDLE(void) edd_params; /* INT 13h, AH=48h; its first word: room in bytes */
		} disk_info;
		struct {
			uint8_t device;
			uint32_t mbr_signature; /* word at offset 0x1b8 of the first sector */
		} disk_mbr_signature;
		struct {
			uint8_t capabilities; /* INT 10h, AX=4F15h */
			uint8_t edid_transfer_time;
			XEN_GUEST_HANDLE(uint8) edid; /* 128 bytes */
		} vbeddc_info;
		union xenpf_efi_info {
			uint32_t version;
			struct {
				uint64_t addr; /* machine address */
				uint32_t nent;
			} cfg;
			struct {
				uint32_t revision;
				uint32_t bufsz; /* IN: bytes */
				XEN_GUEST_HANDLE(void) name; /* UCS-2 */
			} vendor;
			struct { /* the descriptor that addr (IN) lies in */
				uint64_t addr;
				uint64_t size;
				uint64_t attr;
				uint32_t type;
			} mem;
			struct {
				uint16_t segment; /* IN */
				uint8_t bus; /* IN */
				uint8_t devfn; /* IN */
				uint16_t vendor; /* IN */
				uint16_t devid; /* IN */
				uint64_t address;
				xen_ulong_t size;
			} pci_rom;
			struct {
				uint64_t address;
				xen_ulong_t size;
			} apple_properties;
		} efi_info;
		uint8_t kbd_shift_flags; /* INT 16h, AH=02h */
	} u; /* OUT, where not marked */
} xenpf_firmware_info_t;
DEFINE_XEN_GUEST_HANDLE(xenpf_firmware_info_t);

typedef struct xenpf_enter_acpi_sleep {
	uint16_t val_a; /* all IN: PM1a and PM1b control, or sleep types */
	uint16_t val_b;
	uint32_t sleep_state; /* n of Sn */
	uint32_t flags; /* XENPF_ACPI_SLEEP_EXTENDED */
} xenpf_enter_acpi_sleep_t;
DEFINE_XEN_GUEST_HANDLE(xenpf_enter_acpi_sleep_t);

typedef struct xenpf_change_freq {
	uint32_t flags; /* all IN; 0 */
	uint32_t cpu;
	uint64_t freq; /* Hz */
} xenpf_change_freq_t;
DEFINE_XEN_GUEST_HANDLE(xenpf_change_freq_t);

typedef struct xenpf_getidletime {
	XEN_GUEST_HANDLE(uint8) cpumap_bitmap; /* IN: CPUs wanted; OUT: those that there are */
	uint32_t cpumap_nr_cpus; /* IN */
	XEN_GUEST_HANDLE(uint64) idletime; /* OUT: ns, indexed by CPU */
	uint64_t now; /* OUT: system time */
} xenpf_getidletime_t;
DEFINE_XEN_GUEST_HANDLE(xenpf_getidletime_t);

/* Processor objects of ACPI, which only dom0 can evaluate. */
struct xen_power_register {
	uint32_t space_id;
	uint32_t bit_width;
	uint32_t bit_offset;
	uint32_t access_size;
	uint64_t address;
};

/* _CSD */
typedef struct xen_processor_csd {
	uint32_t domain;
	uint32_t coord_type;
	uint32_t num; /* processors in the domain */
} xen_processor_csd_t;
DEFINE_XEN_GUEST_HANDLE(xen_processor_csd_t);

/* _CST */
typedef struct xen_processor_cx {
	struct xen_power_register reg;
	uint8_t type; /* n of Cn */
	uint32_t latency; /* us */
	uint32_t power; /* mW */
	uint32_t dpcnt; /* entries in dp */
	XEN_GUEST_HANDLE(xen_processor_csd_t) dp;
} xen_processor_cx_t;
DEFINE_XEN_GUEST_HANDLE(xen_processor_cx_t);

struct xen_processor_flags {
	uint32_t bm_control : 1;
	uint32_t bm_check : 1;
	uint32_t has_cst : 1;
	uint32_t power_setup_done : 1;
	uint32_t bm_rld_set : 1;
};

struct xen_processor_power {
	uint32_t count; /* entries in states */
	struct xen_processor_flags flags;
	XEN_GUEST_HANDLE(xen_processor_cx_t) states;
};

/* _PCT */
struct xen_pct_register {
	uint8_t descriptor;
	uint16_t length;
	uint8_t space_id;
	uint8_t bit_width;
	uint8_t bit_offset;
	uint8_t reserved;
	uint64_t address;
};

/* _PSS */
typedef struct xen_processor_px {
	uint64_t core_frequency; /* MHz */
	uint64_t power; /* mW */
	uint64_t transition_latency; /* us */
	uint64_t bus_master_latency; /* us */
	uint64_t control;
	uint64_t status;
} xen_processor_px_t;
DEFINE_XEN_GUEST_HANDLE(xen_processor_px_t);

/* _PSD */
struct xen_psd_package {
	uint64_t num_entries;
	uint64_t revision;
	uint64_t domain;
	uint64_t coord_type;
	uint64_t num_processors;
};

struct xen_processor_performance {
	uint32_t flags; /* XEN_PX_* */
	uint32_t platform_limit; /* _PPC */
	struct xen_pct_register control_register;
	struct xen_pct_register status_register;
	uint32_t state_count;
	XEN_GUEST_HANDLE(xen_processor_px_t) states;
	struct xen_psd_package domain_info;
	uint32_t shared_type; /* XEN_CPUPERF_SHARED_TYPE_* */
};
typedef struct xen_processor_performance xen_processor_performance_t;
DEFINE_XEN_GUEST_HANDLE(xen_processor_performance_t);

typedef struct xenpf_set_processor_pminfo {
	uint32_t id; /* IN: ACPI processor id */
	uint32_t type; /* IN: XEN_PM_* */
	union {
		struct xen_processor_power power;
		struct xen_processor_performance perf;
		XEN_GUEST_HANDLE(uint32) pdc; /* IN, OUT: the _PDC buffer */
	} u;
} xenpf_set_processor_pminfo_t;
DEFINE_XEN_GUEST_HANDLE(xenpf_set_processor_pminfo_t);

typedef struct xenpf_pcpuinfo {
	uint32_t xen_cpuid; /* IN */
	uint32_t max_present; /* OUT: highest number of a CPU */
	uint32_t flags; /* OUT: XEN_PCPU_FLAGS_* */
	uint32_t apic_id; /* OUT */
	uint32_t acpi_id; /* OUT */
} xenpf_pcpuinfo_t;
DEFINE_XEN_GUEST_HANDLE(xenpf_pcpuinfo_t);

typedef struct xenpf_pcpu_version {
	uint32_t xen_cpuid; /* IN */
	uint32_t max_present; /* OUT, as are the rest */
	char vendor_id[12];
	uint32_t family;
	uint32_t model;
	uint32_t stepping;
} xenpf_pcpu_version_t;
DEFINE_XEN_GUEST_HANDLE(xenpf_pcpu_version_t);

typedef struct xenpf_cpu_ol {
	uint32_t cpuid; /* IN */
} xenpf_cpu_ol_t;
DEFINE_XEN_GUEST_HANDLE(xenpf_cpu_ol_t);

/* Returns the new CPU's number. */
typedef struct xenpf_cpu_hotadd {
	uint32_t apic_id; /* all IN */
	uint32_t acpi_id;
	uint32_t pxm;
} xenpf_cpu_hotadd_t;

typedef struct xenpf_mem_hotadd {
	uint64_t spfn; /* all IN: first frame */
	uint64_t epfn; /* frame after the last */
	uint32_t pxm;
	uint32_t flags;
} xenpf_mem_hotadd_t;

typedef struct xenpf_core_parking {
	uint32_t type; /* IN: XEN_CORE_PARKING_* */
	uint32_t idle_nums; /* IN for set, OUT for get: CPUs to keep idle */
} xenpf_core_parking_t;
DEFINE_XEN_GUEST_HANDLE(xenpf_core_parking_t);

/*
 * MSR accesses on one CPU, in order and not interrupted. The call returns how many were done; the failed one has its
 * error in u.ret. Reading the TSC gives the system time in ns, taken together with the read before it.
 */
typedef struct xenpf_resource_entry {
	union {
		uint32_t cmd; /* IN: XEN_RESOURCE_OP_* */
		int32_t ret; /* OUT */
	} u;
	uint32_t rsvd; /* 0 */
	uint64_t idx; /* IN: MSR */
	uint64_t val; /* IN, OUT */
} xenpf_resource_entry_t;
DEFINE_XEN_GUEST_HANDLE(xenpf_resource_entry_t);

typedef struct xenpf_resource_op {
	uint32_t nr_entries; /* IN */
	uint32_t cpu; /* IN */
	XEN_GUEST_HANDLE(xenpf_resource_entry_t) entries; /* IN, OUT */
} xenpf_resource_op_t;
DEFINE_XEN_GUEST_HANDLE(xenpf_resource_op_t);

/* One symbol of the hypervisor. */
typedef struct xenpf_symdata {
	uint32_t namelen; /* IN: room; OUT: length of the whole name */
	uint32_t symnum; /* IN; OUT: the next one, or the same at the end */
	XEN_GUEST_HANDLE(char) name; /* OUT */
	uint64_t address; /* OUT */
	char type; /* OUT: letter, as nm prints */
} xenpf_symdata_t;
DEFINE_XEN_GUEST_HANDLE(xenpf_symdata_t);

typedef struct xen_platform_op {
	uint32_t cmd; /* XENPF_* */
	uint32_t interface_version; /* XENPF_INTERFACE_VERSION, or -EACCES */
	union {
		xenpf_settime_t settime;
		xenpf_settime32_t settime32;
		xenpf_settime64_t settime64;
		xenpf_add_memtype_t add_memtype;
		xenpf_del_memtype_t del_memtype;
		xenpf_read_memtype_t read_memtype;
		xenpf_microcode_update_t microcode;
		xenpf_platform_quirk_t platform_quirk;
		xenpf_efi_runtime_call_t efi_runtime_call;
		xenpf_firmware_info_t firmware_info;
		xenpf_enter_acpi_sleep_t enter_acpi_sleep;
		xenpf_change_freq_t change_freq;
		xenpf_getidletime_t getidletime;
		xenpf_set_processor_pminfo_t set_pminfo;
		xenpf_pcpuinfo_t pcpu_info;
		xenpf_pcpu_version_t pcpu_version;
		xenpf_cpu_ol_t cpu_ol;
		xenpf_cpu_hotadd_t cpu_add;
		xenpf_mem_hotadd_t mem_add;
		xenpf_core_parking_t core_parking;
		xenpf_resource_op_t resource_op;
		xenpf_symdata_t symdata;
		uint8_t pad[128];
	} u;
} xen_platform_op_t;
DEFINE_XEN_GUEST_HANDLE(xen_platform_op_t);

#endif /* __ASSEMBLY__ */
#endif
