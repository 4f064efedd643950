/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to libargonmigrate: records of the libxc and libxl streams (xen-doc, specs), written and read. */
#ifndef MIGRATE_STREAM_H
#define MIGRATE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define PAGE_BYTES 4096u

/* libxc stream, version 3. Numbers of the image header are big-endian. */
#define XC_MARKER  UINT64_MAX
#define XC_ID	   0x58454e46u
#define XC_VERSION 3u
#define XC_OPTION_BIG_ENDIAN 1u

struct xc_image_header {
	uint64_t marker;
	uint32_t id, version;
	uint16_t options, reserved[3];
};

#define XC_TYPE_X86_PV 1u
struct xc_domain_header {
	uint32_t type;
	uint16_t page_shift, reserved;
	uint32_t xen_major, xen_minor;
};

enum xc_record_type {
	XC_END, XC_PAGE_DATA, XC_X86_PV_INFO, XC_X86_PV_P2M_FRAMES, XC_X86_PV_VCPU_BASIC, XC_X86_PV_VCPU_EXTENDED,
	XC_X86_PV_VCPU_XSAVE, XC_SHARED_INFO, XC_X86_TSC_INFO, XC_HVM_CONTEXT, XC_HVM_PARAMS, XC_TOOLSTACK,
	XC_X86_PV_VCPU_MSRS, XC_VERIFY, XC_CHECKPOINT, XC_CHECKPOINT_DIRTY_PFNS, XC_STATIC_DATA_END, XC_X86_CPUID_POLICY,
	XC_X86_MSR_POLICY,
};
#define RECORD_OPTIONAL 0x80000000u

/* libxl stream, version 2. */
#define XL_IDENT   0x4c6962786c466d74u
#define XL_VERSION 2u
#define XL_OPTION_BIG_ENDIAN 1u
#define XL_OPTION_LEGACY     2u
struct xl_stream_header {
	uint64_t ident;
	uint32_t version, options;
};
enum xl_record_type { XL_END, XL_LIBXC_CONTEXT, XL_EMULATOR_STORE, XL_EMULATOR_CONTEXT, XL_CHECKPOINT_END, XL_CHECKPOINT_STATE };

struct record_header {
	uint32_t type, bytes;
};

/* Bodies. */
struct xc_pages {
	uint32_t count, reserved;
	uint64_t pfn[]; /* with XEN_DOMCTL_PFINFO_* << 32 */
};
#define XC_PFN_MASK	  ((UINT64_C(1) << 52) - 1)
#define XC_PFN_RESERVED	  (UINT64_C(0xff) << 52)
#define XC_PFN_TYPE_SHIFT 32 /* of XEN_DOMCTL_PFINFO_*, which are in bits 31:28 */

struct xc_pv_info {
	uint8_t guest_width, pt_levels, reserved[6];
};
struct xc_p2m_frames {
	uint32_t first, last; /* pfns whose entries the frames hold */
	uint64_t pfn[];
};
struct xc_vcpu {
	uint32_t vcpu, reserved;
	uint8_t context[];
};
struct xc_tsc_info {
	uint32_t mode, khz;
	uint64_t nsec;
	uint32_t incarnation, reserved;
};

/* No record that we take is larger: 1024 pages with their numbers, or the P2M frames of a domain of 4 TiB. */
#define RECORD_BYTES_MAX (24u << 20)

/* ---- Writing: small pieces are gathered, large ones go straight out. ---- */
struct stream_out {
	int fd;
	uint64_t bytes; /* given to it so far */
	size_t used;
	uint8_t buffer[65536];
};

void stream_out_init(struct stream_out *s, int fd);
int stream_put(struct stream_out *s, const void *data, size_t bytes);
/* @param pieces are changed */
int stream_put_pieces(struct stream_out *s, struct iovec *pieces, int count);
int stream_flush(struct stream_out *s);
/* A whole record whose body is head and then tail; either may be empty. */
int stream_record(struct stream_out *s, uint32_t type, const void *head, size_t head_bytes, const void *tail, size_t tail_bytes);

/* ---- Reading ---- */
struct stream_in {
	int fd;
	uint64_t bytes;
	size_t at, filled;
	uint8_t buffer[65536];
};

void stream_in_init(struct stream_in *s, int fd);
/* -EPIPE when the stream ends before that. */
int stream_get(struct stream_in *s, void *data, size_t bytes);
/* Without a stream_in: takes no byte more from fd, since what follows is for another reader. */
int stream_read_exactly(int fd, void *data, size_t bytes);
/* The body of a record with its padding, into *body, which is made larger when need be; NULL and 0 to begin with. */
struct record {
	struct record_header header;
	uint8_t *body;
	size_t room;
};
int record_get_header(struct stream_in *s, struct record *r);
/* The first `bytes` of the body, which may be less than all; the rest is read by record_get_rest or piece by piece. */
int record_get_body(struct stream_in *s, struct record *r, size_t bytes);
int record_get_padding(struct stream_in *s, const struct record *r);
void record_free(struct record *r);

#endif
